"""Checks of `write/subspace-alignment`, called in the sandbox with the student's module."""

import torch

from tlcourse.execution.worker.checks import close

D = 2


def _domain(n):
    """Features of mean zero, exactly, that vary in some directions much more than in others."""
    stretch = torch.diag(torch.tensor([4.0, 2.0, 1.0, 0.5, 0.2], dtype=torch.float64))
    x = torch.randn(n, 5, dtype=torch.float64) @ stretch @ torch.linalg.qr(torch.randn(5, 5, dtype=torch.float64)).Q
    return x - x.mean(0)


def _axes(x):
    return torch.linalg.svd(x, full_matrices=False).Vh[:D].T


def _same(got, wanted):
    """Up to the sign of each column."""
    if not isinstance(got, torch.Tensor) or got.shape != wanted.shape:
        return close(got, wanted)  # which says what is wrong
    return close(got * (got * wanted).sum(0).sign(), wanted, rtol=1e-3, atol=1e-4)


def check_centred(written):
    source, target = _domain(40), _domain(30)
    here, moved = written.align(source, target, D), written.align(source + 3.0, target - 2.0, D)
    for name, one, other in zip(("source", "target"), here, moved, strict=True):
        assert _same(other, one), (
            f"a shift of the {name} changes its result: each domain is centred by its own mean, also where its axes "
            "are found"
        )


def check_target(written):
    source, target = _domain(40), _domain(30)
    got = written.align(source, target, D)[1]
    if _same(got, target @ _axes(target)):
        return
    assert not _same(got, target @ _axes(source)), "the target is projected on the source's axes: it has its own"
    last = torch.linalg.svd(target, full_matrices=False).Vh[-D:].T
    assert not (_same(got, target @ last) or _same(got, target @ last.flip(1))), (
        "these are the axes along which the target varies least: the first d are those of the largest singular values"
    )
    raise AssertionError("the target is not its projection on its own first d principal axes")


def check_source(written):
    source, target = _domain(40), _domain(30)
    got = written.align(source, target, D)[0]
    p_s, p_t = _axes(source), _axes(target)
    if _same(got, source @ p_s @ (p_s.T @ p_t)):
        return
    assert not _same(got, source @ p_s), (
        "the source is left along its own axes: its first coordinate means another thing than the target's first"
    )
    assert not _same(got, source @ p_t), (
        "the source is projected on the target's axes at once: first it is reduced to its own d axes, P_s"
    )
    raise AssertionError("the source is not x·P_s·(P_sᵀP_t)")
