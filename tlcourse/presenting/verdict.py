"""A verdict in words and marks, once: commands, app and feedback lay out the same facts, each in its own way."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from tlcourse.presenting.error_analysis import sentences
from tlcourse.presenting.marks import Places, places
from tlcourse.presenting.words import bar, points, required, time_asked
from tlcourse.sandbox import in_words as sandbox_in_words
from tlcourse.text import harmless, line

if TYPE_CHECKING:
    from tlcourse.grading.result import CheckResult, Result, RunRecord

Tone = Literal["good", "bad", "doubt", "fault", "muted"]
"""What a colour stands for; each place has colours of its own for them."""


class OutcomeWords(NamedTuple):
    """How a grading ended: a mark that needs no colour, a word, and what it means where the word does not say so."""

    mark: str
    word: str
    tone: Tone
    meaning: str = ""

    @property
    def short(self) -> str:
        """`✗ CRASH`"""
        return f"{self.mark} {self.word}"

    @property
    def full(self) -> str:
        """`CRASH (your code raised an error or ended its process)`"""
        return f"{self.word} ({self.meaning})" if self.meaning else self.word


OUTCOMES = {
    "pass": OutcomeWords("✓", "PASS", "good"),
    "fail": OutcomeWords("✗", "FAIL", "bad"),
    "ran": OutcomeWords("✓", "RUNS", "good", "trained and tried, not scored"),
    "crash": OutcomeWords("✗", "CRASH", "bad", "your code raised an error or ended its process"),
    "timeout": OutcomeWords("✗", "TIMEOUT", "doubt", "it took longer than allowed"),
    "memory": OutcomeWords("✗", "MEMORY", "doubt", "it used more memory than allowed"),
    "output": OutcomeWords("✗", "OUTPUT", "doubt", "it printed more than allowed"),
    "invalid": OutcomeWords("✗", "INVALID", "bad", "it does not return what the handout asks for"),
    "infra": OutcomeWords("–", "GRADER FAULT", "fault", "not your mistake; not counted"),
    "waiting": OutcomeWords("○", "NOT GRADED YET", "muted"),
}


def outcome(name: str, *, scored: bool = True) -> OutcomeWords:
    """The words for an outcome; in older documents, one that passes without scoring merely runs."""
    return OUTCOMES["ran"] if name == "pass" and not scored else OUTCOMES.get(name) or OutcomeWords("–", name, "muted")


class CheckWords(NamedTuple):
    """One check of a verdict."""

    mark: str
    word: str
    tone: Tone
    title: str
    measured: str
    """Value, interval, bar, distance to it, and what is enough where that is not the bar."""
    points: str
    advice: str
    """What the grader says about it; empty where it says nothing."""
    places: Places | None = None
    """Where it stands on a number line; None where a number is not finite."""


def check(result: CheckResult) -> CheckWords:
    """A check in words."""
    passed = "passed, in doubt" if result.status == "in doubt" else "passed"
    in_part = result.credit != "bar" and 0 < result.points < result.max_points
    return CheckWords(
        mark="✓" if result.passed else "✗",
        word="in part" if in_part else passed if result.passed else "failed",
        tone="doubt" if in_part else "good" if result.passed else "bad",
        title=result.title,
        measured=measured(result),
        points=points(result.points, result.max_points),
        advice=advice(result),
        places=places(result.value, result.interval, result.threshold, direction=result.direction),
    )


_OPENED_BY = {"lab": "lab run", "write": "write show", "quiz": "quiz take", "exercise": "exercise show"}


def advice(result: CheckResult, *, on_screen: bool = False) -> str:
    """What to do about a check, and where more of it stands: the commands that open it, or its names `on_screen`."""
    said = []
    for place in result.taught:
        kind, _, name = place.partition("/")
        if on_screen:
            unit, _, heading = place.partition("#")
            section = f", {heading.replace('-', ' ')}" if heading else ""
            said.append(
                f"the {'method' if kind == 'write' else kind} {name}" if name else f"the lesson {unit}{section}"
            )
        else:
            said.append(f"tlcourse {_OPENED_BY[kind]} {name}" if name else f"tlcourse lesson show {place}")
    separator = "; " if on_screen else ", "
    return " ".join(part for part in (result.message, f"More on this: {separator.join(said)}." * bool(said)) if part)


def measured(result: CheckResult) -> str:
    """`0.92 (95 %: 0.91 to 0.93, n = 400), required ≥ 0.95: 0.03 short (0.94 is enough: …)`."""
    unit = f" {result.unit}" if result.unit else ""
    distance = result.value - result.threshold
    distance = distance if result.direction == "at_least" else -distance
    low, high = result.interval
    interval = f"95 %: {low:.4g} to {high:.4g}, " if f"{low:.4g}" != f"{high:.4g}" else ""
    enough = ""
    if result.accepted != result.threshold:
        enough = f" ({result.accepted:.4g} is enough: you have the benefit of the doubt)"
    reported = "; self-reported" if result.self_reported else ""
    value = f"{result.value:.4g}{unit} ({interval}n = {result.n})"
    if result.credit == "share":
        return f"{value}, that share of the points{reported}"
    if result.credit == "steps":
        return f"{value}, {required(result)}{reported}"
    return (
        f"{value}, required "
        f"{bar(result.direction, result.threshold, result.unit)}: "
        f"{abs(distance):.3g}{unit} {'better' if distance >= 0 else 'short'}{enough}"
        f"{'; on top of the maximum' if result.bonus else ''}{reported}"
    )


def in_lines(result: Result) -> Iterator[str]:
    """A verdict as lines of plain text, for where there is neither a terminal nor a page."""
    words = outcome(result.outcome, scored=bool(result.checks) or result.outcome != "pass")
    yield f"{result.exercise}: {words.full}, {points(result.points, result.max_points)}"
    for one in map(check, result.checks):
        yield f"{one.mark} {one.title}: {one.measured}, {one.points}"
        if one.advice:
            yield f"    {one.advice}"
    yield from result.messages
    yield from result.problem.splitlines()
    if result.error_analysis:
        yield from sentences(result.error_analysis)
    yield from map(run, result.runs)


def run(record: RunRecord, *, in_full: bool = True) -> str:
    """What a run took, where, and of what seed; seed and place are not for the feedback of a graded batch.

    There, once test inputs were in, time and memory in all are left out or coarse: a submission that has seen the
    inputs chooses them, and could write bits of what it saw into them.
    """
    threads = f"{record.threads} thread{'' if record.threads == 1 else 's'}"
    coarse = not in_full and record.fit_s > 0
    memory = _coarse(record.peak_rss_mb) if coarse else f"{record.peak_rss_mb:.0f} MB"
    said = (
        f"{_time(record, in_all=not coarse)} on {record.device or 'no device'} "
        f"with {threads}, {memory}, {sandbox_in_words(record.sandbox)}"
    )
    if not in_full:
        return said
    return f"{said}, seed {record.seed}" + ("" if record.where in ("", "local") else f", {record.where}")


def _time(record: RunRecord, *, in_all: bool) -> str:
    """What `fit` used of what it was asked to use; by the clock on a GPU, and of runs before CPU time was counted.

    Without `in_all` nothing that came after `fit` is in it.
    """
    if record.calls:
        used = f" in {record.reference_s:.1f} of {record.limit_s:g} reference seconds" if in_all else ""
        return f"{record.calls} case{'s' * (record.calls != 1)} called{used}"
    clock = f"fit took {record.fit_s:.1f} s" + (f", the run {record.wall_time_s:.1f} s" if in_all else "")
    if not record.seconds:
        return clock
    if not record.speed:
        return f"{clock}, by the clock as it ran on a GPU: {time_asked(record.seconds, record.limit_s)}"
    used = f"fit used {record.fit_reference_s:.1f} of {record.seconds:g} reference seconds"
    if not record.fit_s:
        used = f"the run used {record.reference_s:.1f} of {record.limit_s:g} reference seconds"
    clock = f"; {record.wall_time_s:.1f} s by the clock" if in_all else ""
    return f"{used} (the machine runs at {record.speed:.2g} × the reference{clock})"


def _coarse(mb: float) -> str:
    """`less than 2 GB`: a power of two."""
    gb = 1
    while gb * 1024 <= mb:
        gb *= 2
    return f"less than {gb} GB"


def printed(result: Result, most: int) -> list[str]:
    """The last lines that each run printed, where the outcome makes one ask for them."""
    if result.outcome not in ("crash", "invalid", "output", "infra"):
        return []
    return [text for record in result.runs if (text := "\n".join(record.log.rstrip().splitlines()[-most:]).strip("\n"))]


class Problem(NamedTuple):
    """What is to be mended in a file, for editors and platforms that mark it there."""

    path: Path
    line: int
    title: str
    message: str
    """One line."""

    def __str__(self) -> str:
        """`solution.py:7: CRASH: ValueError in fit: …`"""
        return f"{line(str(self.path), 1000)}:{self.line}: {self.title}: {self.message}"


_FRAME = re.compile(r'^\s*File "([^"\n]+)", line (\d{1,7})', re.MULTILINE)


def problems(result: Result) -> list[Problem]:
    """What a verdict says is to be mended: each check that failed, else the line of the student's at which it ended."""
    origin = Path(result.submission.path)
    solution = origin / "solution.py" if (origin / "solution.py").is_file() else origin
    if result.outcome in ("pass", "ran", "infra"):
        return []
    found = []
    for one in result.checks:
        if not one.passed and not one.bonus:
            said = line(f"{measured(one)}. {one.message}" if one.message else measured(one))
            found.append(Problem(solution, 1, line(one.title), said))
    if result.outcome == "fail" and found:  # else there was nothing to measure, and the messages say why
        return found
    texts = [result.problem, *reversed(result.messages)]
    at, number = solution, 1
    for name, where in reversed([frame for text in texts for frame in _FRAME.findall(text)]):
        if (file := _beside(solution, name)) is not None:
            at, number = file, int(where)
            break
    said = next((text for text in reversed(result.messages) if text.strip()), "")
    last = [one for one in harmless(said).splitlines() if one.strip()][-1:] if _FRAME.search(said) else [said]
    return [Problem(at, number, OUTCOMES[result.outcome].word, line("".join(last))), *found]


def _beside(solution: Path, name: str) -> Path | None:
    """The file that a traceback names, where it is the solution or lies beside it; a notebook has no such lines."""
    if name == "solution.py":
        return solution if solution.suffix == ".py" else None
    folder = solution if solution.is_dir() else solution.parent
    file = folder / name
    inside = not Path(name).is_absolute() and ".." not in Path(name).parts
    return file if inside and file.suffix == ".py" and file.is_file() else None
