"""Checks of `write/fish-mask`, called in the sandbox with the student's module."""

import torch
from torch import nn

from tlcourse.execution.worker.checks import close


def _net():
    return nn.Sequential(nn.Linear(5, 6), nn.Tanh(), nn.Linear(6, 3)).eval()


def _found(written, net, x):
    found = written.fisher(net, x)
    wanted = {name for name, _ in net.named_parameters()}
    assert isinstance(found, dict) and set(found) == wanted, f"a dict with the names {sorted(wanted)} was expected"
    return found


def check_expectation(written):
    net, x = _net(), torch.randn(1, 5) * 2
    log_p = torch.log_softmax(net(x), 1)[0]
    parts = [torch.autograd.grad(one, list(net.parameters()), retain_graph=True) for one in log_p]
    p = log_p.detach().exp()
    for number, (name, got) in enumerate(_found(written, net, x).items()):
        squares = torch.stack([gradient[number].square() for gradient in parts])
        weights = p.view(-1, *[1] * (squares.dim() - 1))
        if close(got, (weights * squares).sum(0), rtol=1e-3, atol=1e-7):
            continue
        assert not close(got, squares[p.argmax()], rtol=1e-3, atol=1e-7), (
            "only the likeliest class is looked at: the expectation is over all classes, each weighted by p(y|x)"
        )
        assert not close(got, squares.sum(0), rtol=1e-3, atol=1e-7), (
            "all classes count the same: each squared gradient must be weighted by p(y|x)"
        )
        raise AssertionError(f"for one input the information of `{name}` is not Σ_y p(y|x)·(∂ log p(y|x)/∂θ)²")


def check_samples(written):
    net, x = _net(), torch.randn(2, 5) * 2
    first, second = (_found(written, net, one[None]) for one in x)
    for name, got in _found(written, net, x).items():
        wanted = (first[name] + second[name]) / 2
        if close(got, wanted, rtol=1e-3, atol=1e-7):
            continue
        assert not close(got, 2 * wanted, rtol=1e-3, atol=1e-7), "this is the sum over the inputs: take the mean"
        raise AssertionError(
            "two inputs together give other information than the mean of each alone: square each sample's gradient, "
            "not that of the batch, in which the samples cancel each other"
        )


def check_mask(written):
    information = {"a": torch.tensor([[1.0, 9.0], [2.0, 3.0]]), "b": torch.tensor([8.0, 0.0])}
    mask = written.top_k(information, 3)
    assert isinstance(mask, dict) and set(mask) == {"a", "b"}, "a dict with the same names was expected"
    assert all(mask[name].dtype == torch.bool for name in mask), "the masks must be of dtype bool"
    chosen = {name: one.nonzero().tolist() for name, one in mask.items()}
    number = sum(int(one.sum()) for one in mask.values())
    assert number == 3, f"{number} weights are chosen, expected k = 3 of all layers together, not k of each"
    assert chosen == {"a": [[0, 1], [1, 1]], "b": [[0]]}, (
        "the chosen weights are not the largest of all layers together: layers with much information must get more of k"
    )
