"""Feature augmentation: three copies of the features."""

from __future__ import annotations

import pytest
import torch

from tlcourse.methods.feature_alignment import augment, weights_by_domain


def test_augmented_features_are_three_copies():
    x = torch.tensor([[1.0, 2.0]])
    assert augment(x, "source").tolist() == [[1, 2, 1, 2, 0, 0]]
    assert augment(x, "target").tolist() == [[1, 2, 0, 0, 1, 2]]
    with pytest.raises(ValueError, match="'source' or 'target'"):
        augment(x, "other")


def test_the_inner_product_across_domains_is_half_of_that_within():
    """The kernel view of the paper (section 3.2): K̃ = 2K within a domain, K across."""
    x, z = torch.randn(5, 4), torch.randn(6, 4)
    assert torch.allclose(augment(x, "source") @ augment(z, "source").T, 2 * x @ z.T, atol=1e-6)
    assert torch.allclose(augment(x, "source") @ augment(z, "target").T, x @ z.T, atol=1e-6)


def test_weights_are_read_back_by_domain():
    weight, x = torch.randn(3, 12), torch.randn(5, 4)
    source, target = weights_by_domain(weight)
    assert torch.allclose(augment(x, "source") @ weight.T, x @ source.T, atol=1e-6)
    assert torch.allclose(augment(x, "target") @ weight.T, x @ target.T, atol=1e-6)
