"""Every screen of the app, each in the states that it can be in: what a sweep over all of them visits.

A stop opens one of them for a person at the app (`tests/tui/conftest.py`) and waits until all of it is there. What
would come from other processes (a cluster's answer, the doctor's findings) is given, so that a stop takes milliseconds.
"""

from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from tlcourse.cluster.queue import JobStatus
from tlcourse.grading.remote_grading import JobRow
from tlcourse.grading.result import Result
from tlcourse.grading.scoring.error_analysis import ConfusionMatrix, ErrorAnalysis, WorstItem, png
from tlcourse.grading.write_it_result import CheckState, WriteItResult
from tlcourse.tui.child_process import ChildProcess
from tlcourse.tui.runs import Run

EXAMPLE = Path(__file__).parents[1] / "example_course"
COURSE = "transfer-learning"
Step = Callable[[Any], Awaitable[None]]

FINDINGS = [
    ("Python", True, "3.11.7 at /usr/bin/python3", "", True),
    ("torch", False, "No module named 'torch'", "python3 -m pip install 'torch>=2.6' 'torchvision>=0.21'", True),
    (
        "GPU",
        False,
        "none that torch can use; every mini exercise trains on the CPU",
        "tlcourse config show --ready",
        False,
    ),
    ("bubblewrap", False, "bubblewrap is not installed", "sudo apt-get install bubblewrap", False),
    ("landlock", True, "Landlock (version 7) + seccomp; docs/security.md lists its gaps", "", False),
    ("memory limit", True, "a watchdog, and the kernel a tenth above it", "", False),
    ("clusters", False, "no sbatch here, and no profile", "tlcourse config set cluster host=NAME", False),
]
CHECKS = [
    ("Accuracy of the number of points", True, 0.981, 0.95, (0.975, 0.986), ""),
    ("Mean error of the radius", False, 2.31, 1.5, (2.2, 2.42), "The radius head hardly learns: is its loss scaled?"),
    ("One network serves both", True, 1.0, 1.0, (1.0, 1.0), ""),
]


def result(outcome: str = "fail") -> dict[str, Any]:
    """A result document with two checks passed, and one failed."""
    checks = [
        {
            "id": f"check{number}", "title": title, "passed": passed, "value": value, "threshold": bar, "accepted": bar,
            "interval": interval, "n": 4000, "status": "met" if passed else "missed",
            "points": 4.0 if passed else 0.0, "max_points": 4.0, "message": message,
        }
        for number, (title, passed, value, bar, interval, message) in enumerate(CHECKS)
    ]  # fmt: skip
    run = {
        "fit_s": 28.0,
        "wall_time_s": 31.2,
        "cpu_s": 58.9,
        "where": "local",
        "threads": 2,
        "device": "cpu",
        "peak_rss_mb": 812,
        "sandbox": "bubblewrap",
        "seed": 1,
        "log": "",
    }
    return {
        "exercise": "ex2", "variant": "mini", "outcome": outcome, "points": 8.0, "max_points": 12.0, "checks": checks,
        "runs": [run],
        "messages": ["Shell escapes were dropped: line 3."], "submission": {"path": "solution.py", "sha256": "0" * 64},
        "provenance": {"tlcourse": "0", "torch": "0", "grader_sha256": "0" * 64, "data_sha256": "0" * 64},
        "started_at": "2026-01-01T12:00:00+00:00", "finished_at": "2026-01-01T12:00:31+00:00",
    }  # fmt: skip


def errors_of_stars() -> ErrorAnalysis:
    """Six stars that were counted wrong, and a confusion matrix that has them."""
    from tlcourse.data.synthetic import stars

    made = stars.make(6, 11)
    worst = [
        WorstItem(
            100 + one,
            f"{12 - count} points, {radius + 1.5:.1f} px",
            f"{count} points, {radius:.1f} px",
            png(x),
        )
        for one, (x, count, radius) in enumerate(zip(made["x"], made["count"], made["radius"], strict=True))
    ]
    counts = [
        [140 - 2 * true if one == true else 3 * true if one == true - 1 else 0 for one in range(7)] for true in range(7)
    ]
    return ErrorAnalysis(1000, worst, ConfusionMatrix("Points", [str(count) for count in range(3, 10)], counts))


def ended_run(exercise: str = "ex2", *, on: str = "local") -> Run:
    """A grading that is over, with curves and a log."""
    child = ChildProcess(None, 2**22 + 1, 1.0, os.open(os.devnull, os.O_RDONLY))  # no process has this number
    run = Run(exercise, "solution.py", True, Path("no such file"), time.time(), child, on)
    run.state.number = "7"
    run.state.metrics = {
        f"{split}_loss": [(step, 2.0 / (1 + step * rate)) for step in range(40)]
        for split, rate in (("train", 0.2), ("val", 0.1))
    }
    run.state.log = ["epoch 1", "epoch 2", "a longer line that a solution has printed while it trained"]
    run.state.result = replace(msgspec.convert(result(), Result), error_analysis=errors_of_stars())
    run.state.version = 1
    return run


