"""`tlcourse ta fairness`: the curve "true value → probability of passing", as a table, a plot, and a document."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Annotated

import typer

from tlcourse.cli import out
from tlcourse.cli.options import CourseFolder, Json, Plain, Variant

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tlcourse.grading.scoring.fairness import Fairness, Point

_ROWS, _COLUMNS = 11, 61


def fairness(
    exercise: Annotated[
        str | None, typer.Argument(metavar="[EXERCISE]", help="Such as ex2; without it, all of the course.")
    ] = None,
    variant: Annotated[Variant, typer.Option("--variant", help="mini or full data.")] = Variant.MINI,
    simulated: Annotated[int, typer.Option("--simulated", min=10, help="Simulated gradings a value.")] = 10_000,
    markdown: Annotated[bool, typer.Option("--markdown", help="A document: docs/fairness.md is made by this.")] = False,
    course: CourseFolder = None,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """How probably a model of each true value passes: computed, and confirmed by simulated gradings."""
    from tlcourse.course.loader import load_course
    from tlcourse.grading.scoring import fairness
    from tlcourse.grading.scoring.fairness import fairness as characteristic

    loaded = load_course(course)
    chosen = [loaded.exercise(exercise)] if exercise else list(loaded.exercises.values())
    with out.waiting("Simulating gradings", quiet=json or plain):
        found = [(each, characteristic(each, variant.value, simulated)) for each in chosen]
    if json:
        rows = [{"exercise": each.about.id, "policy": each.about.policy, "checks": checks} for each, checks in found]
        out.document({"schema": 1, "simulated": simulated, "exercises": rows})
    elif markdown:
        out.say(fairness.document(found, simulated).rstrip())
    else:
        for each, checks in found:
            out.say(f"{each.about.id}  {each.about.title}")
            for check in checks:
                for line in _lines(check, plain=plain):
                    out.say(line)


def _lines(check: Fairness, *, plain: bool) -> Iterator[str]:
    from tlcourse.grading.scoring.fairness import PROMISE
    from tlcourse.presenting.words import bar

    runs = f"up to {check.seeds} runs" if check.fresh else "the same items in every run"
    yield f"{check.title}: bar {bar(check.direction, check.bar)}, n = {check.n}, {runs}"
    at, far = check.at_the_bar, check.beyond
    yield f"  a model exactly at the bar fails with probability {1 - at.exact:.4f} (simulated {1 - at.simulated:.4f})"
    yield f"  a model of {far.true:.4g} passes with probability {far.exact:.4f} (simulated {far.simulated:.4f})"
    within = ", ".join(f"{k} hand-ins {p:.4f}" for k, p in check.passes_beyond_in.items() if k > 1)
    yield f"  the same student within {within}"
    holds = "holds" if check.keeps_the_promise else "DOES NOT HOLD: n is too small"
    yield f"  the promise (both at most {PROMISE:g}) {holds}"
    yield "  true value  computed  simulated"
    for point in check.curve:
        yield f"  {point.true:10.4f}  {point.exact:8.4f}  {point.simulated:9.4f}"
    if not plain:
        yield ""
        yield from plot(check.curve, check.bar)
        yield ""


def plot(curve: list[Point], bar: float) -> Iterator[str]:
    """The curve in text: `•` computed, `o` simulated, `│` the bar; probability upwards, true value to the right."""
    points = sorted(curve, key=lambda point: point.true)
    left, right = points[0].true, points[-1].true

    def column(true: float) -> int:
        return round((true - left) / (right - left) * (_COLUMNS - 1))

    grid = [[" "] * _COLUMNS for _ in range(_ROWS)]
    for row in grid:
        row[column(bar)] = "│"
    for one, following in pairwise(points):
        first, last = column(one.true), column(following.true)
        for i in range(first, last + 1):
            share = (i - first) / max(last - first, 1)
            grid[_row(one.exact + share * (following.exact - one.exact))][i] = "•"
    for point in points:
        grid[_row(point.simulated)][column(point.true)] = "o"
    for number, row in enumerate(grid):
        yield f"  {1 - number / (_ROWS - 1):4.1f} ┤{''.join(row)}".rstrip()
    yield f"       └{'─' * _COLUMNS}"
    yield f"        {left:<.4g}{f'{right:.4g}':>{_COLUMNS - len(f'{left:.4g}')}}   • computed  o simulated  │ bar"


def _row(probability: float) -> int:
    return round((1 - probability) * (_ROWS - 1))
