"""A verdict on the terminal, and a run while it continues."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

from tlcourse.cli import out
from tlcourse.presenting import verdict as in_words
from tlcourse.presenting.error_analysis import sentences
from tlcourse.presenting.words import PHASES
from tlcourse.presenting.words import points as points_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tlcourse.course.model import LoadedExercise
    from tlcourse.grading.result import CheckResult, Result
    from tlcourse.presenting.verdict import Tone

COLOURS: dict[Tone, str] = {"good": "green", "bad": "red", "doubt": "yellow", "fault": "magenta", "muted": "white"}
_LOG_LINES = 12
_EVERY_S = 5.0  # between two lines of metrics where no line can change


def lines(
    exercise: LoadedExercise, result: Result, *, plain: bool, scored: bool, with_log: bool = True
) -> Iterator[str]:
    """The verdict, one fact a line; `with_log`: also what was printed last, where the outcome makes one ask for it."""
    words = in_words.outcome(result.outcome, scored=scored)
    points = points_of(result.points, result.max_points) if scored else ""
    if plain:
        yield f"exercise: {result.exercise}"
        if result.variant == "full":
            yield "variant: full"
        yield f"outcome: {words.full}"
        if points:
            yield f"points: {points.removesuffix(' points')}"
    else:
        data = "on real data  " if result.variant == "full" else ""
        head = out.paint(words.word, COLOURS[words.tone], plain=plain) + words.full.removeprefix(words.word)
        yield f"{result.exercise}  {exercise.about.title}  {data}{head}{f'  {points}' if points else ''}"
    for check in result.checks:
        yield from _check(check, plain=plain)
    for message in result.messages:
        yield "\n    ".join(f"{'message: ' if plain else '  '}{message}".splitlines())
    if result.error_analysis:
        title, *facts = sentences(result.error_analysis)
        yield f"{'errors: ' if plain else '  '}{title}"
        yield from (f"{'error: ' if plain else '    '}{fact}" for fact in facts)
    if result.problem:  # indented, so that no line of it can be taken for one of the verdict
        yield ""
        yield from (f"  {line}" for line in result.problem.splitlines())
    for text in in_words.printed(result, _LOG_LINES) if with_log else []:
        yield "\nThe last lines it printed:"
        yield from (f"  {line}" for line in text.splitlines())
    if plain:
        yield from (f"problem: {one}" for one in in_words.problems(result))
    yield from (f"{'run: ' if plain else '  '}{in_words.run(record)}" for record in result.runs)


def _check(check: CheckResult, *, plain: bool) -> Iterator[str]:
    words = in_words.check(check)
    facts = f"{words.measured}, {words.points}"
    if plain:
        yield f"check: {check.id}: {words.word}: {facts}"
    else:
        yield f"  {out.paint(f'{words.mark} {words.word}', COLOURS[words.tone], plain=plain)}  {words.title}"
        yield f"            {facts}"
    if words.advice:
        yield f"{'message: ' if plain else '            '}{words.advice}"


class Live:
    """What a person sees on stderr while a solution trains: a line that changes, or a line a phase where it cannot."""

    def __init__(self, *, plain: bool) -> None:
        self._moving = sys.stderr.isatty() and not plain
        self._phase = "starting"
        self._metrics = ""
        self._begin = time.monotonic()
        self._shown = 0.0
        self._told = self._begin
        self.has_printed = False
        if not self._moving:
            out.note("   0.0 s  starting")

    def show(self, event: dict[str, Any]) -> None:
        """Take one event of the run."""
        kind = event["type"]
        if kind == "log":
            self.has_printed = True
            self.clear()
            sys.stderr.write(event["text"])
        elif kind == "phase":
            self._phase = PHASES[event["name"]]
            if not self._moving:
                out.note(f"{time.monotonic() - self._begin:6.1f} s  {self._phase}")
        elif kind == "metric":
            values = "  ".join(f"{name} {_number(value)}" for name, value in event["values"].items())
            self._metrics = f"step {event['step']}  {values}"
            if not self._moving and time.monotonic() - self._told > _EVERY_S:
                self._told = time.monotonic()
                out.note(f"{self._told - self._begin:6.1f} s  {self._phase}  {self._metrics}")
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
