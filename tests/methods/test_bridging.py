"""Pictures between domains: masks have their share, mixtures have their parts, losses weigh them so."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from tlcourse.methods import domain_mixing
from tlcourse.methods.domain_mixing import mix, mixed_loss, patch_mask


def test_a_mask_has_its_share_of_whole_patches():
    share = torch.tensor([0.0, 0.25, 0.5, 1.0])
    mask = patch_mask(4, 16, 4, share)
    assert mask.shape == (4, 1, 16, 16)
    assert torch.equal(mask.mean((1, 2, 3)), share)
    patches = mask.unfold(2, 4, 4).unfold(3, 4, 4)
    assert torch.equal(patches.amin((-1, -2)), patches.amax((-1, -2)))
    with pytest.raises(ValueError, match="cannot be cut"):
        patch_mask(1, 16, 5, share[:1])


def test_which_patches_is_chance_and_the_same_for_the_same_seed():
    share = torch.full((200,), 0.5)
    first, again = (patch_mask(200, 8, 4, share, torch.Generator().manual_seed(1)) for _ in range(2))
    assert torch.equal(first, again)
    assert (first.mean((0, 1)) - 0.5).abs().max() < 0.15


def test_a_mixture_holds_the_source_where_the_mask_is_one():
    source, target = torch.ones(3, 2, 8, 8), torch.zeros(3, 2, 8, 8)
    mask = patch_mask(3, 8, 4, torch.tensor([0.25, 0.5, 0.75]))
    assert torch.equal(mix(source, target, mask), mask.expand(3, 2, 8, 8))


def test_the_loss_weighs_true_and_guessed_labels_by_their_share_of_the_picture():
    logits = torch.randn(2, 3)
    own, guess = torch.tensor([0, 1]), torch.tensor([2, 2])
    mask = torch.stack([torch.ones(1, 4, 4), torch.zeros(1, 4, 4)])
    sure = torch.tensor([True, True])
    by_hand = (F.cross_entropy(logits[:1], own[:1]) + F.cross_entropy(logits[1:], guess[1:])) / 2
    assert torch.allclose(mixed_loss(logits, own, guess, mask, sure), by_hand)


def test_a_guess_that_is_not_sure_counts_nothing():
    logits = torch.randn(4, 3, requires_grad=True)
    mask = torch.zeros(4, 1, 4, 4)
    own, guess = torch.zeros(4, dtype=torch.long), torch.ones(4, dtype=torch.long)
    loss = mixed_loss(logits, own, guess, mask, torch.zeros(4, dtype=torch.bool))
    assert loss == 0
    loss.backward()
    assert logits.grad.abs().max() == 0


def test_cutmix_cuts_one_square_of_its_share_inside_the_picture():
    mask = domain_mixing.cut_mask(50, 20, 0.25)
    assert torch.equal(mask.sum((1, 2, 3)), torch.full((50,), 100.0))
    rows = mask.amax(3).squeeze(1)
    assert torch.equal(rows.sum(1), torch.full((50,), 10.0))
    assert ((rows.diff(dim=1) != 0).sum(1) <= 2).all()


def test_classmix_takes_whole_classes_about_half_of_them():
    label = torch.randint(6, (5, 12, 12))
    mask = domain_mixing.class_mask(label)
    for one, chosen in zip(label, mask[:, 0], strict=True):
        inside = {int(c) for c in one[chosen.bool()]}
        assert len(inside) == 3
        assert not inside & {int(c) for c in one[~chosen.bool()]}


def test_prototypes_are_class_means():
    features, label = torch.randn(30, 4), torch.arange(30) % 3
    centres = domain_mixing.prototypes(features, label, 4)
    assert torch.allclose(centres[1], features[label == 1].mean(0), atol=1e-6)
    assert torch.equal(centres[3], torch.zeros(4))


def test_the_teacher_whose_feature_lies_at_its_prototype_is_believed():
    centres = torch.tensor([[0.0, 0.0], [10.0, 10.0]])
    at_home, lost = torch.tensor([[0.0, 0.0]]), torch.tensor([[40.0, -40.0]])
    says_0, says_1 = torch.tensor([[8.0, 0.0]]), torch.tensor([[0.0, 8.0]])
    soft = domain_mixing.weighed_teachers([says_0, says_1], [at_home, lost], [centres, centres])
    assert soft[0, 0] > 0.99
    assert torch.allclose(soft.sum(1), torch.ones(1))
    even = domain_mixing.weighed_teachers([says_0, says_1], [at_home, at_home], [centres, centres])
    assert even[0, 0] == pytest.approx(0.5, abs=1e-3)


def test_distilling_from_a_sure_teacher_is_cross_entropy():
    student, label = torch.randn(6, 3), torch.randint(3, (6,))
    assert torch.allclose(
        domain_mixing.distillation_loss(student, F.one_hot(label, 3).float()), F.cross_entropy(student, label)
    )
