"""In-context learning reads its examples and changes nothing; prototypes classify by the nearest mean."""

from __future__ import annotations

import pytest
import torch

from tlcourse.methods.in_context import InContextRegressor, classify_by_prototypes, least_squares, linear_tasks


@pytest.fixture
def net():
    return InContextRegressor(3, width=16, heads=2, layers=2, longest=10)


def test_no_answer_depends_on_itself_or_on_what_comes_later(net):
    x, y = linear_tasks(4, 6, 3)
    before = net(x, y)
    changed_y, changed_x = y.clone(), x.clone()
    changed_y[:, 3:] += 10
    changed_x[:, 4:] += 10
    after = net(changed_x, changed_y)
    assert torch.allclose(after[:, :4], before[:, :4], atol=1e-5)
    assert not torch.allclose(after[:, 4:], before[:, 4:], atol=1e-2)


def test_predicting_changes_no_weight(net):
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    with torch.no_grad():
        net(*linear_tasks(8, 6, 3))
    assert all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items())


def test_the_tasks_have_unit_variance_and_differ_between_prompts():
    x, y = linear_tasks(4000, 3, 5, torch.Generator().manual_seed(1))
    assert y.var().item() == pytest.approx(1.0, abs=0.05)
    assert not torch.allclose(y[0] / x[0, :, 0], y[1] / x[1, :, 0])


def test_least_squares_is_right_once_there_are_as_many_examples_as_features():
    x, y = linear_tasks(50, 6, 5)
    assert torch.allclose(least_squares(x, y), y[:, -1], atol=1e-3)
    assert torch.equal(least_squares(x[:, :1], y[:, :1]), torch.zeros(50))
    few = least_squares(x[:, :3], y[:, :3])
    assert 0.1 < (few - y[:, 2]).square().mean() < 1.5


@pytest.mark.slow
def test_it_learns_to_learn_from_examples():
    net = InContextRegressor(1, width=32, heads=2, layers=2, longest=5)
    optimizer = torch.optim.Adam(net.parameters(), 3e-3)
    for _ in range(400):
        x, y = linear_tasks(64, 5, 1)
        loss = (net(x, y) - y).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    x, y = linear_tasks(1000, 5, 1)
    with torch.no_grad():
        error = (net(x, y) - y).square().mean(0)
        shuffled = (net(x, y[:, torch.randperm(5)]) - y).square().mean(0)
    assert error[0] > 0.7  # nothing to learn from yet
    assert error[4] < 0.4 * error[0]
    assert shuffled[4] > 2 * error[4]  # the control: examples whose answers belong to others


def test_prototypes_choose_the_nearest_class_mean():
    support = torch.tensor([[0.0, 0.0], [2.0, 0.0], [10.0, 10.0]])
    logits = classify_by_prototypes(support, torch.tensor([0, 0, 1]), torch.tensor([[1.0, 1.0], [9.0, 9.0]]), 2)
    assert logits.argmax(1).tolist() == [0, 1]
    assert logits[0, 0] == pytest.approx(-1.0)
    with pytest.raises(ValueError, match="no example"):
        classify_by_prototypes(support, torch.tensor([0, 0, 1]), support, 3)
