"""Adapters begin as nothing, train alone, and a parallel one can be merged away."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from tlcourse.methods.fine_tuning import trained_parameters
from tlcourse.methods.parameter_efficient import ParallelAdapter, SerialAdapter, add_parallel


def test_a_serial_adapter_begins_as_the_layer_itself():
    layer = nn.Linear(8, 8)
    x = torch.randn(4, 8)
    adapted = SerialAdapter(layer, 8, 3)
    assert torch.equal(adapted(x), layer(x))
    assert trained_parameters(adapted) == 8 * 3 + 3 + 3 * 8 + 8


@pytest.mark.parametrize(("size", "stride"), [(3, 1), (3, 2), (5, 2), (1, 1)])
def test_a_parallel_adapter_begins_as_the_convolution_itself_and_merges_into_it(size, stride):
    convolution = nn.Conv2d(3, 4, size, stride, size // 2)
    x = torch.randn(2, 3, 9, 9)
    adapted = ParallelAdapter(convolution)
    assert torch.equal(adapted(x), convolution(x))
    nn.init.normal_(adapted.adapter.weight)
    assert not torch.allclose(adapted(x), convolution(x), atol=0.1)
    assert torch.allclose(adapted.merged()(x), adapted(x), atol=1e-5)


def test_padding_that_would_shift_the_adapter_is_refused():
    with pytest.raises(ValueError, match="pads by half"):
        ParallelAdapter(nn.Conv2d(3, 3, 3, padding=0))


def test_adapters_are_all_that_a_frozen_network_trains(small_net):
    x = torch.randn(4, 3, 8, 8)
    small_net.eval()
    before = small_net(x)
    assert add_parallel(small_net) == 2
    assert torch.equal(small_net(x), before)
    assert trained_parameters(small_net) == 3 * 4 + 4 * 6
    small_net(x).square().sum().backward()
    moved = [name for name, p in small_net.named_parameters() if p.grad is not None]
    assert moved == ["0.0.adapter.weight", "1.0.adapter.weight"]
