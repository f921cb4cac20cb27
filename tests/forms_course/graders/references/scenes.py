"""Least squares, and a look at the picture."""

import torch


class Sees(torch.nn.Module):
    def __init__(self, x, weight):
        super().__init__()
        self.found = torch.nn.Parameter(torch.linalg.lstsq(self.features(x), weight[:, None]).solution)

    def features(self, x):
        marks = torch.tensor([[text.count(b"!")] for text in x["caption"]]).to(x["numbers"])
        return torch.cat([x["numbers"], marks], 1)

    def forward(self, x):
        bright = x["image"].float().mean((1, 2, 3)) > 127
        return bright, (self.features(x) @ self.found)[:, 0], 255 - x["image"]

    def describe(self, x, end):
        return x["caption"] + (b" (bright)" if x["image"].mean() > 127 else b" (dark)") + end


def fit(task):
    x, _, weight = task.train.tensors
    first, labels = task.train[0]
    assert first["image"].dtype == torch.uint8 and type(first["caption"]) is bytes and labels[0].dtype == torch.bool
    loader = torch.utils.data.DataLoader(task.train, batch_size=8)
    assert next(iter(loader))[0]["image"].shape == (8, 1, 4, 4)
    return Sees(x, weight)
