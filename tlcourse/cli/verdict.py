"""A verdict in words, and a run while it goes on."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

from tlcourse.cli import out

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tlcourse.course.model import LoadedExercise
    from tlcourse.grading.result import CheckResult, Result

WORDS = {
    "pass": ("PASS", "green"),
    "fail": ("FAIL", "red"),
    "crash": ("CRASH", "red"),
    "timeout": ("TIMEOUT", "yellow"),
    "memory": ("MEMORY", "yellow"),
    "output": ("OUTPUT", "yellow"),
    "invalid": ("INVALID", "red"),
    "infra": ("GRADER FAULT (not yours; not counted)", "magenta"),
}
_LOG_LINES = 12


def lines(exercise: LoadedExercise, result: Result, *, plain: bool, scored: bool) -> Iterator[str]:
    """The verdict, one fact a line."""
    word, colour = WORDS[result.outcome]
    if not scored and result.outcome == "pass":
        word = "RUNS"
    head = f"{result.exercise}  {exercise.about.title}  " if not plain else f"exercise: {result.exercise}\noutcome: "
    if result.variant == "full":
        head = head.replace("\n", "\nvariant: full\n", 1) if plain else f"{head}on real data  "
    points = f"  {result.points:g} of {result.max_points:g} points" if scored and not plain else ""
    yield head + out.paint(word, colour, plain=plain) + points
    if plain and scored:
        yield f"points: {result.points:g} of {result.max_points:g}"
    for check in result.checks:
        yield from _check(check, plain=plain)
    for message in result.messages:
        yield "\n    ".join(f"{'message: ' if plain else '  '}{message}".splitlines())
    if result.problem:  # indented, so that no line of it can be taken for one of the verdict
        yield ""
        yield from (f"  {line}" for line in result.problem.splitlines())
    for record in result.runs:
        if result.outcome in ("crash", "invalid", "output", "infra") and record.log.strip():
            yield "\nThe last lines that it printed:"
            yield from (f"  {line}" for line in record.log.rstrip().splitlines()[-_LOG_LINES:])
        where = "" if record.where == "local" else f", {record.where}"
        sandboxes = {
            "none": "without a sandbox",
            "bubblewrap": "in a bubblewrap sandbox",
            "fork-server": "in a sandbox of the fork server",
            "landlock": "in a landlock sandbox",
        }
        yield (
            f"{'run: ' if plain else '  '}fit took {record.fit_s:.1f} s of {record.wall_time_s:.1f} s on "
            f"{record.device or 'no device'} with {record.threads} threads, {record.peak_rss_mb:.0f} MB, "
            f"{sandboxes.get(record.sandbox, record.sandbox)}, seed {record.seed}{where}"
        )


def _check(check: CheckResult, *, plain: bool) -> Iterator[str]:
    word = {"met": "passed", "in doubt": "passed, in doubt", "missed": "failed"}[check.status]
    sign = "≥" if check.direction == "at_least" else "≤"
    low, high = check.interval
    unit = f" {check.unit}" if check.unit else ""
    doubt = "" if check.accepted == check.threshold else f" ({check.accepted:.4g} suffices: chance is on your side)"
    facts = (
        f"{check.value:.4g}{unit} (95 %: {low:.4g} to {high:.4g}, n = {check.n}), required {sign} "
        f"{check.threshold:g}{unit}{doubt}, {check.points:g} of {check.max_points:g} points"
    )
    if plain:
        yield f"check: {check.id}: {word}: {facts}"
    else:
        symbol = "✓" if check.passed else "✗"
        yield f"  {out.paint(f'{symbol} {word}', 'green' if check.passed else 'red', plain=plain)}  {check.title}"
        yield f"            {facts}"
    if check.message:
        yield f"{'message: ' if plain else '            '}{check.message}"


class Live:
    """What a person sees on stderr while a solution trains: a line that changes, or a line a phase where it cannot."""

    def __init__(self, *, plain: bool) -> None:
        self._moving = sys.stderr.isatty() and not plain
        self._phase = "starting"
        self._metrics = ""
        self._begin = time.monotonic()
        self._shown = 0.0

    def show(self, event: dict[str, Any]) -> None:
        """Take one event of the run."""
        kind = event["type"]
        if kind == "log":
            self.clear()
            sys.stderr.write(event["text"])
        elif kind == "phase":
            words = {"load": "loading", "fit": "training", "fitted": "trained", "predict": "predicting"}
            self._phase = words[event["name"]]
            if not self._moving:
                out.note(f"{time.monotonic() - self._begin:6.1f} s  {self._phase}")
        elif kind == "metric":
            values = "  ".join(f"{name} {_number(value)}" for name, value in event["values"].items())
            self._metrics = f"step {event['step']}  {values}"
        if self._moving and time.monotonic() - self._shown > 0.1:
            self._shown = time.monotonic()
            text = f"{time.monotonic() - self._begin:6.1f} s  {self._phase}  {self._metrics}"
            sys.stderr.write("\r\x1b[K" + text[:100])
            sys.stderr.flush()

    def clear(self) -> None:
        """Take the changing line away."""
        if self._moving:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def _number(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.4g}"
