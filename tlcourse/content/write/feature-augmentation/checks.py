"""Checks of `write/feature-augmentation`, called in the sandbox with the student's module."""

import torch

from tlcourse.execution.worker.checks import close

D = 4


def _copies(written, x, domain):
    """The three blocks that the features were made into."""
    made = written.augment(x, domain)
    shape = tuple(getattr(made, "shape", ()))
    assert shape == (len(x), 3 * D), f"features of shape {tuple(x.shape)} became {shape}, expected ({len(x)}, 3·{D})"
    return made.split(D, dim=1)


def check_general(written):
    x = torch.randn(5, D)
    for domain in ("source", "target"):
        first, *others = _copies(written, x, domain)
        if close(first, x):
            continue
        assert not any(close(one, x) for one in others) or first.abs().max() > 0, (
            f"the {domain} has no common copy: nothing that is learnt from one domain would reach the other"
        )
        raise AssertionError(f"the first {D} features of the {domain} are not x: the common copy stands first")


def check_own(written):
    x = torch.randn(5, D)
    for domain, own, other in (("source", 1, 2), ("target", 2, 1)):
        copies = _copies(written, x, domain)
        assert not (close(copies[other], x) and not close(copies[own], x)), (
            f"the {domain} writes its own copy where the other domain has its own: then neither has one"
        )
        assert close(copies[own], x), f"the {domain} has no copy of its own: what only it needs has no place"
        assert copies[other].abs().max() == 0, f"the {domain} must have zeros where the other domain has its own copy"


def check_weights(written):
    weight = torch.randn(2, 3 * D)
    common, source, target = weight.split(D, dim=-1)
    for domain, got, wanted in zip(
        ("source", "target"), written.weights_by_domain(weight), (common + source, common + target), strict=True
    ):
        if close(got, wanted):
            continue
        assert not close(got, wanted - common), f"on the {domain} the common weights act, too: they are missing"
        raise AssertionError(f"what acts on {domain} features is the common weights plus the {domain}'s own")
