"""Reference solution of exercise 3: one trunk, one linear head, and quantiles that cannot cross.

Three decisions matter. The head gives the median and six non-negative steps away from it, so that the quantiles are in
order for every input. The loss of each task is divided by the spread of its y, so that the plain sum serves all four.
And weight decay with a learning rate that falls to zero keeps 17,000 parameters from learning 4,000 items by heart.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import tlcourse

TAUS = torch.tensor([0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95])
MEDIAN = 3  # index of τ = 0.5
EPOCHS = 30
BATCH = 64
PEAK_RATE = 3e-3


class QuantileNet(nn.Module):
    """(B, 8) -> quantiles (B, 4, 7)."""

    def __init__(self, centre: Tensor, spread: Tensor, width: int = 64) -> None:
        super().__init__()
        layers = []
        for fan_in in (8, width, width, width):
            layers += [nn.Linear(fan_in, width), nn.SiLU()]
        self.trunk = nn.Sequential(*layers)  # -> (B, width)
        self.head = nn.Linear(width, 4 * 7)
        self.register_buffer("centre", centre)  # (4,) the median of each y
        self.register_buffer("spread", spread)  # (4,) its interquartile range

    def forward(self, x: Tensor) -> Tensor:
        raw = self.head(self.trunk(x)).unflatten(1, (4, 7))
        return self.centre[:, None] + self.spread[:, None] * in_order(raw)


def in_order(raw: Tensor) -> Tensor:
    """(B, 4, 7) free numbers -> (B, 4, 7) that never fall: the median as it is, the others by steps away from it."""
    steps = F.softplus(raw)
    median = raw[..., MEDIAN : MEDIAN + 1]
    above = median + steps[..., MEDIAN + 1 :].cumsum(-1)
    below = median - steps[..., :MEDIAN].flip(-1).cumsum(-1).flip(-1)
    return torch.cat([below, median, above], dim=-1)


def pinball(predicted: Tensor, y: Tensor) -> Tensor:
    """max(τu, (τ − 1)u) with u = y − q, mean over items and levels: (B, 4, 7) and (B, 4) -> (4,)."""
    u = y[..., None] - predicted
    taus = TAUS.to(u.device)
    return torch.maximum(taus * u, (taus - 1) * u).mean((0, 2))


def fit(task: tlcourse.Task) -> nn.Module:
    torch.set_num_threads(1)  # layers this small are computed before a second thread has woken up
    torch.manual_seed(task.seed)
    x, y = (tensor.to(task.device) for tensor in task.train.tensors)
    spread = y.quantile(0.75, dim=0) - y.quantile(0.25, dim=0)  # of heavy tails the standard deviation says nothing
    model = QuantileNet(y.median(dim=0).values, spread).to(task.device)
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=0.1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, PEAK_RATE, total_steps=EPOCHS * len(x.split(BATCH)))
    for epoch in range(1, EPOCHS + 1):
        total = 0.0
        for batch in torch.randperm(len(x), device=task.device).split(BATCH):
            loss = (pinball(model(x[batch]), y[batch]) / spread).sum()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item() * len(batch)
        task.log(epoch, train_loss=total / len(x), **validate(model, task, spread))
    return model


@torch.inference_mode()
def validate(model: nn.Module, task: tlcourse.Task, spread: Tensor) -> dict[str, float]:
    """Pinball loss on the validation items, and the share of them in the interval from 0.05 to 0.95, over all tasks."""
    x, y = (tensor.to(task.device) for tensor in task.val.tensors)
    quantiles = model(x)
    inside = (y > quantiles[..., 0]) & (y <= quantiles[..., -1])
    return {
        "val_loss": (pinball(quantiles, y) / spread).sum().item(),
        "val_coverage_90": inside.float().mean().item(),
    }


if __name__ == "__main__":
    fit(tlcourse.Task.local("ex3"))
