"""Which parameters serve every head: outputs, or the tasks of one output."""

from __future__ import annotations

import torch
from torch import nn

from tlcourse.course.spec import Output
from tlcourse.execution.worker.predict import probes

X = torch.randn(32, 8, generator=torch.Generator().manual_seed(0))
BY_TASK = [Output("quantiles", (4, 7), by_task=True)]
TWO = [Output("a", (3,)), Output("b")]


class Tasks(nn.Module):
    """A trunk of 72 numbers, and a head of 9·28 of which each task has a quarter."""

    def __init__(self):
        super().__init__()
        self.trunk, self.head = nn.Linear(8, 8), nn.Linear(8, 28)

    def forward(self, x):
        return self.head(self.trunk(x)).unflatten(1, (4, 7))


class Stacked(nn.Module):
    """Four networks whose weights lie in one tensor."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(4, 8, 7))

    def forward(self, x):
        return torch.einsum("bi,tij->btj", x, self.weight)


class TwoHeads(nn.Module):
    def __init__(self, detach=False):
        super().__init__()
        self.trunk, self.a, self.b = nn.Linear(8, 8), nn.Linear(8, 3), nn.Linear(8, 1)
        self.unused = nn.Parameter(torch.zeros(1000))
        self.detach = detach

    def forward(self, x):
        features = self.trunk(x)
        beside = features.detach() if self.detach else features
        return self.a(features), self.b(beside).squeeze(-1)


def test_the_tasks_of_one_output_are_looked_at_one_by_one():
    found = probes(Tasks(), X, BY_TASK)
    assert found == {"parameters": 324.0, "trainable": 324.0, "shared_share": 72 / 324}


def test_networks_stacked_in_one_tensor_share_nothing():
    assert probes(Stacked(), X, BY_TASK)["shared_share"] == 0.0


def test_two_outputs_share_their_trunk_and_what_serves_none_is_not_counted():
    found = probes(TwoHeads(), X, TWO)
    assert found["shared_share"] == 72 / (72 + 27 + 9)
    assert found["parameters"] == 72 + 27 + 9 + 1000


def test_a_head_that_lets_no_gradient_through_shares_nothing():
    assert probes(TwoHeads(detach=True), X, TWO)["shared_share"] == 0.0


def test_what_is_only_added_to_every_output_serves_none():
    """Two networks, and a tensor that has a gradient for both and does nothing, or nothing but shift them."""

    class Beside(nn.Module):
        def __init__(self, factor):
            super().__init__()
            self.a, self.b, self.factor = nn.Linear(8, 3), nn.Linear(8, 1), factor
            self.shared = nn.Linear(8, 1000)

        def forward(self, x):
            added = self.factor * self.shared(x).sum(1) + (self.shared.bias.sum() if self.factor else 0)
            return self.a(x) + added[:, None], self.b(x).squeeze(-1) + added

    assert probes(Beside(1e-9), X, TWO)["shared_share"] == 0.0
    assert probes(Beside(1.0), X, TWO)["shared_share"] > 0.99  # what is predicted with it, both need


def test_one_head_has_nothing_to_share():
    assert "shared_share" not in probes(nn.Linear(8, 3), X, [Output("logits", (3,))])


def test_nothing_is_said_where_the_forward_lets_no_gradient_through():
    class Silent(Tasks):
        @torch.no_grad()
        def forward(self, x):
            return super().forward(x)

    assert "shared_share" not in probes(Silent(), X, BY_TASK)


def test_weights_that_were_averaged_in_inference_mode_are_measured_like_others():
    model = Tasks()
    with torch.inference_mode():
        for module in (model.trunk, model.head):
            module.weight = nn.Parameter(module.weight.clone(), requires_grad=False)
    found = probes(model, X, BY_TASK)
    assert (found["trainable"], found["shared_share"]) == (8.0 + 28.0, 72 / 324)
    assert model.trunk.weight.is_inference()


def test_a_module_that_fails_in_measuring_alone_is_left_as_it_is():
    class Breaks(Tasks):
        def forward(self, x):
            if torch.is_grad_enabled():
                raise ValueError("never called with gradients before")
            return super().forward(x)

    assert "shared_share" not in probes(Breaks(), X, BY_TASK)


def test_measuring_leaves_the_model_as_it_was():
    model = Tasks().train()
    model.trunk.weight.requires_grad_(False)
    probes(model, X, BY_TASK)
    assert model.training
    assert not model.trunk.weight.requires_grad
    assert model.head.weight.grad is None
