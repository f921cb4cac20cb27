"""Must end: invalid."""

import torch


class Computes(torch.nn.Module):
    def forward(self, x):
        return torch.stack([one.mean() for one in x]), [(one[1:].sum(1) > 0).to(torch.uint8) for one in x]


def fit(task):
    return Computes()
