"""Exercise 3: predict seven quantiles of four numbers with one network.

This starter runs and does not pass: it predicts one number a task for all seven levels, and squared error teaches it
the mean. The TODOs mark where to go on. Try it:  python solution.py   or   tlcourse grade ex3 solution.py
"""

import torch
from torch import nn

import tlcourse

TAUS = torch.tensor([0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95])


class QuantileNet(nn.Module):
    """A shared trunk and one head for all tasks."""

    def __init__(self):
        super().__init__()
        # TODO: a deeper and wider trunk. One hidden layer of 16 cannot bend as often as the data do.
        self.trunk = nn.Sequential(nn.Linear(8, 16), nn.ReLU())  # (B, 8) -> (B, 16)
        self.head = nn.Linear(16, 4)  # TODO: seven numbers a task, such that they never cross

    def forward(self, x):
        """(B, 8) -> quantiles (B, 4, 7): tasks, then levels from 0.05 to 0.95."""
        return self.head(self.trunk(x)).unsqueeze(-1).expand(-1, -1, 7)


def pinball(predicted, y):
    """The pinball loss of each task: (B, 4, 7) and (B, 4) -> (4,)."""
    u = y[..., None] - predicted  # (B, 4, 7)
    return u.square().mean((0, 2))  # TODO: this is the squared error. max(τu, (τ − 1)u) with TAUS is the pinball loss


def fit(task: tlcourse.Task) -> nn.Module:
    torch.set_num_threads(1)  # layers this small are computed before a second thread has woken up
    torch.manual_seed(task.seed)
    model = QuantileNet().to(task.device)
    x, y = (tensor.to(task.device) for tensor in task.train.tensors)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)  # TODO: should the rate stay the same to the end?

    for epoch in range(5):  # TODO: more epochs; watch val_loss, since 4000 items are soon learnt by heart
        for batch in torch.randperm(len(x), device=task.device).split(64):
            loss = pinball(model(x[batch]), y[batch]).sum()  # TODO: are the four losses of one size?
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        task.log(epoch, train_loss=loss.item(), **validate(model, task))
    return model


@torch.no_grad()
def validate(model, task):
    """Loss on the validation items, and the share of them in the interval from 0.05 to 0.95 (0.9 is right)."""
    x, y = (tensor.to(task.device) for tensor in task.val.tensors)
    quantiles = model(x)
    inside = (y > quantiles[..., 0]) & (y <= quantiles[..., -1])
    return {"val_loss": pinball(quantiles, y).sum().item(), "val_coverage_90": inside.float().mean().item()}


if __name__ == "__main__":
    fit(tlcourse.Task.local("ex3"))
