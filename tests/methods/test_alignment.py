"""CORAL, Deep CORAL and subspace alignment: what they promise, and the same numbers as skada's."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tlcourse.methods.feature_alignment import (
    align_covariances,
    align_standardised,
    align_subspaces,
    covariance,
    deep_coral_loss,
    power,
    principal_axes,
)


@pytest.fixture
def domains():
    rng = np.random.default_rng(4)
    source = rng.normal(size=(200, 6)) @ rng.normal(size=(6, 6)) + 2
    target = rng.normal(size=(150, 6)) @ rng.normal(size=(6, 6)) - 1
    return torch.from_numpy(source), torch.from_numpy(target)


def test_covariance_is_that_of_the_features(domains):
    source, _ = domains
    assert torch.allclose(covariance(source), torch.cov(source.T))


def test_coral_gives_the_source_the_covariance_of_the_target(domains):
    source, target = domains
    aligned = align_covariances(source, target, ridge=1e-9)
    assert torch.allclose(covariance(aligned), covariance(target), atol=1e-5)
    assert aligned.shape == source.shape


def test_a_domain_aligned_to_itself_stays_as_it_is(domains):
    source, _ = domains
    assert torch.allclose(align_covariances(source, source), source)


def test_powers_multiply(domains):
    matrix = covariance(domains[0]) + torch.eye(6)
    assert torch.allclose(power(matrix, 0.5) @ power(matrix, 0.5), matrix)
    assert torch.allclose(power(matrix, -0.5) @ matrix @ power(matrix, -0.5), torch.eye(6).double())


def test_the_deep_loss_is_zero_for_equal_covariances_and_follows_its_formula(domains):
    source, target = domains
    assert deep_coral_loss(source, source + 5) < 1e-20
    by_hand = (np.cov(source.T) - np.cov(target.T)) ** 2
    assert float(deep_coral_loss(source, target)) == pytest.approx(by_hand.sum() / (4 * 6 * 6))


def test_the_wrong_twins_of_the_deep_loss_are_told_apart(domains):
    """The root of the sum instead of the sum; 4·d·4 instead of 4·d²; covariance over samples instead of features."""
    source, target = domains
    right = float(deep_coral_loss(source, target))
    difference = covariance(source) - covariance(target)
    rooted = float(difference.square().sum().sqrt() / (4 * 36))
    scaled = float(difference.square().sum() / (4 * 6 * 4))
    both = source[:150], target
    samples = float((torch.cov(both[0]) - torch.cov(both[1])).square().sum() / (4 * 36))
    assert all(abs(wrong / right - 1) > 0.2 for wrong in (rooted, scaled, samples))


@pytest.mark.slow
def test_the_deep_loss_pulls_the_covariances_together(domains):
    source, target = (x.float() for x in domains)
    weight = torch.eye(6, requires_grad=True)
    first = deep_coral_loss(source @ weight, target).item()
    optimizer = torch.optim.Adam([weight], 0.02)
    for _ in range(300):
        loss = deep_coral_loss(source @ weight, target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss < 0.05 * first


def test_principal_axes_are_orthonormal_and_carry_the_most_variance(domains):
    source, _ = domains
    axes = principal_axes(source, 3)
    assert torch.allclose(axes.T @ axes, torch.eye(3).double())
    carried = (source - source.mean(0)) @ axes
    values = torch.linalg.eigvalsh(covariance(source)).flip(0)
    assert torch.allclose(covariance(carried).diagonal(), values[:3])


def test_aligning_a_domain_to_itself_is_its_own_projection(domains):
    source, _ = domains
    a, b = align_subspaces(source, source, 2)
    assert torch.allclose(a, b)


def test_dimensions_that_do_not_exist_are_refused(domains):
    with pytest.raises(ValueError, match="expected 1 to 6"):
        align_subspaces(*domains, 7)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # skada's own
def test_coral_and_subspace_alignment_give_what_skada_gives(domains):
    pytest.importorskip("skada")
    from skada import CORALAdapter, SubspaceAlignmentAdapter, source_target_split
    from skada.utils import source_target_merge

    source, target = (x[:150] - x[:150].mean(0) for x in domains)  # skada's covariance is over n, ours over n − 1
    x, domain = source_target_merge(source.numpy(), target.numpy())
    theirs, _ = source_target_split(CORALAdapter(reg=0.0).fit_transform(x, sample_domain=domain), sample_domain=domain)
    assert np.abs(align_covariances(source, target, ridge=0.0).numpy() - np.asarray(theirs)).max() < 1e-6
    adapted = SubspaceAlignmentAdapter(n_components=3).fit_transform(x, sample_domain=domain)
    their_source, their_target = source_target_split(np.asarray(adapted), sample_domain=domain)
    my_source, my_target = align_subspaces(source, target, 3)
    assert np.allclose(np.abs(my_target.numpy()), np.abs(their_target), atol=1e-6)  # an axis may point either way
    assert np.allclose(np.abs(my_source.numpy()), np.abs(their_source), atol=1e-6)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_the_deep_loss_gives_what_skada_gives(domains):
    pytest.importorskip("skada")
    from skada.deep.losses import deepcoral_loss

    source, target = domains
    assert float(deep_coral_loss(source, target)) == pytest.approx(float(deepcoral_loss(source, target)), rel=1e-6)


def test_coral_of_standardised_features_knows_neither_place_nor_scale_of_a_domain():
    generator = torch.Generator().manual_seed(0)
    source, target, test = (torch.randn(n, 4, generator=generator).double() for n in (50, 60, 20))
    moved, scale = torch.tensor([3.0, -1, 0, 7]).double(), torch.tensor([2.0, 5, 1, 9]).double()
    plain = align_standardised(source, target, test, tiny=0.0)
    other = align_standardised(source * scale - moved, target * scale + moved, test * scale + moved, tiny=0.0)
    for one, another in zip(plain, other, strict=True):
        assert torch.allclose(one, another)
    wrong = align_standardised(source, target, test * scale + moved, tiny=0.0)[1]
    assert not torch.allclose(wrong, plain[1]), "the test is standardised as its domain, not by itself"


def test_coral_bears_a_feature_that_never_moves():
    x = torch.randn(30, 3, generator=torch.Generator().manual_seed(0))
    x[:, 1] = 0
    assert all(part.isfinite().all() for part in align_standardised(x, x, x))
