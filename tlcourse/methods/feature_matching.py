"""Feature matching of two paired pipelines: a new sensor learns the features of an old one.

De Vos et al. recorded sleep with two sensors at the same time, and trained the new pipeline so that its features equal
those of the old one: min ‖f_t(x_t) − f_s(x_s)‖². The source's head then works on them as it is; no label is needed.
"""

from __future__ import annotations

from torch import Tensor, nn

from tlcourse.methods.fine_tuning import freeze


class MatchedPipelines(nn.Module):
    """A frozen source pipeline (features, then head), and target features that learn to stand in for its own."""

    def __init__(self, source: nn.Module, head: nn.Module, target: nn.Module) -> None:
        super().__init__()
        self.source, self.head, self.target = freeze(source), freeze(head), target

    def loss(self, x_source: Tensor, x_target: Tensor) -> Tensor:
        """Mean squared distance of the features of simultaneous recordings; row i of both is the same moment."""
        if len(x_source) != len(x_target):
            raise ValueError(f"{len(x_source)} source and {len(x_target)} target recordings are no pairs")
        return (self.target(x_target) - self.source(x_source).detach()).square().mean()

    def forward(self, x_target: Tensor) -> Tensor:
        """The source's head on the target's features."""
        return self.head(self.target(x_target))
