"""What a lab draws: earlier runs beside the present one, and features shaped by domain."""

from __future__ import annotations

import pytest

from tlcourse.course.lab import Arm, Compare, Lab, Measure, Prediction
from tlcourse.presenting.lab_run import bars, headline
from tlcourse.presenting.marks import plain
from tlcourse.tui.widgets.lab_view import Curves, between, of_events, pictures, scatter
from tlcourse.tui.widgets.sliders import stops

LAB = Lab(
    id="one",
    title="One",
    unit="unit",
    claim="It helps.",
    prediction=Prediction(prompt="Does it?", options=[]),
    explanation="It does.",
    arms=[Arm(id="b", title="with", role="method"), Arm(id="a", title="without", role="control")],
    measure=Measure(title="accuracy"),
    compare=Compare(method="b", control="a"),
)

PICTURE = {
    "type": "embedding",
    "title": "before",
    "points": [[0.0, 0.0], [1.0, 1.0], [0.5, 0.5], [0.5, 0.5], [float("nan"), 0.0]],
    "domain": [0, 1, 0, 1, 0],
    "label": [0, 0, 1, 1, 0],
}


def _metric(arm: str, step: int, loss: float) -> dict:
    return {"type": "metric", "step": step, "values": {f"{arm} loss": loss}}


def test_an_earlier_run_is_drawn_with_the_present_one_and_named_in_the_legend():
    earlier = of_events(LAB, [_metric(arm, s, 2.0 - s) for arm in ("a", "b", "c") for s in (0, 1)], compared=True)
    curves = Curves(LAB)
    for step in (0, 1):
        curves.take(_metric("a", step, 1.0 - step))
    drawn = curves.text(60, ascii_only=False, earlier={3: earlier}).plain
    assert "a 0" in drawn
    assert "a (run 3) 1" in drawn
    assert "b (run 3)" in drawn
    assert "c (run 3)" not in drawn  # it is not compared, and would only be in the way
    assert "run 3" in Curves(LAB).text(60, ascii_only=False, earlier={3: earlier}).plain


@pytest.mark.parametrize(
    ("term", "ascii_only", "marks"), [("xterm", False, "○▲◆"), ("linux", False, "░█▓"), ("xterm", True, "o+#")]
)
def test_domains_differ_in_shape_and_classes_in_colour(monkeypatch, term, ascii_only, marks):
    monkeypatch.setenv("TERM", term)
    lines = scatter(PICTURE, 21, 12, ascii_only=ascii_only)
    plain = "\n".join(line.plain for line in lines[1:])  # below the title
    assert [plain.count(mark) for mark in marks] == [1, 1, 1]
    colours = {str(span.style) for line in lines[1:] for span in line.spans}
    assert len(colours) == 2  # a colour for each class
    one_class = scatter({**PICTURE, "label": [0] * 5}, 21, 12, ascii_only=ascii_only)
    assert {str(span.style) for line in one_class[1:] for span in line.spans} == {"$source", "$target", "$muted"}
    assert all(len(line.plain) == 21 for line in lines)


def test_two_pictures_stand_beside_each_other_where_there_is_room():
    both = [PICTURE, {**PICTURE, "title": "after"}]
    assert "before" in pictures(both, 100).plain.splitlines()[0]
    assert "after" in pictures(both, 100).plain.splitlines()[0]
    narrow = pictures(both, 50)
    assert "after" not in narrow.plain.splitlines()[0]
    assert all(len(line) <= 50 for line in narrow.plain.splitlines())
    assert "standard deviations apart" in narrow.plain


def test_a_picture_of_one_point_or_none_is_drawn():
    for points, domain in (([], []), ([[1.0, 1.0]], [0])):
        assert len(scatter({**PICTURE, "points": points, "domain": domain, "label": domain}, 20, 8)) == 8


