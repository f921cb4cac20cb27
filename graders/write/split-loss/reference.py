"""The split loss."""

import torch.nn.functional as F
from torch import Tensor, nn


class SplitLoss(nn.Module):
    def __init__(self, classes: int) -> None:
        super().__init__()
        self.classes = classes

    def forward(self, output: Tensor, there: Tensor, label: Tensor, box: Tensor) -> Tensor:
        """(B, 1 + C + 4), (B,), (B,) and (B, 4) -> ()"""
        presence, logits, place = output.split([1, self.classes, 4], dim=1)
        found = there.bool()
        loss = F.binary_cross_entropy_with_logits(presence[:, 0], there.to(output.dtype))
        if found.any():
            loss = loss + F.cross_entropy(logits[found], label[found]) + F.smooth_l1_loss(place[found], box[found])
        return loss
