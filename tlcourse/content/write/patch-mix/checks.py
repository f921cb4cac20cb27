"""Checks of `write/patch-mix`, called in the sandbox with the student's module."""

import torch
import torch.nn.functional as F

from tlcourse.execution.worker.checks import close


def _mask(written, shares):
    mask = written.patch_mask(len(shares), 8, 2, torch.tensor(shares))
    shape = tuple(getattr(mask, "shape", ()))
    assert shape == (len(shares), 1, 8, 8), f"the mask has shape {shape}, expected ({len(shares)}, 1, 8, 8)"
    assert set(mask.unique().tolist()) <= {0.0, 1.0}, "the mask holds other numbers than 0 and 1"
    return mask.float()


def check_patches(written):
    mask = _mask(written, [0.5] * 6)
    tiles = mask.unfold(2, 2, 2).unfold(3, 2, 2).flatten(4)  # (B, 1, 4, 4, 4)
    assert bool((tiles.amax(-1) == tiles.amin(-1)).all()), (
        "a patch is torn: all pixels of a patch come from the same domain, or no object survives"
    )


def check_share(written):
    shares = [0.0, 0.25, 0.5, 0.75, 1.0] + [0.5] * 15
    found = _mask(written, shares).mean((1, 2, 3))
    assert close(found, torch.tensor(shares)), (
        f"asked for shares {shares[:5]}, the source has {[round(one, 2) for one in found[:5].tolist()]} of the "
        "patches: the share must be met, since the loss weighs by it"
    )
    masks = _mask(written, [0.5] * 6).flatten(1)
    assert len({tuple(one.tolist()) for one in masks}) > 1, "all pictures have the same mask: draw it for each anew"


def check_mix(written):
    source, target = torch.randn(3, 2, 4, 4), torch.randn(3, 2, 4, 4)
    mask = (torch.rand(3, 1, 4, 4) > 0.5).float()
    got = written.mix(source, target, mask)
    assert not close(got, mask * target + (1 - mask) * source), (
        "the domains have changed places: where the mask is 1 stands the source, whose label is the true one"
    )
    assert close(got, mask * source + (1 - mask) * target), "the picture is not m ⊙ x_s + (1 − m) ⊙ x_t"


def _case():
    logits, own, guess = torch.randn(4, 3), torch.tensor([0, 1, 2, 0]), torch.tensor([1, 2, 0, 2])
    mask = torch.zeros(4, 1, 4, 4)
    mask[1, :, :1], mask[2, :, :3], mask[3] = 1, 1, 1  # shares 0, ¼, ¾ and 1
    return logits, own, guess, mask


def check_loss(written):
    logits, own, guess, mask = _case()
    got = written.mixed_loss(logits, own, guess, mask, torch.ones(4, dtype=torch.bool))
    share = mask.mean((1, 2, 3))
    true, guessed = (F.cross_entropy(logits, one, reduction="none") for one in (own, guess))
    if close(got, (share * true + (1 - share) * guessed).mean()):
        return
    assert not close(got, ((1 - share) * true + share * guessed).mean()), (
        "the weights have changed places: the source's true label counts by the source's share of the picture"
    )
    assert not close(got, (true + guessed).mean() / 2), (
        "both labels count the same in every picture: each counts by its own share of that picture"
    )
    assert not close(got, share.mean() * true.mean() + (1 - share.mean()) * guessed.mean()), (
        "one share is taken for the whole batch: each picture has its own (reduction='none')"
    )
    raise AssertionError("the loss is not the mean of s·CE(y_s) + (1 − s)·CE(ŷ_t)")


def check_sure(written):
    logits, own, guess, mask = _case()
    unsure = torch.zeros(4, dtype=torch.bool)
    got = [written.mixed_loss(logits, own, one, mask, unsure) for one in (guess, (guess + 1) % 3)]
    assert close(got[1], got[0]), (
        "a guess that is not sure changes the loss: without that filter the model's mistakes feed on themselves"
    )
