"""NF4: the levels are the paper's, nearest ones are chosen, and a round trip stays within half a step."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from tlcourse.methods import lora
from tlcourse.methods.lora import QLoRALinear


def test_the_levels_are_quantiles_of_the_normal_distribution_with_an_exact_zero():
    """The paper's appendix E: 8 equal steps on one side, 9 on the other, zero shared; outer quantile 0.9677083."""
    normal = torch.distributions.Normal(0.0, 1.0)
    offset = 0.9677083
    above = normal.icdf(torch.linspace(offset, 0.5, 9)[:-1])
    below = -normal.icdf(torch.linspace(offset, 0.5, 8)[:-1])
    made = torch.cat([above, below, torch.zeros(1)]).sort().values
    made = made / made.max()
    levels = torch.tensor(lora.LEVELS)
    assert torch.allclose(levels, -made.flip(0), atol=1e-4) or torch.allclose(levels, made, atol=1e-4)
    assert lora.LEVELS[7] == 0
    assert list(lora.LEVELS) == sorted(lora.LEVELS)


def test_zeros_stay_zeros_and_levels_stay_levels():
    weight = torch.tensor(lora.LEVELS).repeat(8)  # two blocks whose scale is 1
    assert torch.allclose(lora.dequantise(lora.quantise(weight)), weight, atol=1e-6)
    assert torch.equal(lora.dequantise(lora.quantise(torch.zeros(3, 5))), torch.zeros(3, 5))


@pytest.mark.parametrize("shape", [(64, 64), (3, 7), (1,), (300, 129)])
def test_a_round_trip_keeps_the_shape_and_errs_by_half_a_step_at_most(shape):
    weight = torch.randn(shape) * 0.02
    back = lora.dequantise(lora.quantise(weight))
    assert back.shape == weight.shape
    widest = max(b - a for a, b in zip(lora.LEVELS, lora.LEVELS[1:], strict=False)) / 2
    blocks = torch.nn.functional.pad(weight.flatten(), (0, -weight.numel() % 64)).view(-1, 64).abs().amax(1)
    bound = (widest + 0.02) * blocks.repeat_interleave(64)[: weight.numel()].view(shape)
    assert ((back - weight).abs() <= bound + 1e-4 * weight.abs().max()).all()


def test_normal_weights_lose_less_than_to_sixteen_even_steps():
    weight = torch.randn(256, 256)
    nf4_error = (lora.dequantise(lora.quantise(weight)) - weight).square().mean()
    blocks = weight.view(-1, 64)
    scale = blocks.abs().amax(1, keepdim=True) / 7.5
    even = ((blocks / scale + 7.5).round().clamp(0, 15) - 7.5) * scale
    assert nf4_error < 0.85 * (even - blocks).square().mean()


def test_a_weight_takes_little_more_than_four_bits():
    assert lora.quantise(torch.randn(1024, 1024)).bits_a_weight() == pytest.approx(
        4 + 8 / 64 + 32 / (64 * 256), abs=1e-4
    )


def test_qlora_starts_at_the_quantised_layer_and_trains_a_and_b_alone():
    linear = nn.Linear(128, 32)
    x = torch.randn(6, 128)
    layer = QLoRALinear(linear, 4, alpha=8)
    assert torch.allclose(layer(x), nn.functional.linear(x, layer.frozen_weight(), linear.bias))
    assert (layer(x) - linear(x)).abs().mean() < 0.1 * linear(x).abs().mean() + 0.05
    assert {name for name, p in layer.named_parameters() if p.requires_grad} == {"a", "b"}
    stored = sum(buffer.numel() * buffer.element_size() for buffer in layer.buffers())
    assert stored < 0.15 * linear.weight.numel() * 4


@pytest.mark.slow
def test_qlora_learns_what_lora_would():
    torch.manual_seed(1)
    linear = nn.Linear(64, 16, bias=False)
    wanted = linear.weight.detach() + torch.randn(16, 2) @ torch.randn(2, 64) * 0.1
    layer = QLoRALinear(linear, 4)
    optimizer = torch.optim.Adam([layer.a, layer.b], 0.02)
    for _ in range(300):
        x = torch.randn(64, 64)
        loss = (layer(x) - x @ wanted.T).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    first = (torch.randn(500, 64) @ (wanted - linear.weight.detach()).T).square().mean()
    assert loss < 0.25 * first
