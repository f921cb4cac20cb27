"""`tlcourse run`, `grade` and `watch`: a solution trained in a sandbox, and scored, here or on a cluster (`--on`)."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tlcourse.cli import out
from tlcourse.cli.options import ExerciseName, Json, Plain, Printing, RunOptions, SolutionPath
from tlcourse.cli.own_record import own_record
from tlcourse.errors import ExitCode, SubmissionError, TlcourseError

if TYPE_CHECKING:
    from tlcourse.course.model import LoadedExercise
    from tlcourse.grading.options import Options
    from tlcourse.grading.remote_grading import RunStore, SavedRun
    from tlcourse.grading.result import Result

EXIT_CODES = {
    "pass": ExitCode.OK,
    "ran": ExitCode.OK,
    "fail": ExitCode.NOT_PASSED,
    "crash": ExitCode.NOT_PASSED,
    "invalid": ExitCode.NOT_PASSED,
    "timeout": ExitCode.LIMIT,
    "memory": ExitCode.LIMIT,
    "output": ExitCode.LIMIT,
    "infra": ExitCode.INFRA,
}
_POLL_S = 0.5
Show = Callable[[dict[str, Any]], None]


def grade(
    exercise: ExerciseName,
    how: RunOptions,
    printing: Printing,
    path: SolutionPath = None,
    for_github: Annotated[
        bool, typer.Option("--github", help="Notes at lines, a summary and outputs, as GitHub's runners take them.")
    ] = False,
) -> None:
    """Train a solution apart from the labels, and score it."""
    from tlcourse.course.loader import load_course

    code = ""

    def graded() -> tuple[LoadedExercise, Result]:
        nonlocal code
        options = how.chosen()
        found = load_course(how.course).exercise(exercise)
        solution = _solution(path, found)
        code = code_of(solution, found)
        return found, _carry_out(found, solution, options, how.course, printing, scored=True)

    if for_github:
        from tlcourse.cli.github import on_github

        result = on_github(exercise, graded)
    else:
        _, result = graded()
    record(result, how.course, code, tells=not (printing.json or printing.events or for_github))
    raise typer.Exit(EXIT_CODES[result.outcome])


def run(exercise: ExerciseName, how: RunOptions, printing: Printing, path: SolutionPath = None) -> None:
    """Train a solution and try its outputs, without scoring it."""
    from tlcourse.course.loader import load_course

    options = how.chosen()
    found = load_course(how.course).exercise(exercise)
    result = _carry_out(found, _solution(path, found), options, how.course, printing, scored=False)
    raise typer.Exit(EXIT_CODES[result.outcome])


def watch(
    exercise: ExerciseName,
    how: RunOptions,
    path: SolutionPath = None,
    times: Annotated[int | None, typer.Option("--times", min=1, help="End after so many gradings.")] = None,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """Grade a solution now, and again whenever its file changes; ctrl-c ends. With --json one document a grading."""
    from tlcourse.course.loader import load_course

    options = how.chosen()
    found = load_course(how.course).exercise(exercise)
    solution = _solution(path, found)
    done = 0
    while True:
        stamp = _stamp(solution)
        try:
            code = code_of(solution, found)
            result = _carry_out(found, solution, options, how.course, Printing(json=json, plain=plain), scored=True)
            record(result, how.course, code, tells=not json)
        except SubmissionError as error:  # half-written, or gone for a moment: an editor may be saving it
            out.complain(error)
        done += 1
        if times is not None and done >= times:
            return
        out.note(f"Watching {solution}; ctrl-c ends.")
        while _stamp(solution) == stamp:
            time.sleep(_POLL_S)


def _solution(path: Path | None, exercise: LoadedExercise) -> Path:
    """The path that was named, else the first of the usual places that is there."""
    if path is not None:
        return path
    from tlcourse.course.exercise import usual_solution

    if (usual := usual_solution(exercise)) is not None:
        return usual
    raise SubmissionError(
        "No solution was named, and none lies here.",
        cause=f"neither solution.py nor solution.ipynb is here or in {exercise.about.id}/.",
        remedy=f"name it: tlcourse grade {exercise.about.id} PATH – or make one: tlcourse init {exercise.about.id}",
    )


def _carry_out(
    exercise: LoadedExercise,
    path: Path,
    options: Options,
    course: Path | None,
    printing: Printing,
    *,
    scored: bool,
) -> Result:
    from tlcourse.cli.verdict import Live, lines
    from tlcourse.grading.grade import grade, run

    # the app ends us with SIGTERM, a lost terminal with SIGHUP: both must end the solution's processes first
    for name in ("SIGTERM", "SIGHUP"):
        if number := getattr(signal, name, None):
            signal.signal(number, _interrupt)
    live = Live(plain=printing.plain)
    show = out.event if printing.events else live.show
    try:
        if options.where == "local":
            result = (grade if scored else run)(exercise, path, options, show)
        else:
            result = _carry_out_on_cluster(exercise, course, path, options, show, scored=scored)
    finally:
        live.clear()
    if printing.events:
        out.event({"v": 1, "type": "verdict", "result": result})
        return result
    if printing.json:
        out.document(result)
    for line in lines(exercise, result, plain=printing.plain, scored=scored, with_log=not live.has_printed):
        (out.note if printing.json else out.say)(line)
    return result


def code_of(path: Path, exercise: LoadedExercise) -> str:
    """The solution as text, to compare attempts with; "" where it cannot be read, which the grading says better."""
    from tlcourse.grading.intake.submission import SOLUTION, collect
    from tlcourse.storage import scratch_folder

    try:
        if path.is_file() and path.suffix == ".py":
            return path.read_text(encoding="utf-8", errors="replace")
        with scratch_folder("submission") as folder:
            taken = collect(path, folder, starter=exercise.folder / "starter.py", own=True)
            return (taken.folder / SOLUTION).read_text(encoding="utf-8", errors="replace")
    except (OSError, TlcourseError):
        return ""


def record(result: Result, course: Path | None, code: str = "", *, tells: bool = False) -> None:
    """Keep the verdict in the student's record; a record that cannot be kept costs nobody a verdict.

    `tells`: also what changed since the attempt before.
    """
    import msgspec

    from tlcourse.course.loader import load_course
    from tlcourse.presenting.attempts import changes_in_words, compared

    try:
        with own_record() as record:
            name = load_course(course).about.id
            record.record_attempt(name, msgspec.to_builtins(result), code)
            attempts, codes = record.attempts(name, result.exercise), record.codes(name, result.exercise)
            since = compared(attempts, codes) if tells and result.outcome != "infra" else None
            for said in changes_in_words(since) if since else ():
                out.note(said)
    except TlcourseError as error:
        out.note(f"The verdict stands, and was not recorded: {error.what}")


def _interrupt(number: int, frame: Any) -> None:
    raise KeyboardInterrupt


def _stamp(path: Path) -> tuple[tuple[str, int, int], ...]:
    """Changes when a file below `path` does."""
    files = sorted(path.glob("*")) if path.is_dir() else [path, *sorted(path.parent.glob("*.py"))]
    found = []
    for file in files:
        try:
            info = file.stat()
        except OSError:
            continue
        found.append((file.name, info.st_mtime_ns, info.st_size))
    return tuple(found)


def run_store() -> RunStore:
    """This user's runs on clusters."""
    from tlcourse.grading.remote_grading import RunStore
    from tlcourse.paths import jobs_folder

    return RunStore(jobs_folder())


