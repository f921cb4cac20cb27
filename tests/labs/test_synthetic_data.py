"""What labs draw is what it says: families share functions, a shift changes one thing, boxes fit marks."""

from __future__ import annotations

import io

import pytest
import torch

from tlcourse.labs.experiments import (
    deliberated_bridging,
    importance_weights,
    losses,
    parameter_efficient,
    sharing,
)


def _drawn(related, seed=0, hidden=1):
    return sharing.draw(2, 3, 10, related, torch.Generator().manual_seed(seed), hidden)


def _squared_correlations(related):
    """Between kin, and between strangers; over seeds, since in ten dimensions single directions meet by chance."""
    between = torch.stack([torch.corrcoef(_drawn(related, seed).y_test.T).square() for seed in range(20)]).mean(0)
    return between[[0, 0, 1], [1, 2, 2]].mean(), between[:3, 3:].mean()


def test_kin_go_together_and_strangers_do_not():
    kin, strangers = _squared_correlations(0.95)
    assert kin > 0.8  # one function a family: kin are equal but for a sign
    assert strangers < 0.2


def test_without_relation_kin_are_strangers():
    kin, strangers = _squared_correlations(0.0)
    assert kin < 0.2
    assert abs(kin - strangers) < 0.1


@pytest.mark.parametrize("related", [0.0, 0.5, 1.0])
def test_relation_does_not_change_how_much_a_task_varies(related):
    variance = torch.stack([_drawn(related, seed, hidden=4).y_test.var(0) for seed in range(40)]).mean()
    assert variance.item() == pytest.approx(1, abs=0.15)


def test_knowing_nothing_is_an_error_of_one():
    y = _drawn(0.5).y_test
    assert sharing.error(y.mean(0).expand_as(y), y) == pytest.approx(1, abs=0.01)
    assert sharing.error(y, y) == 0


def test_pairs_are_counted_and_the_groups_names_are_not():
    true = [[0, 1, 2], [3, 4, 5]]
    assert sharing.pairs_right([[5, 4, 3], [2, 1, 0]], true) == 1
    assert sharing.pairs_right([[0, 1, 2, 3, 4, 5], []], true) == 6 / 15
    assert sharing.pairs_right([[0, 1, 3], [2, 4, 5]], true) == 7 / 15


def _shifted(shift, n=20000):
    x, y = importance_weights.draw_shifted(n, shift, 1.5, torch.Generator().manual_seed(1))
    return x, y.float()


def _near(x, y, corner):
    """P(y = 1) near a point."""
    return y[(x - torch.tensor(corner)).norm(dim=1) < 0.4].mean()


def test_each_shift_changes_what_it_is_named_after_and_nothing_else():
    (x, y), (moved, y_moved), (rare, y_rare), (same, y_other) = map(_shifted, ("none", "covariate", "label", "concept"))
    corner = (1.0, 1.0)
    assert (moved.mean(0) - x.mean(0))[0] > 1.3
    assert abs(_near(moved, y_moved, corner) - _near(x, y, corner)) < 0.08
    assert y_rare.mean() < y.mean() - 0.15
    assert torch.allclose(rare[y_rare == 1].mean(0), x[y == 1].mean(0), atol=0.08)
    assert torch.allclose(rare[y_rare == 0].mean(0), x[y == 0].mean(0), atol=0.08)
    assert torch.equal(same, x)
    assert abs(_near(same, y_other, corner) - _near(x, y, corner)) > 0.3


def test_weights_follow_the_inputs_and_see_no_change_of_labels():
    x, _ = _shifted("none", 3000)
    assert importance_weights.importance(x, _shifted("concept", 3000)[0]).std() < 0.1
    weights = importance_weights.importance(x, _shifted("covariate", 3000)[0])
    assert torch.corrcoef(torch.stack([weights, x[:, 0]]))[0, 1] > 0.5


def test_a_box_holds_its_mark_and_nothing_is_nothing():
    pictures, there, kind, box = losses.draw_marks(300, 0.5, 0.0, torch.Generator().manual_seed(2))
    lit = pictures[:, 0] > 0.5
    assert not lit[there == 0].any()
    assert not box[there == 0].any()
    for mark, (x, y, wide, high) in zip(lit[there == 1], box[there == 1] * losses.SIDE, strict=True):
        rows, columns = mark.nonzero(as_tuple=True)
        assert columns.min() + 0.5 >= x - wide / 2 - 1e-4
        assert columns.max() + 0.5 <= x + wide / 2 + 1e-4
        assert rows.min() + 0.5 >= y - high / 2 - 1e-4
        assert rows.max() + 0.5 <= y + high / 2 + 1e-4
    assert set(kind[there == 1].tolist()) == {0, 1, 2}


