"""Must fail: counted, written."""

import torch


class Reads(torch.nn.Module):
    def forward(self, texts):
        counted = [sum(c in b"aeiou" for c in text) for text in texts]
        return torch.tensor(counted), [text[::-1] for text in texts]


def fit(task):
    return Reads()
