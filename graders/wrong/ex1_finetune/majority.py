"""Must fail: accuracy, backbone_frozen. It says `bee` to every picture."""

import torch


class Bee(torch.nn.Module):
    def forward(self, x):
        return torch.tensor([0.0, 1.0]).repeat(len(x), 1)


def fit(task):
    return Bee()
