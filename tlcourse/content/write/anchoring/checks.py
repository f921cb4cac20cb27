"""Checks of `write/anchoring`, called in the sandbox with the student's module."""

import torch
import torch.nn.functional as F

from tlcourse.execution.worker.checks import close


def _gradient(written, logits, target, anchor, alpha):
    logits = logits.clone().requires_grad_()
    written.anchored_loss(logits, target, anchor, alpha).backward()
    return logits.grad


def check_labels(written):
    logits, target, anchor = torch.randn(6, 4) * 3, torch.randint(4, (6,)), torch.randn(6, 4)
    got, wanted = written.anchored_loss(logits, target, anchor, 0.0), F.cross_entropy(logits, target)
    if close(got, wanted):
        return
    assert not close(got, F.cross_entropy(logits.softmax(1), target)), (
        "the softmax is taken twice: F.cross_entropy wants logits, and takes the softmax itself"
    )
    raise AssertionError(f"with α = 0 the loss is {float(got):.4g}; the cross-entropy of the labels is {wanted:.4g}")


def check_anchor(written):
    logits, target, anchor = torch.randn(1, 4), torch.tensor([2]), torch.randn(1, 4)
    p, p0 = logits.softmax(1), anchor.softmax(1)
    got = _gradient(written, logits, target, anchor, 1.0)
    if close(got, p - p0):
        return
    q = logits.clone().requires_grad_()
    (q.softmax(1) * (q.log_softmax(1) - anchor.log_softmax(1))).sum().backward()
    assert not close(got, q.grad), (
        "the two distributions have changed places: the original model's p₀ is the target, KL(p₀ ‖ p), not KL(p ‖ p₀)"
    )
    assert not close(got * 4, p - p0), (
        "the pull is C times too weak: F.kl_div with reduction='mean' divides by the classes too; use 'batchmean'"
    )
    raise AssertionError("with α = 1 the gradient of the logits is not p − p₀: it does not pull to the original model")


def check_mean(written):
    logits, target, anchor = torch.randn(5, 4), torch.randint(4, (5,)), torch.randn(5, 4)
    once = written.anchored_loss(logits, target, anchor, 0.5)
    twice = written.anchored_loss(logits.repeat(2, 1), target.repeat(2), anchor.repeat(2, 1), 0.5)
    assert close(twice, once), (
        f"the same batch twice gives {float(twice):.4g} after {float(once):.4g}: both parts must be means over the "
        "batch, or its size decides how strong the anchor is"
    )


def check_frozen(written):
    logits = torch.randn(5, 4, requires_grad=True)
    anchor = torch.randn(5, 4, requires_grad=True)
    written.anchored_loss(logits, torch.randint(4, (5,)), anchor, 0.5).backward()
    assert logits.grad is not None, "no gradient reaches the logits of the model that is trained"
    assert anchor.grad is None or anchor.grad.abs().max() == 0, (
        "a gradient reaches the original model: it would move towards the new one, and an anchor must not"
    )
