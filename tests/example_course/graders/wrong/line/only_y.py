"""Must fail: z_error. It fits y alone."""

import torch


class OnlyY(torch.nn.Module):
    def forward(self, x):
        return 2 * x[:, 0] + 1, torch.zeros(len(x))


def fit(task):
    return OnlyY()
