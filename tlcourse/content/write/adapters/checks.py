"""Checks of `write/adapters`, called in the sandbox with the student's module."""

import torch
import torch.nn.functional as F
from torch import nn

from tlcourse.execution.worker.checks import close

WIDTH = 2


def _adapter(written):
    layer = nn.Linear(3, 5)
    adapter = written.SerialAdapter(layer, 5, WIDTH)
    for name, shape in (("down", (WIDTH, 5)), ("up", (5, WIDTH))):
        weight = getattr(getattr(adapter, name, None), "weight", None)
        assert weight is not None, f"the adapter has no linear layer `self.{name}`, which the checks look at"
        assert tuple(weight.shape) == shape, f"the weight of `{name}` has shape {tuple(weight.shape)}, expected {shape}"
    return layer, adapter


def check_start(written):
    _, adapter = _adapter(written)
    for name in ("weight", "bias"):
        assert getattr(adapter.up, name).abs().max() == 0, (
            f"the {name} of `up` is not zero at the start: training would begin at another network than the trained one"
        )


def check_frozen(written):
    layer, adapter = _adapter(written)
    adapter(torch.randn(4, 3)).square().sum().backward()
    assert layer.weight.grad is None and layer.bias.grad is None, (
        "the gradient reaches the layer: it must stay frozen, and only the adapter learns"
    )


def check_learns(written):
    _, adapter = _adapter(written)
    (adapter(torch.randn(4, 3)) * torch.randn(4, 5)).sum().backward()
    grads = [adapter.up.weight.grad, adapter.down.weight.grad]
    assert any(grad is not None and grad.abs().max() > 0 for grad in grads), (
        "no weight matrix of the adapter gets a gradient: with `down` and `up` both zero, only biases can move"
    )


def check_formula(written):
    layer, adapter = _adapter(written)
    with torch.no_grad():
        for one in adapter.parameters():
            one.copy_(torch.randn(one.shape))
    x = torch.randn(2, 4, 3)
    h, down, up = layer(x), adapter.down, adapter.up
    got = adapter(x)
    if close(got, h + up(F.gelu(down(h)))):
        return
    assert not close(got, up(F.gelu(down(h)))), "h is missing: the adapter adds to what the layer gives"
    assert not close(got, h + up(down(h))), (
        "there is no σ between `down` and `up`: two linear maps in a row are one of low rank"
    )
    assert not close(got, h + up(F.relu(down(h)))), "σ is a ReLU, expected GELU"
    raise AssertionError("the output is not h + up(gelu(down(h))) with h = layer(x)")
