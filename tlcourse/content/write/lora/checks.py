"""Checks of `write/lora`, called in the sandbox with the student's module."""

import torch
from torch import nn

from tlcourse.execution.worker.checks import close

RANK, ALPHA = 2, 6.0


def _layer(written):
    linear = nn.Linear(5, 4)
    layer = written.LoRALinear(linear, RANK, ALPHA)
    for name, shape in (("a", (RANK, 5)), ("b", (4, RANK))):
        matrix = getattr(layer, name, None)
        assert isinstance(matrix, torch.Tensor), f"the layer has no matrix `self.{name}`, which the checks look at"
        assert tuple(matrix.shape) == shape, f"`self.{name}` has shape {tuple(matrix.shape)}, expected {shape}"
    return linear, layer


def check_start(written):
    linear, layer = _layer(written)
    x, wanted = torch.randn(7, 5), linear.weight.detach().clone()
    assert torch.equal(layer.b @ layer.a, torch.zeros(4, 5)), (
        "BA is not zero at the start: training would begin at another network than the trained one"
    )
    assert torch.equal(linear.weight, wanted) and torch.equal(layer.linear(x), linear(x)), (
        "the frozen weights were changed: W₀ must stay what it was"
    )


def check_frozen(written):
    linear, layer = _layer(written)
    layer(torch.randn(7, 5)).square().sum().backward()
    assert linear.weight.grad is None, "the gradient reaches W₀: it must stay frozen (requires_grad is still true)"
    assert linear.bias.grad is None, "the gradient reaches the bias of the linear layer: it must stay frozen, too"
    learning = {name for name, one in layer.named_parameters() if one.requires_grad}
    assert {"a", "b"} <= learning, f"A and B must be nn.Parameters that learn; those that learn are {sorted(learning)}"
    written.LoRALinear(nn.Linear(5, 4, bias=False), RANK, ALPHA)(torch.randn(5))  # a layer without bias works, too


def check_learns(written):
    _, layer = _layer(written)
    layer(torch.randn(7, 5)).square().sum().backward()
    moved = [one.grad for one in (layer.a, layer.b) if one.grad is not None and one.grad.abs().max() > 0]
    assert moved, (
        "neither A nor B gets a gradient: with both at zero each gradient has the other one as a factor, and nothing "
        "will ever move"
    )


def check_change(written):
    linear, layer = _layer(written)
    with torch.no_grad():
        layer.a.copy_(torch.randn(RANK, 5))
        layer.b.copy_(torch.randn(4, RANK))
    x = torch.randn(3, 7, 5)
    product = x @ (layer.b @ layer.a).T
    got = layer(x)
    if close(got, linear(x) + ALPHA / RANK * product):
        return
    for factor, words in ((ALPHA, "α"), (1.0, "1"), (ALPHA * RANK, "α·r"), (RANK / ALPHA, "r/α")):
        assert not close(got, linear(x) + factor * product), (
            f"the change is {words}·BAx: it must be (α/r)·BAx, so that the rank can change and the size stays"
        )
    assert not close(got, ALPHA / RANK * product), "W₀x + b₀ is missing: the change comes on top of the frozen layer"
    raise AssertionError("the output is not W₀x + b₀ + (α/r)·BAx")
