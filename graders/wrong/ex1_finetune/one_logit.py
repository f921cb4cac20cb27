"""Must end: invalid. It returns one probability, where two logits are asked for."""

from torch import nn


class One(nn.Module):
    def __init__(self, backbone):
        super().__init__()
        self.backbone = backbone.eval()

    def forward(self, x):
        return self.backbone(x)[:, 0].sigmoid()


def fit(task):
    return One(task.pretrained("insects"))
