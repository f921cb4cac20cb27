"""LoRA: nothing at the start, low rank always, the same as peft's, and gone after merging."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from tlcourse.methods import lora


@pytest.fixture
def net():
    return nn.Sequential(nn.Linear(12, 10), nn.GELU(), nn.Linear(10, 4))


def randomise(net):
    for module in net.modules():
        if isinstance(module, lora.LoRALinear):
            nn.init.normal_(module.b, std=0.1)


def test_it_starts_at_the_original_network_and_trains_a_and_b_alone(net):
    x = torch.randn(5, 12)
    before = net(x)
    layers = lora.apply(net, 3, alpha=6)
    assert torch.equal(net(x), before)
    assert len(layers) == 2
    assert {name for name, p in net.named_parameters() if p.requires_grad} == {"0.a", "0.b", "2.a", "2.b"}
    net(x).sum().backward()
    assert layers[0].linear.weight.grad is None


def test_the_change_has_at_most_the_chosen_rank(net):
    (layer, _) = lora.apply(net, 3)
    randomise(net)
    assert torch.linalg.matrix_rank(layer.change()) == 3


def test_merging_gives_the_same_outputs_from_one_product_and_can_be_undone(net):
    x = torch.randn(5, 12)
    lora.apply(net, 2, alpha=8)
    randomise(net)
    wanted, weight = net(x), net[0].linear.weight.clone()
    lora.merge_all(net)
    lora.merge_all(net)  # a second time changes nothing
    assert torch.allclose(net(x), wanted, atol=1e-6)
    assert torch.allclose(net[0].linear(x), net[0](x), atol=1e-6)
    net[0].unmerge()
    assert torch.allclose(net[0].linear.weight, weight, atol=1e-7)


def test_layers_are_chosen_by_name(net):
    assert len(lora.apply(net, 2, where=lambda name: name == "2")) == 1
    assert isinstance(net[0], nn.Linear)
    with pytest.raises(ValueError, match="no linear layer"):
        lora.apply(nn.Sequential(nn.Linear(3, 3)), 2, where=lambda name: False)


@pytest.mark.parametrize("rank", [0, 5, -1])
def test_a_rank_that_is_none_is_refused(rank):
    with pytest.raises(ValueError, match="between 1 and 4"):
        lora.LoRALinear(nn.Linear(12, 4), rank)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # peft's own
def test_forward_gradients_and_merged_weights_are_those_of_peft(net):
    peft = pytest.importorskip("peft")
    import copy

    config = peft.LoraConfig(r=3, lora_alpha=12, target_modules=["0", "2"], lora_dropout=0.0)
    theirs = peft.get_peft_model(copy.deepcopy(net), config)
    lora.apply(net, 3, alpha=12)
    randomise(net)
    inner = theirs.base_model.model
    for name in ("0", "2"):
        mine, other = net.get_submodule(name), inner.get_submodule(name)
        other.lora_A["default"].weight.data.copy_(mine.a.data)
        other.lora_B["default"].weight.data.copy_(mine.b.data)
    x = torch.randn(7, 12)
    assert (net(x) - theirs(x)).abs().max() <= 1e-6
    net(x).square().sum().backward()
    theirs(x).square().sum().backward()
    for name in ("0", "2"):
        mine, other = net.get_submodule(name), inner.get_submodule(name)
        assert (mine.a.grad - other.lora_A["default"].weight.grad).abs().max() <= 1e-6 * mine.a.grad.abs().max()
        assert (mine.b.grad - other.lora_B["default"].weight.grad).abs().max() <= 1e-6 * mine.b.grad.abs().max()
    merged = theirs.merge_and_unload()
    lora.merge_all(net)
    assert (net[0].linear.weight - merged[0].weight).abs().max() <= 1e-6
