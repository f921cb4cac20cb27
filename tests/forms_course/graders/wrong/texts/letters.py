"""Must end: invalid."""

import torch


class Reads(torch.nn.Module):
    def forward(self, texts):
        return torch.zeros(len(texts), dtype=torch.int64), [text.decode()[::-1] for text in texts]


def fit(task):
    return Reads()
