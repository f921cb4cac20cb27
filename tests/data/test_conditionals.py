"""Four distributions in closed form: their functions, quantiles and losses agree with each other and with draws."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest

from tlcourse.data.synthetic.conditionals import Gaussian, HeavyTailed, Skewed, TwoHumped, coverage, pinball
from tlcourse.data.synthetic.quantiles import TAUS

N = 40_000
CENTRE, WIDTH = np.full(N, 0.3), np.full(N, 0.7)
ALL = [
    Gaussian(CENTRE, WIDTH),
    Skewed(CENTRE, WIDTH),
    HeavyTailed(CENTRE, WIDTH),
    TwoHumped(CENTRE, WIDTH / 4, np.full(N, 0.6), np.full(N, 0.4)),
]
ids = [type(given).__name__ for given in ALL]


def first(given, n: int = 1):
    return type(given)(**{name: values[:n] for name, values in vars(given).items()})


@pytest.mark.parametrize("given", ALL, ids=ids)
def test_the_quantile_is_where_the_distribution_function_is_tau(given):
    one = first(given)
    assert one.cdf(one.quantiles(TAUS)) == pytest.approx(TAUS[None], abs=1e-12)


@pytest.mark.parametrize("given", ALL, ids=ids)
def test_the_shortfall_is_the_integral_of_the_distribution_function(given):
    one = first(given)
    y = np.linspace(-3, 4, 20_001)[None]
    f = one.cdf(y)[0]
    integral = np.concatenate([[0], np.cumsum((f[1:] + f[:-1]) / 2 * np.diff(y[0]))])
    assert one.shortfall(y)[0] - one.shortfall(y)[0, 0] == pytest.approx(integral, abs=1e-6)


@pytest.mark.parametrize("given", ALL, ids=ids)
def test_draws_have_the_distribution(given):
    y = given.draw(np.random.default_rng(0))
    below = (y[:, None] <= first(given).quantiles(TAUS)).mean(0)
    assert np.all(np.abs(below - TAUS) < 4 * np.sqrt(TAUS * (1 - TAUS) / N))


@pytest.mark.parametrize("given", ALL, ids=ids)
def test_the_expected_pinball_loss_is_that_of_many_draws(given):
    q = np.array([-0.4, 0.0, 0.2, 0.5, 0.9, 1.3, 2.0])
    u = given.draw(np.random.default_rng(1))[:, None] - q
    counted = np.maximum(TAUS * u, (TAUS - 1) * u)
    expected = pinball(first(given), q[None], TAUS)[0]
    # of an infinite variance, what is drawn says less: the heavy-tailed draws are compared within a few per cent
    slack = 0.03 if isinstance(given, HeavyTailed) else 0.0
    assert np.all(np.abs(counted.mean(0) - expected) < 5 * counted.std(0) / np.sqrt(N) + slack)


@pytest.mark.parametrize("given", ALL, ids=ids)
def test_no_other_prediction_costs_less_than_the_quantile(given):
    one = first(given)
    lowest = pinball(one, one.quantiles(TAUS), TAUS)
    for step in (-0.3, -0.01, 0.01, 0.3):
        assert np.all(pinball(one, one.quantiles(TAUS) + step, TAUS) > lowest)


def test_the_lowest_losses_are_those_of_the_textbook():
    sigma, tau = WIDTH[0], TAUS
    gaussian, skewed = first(ALL[0]), first(ALL[1])
    normal = NormalDist()
    by_formula = [sigma * normal.pdf(normal.inv_cdf(t)) for t in tau]  # σ φ(z_τ)
    assert pinball(gaussian, gaussian.quantiles(tau), tau)[0] == pytest.approx(by_formula)
    exponential = -sigma * (1 - tau) * np.log1p(-tau)  # −s (1 − τ) ln(1 − τ)
    assert pinball(skewed, skewed.quantiles(tau), tau)[0] == pytest.approx(exponential)


def test_an_interval_between_two_quantiles_covers_their_difference():
    for given in map(first, ALL):
        q = given.quantiles(TAUS)
        assert coverage(given, q[:, 0], q[:, 6])[0] == pytest.approx(0.9)
        assert coverage(given, q[:, 6], q[:, 0])[0] == pytest.approx(-0.9)
