"""Checks of `write/gradient-reversal`, called in the sandbox with the student's module."""

import math

import torch

from tlcourse.execution.worker.checks import close


def _gradient(written, strength):
    """What arrives before the layer, and what would without it."""
    x, direction = torch.randn(4, 3, requires_grad=True), torch.randn(4, 3)
    (written.reverse(x, strength) * direction).sum().backward()
    assert x.grad is not None, "no gradient arrives at the features: the layer cuts it off (is a tensor detached?)"
    return x.grad, direction


def check_forwards(written):
    x = torch.randn(4, 3)
    assert close(written.reverse(x, 0.7), x), "what goes forwards changes: the layer must return x itself"


def check_sign(written):
    got, plain = _gradient(written, 0.7)
    cosine = torch.cosine_similarity(got.flatten(), plain.flatten(), dim=0)
    assert cosine < 0, (
        "the features' gradient has the sign of the domain loss: it is not reversed, and the features would help the "
        "domain classifier"
    )
    assert cosine < -0.999, "the gradient does not point the opposite way: it must be the same one times −λ"


def check_size(written):
    for strength in (0.0, 0.3, 2.0):
        got, plain = _gradient(written, strength)
        ratio = float(got.norm() / plain.norm())
        assert math.isclose(ratio, strength, rel_tol=1e-4, abs_tol=1e-6), (
            f"with strength {strength:g} the gradient is multiplied by {ratio:g} in size: λ must scale it, so that the "
            "domain loss can be let in slowly"
        )


def check_schedule(written):
    for progress in (0.0, 0.1, 0.5, 1.0):
        got, wanted = float(written.strength(progress)), 2 / (1 + math.exp(-10 * progress)) - 1
        assert math.isclose(got, wanted, rel_tol=1e-4, abs_tol=1e-6), (
            f"at p = {progress:g} λ is {got:g}, and should be {wanted:.4g}"
            + (": at the start the domain classifier knows nothing, and must not be heeded" if progress == 0 else "")
        )
