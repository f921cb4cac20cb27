"""`tlcourse ta`: for teaching assistants and lecturers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tlcourse.cli import out, ta_decide, ta_report
from tlcourse.cli.exercise import find
from tlcourse.cli.options import CourseFolder, ExerciseName, Json, Plain, Variant

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tlcourse.grading.fairness import Fairness

app = typer.Typer(help="For assistants and lecturers.", no_args_is_help=True, rich_markup_mode=None)
app.command("report")(ta_report.report)
app.command("feedback")(ta_report.feedback)
app.command("override")(ta_decide.override)
app.command("regrade")(ta_decide.regrade)
app.command("export")(ta_decide.export)
app.command("similar")(ta_report.similar)
app.add_typer(ta_decide.secret_app, name="secret")
_WIDTH = 40


@app.command("fairness")
def fairness(
    exercise: ExerciseName,
    variant: Annotated[Variant, typer.Option("--variant", help="mini or full data.")] = Variant.MINI,
    simulated: Annotated[int, typer.Option("--simulated", min=10, help="Simulated gradings a value.")] = 10_000,
    course: CourseFolder = None,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """How probably a model of each true accuracy passes: computed exactly, and confirmed by simulation."""
    from tlcourse.grading.fairness import fairness as characteristic

    found = find(exercise, course)
    checks = characteristic(found, variant.value, simulated)
    if json:
        out.document({"schema": 1, "exercise": found.about.id, "simulated": simulated, "checks": checks})
        return
    for check in checks:
        for line in _lines(check, plain=plain):
            out.say(line)


def _lines(check: Fairness, *, plain: bool) -> Iterator[str]:
    sign = "≥" if check.direction == "at_least" else "≤"
    yield f"{check.title}: bar {sign} {check.bar:g}, n = {check.n}, up to {check.seeds} runs"
    yield f"  a model exactly at the bar fails with probability {check.fails_at_the_bar:.4f}"
    if check.passes_below is not None:
        yield f"  a model 2 points below it passes with probability {check.passes_below:.4f}"
        within = ", ".join(f"{k} attempts {p:.4f}" for k, p in check.passes_below_in.items() if k > 1)
        yield f"  the same student within {within}"
        holds = "holds" if check.keeps_the_promise else "DOES NOT HOLD: n is too small"
        yield f"  the promise (both at most 0.01) {holds}"
    yield "  true value   exact  simulated"
    for point in check.curve:
        bar = "" if plain else "  " + "█" * round(point.exact * _WIDTH)
        yield f"  {point.true:10.4f}  {point.exact:6.4f}     {point.simulated:6.4f}{bar}"
