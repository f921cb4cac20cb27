"""Checks of `write/pinball`, called in the sandbox with the student's module."""

import torch

from tlcourse.execution.worker.checks import close


def _loss(written, q, y, level):
    got = written.pinball_loss(torch.tensor([[q]]), torch.tensor([y]), torch.tensor([level]))
    assert isinstance(got, torch.Tensor) and got.dim() == 0, "a tensor with one number, shape (), was expected"
    return float(got)


def check_sides(written):
    for level in (0.1, 0.9):
        low, high = _loss(written, -1.0, 0.0, level), _loss(written, 1.0, 0.0, level)
        assert low > 0 and high > 0, "a prediction that is off costs nothing, or less than nothing"
        wanted = level / (1 - level)
        assert abs(low / high * wanted - 1) > 1e-3, (
            f"the sides have changed places: at τ = {level:g} a prediction that is too low must cost {wanted:.3g} "
            "times one that is too high; the minimum would be the opposite quantile"
        )
        assert abs(low / high / wanted - 1) < 1e-3, (
            f"at τ = {level:g} too low costs {low / high:.3g} times too high, expected τ/(1 − τ) = {wanted:.3g}"
        )


def check_size(written):
    for error in (0.5, 2.0):
        got = _loss(written, 0.0, error, 0.5)
        assert abs(got - error / 2) < 1e-5, (
            f"at τ = ½ an error of {error:g} costs {got:.4g}, expected half of it: the loss grows with |u|, not with "
            "u², or its minimum is a mean"
        )


def check_pairs(written):
    y = torch.tensor([1.0, 2.0, 5.0])
    quantiles, levels = y[:, None].repeat(1, 3), torch.tensor([0.1, 0.5, 0.9])
    got = float(written.pinball_loss(quantiles, y, levels))
    assert abs(got) < 1e-6, (
        f"every prediction is exactly right and the loss is {got:.4g}: y is paired with the levels and not with its "
        "rows (y.unsqueeze(-1))"
    )


def check_mean(written):
    y, quantiles = torch.randn(4), torch.randn(4, 1)
    one = written.pinball_loss(quantiles, y, torch.tensor([0.3]))
    same = written.pinball_loss(quantiles.repeat(1, 2), y, torch.tensor([0.3, 0.3]))
    assert close(same, one), "with each level twice the loss changes: take the mean over the levels, too, not their sum"
    twice = written.pinball_loss(quantiles.repeat(2, 1), y.repeat(2), torch.tensor([0.3]))
    assert close(twice, one), "the same rows twice change the loss: take the mean over the rows, not their sum"
