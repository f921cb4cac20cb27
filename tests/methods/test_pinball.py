"""The pinball loss is smallest at the quantile, and a head that cannot cross does not."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tlcourse.methods.losses import NonCrossingHead, pinball_loss

LEVELS = torch.tensor([0.05, 0.25, 0.5, 0.75, 0.95])


def test_it_is_what_scikit_learn_says():
    metrics = pytest.importorskip("sklearn.metrics")
    y, quantiles = torch.randn(50), torch.randn(50, 5)
    theirs = np.mean(
        [metrics.mean_pinball_loss(y, quantiles[:, i], alpha=float(level)) for i, level in enumerate(LEVELS)]
    )
    assert float(pinball_loss(quantiles, y, LEVELS)) == pytest.approx(float(theirs), rel=1e-5)


def test_it_is_smallest_at_the_empirical_quantile():
    y = torch.randn(4001).double()
    for level in LEVELS.double():
        grid = torch.linspace(-3, 3, 1201).double()
        losses = torch.stack([pinball_loss(q.expand(4001, 1), y, level[None]) for q in grid])
        assert grid[losses.argmin()].item() == pytest.approx(torch.quantile(y, level).item(), abs=0.01)


def test_the_wrong_twin_with_its_sides_exchanged_finds_the_opposite_quantile():
    y, grid = torch.randn(2001), torch.linspace(-3, 3, 601)
    wrong = torch.stack([torch.maximum(-0.9 * (y - q), 0.1 * (y - q)).mean() for q in grid])
    assert grid[wrong.argmin()].item() == pytest.approx(torch.quantile(y, 0.1).item(), abs=0.02)


@pytest.mark.parametrize("levels", [1, 2, 5, 7])
def test_quantiles_of_the_head_ascend_for_every_input(levels):
    head = NonCrossingHead(4, levels, outputs=3)
    out = head(torch.randn(200, 4) * 50)
    assert out.shape == (200, 3, levels)
    assert (out.diff(dim=-1) >= 0).all()


def test_a_head_can_learn_any_ascending_quantiles():
    head = NonCrossingHead(1, 5)
    optimizer = torch.optim.Adam(head.parameters(), 0.05)
    y = torch.distributions.Exponential(1.0).sample((4000,))
    for _ in range(400):
        optimizer.zero_grad()
        pinball_loss(head(torch.ones(4000, 1))[:, 0], y, LEVELS).backward()
        optimizer.step()
    wanted = -torch.log(1 - LEVELS)
    assert torch.allclose(head(torch.ones(1, 1))[0, 0], wanted, atol=0.12)