def test_iou_is_intersection_over_union():
    a, b = torch.tensor([[0.5, 0.5, 0.4, 0.4]]), torch.tensor([[0.7, 0.5, 0.4, 0.4]])
    assert losses.iou(a, a).item() == pytest.approx(1)
    assert losses.iou(a, b).item() == pytest.approx(1 / 3)
    assert losses.iou(a, torch.tensor([[0.1, 0.1, 0.1, 0.1]])).item() == 0
    assert losses.iou(torch.tensor([[0.5, 0.5, -1.0, -1.0]]), a).item() == 0


@pytest.mark.parametrize(("bits", "levels"), [(3, 7), (4, 15), (8, 255)])
def test_even_levels_are_as_many_as_their_bits_allow_and_keep_the_largest(bits, levels):
    block = torch.randn(1, 64, generator=torch.Generator().manual_seed(4))
    back, stored = parameter_efficient.even(bits)(block)
    assert back.abs().max() == pytest.approx(block.abs().max().item())
    assert stored == bits + 0.5
    steps = back / block.abs().max() * (levels // 2)
    assert torch.allclose(steps, steps.round(), atol=1e-3)
    assert (back - block).abs().max() <= block.abs().max() / (levels // 2) / 2 + 1e-6


def test_nf4_with_scales_of_32_bits_is_as_near_as_with_scales_of_eight():
    weight = torch.randn(64, 64, generator=torch.Generator().manual_seed(3))
    (one, bits_one), (two, bits_two) = parameter_efficient.single(weight), parameter_efficient.double(weight)
    assert bits_two < bits_one
    assert (one - weight).norm().item() == pytest.approx((two - weight).norm().item(), rel=0.05)


def _street(evening, seed=0, n=60):
    return deliberated_bridging.draw(n, evening, torch.Generator().manual_seed(seed))


def test_the_evening_changes_light_and_grain_and_never_where_things_stand():
    (day, label), (evening, same) = _street(0.0), _street(0.5)
    assert torch.equal(label, same)
    assert set(label.unique().tolist()) == set(range(len(deliberated_bridging.CLASSES)))
    assert day.min() >= 0
    assert day.max() <= 1
    for number in range(len(deliberated_bridging.CLASSES)):
        here = (label == number)[:, None].expand_as(day)
        assert evening[here].std() > day[here].std()
    sky = (label == 0)[:, None].expand_as(day)[:, :1]
    assert evening[:, :1][sky].mean() > day[:, :1][sky].mean() + 0.03  # redder


def test_mean_iou_is_the_mean_over_the_classes_of_intersection_over_union():
    x, label = _street(0.0, n=20)

    class Says(torch.nn.Module):
        def forward(self, pictures):
            del pictures
            return (
                torch.nn.functional.one_hot(self.guess, len(deliberated_bridging.CLASSES)).permute(0, 3, 1, 2).float()
            )

    net = Says()
    net.guess = label
    assert deliberated_bridging.mean_iou(net, x, label) == 1
    net.guess = torch.where(label == 4, 1, label)  # every car is taken for road
    road, car = (label == 1).sum().item(), (label == 4).sum().item()
    assert deliberated_bridging.mean_iou(net, x, label) == pytest.approx((3 + road / (road + car)) / 5)


def test_pixels_become_rows_in_the_order_of_their_labels():
    _, label = _street(0.0, n=2)
    maps = torch.nn.functional.one_hot(label, 5).permute(0, 3, 1, 2)
    assert torch.equal(deliberated_bridging.by_pixel(maps).argmax(1), label.flatten())


@pytest.mark.slow
def test_no_label_of_the_evening_reaches_an_arm_but_the_oracle(monkeypatch):
    experiment = deliberated_bridging
    from tlcourse.labs.training import Log

    settings = {"pictures": 3, "evening": 0.3, "sure": 0.5, "steps": 4, "rounds": 2}
    given, found = deliberated_bridging.draw, []
    monkeypatch.setattr(experiment, "TESTED", experiment.DRAWN + 1)  # what scores the arms stays right

    def wrong(n, evening, generator):
        x, label = given(n, evening, generator)
        return x, (label + 1) % 5 if evening and n == experiment.DRAWN else label

    for drawn in (given, wrong):
        monkeypatch.setattr(experiment, "draw", drawn)
        torch.manual_seed(1)
        found.append(experiment.run_deliberated_bridging(settings, 1, Log(io.BytesIO())))
    honest, garbage = found
    assert honest.pop("target") != garbage.pop("target")
    assert honest == garbage
