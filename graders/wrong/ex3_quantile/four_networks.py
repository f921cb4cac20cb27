"""Must fail: shared_trunk. Four networks side by side, each with quantiles of its own task."""

import torch
import torch.nn.functional as F
from torch import nn

import tlcourse

TAUS = torch.tensor([0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95])


class One(nn.Module):
    def __init__(self):
        super().__init__()
        layers = []
        for fan_in in (8, 64, 64, 64):
            layers += [nn.Linear(fan_in, 64), nn.SiLU()]
        self.layers = nn.Sequential(*layers, nn.Linear(64, 7))

    def forward(self, x):
        return self.layers(x)


class Net(nn.Module):
    def __init__(self, centre, spread):
        super().__init__()
        self.networks = nn.ModuleList(One() for _ in range(4))
        self.register_buffer("centre", centre)
        self.register_buffer("spread", spread)

    def forward(self, x):
        raw = torch.stack([one(x) for one in self.networks], dim=1)
        return self.centre[:, None] + self.spread[:, None] * in_order(raw)


def in_order(raw):
    """Free numbers (B, 4, 7) to quantiles that never fall."""
    steps = F.softplus(raw)
    median = raw[..., 3:4]
    below = median - steps[..., :3].flip(-1).cumsum(-1).flip(-1)
    return torch.cat([below, median, median + steps[..., 4:].cumsum(-1)], dim=-1)


def pinball(predicted, y):
    u = y[..., None] - predicted
    return torch.maximum(TAUS * u, (TAUS - 1) * u).mean((0, 2))


def fit(task: tlcourse.Task) -> nn.Module:
    torch.manual_seed(task.seed)
    x, y = task.train.tensors
    spread = y.quantile(0.75, dim=0) - y.quantile(0.25, dim=0)
    model = Net(y.median(dim=0).values, spread)
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-2, total_steps=40 * len(x.split(64)))
    for _ in range(40):
        for batch in torch.randperm(len(x)).split(64):
            loss = (pinball(model(x[batch]), y[batch]) / spread).sum()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return model
