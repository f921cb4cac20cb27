"""Frustratingly easy domain adaptation: three copies of the features (Daumé III 2007, arXiv:0907.1815, equation 2).

    source x ↦ ⟨x, x, 0⟩        target x ↦ ⟨x, 0, x⟩        (general, source's own, target's own)

Any linear model on them chooses, feature by feature, what the domains share: its regulariser makes the common copy
cheaper wherever one weight serves both.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor


def augment(x: Tensor, domain: Literal["source", "target"]) -> Tensor:
    """(n, d) -> (n, 3d)."""
    if domain not in ("source", "target"):
        raise ValueError(f"domain is {domain!r}, expected 'source' or 'target'")
    nothing = torch.zeros_like(x)
    return torch.cat([x, x, nothing] if domain == "source" else [x, nothing, x], dim=1)


def weights_by_domain(weight: Tensor) -> tuple[Tensor, Tensor]:
    """What a model with `weight` (…, 3d) does on source and on target features: each (…, d)."""
    general, source, target = weight.chunk(3, dim=-1)
    return general + source, general + target
