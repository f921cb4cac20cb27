"""What a lab draws: earlier runs beside the present one, and features shaped by domain."""

from __future__ import annotations

import pytest

from tlcourse.tui.widgets.lab_view import Curves, of_events, pictures, scatter

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
    earlier = of_events([_metric(arm, s, 2.0 - s) for arm in ("a", "b", "c") for s in (0, 1)], ["a", "b"])
    curves = Curves()
    for step in (0, 1):
        curves.take(_metric("a", step, 1.0 - step))
    drawn = curves.text(60, ascii_only=False, earlier={3: earlier}).plain
    assert "a 0" in drawn
    assert "a (run 3) 1" in drawn
    assert "b (run 3)" in drawn
    assert "c (run 3)" not in drawn  # it is not compared, and would only be in the way
    assert "run 3" in Curves().text(60, ascii_only=False, earlier={3: earlier}).plain


@pytest.mark.parametrize(
    ("term", "ascii_only", "marks"), [("xterm", False, "○▲◆"), ("linux", False, "░█▓"), ("xterm", True, "o+#")]
)
def test_domains_differ_in_shape_and_in_colour(monkeypatch, term, ascii_only, marks):
    monkeypatch.setenv("TERM", term)
    lines = scatter(PICTURE, 21, 12, ascii_only=ascii_only)
    plain = "\n".join(line.plain for line in lines[1:])  # below the title
    assert [plain.count(mark) for mark in marks] == [1, 1, 1]
    colours = {str(span.style) for line in lines[1:] for span in line.spans}
    assert len(colours) == 3
    assert all(len(line.plain) == 21 for line in lines)


def test_two_pictures_stand_beside_each_other_where_there_is_room():
    both = [PICTURE, {**PICTURE, "title": "after"}]
    assert "before" in pictures(both, 100).plain.splitlines()[0]
    assert "after" in pictures(both, 100).plain.splitlines()[0]
    narrow = pictures(both, 56)
    assert "after" not in narrow.plain.splitlines()[0]
    assert all(len(line) <= 57 for line in narrow.plain.splitlines())
    assert "standard deviations apart" in narrow.plain


def test_a_picture_of_one_point_or_none_is_drawn():
    for points, domain in (([], []), ([[1.0, 1.0]], [0])):
        assert len(scatter({**PICTURE, "points": points, "domain": domain}, 20, 8)) == 8
