"""Checks of `write/coral`, called in the sandbox with the student's module."""

import torch

from tlcourse.execution.worker.checks import close


def _domain(n, d):
    """Features of mean zero, exactly, with a covariance of their own."""
    x = torch.randn(n, d, dtype=torch.float64) @ torch.randn(d, d, dtype=torch.float64)
    return x - x.mean(0)


def _power(matrix, exponent):
    values, vectors = torch.linalg.eigh(matrix)
    return (vectors * values.pow(exponent)) @ vectors.T


def check_covariance(written):
    source, target = _domain(40, 4), _domain(30, 4)
    c_s, c_t = torch.cov(source.T), torch.cov(target.T)
    got = written.align(source, target, 1e-9)
    wanted = source @ _power(c_s, -0.5) @ _power(c_t, 0.5)
    if close(got, wanted, rtol=1e-3, atol=1e-4):
        return
    assert not close(torch.cov(got.T), c_t, rtol=1e-3, atol=1e-4), (
        "the covariance is the target's, but these are not the symmetric roots of algorithm 1 (a Cholesky factor turns "
        "the features as well)"
    )
    found = torch.cov(got.T)
    assert not close(found, torch.eye(4, dtype=torch.float64), rtol=1e-3, atol=1e-3), (
        "the source is whitened, and not coloured: C_t^(½) is missing"
    )
    slip = source @ _power(c_s, -0.5) @ _power(c_s, 0.5)
    assert not close(got, slip, rtol=1e-3, atol=1e-4), "the source is coloured with its own covariance: nothing changes"
    raise AssertionError("the aligned source has not the target's covariance: source · C_s^(−½) · C_t^(½) has")


def check_mean(written):
    source, target = _domain(40, 4), _domain(30, 4)
    there = torch.cov(written.align(source, target, 1.0).T)
    moved = torch.cov(written.align(source + 5.0, target - 3.0, 1.0).T)
    assert close(moved, there, rtol=1e-3, atol=1e-4), (
        "a shift of the features changes their spread: a covariance is taken about the mean, cov(x) and not xᵀx/n"
    )


def check_ridge(written):
    source, target = _domain(40, 4), _domain(30, 4)
    source[:, 2] = 0.0  # a feature that never moves, as after a ReLU
    got = written.align(source, target, 1.0)
    assert bool(torch.isfinite(got).all()), (
        "a feature that never moves makes the result infinite: C_s cannot be inverted without the ridge r·I"
    )
    assert got.abs().max() < 100 * target.abs().max(), (
        "a feature that never moves blows the result up: add the ridge r·I"
    )
