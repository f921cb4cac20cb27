"""Freezing that holds, heads that are replaced, and rates that fall with depth."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tlcourse.methods.fine_tuning import (
    batch_norms,
    freeze,
    layerwise_rates,
    replace_head,
    trained_parameters,
    unfreeze,
    unfreeze_last,
)


def train_a_little(net, steps=3):
    optimizer = torch.optim.SGD([p for p in net.parameters() if p.requires_grad], lr=0.1, weight_decay=0.1)
    net.train()
    for _ in range(steps):
        loss = F.cross_entropy(net(torch.randn(16, 3, 8, 8)), torch.randint(net[-1].out_features, (16,)))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def copies(net):
    return {name: tensor.clone() for name, tensor in net.state_dict().items()}


def changed(before, net):
    return {name for name, tensor in net.state_dict().items() if not torch.equal(tensor, before[name])}


def test_a_frozen_network_with_a_new_head_changes_in_its_head_alone(small_net):
    freeze(small_net)
    replace_head(small_net, 2)
    before = copies(small_net)
    train_a_little(small_net)
    assert changed(before, small_net) == {"4.weight", "4.bias"}
    assert small_net(torch.randn(7, 3, 8, 8)).shape == (7, 2)


def test_the_wrong_twin_without_gradients_alone_lets_batch_norm_drift(small_net):
    for parameter in small_net.parameters():
        parameter.requires_grad_(False)
    replace_head(small_net, 2)
    before = copies(small_net)
    train_a_little(small_net)
    assert {"0.1.running_mean", "1.1.running_var"} <= changed(before, small_net)


def test_the_wrong_twin_that_calls_eval_once_is_undone_by_train(small_net):
    for norm in batch_norms(small_net):
        norm.eval()
    small_net.train()
    assert all(norm.training for norm in batch_norms(small_net))
    freeze(small_net).train()
    assert not any(norm.training for norm in batch_norms(small_net))
    assert small_net.training


def test_a_frozen_backbone_gives_each_picture_the_same_features_in_any_batch(small_net):
    freeze(small_net).train()
    x = torch.randn(9, 3, 8, 8)
    assert torch.allclose(small_net(x)[4], small_net(x[4:5])[0], atol=1e-6)


def test_unfreezing_lets_everything_move_again(small_net):
    unfreeze(freeze(small_net))
    before = copies(small_net)
    train_a_little(small_net)
    assert changed(before, small_net) == set(before)


def test_the_last_parts_alone_learn(small_net):
    freeze(small_net)
    assert unfreeze_last(small_net, 2) == ["4", "1"]
    before = copies(small_net)
    train_a_little(small_net)
    assert {name.split(".")[0] for name in changed(before, small_net)} == {"4", "1"}


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v2", "squeezenet1_1", "vgg11"])
def test_the_head_of_torchvisions_networks_is_found(name):
    from torchvision import models

    net = models.get_model(name, weights=None)
    freeze(net)
    new = replace_head(net, 2)
    assert net.eval()(torch.randn(2, 3, 64, 64)).shape == (2, 2)
    assert trained_parameters(net) == sum(p.numel() for p in new.parameters())


def test_a_network_without_a_layer_to_replace_is_refused():
    with pytest.raises(ValueError, match="no linear layer"):
        replace_head(nn.Sequential(nn.ReLU()), 2)


def test_each_layer_before_the_last_learns_more_slowly(small_net):
    groups = layerwise_rates(small_net, 0.1, decay=0.5)
    assert [group["lr"] for group in groups] == [0.1, 0.05, 0.025]
    held = [p for group in groups for p in group["params"]]
    assert len(held) == len({id(p) for p in held}) == len(list(small_net.parameters()))
    torch.optim.SGD(groups, momentum=0.9)


def test_frozen_layers_are_in_no_group_and_keep_the_rates_of_the_others(small_net):
    freeze(small_net[1])
    groups = layerwise_rates(small_net, 0.1, decay=0.5)
    assert [group["lr"] for group in groups] == [0.1, 0.025]
    with pytest.raises(ValueError, match="every parameter is frozen"):
        layerwise_rates(freeze(small_net), 0.1)
