"""Computes both."""

import torch


class Computes(torch.nn.Module):
    def forward(self, x):
        return torch.stack([one.mean() for one in x]), [(one.sum(1) > 0).to(torch.uint8) for one in x]


def fit(task):
    one, (mean, sign) = task.train[0]
    assert one.dim() == 2 and mean.dim() == 0 and sign.shape == one.shape[:1]
    return Computes()
