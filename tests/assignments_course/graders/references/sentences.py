"""Counts pairs."""

import torch

LETTERS = "^abcdefghij."


class Pairs(torch.nn.Module):
    def __init__(self, x, y):
        super().__init__()
        counts = torch.full((12, 12), 0.01)
        counts.index_put_((x.flatten(), y.flatten()), torch.ones(x.numel()), accumulate=True)
        self.table = torch.nn.Parameter((counts / counts.sum(1, keepdim=True)).log())

    def forward(self, x):
        return self.table[x]

    def generate(self, prompt):
        text = prompt
        while len(text) < 16:
            text += LETTERS[int(self.table[LETTERS.index(text[-1])].argmax())]
        return text


def fit(task):
    return Pairs(*task.train.tensors)
