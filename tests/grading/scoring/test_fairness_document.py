"""docs/fairness.md says what the computation says, and what simulated gradings gave agrees with it."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

from tlcourse.course.loader import load_course
from tlcourse.grading.scoring.fairness import COMMAND, SIMULATED, document, fairness

PAGE = Path(__file__).resolve().parents[3] / "docs" / "fairness.md"
ROW = re.compile(r"^\| (?P<check>[a-z_]+) \|.*$", re.MULTILINE)


def sections(text: str) -> dict[str, str]:
    return {part.split(":")[0]: part for part in text.split("\n## ")[1:]}


def numbers(row: str) -> list[float]:
    return [float(cell.removesuffix("%")) for cell in re.findall(r"[\d.]+ %", row)]


@pytest.mark.slow
@pytest.mark.parametrize("name", list(load_course().exercises))
def test_the_page_agrees_with_the_computation(name):
    exercise = load_course().exercises[name]
    assert name in sections(PAGE.read_text(encoding="utf-8")), f"run: {COMMAND}"
    kept = ROW.findall(sections(PAGE.read_text(encoding="utf-8"))[name])
    fresh = document([(exercise, fairness(exercise, simulated=10))], 10)
    assert kept == ROW.findall(sections(fresh)[name]), f"run: {COMMAND}"
    for old, new in zip(_rows(PAGE.read_text(encoding="utf-8"), name), _rows(fresh, name), strict=True):
        assert _without_simulation(old) == _without_simulation(new), f"run: {COMMAND}"


def test_what_was_simulated_agrees_with_what_was_computed():
    text = PAGE.read_text(encoding="utf-8")
    assert f"{SIMULATED:,} simulated gradings" in text
    rows = [row for name in sections(text) for row in _rows(text, name)]
    assert rows
    for row in rows:
        computed, simulated = numbers(row)[:2]
        p = computed / 100
        # means are computed to the order of 1/√n: a share of the value is left to what is of the order of 1/n
        slack = 4.5 * math.sqrt(p * (1 - p) / SIMULATED) + 0.3 * p + 0.0005
        assert abs(simulated / 100 - p) < slack, row


def _rows(text: str, name: str) -> list[str]:
    return [match[0] for match in ROW.finditer(sections(text)[name]) if match["check"] != "check"]


def _without_simulation(row: str) -> str:
    """The second of the percentages of a row is what was simulated."""
    cells = row.split("|")
    simulated = [i for i, cell in enumerate(cells) if cell.strip().endswith("%")][1]
    return "|".join(cells[:simulated] + cells[simulated + 1 :])