def keep_lab_run(app: Any, *, loss: float, tsne: bool = False) -> int:
    """Keep a run of the lab `dann` as `lab run` does, without training; its number."""
    from tlcourse.labs.result import Recorder, conclude

    lab = app.labs["dann"]
    recorder = Recorder(lab.id)
    for arm in lab.arms:
        for step in range(5):
            recorder.take({"v": 1, "type": "metric", "step": step, "values": {f"{arm.id} loss": loss - step / 10}})
    points = [[0.0, 0.0], [1.0, 1.0], [0.2, 0.9], [0.8, 0.1]]
    for title in ("before", "after"):
        picture = {"title": title, "points": points, "domain": [0, 1, 0, 1], "label": [0, 1, 0, 1]}
        recorder.take({"v": 1, "type": "embedding", **picture})  # as it was before there was t-SNE
        if tsne:
            recorder.take({"v": 1, "type": "embedding", "method": "tsne", **picture})
    settings = {one.id: one.default for one in lab.settings}
    recorder.close(conclude(lab, settings, {1: {arm.id: loss for arm in lab.arms}}, 0.1, "mini"))
    return recorder.number


def job_rows() -> list[JobRow]:
    """Runs on a cluster in all their states."""
    now = time.time()
    waits = JobStatus("12", "PENDING", "", "It is next, and waits until a node is free.", "14 of 16 places taken", 2)
    rows: list[dict[str, Any]] = [
        {"state": "open", "status": waits},
        {"state": "open", "status": JobStatus("12", "RUNNING", "nid001234", "It runs.")},
        {"state": "ended", "outcome": "pass", "points": 10.0, "max_points": 10.0},
        {"state": "ended", "outcome": "timeout", "points": 0.0, "max_points": 10.0},
        {"state": "cancelled", "said": "You cancelled it."},
        {"state": "failed", "said": "The node failed; nothing was counted."},
    ]
    common = {"command": "grade", "exercise": "ex2", "path": "/home/student/ex2/solution.py", "on": "lumi"}
    unknown = {"outcome": "", "points": 0.0, "max_points": 0.0, "said": ""}
    return [JobRow(run=str(n), created=now - 60 * n, **{**common, **unknown, **row}) for n, row in enumerate(rows, 1)]


def _go(place: str, *keys: str) -> Step:
    async def open_it(person: Any) -> None:
        await person.go(place)
        if place.startswith("lesson/"):
            await person.sees("minutes")
        await person.press(*keys)

    return open_it


def _keys(*keys: str) -> Step:
    async def open_it(person: Any) -> None:
        await person.press(*keys)

    return open_it


async def _home_begun(person: Any) -> None:
    record = person.app.record
    for question in person.app.course.quizzes["residual-connections"].questions:
        record.record_answer(COURSE, "residual-connections", question.id, 0, correct=question.id != "residual-shapes")
    record.record_attempt(COURSE, result("pass"))
    record.mark_read(COURSE, "last-week-cnns")
    record.keep_place(COURSE, "lesson/fine-tuning")
    person.app.changed()
    person.app.screen.fill()
    await person.press("down", "down")


async def _progress(person: Any) -> None:
    await _home_begun(person)
    await person.go("progress")


async def _quiz_over(person: Any) -> None:
    await _home_begun(person)
    await person.go("quiz/residual-connections")
    await person.sees("10 of 11 right")


async def _bench(person: Any) -> None:
    person.app.background.runs["ex2"] = ended_run()
    person.app.record.record_attempt(COURSE, result())
    person.app.record.record_attempt(COURSE, result("timeout"))
    await person.go("exercise/ex2")


async def _replayed(person: Any) -> None:
    first, _ = keep_lab_run(person.app, loss=2.0), keep_lab_run(person.app, loss=1.0)
    assert first
    await person.go("lab/dann")
    await person.press("enter", "o", "down", "enter", "escape", "y", "enter", "end")


async def _lab_runs(person: Any) -> None:
    for loss in (2.0, 1.0):
        keep_lab_run(person.app, loss=loss)
    await person.go("lab/dann")
    await person.press("enter", "o", "enter")


async def _no_jobs(person: Any) -> None:
    await person.go("jobs")
    await person.sees("No cluster is set up")