def test_clouds_move_from_before_to_after_however_the_components_were_turned():
    before = {**PICTURE, "points": [[0.0, 0.0], [2.0, 0.0], [2.0, 1.0], [0.0, 1.0], [1.0, 3.0]]}
    turned = {**before, "title": "after", "points": [[3 * y, -3 * x] for x, y in before["points"]]}
    half = between(before, turned, 0.5)
    start = between(before, turned, 1e-9)["points"]
    for (x, y), (a, b) in zip(half["points"], start, strict=True):
        assert (x, y) == pytest.approx((a, b), abs=1e-6)  # only turned and larger: nothing moves
    assert half["title"] == "before → after"
    assert between(before, turned, 1.0) is turned
    assert between(before, {**turned, "label": [9] * 5}, 0.5)["title"] == "after"  # other points: no way between


def _result(gain: float, ends: tuple[float | None, float | None], *, holds: bool | None) -> dict:
    arms = [
        {
            "id": name,
            "title": title,
            "role": "",
            "mean": mean,
            "interval": ends and (mean - 0.1, mean + 0.1),
            "paper": {},
        }
        for name, title, mean in (("b", "with", 0.8), ("a", "without", 0.6))
    ]
    return {"arms": arms, "gain": gain, "gain_interval": ends, "holds": holds, "seeds": list(range(8))}


def test_the_verdict_is_a_line_and_results_are_bars_with_whiskers():
    found = _result(0.2, (0.1, 0.3), holds=True)
    assert headline(LAB, found, True) == ("✓", "$done", "You were right: with +0.200 (+0.100 to +0.300)")
    assert headline(LAB, found, False).words == "Not as you predicted: with +0.200 (+0.100 to +0.300)"
    assert headline(LAB, found).words.startswith("As claimed: ")
    other = _result(-0.2, (-0.3, -0.1), holds=False)
    assert headline(LAB, other, True).words == "Not what is claimed, in this run: with −0.200 (−0.300 to −0.100)"
    assert "with one seed, which may be chance" in headline(LAB, _result(0.2, (None, None), holds=None), True).words
    drawn = bars(LAB, found, 60)
    assert [plain(line)[:7] for line in drawn[:2]] == ["with   ", "without"]
    assert plain(drawn[0]).rstrip().endswith("0.800 ± 0.100")
    assert "┤" in plain(drawn[0])
    assert "$method" in {run.style for run in drawn[0]}
    assert "$control" in {run.style for run in drawn[1]}
    assert all(len(plain(line)) <= 60 for line in drawn)


def test_no_title_of_an_arm_is_cut():
    found = _result(0.2, (0.1, 0.3), holds=True)
    found["arms"][1]["title"] = "two teachers with one kind of bridge"
    beside = bars(LAB, found, 70)
    assert [plain(line)[:37] for line in beside[:2]] == ["with".ljust(37), "two teachers with one kind of bridge "]
    below = [plain(line).rstrip() for line in bars(LAB, found, 40)]
    assert below[:3:2] == ["with", "two teachers with one kind of bridge"]
    assert below[3].endswith("0.600 ± 0.100")
    assert "█" in below[3]
    assert all(len(line) <= 40 for line in below)


def test_a_slider_stops_at_the_ends_the_default_and_round_numbers_between():
    from tests.labs.conftest import LABS

    found = {(lab.id, one.id): stops(one) for lab in LABS.values() for one in lab.settings}
    for (lab, name), values in found.items():
        one = next(setting for setting in LABS[lab].settings if setting.id == name)
        assert {one.low, one.default, one.high} <= set(values)
        assert len(values) <= 30
        assert not one.whole or all(value == int(value) for value in values)
    assert found["dann", "degrees"][:4] == [0, 10, 20, 25]
    assert found["fine-tuning", "learning_rate"][:4] == [1e-5, 2e-5, 5e-5, 1e-4]
    assert all(value % 64 == 0 for value in found["qlora", "width"])
