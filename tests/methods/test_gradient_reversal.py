"""Gradient reversal is the identity forwards and −λ backwards; DANN uses no target label."""

from __future__ import annotations

import inspect
import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tlcourse.methods.gradient_reversal import DomainAdversarial, learning_rate, reverse, strength


def test_forwards_it_is_the_identity_and_backwards_minus_its_strength():
    x = torch.randn(4, 3, requires_grad=True)
    y = reverse(x, 0.7)
    assert torch.equal(y, x)
    wanted = torch.randn(4, 3)
    (gradient,) = torch.autograd.grad((y * wanted).sum(), x)
    assert torch.equal(gradient, -0.7 * wanted)


def test_the_schedule_is_that_of_the_paper():
    assert strength(0.0) == 0
    assert strength(1.0) == pytest.approx(2 / (1 + math.exp(-10)) - 1)
    assert strength(0.1) == pytest.approx(math.tanh(0.5))
    assert learning_rate(0.0) == 0.01
    assert learning_rate(1.0) == pytest.approx(0.01 / 11**0.75)


@pytest.fixture
def net():
    return DomainAdversarial(nn.Linear(4, 6), nn.Linear(6, 3), nn.Linear(6, 1))


def gradients(net, strength):
    source, label, target = torch.randn(8, 4), torch.randint(3, (8,)), torch.randn(8, 4)
    label_loss, domain_loss = net.loss(source, label, target, strength)
    net.zero_grad()
    domain_loss.backward(retain_graph=True)
    domain = net.features.weight.grad.clone(), net.domains.weight.grad.clone()
    return label_loss, *domain


def test_the_domain_classifier_learns_to_tell_and_the_features_learn_to_fool_it(net):
    torch.manual_seed(3)
    _, features, domains = gradients(net, 0.5)
    torch.manual_seed(3)
    _, plain, same = gradients(net, -1.0)  # −1 reverses the reversal
    assert torch.allclose(features, -0.5 * plain, atol=1e-7)
    assert torch.equal(domains, same)


def test_the_wrong_twin_with_its_sign_flipped_helps_the_classifier(net):
    """One step on the features along the reversed gradient makes the domain loss larger; along the twin's, smaller."""
    source, label, target = torch.randn(64, 4), torch.randint(3, (64,)), torch.randn(64, 4) + 1
    for sign, larger in ((1.0, True), (-1.0, False)):
        twin = DomainAdversarial(nn.Linear(4, 6), nn.Linear(6, 3), nn.Linear(6, 1))
        twin.load_state_dict(net.state_dict())
        before = twin.loss(source, label, target, sign)[1]
        before.backward()
        with torch.no_grad():
            twin.features.weight -= 0.05 * twin.features.weight.grad
        assert bool(twin.loss(source, label, target, sign)[1] > before) is larger


def test_the_label_loss_is_that_of_the_source_alone(net):
    source, label, target = torch.randn(8, 4), torch.randint(3, (8,)), torch.randn(5, 4)
    assert torch.allclose(net.loss(source, label, target, 1.0)[0], F.cross_entropy(net(source), label))
    assert "target_label" not in inspect.signature(net.loss).parameters


def test_it_adapts_where_the_source_alone_fails():
    """The label lies in the first feature; the second is a shortcut that the target has not."""

    def draw(n, shortcut):
        label = torch.randint(2, (n,))
        sign = 2.0 * label - 1
        x = torch.stack([sign + 0.7 * torch.randn(n), shortcut * 3 * sign + 0.7 * torch.randn(n)], dim=1)
        return x, label

    found = {}
    for arm, top in (("source only", 0.0), ("dann", 1.0)):
        torch.manual_seed(5)
        model = DomainAdversarial(
            nn.Sequential(nn.Linear(2, 16), nn.ReLU()),
            nn.Linear(16, 2),
            nn.Sequential(nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 1)),
        )
        optimizer = torch.optim.SGD(model.parameters(), 0.1, 0.9)
        for step in range(400):
            (xs, ys), (xt, _) = draw(64, 1.0), draw(64, 0.0)
            optimizer.zero_grad()
            sum(model.loss(xs, ys, xt, top * strength(step / 400))).backward()
            optimizer.step()
        x, y = draw(2000, 0.0)
        found[arm] = (model(x).argmax(1) == y).float().mean().item()
    assert found["dann"] > found["source only"]