async def _jobs(person: Any) -> None:
    await person.go("jobs")
    screen = person.app.screen
    screen._next = float("inf")  # noqa: SLF001 - no cluster is asked: there is none
    while screen._question is not None:  # noqa: SLF001
        await person.pilot.pause(0.05)
    screen._next = float("inf")  # noqa: SLF001
    clusters, now = person.app.clusters, time.time()
    clusters.rows = {row.run: row for row in job_rows()}
    clusters.seen = {"1": now, "2": now - 300}
    screen.show()
    await person.press("j")


async def _job_asked(person: Any) -> None:
    await _jobs(person)
    await person.press("k", "s")


async def _job(person: Any) -> None:
    from tlcourse.tui.screens.job import JobScreen

    await person.app.push_screen(JobScreen(ended_run(on="lumi"), followed=False))
    await person.press()


async def _quitting(person: Any) -> None:
    from tlcourse.tui.screens.dialogs import QuitDialog

    await person.app.push_screen(QuitDialog())
    await person.press()


async def _written(person: Any) -> None:
    one = person.app.course.write_its["gradient-reversal"]
    said = [
        ("pass", "", ""),
        ("fail", "the features' gradient has the sign of the domain loss: it is not reversed", ""),
        ("error", "TypeError: unsupported operand (line 14)", "Traceback:\n  line 14"),
        ("todo", "not written yet (gradient-reversal.py, line 20, in strength)", ""),
    ]
    checks = [CheckState(name, title, *words) for (name, title), words in zip(one.checks.items(), said, strict=True)]
    kept = WriteItResult(one.id, "fail", 1, checks, "gradient-reversal.py", "0" * 64, "", log="one line\n")
    person.app.record.record_attempt(COURSE, kept.as_attempt(one.key))
    await person.go(one.key)
    await person.sees("of 4 checks")


async def _explained(person: Any) -> None:
    person.app.record.record_attempt(COURSE, result("pass"))
    await person.go("exercise/ex2")
    await person.press("a")


async def _batch(person: Any) -> None:
    await person.go("batch")
    await person.sees("graded", 20)


async def _people(person: Any) -> None:
    await _batch(person)
    await person.press("t")


async def _hand_in(person: Any) -> None:
    await _batch(person)
    await person.press("enter")


async def _searched(person: Any) -> None:
    await person.go("search")
    await person.type("quantile loss")


async def _palette(person: Any) -> None:
    await person.press("ctrl+p")
    await person.pilot.pause(0.4)


async def _slide_of_a_lab(person: Any) -> None:
    await person.go("present/dann")
    number = next(number for number, slide in enumerate(person.app.screen.slides, 1) if slide.kind == "lab")
    await person.press(*str(number), "enter")


STOPS: dict[str, Step] = {
    "home": _keys(),
    "home-begun": _home_begun,
    "home-filter": _keys("f", *"quantile"),
    "home-no-unit": _keys("f", *"zzz"),
    "home-told": _keys("escape"),
    "lesson": _go("lesson/source-and-target", "space"),
    "lesson-contents": _go("lesson/source-and-target", "c"),
    "lesson-question": _go("lesson/few-shot", "enter", "b", "enter"),
    "slides": _go("present/dann", "pagedown"),
    "slides-lab": _slide_of_a_lab,
    "quiz": _go("quiz/residual-connections", "b"),
    "quiz-answered": _go("quiz/residual-connections", "c", "enter"),
    "quiz-number": _go("quiz/residual-connections", "b", "enter", "enter", "a", "enter", "enter", "2"),
    "quiz-over": _quiz_over,
    "review-empty": _go("review"),
    "exercise": _go("exercise/ex2"),
    "exercise-bench": _bench,
    "exercise-hint": _go("exercise/ex2", "h"),
    "exercise-explained": _explained,
    "write": _go("write/lora"),
    "write-checked": _written,
    "lesson-both": _go("lesson/multi-task-learning", "e"),
    "labs": _go("labs"),
    "lab": _go("lab/dann"),
    "lab-settings": _go("lab/dann", "enter", "p"),
    "lab-runs": _lab_runs,
    "lab-replayed": _replayed,
    "lab-played": _go("play/dann", "end"),
    "jobs-empty": _no_jobs,
    "jobs": _jobs,
    "jobs-cancel": _job_asked,
    "job": _job,
    "progress": _progress,
    "progress-empty": _go("progress"),
    "search": _searched,
    "search-empty": _go("search"),
    "machine": _go("machine"),
    "first-start": _go("first"),
    "help": _keys("question_mark"),
    "quit": _quitting,
    "palette": _palette,
}
BATCH_STOPS: dict[str, Step] = {"batch": _batch, "batch-people": _people, "hand-in": _hand_in}
"""Of the example course, once its small class was graded."""