def _carry_out_on_cluster(
    exercise: LoadedExercise, course: Path | None, path: Path, options: Options, show: Show, *, scored: bool
) -> Result:
    """Send a solution to the profile `options.where`, and wait for it."""
    from tlcourse.cluster.profile import find_profile

    profile = find_profile(options.where)
    kept = run_store()
    one = kept.new(exercise, course, path, (options.where, profile), options, scored=scored)
    out.note(f"Run {one.id} on {options.where}; closing this loses nothing: tlcourse jobs list finds it again.")
    show({"v": 1, "type": "sent", "run": one.id, "on": options.where})
    with kept.watched(one):
        return attend(kept, one, exercise, show)


def attend(kept: RunStore, one: SavedRun, exercise: LoadedExercise, show: Show, *, asks: bool = True) -> Result:
    """Wait for a run on a cluster. ctrl-c asks what becomes of it; a lost terminal leaves it running.

    Without `asks` it is left running in any case.
    """
    leaving = _Leaving()
    leaving.listen()
    try:
        return kept.carry_out(one, exercise, show, cancel=leaving.cancels if asks else lambda: False)
    except KeyboardInterrupt:
        if one.state == "cancelled":
            word = "was cancelled"
        elif leaving.wanted:
            word = f"could not be cancelled, since {one.profile} does not answer: tlcourse jobs cancel {one.id}"
        else:
            word = f"keeps running: tlcourse jobs tail {one.id}"
        out.note(f"Run {one.id} {word}.")
        raise
    except TlcourseError as error:
        kept.fail_unless_sent(one, error)
        raise


class _Leaving:
    """Why a run is left, and whether its jobs are then cancelled."""

    def __init__(self) -> None:
        self._signal = signal.SIGINT
        self.wanted = False
        """Whether the jobs were to be cancelled."""

    def listen(self) -> None:
        """SIGTERM means stop; SIGHUP is a lost terminal or a closed laptop: what runs there keeps running."""
        for name in ("SIGTERM", "SIGHUP"):
            if number := getattr(signal, name, None):
                signal.signal(number, self._take)

    def _take(self, number: int, frame: Any) -> None:
        self._signal = signal.Signals(number)
        raise KeyboardInterrupt

    def cancels(self) -> bool:
        """Decide, and ask where a person can answer."""
        self.wanted = self._decided()
        return self.wanted

    def _decided(self) -> bool:
        if self._signal == getattr(signal, "SIGHUP", None):
            return False
        if self._signal == signal.SIGINT and sys.stdin.isatty() and sys.stderr.isatty():
            sys.stderr.write("\nCancel the job on the cluster? [y: cancel it, enter: let it run] ")
            sys.stderr.flush()
            try:
                return sys.stdin.readline().strip().lower() in ("y", "yes")
            except KeyboardInterrupt:
                return True
        return True
