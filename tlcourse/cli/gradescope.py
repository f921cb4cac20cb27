"""`tlcourse author gradescope`: an exercise as an autograder of Gradescope; and what that autograder calls there."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from tlcourse.cli import out
from tlcourse.cli.options import CourseFolder, ExerciseName, Json, Plain, one_of
from tlcourse.cli.staff_options import GradingOptions, SecretFile, end_runs_when_ended

if TYPE_CHECKING:
    from tlcourse.course.model import Exercise, LoadedCourse, LoadedExercise
    from tlcourse.grading.grade import Options
    from tlcourse.grading.lms.gradescope import Metadata, Visibility
    from tlcourse.grading.result import Result
    from tlcourse.sandbox.base import Sandbox

VISIBILITIES = ("visible", "after_due_date", "after_published")
"""`grading.lms.gradescope.Visibility`, which is imported only where it is needed."""
_MANUAL = "What your course's staff mark by hand is not in this score: {}."
_TOO_SMALL = (
    "the container has {have:.0f} MB of memory, and a run may use {may:.0f} MB: the run was killed, which says nothing "
    "about the hand-in. In the assignment's Autograder Settings choose a container with at least {need} MB."
)


def gradescope(
    exercise: ExerciseName,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="Where the ZIP is written.")] = Path(
        "autograder.zip"
    ),
    visibility: Annotated[
        str,
        typer.Option(
            "--visibility",
            metavar="|".join(VISIBILITIES),
            callback=one_of(VISIBILITIES, "visibility"),
            help="When students see checks and score.",
        ),
    ] = "visible",
    leaderboard: Annotated[
        bool, typer.Option("--leaderboard", help="What each check measured goes to the assignment's leaderboard.")
    ] = False,
    minutes: Annotated[
        int | None,
        typer.Option("--minutes", min=2, max=40, help="The time-out that the assignment has in Gradescope."),
    ] = None,
    secret: SecretFile = None,
    course: CourseFolder = None,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """Make the autograder ZIP that Gradescope runs for each hand-in of an exercise.

    It grades as `batch` does with the same secret, and holds what hidden data are drawn from: keep it as the secret.
    """
    from tlcourse.cli.staff_options import write
    from tlcourse.course.exercise import require_hidden_data
    from tlcourse.course.loader import load_course
    from tlcourse.grading.grader import Grader
    from tlcourse.grading.lms.autograder import Settings, autograder, memory_for, minutes_for

    loaded = load_course(course)
    found = loaded.exercise(exercise)
    Grader(found)  # which says what is missing
    require_hidden_data(found)
    seed = GradingOptions(secret=secret).data_seed(found)
    needed = minutes_for(found.about)
    settings = Settings(
        exercise=found.about.id,
        seed=seed.value,
        run_key=seed.run_key,
        visibility=cast("Visibility", visibility),
        leaderboard=leaderboard,
        minutes=minutes or needed,
        own_course=course is not None,
    )
    data = autograder(found, None if course is None else loaded.folder, settings)
    write(output, data)
    facts = {
        "points": found.about.checked_points,
        "memory_mb": memory_for(found.about),
        "minutes": settings.minutes,
        "manual": [item.title for item in found.about.manual],
    }
    if json:
        out.document({"schema": 1, "exercise": exercise, "written": str(output), "bytes": len(data), **facts})
        return
    out.say(
        f"written: {output}" if plain else f"Written: {output}, for you alone: who has it can draw the hidden data."
    )
    for line in _what_to_set(loaded, found.about, facts, leaderboard=leaderboard):
        out.say(f"set: {line}" if plain else f"  {line}")


def _what_to_set(course: LoadedCourse, about: Exercise, facts: dict[str, Any], *, leaderboard: bool) -> Iterator[str]:
    """What to choose in Gradescope, so that nobody fails for it."""
    yield f"Autograder points: {facts['points']:g}"
    yield f"container: at least {facts['memory_mb']} MB of memory and one CPU"
    yield f"time-out: {facts['minutes']} minutes"
    for item in about.manual:
        yield f"manual grading, a question of its own: {item.title} ({item.max_points:g} points)"
    if leaderboard:
        yield "leaderboard: on; students choose a pseudonym"
    rule = about.late or course.about.late
    if rule is not None and rule.costs:
        yield "late submissions: allowed; the autograder takes off what the course says, so let Gradescope take nothing"
        if rule.free_days and rule.free_days_for == "course":
            yield "free days: Gradescope knows one exercise at a time, so all of them count anew in each"


def gradescope_grade(
    root: Annotated[Path, typer.Argument(metavar="ROOT", help="/autograder, as Gradescope lays it out.")],
) -> None:
    """Grade the hand-in in ROOT/submission, and write ROOT/results/results.json, whatever happens."""
    import msgspec

    from tlcourse.errors import TlcourseError
    from tlcourse.grading.lms.autograder import FAILED
    from tlcourse.grading.lms.gradescope import not_graded
    from tlcourse.storage import write_atomically

    end_runs_when_ended()
    try:
        document = _graded(root)
    except TlcourseError as error:
        out.note("\n  ".join(error.lines()))
        document = not_graded(FAILED)
    except KeyboardInterrupt:
        out.note("It took longer than the assignment's time-out allows. In Autograder Settings choose a longer one.")
        document = not_graded(
            "Your hand-in was not graded: all its runs together took longer than this assignment allows. Nothing is "
            "counted. If it trains for long, shorten that; if not, your course's staff will have it graded again."
        )
    except Exception:  # whatever it is: a hand-in must have a document
        traceback.print_exc(file=sys.stderr)
        document = not_graded(FAILED)
    data = msgspec.json.format(msgspec.json.encode(document), indent=1)
    (root / "results").mkdir(parents=True, exist_ok=True)
    write_atomically(root / "results" / "results.json", data, mode=0o644)
    out.note(f"score: {document.get('score', 'none')}")


def _graded(root: Path) -> dict[str, Any]:
    """The document for the hand-in; raises whatever keeps it from being graded, none of which is its fault."""
    import msgspec

    from tlcourse.course.loader import load_course
    from tlcourse.errors import InfraError, UsageError
    from tlcourse.grading.grade import Options
    from tlcourse.grading.lms import autograder, gradescope

    source = root / "source"
    try:
        settings = msgspec.json.decode((source / autograder.SETTINGS).read_bytes(), type=autograder.Settings)
    except (OSError, msgspec.DecodeError) as error:
        raise UsageError(
            f"{source / autograder.SETTINGS} cannot be read: {error}.",
            remedy="make the ZIP anew: tlcourse author gradescope EXERCISE",
        ) from None
    course = load_course(source / autograder.COURSE if settings.own_course else None)
    exercise = course.exercise(settings.exercise)
    metadata, unread = gradescope.read_metadata(root / "submission_metadata.json")
    if unread:
        out.note(unread)
    options = Options(
        variant="mini",
        device="cpu",
        threads=1,
        seed=settings.seed,
        seed_source="secret",
        run_key=settings.run_key,
    )
    result = result_of(exercise, root / "submission", options, source)
    for line in (result.outcome, *result.messages, result.problem, *(run.log for run in result.runs)):
        out.note(line)
    if result.outcome == "infra":
        raise InfraError("The hand-in was not graded.", cause=" ".join(result.messages))
    have, about = _memory_mb(), exercise.about
    killed = result.outcome == "memory" or (result.outcome == "crash" and not result.problem)
    if killed and have < about.limits.memory_mb:
        need = autograder.memory_for(about)
        raise InfraError(_TOO_SMALL.format(have=have, may=about.limits.memory_mb, need=need))
    said, score = _said(course, exercise, result, metadata)
    return gradescope.results(
        about,
        result,
        said,
        score=score,
        visibility=settings.visibility,
        leaderboard=settings.leaderboard,
    )


def result_of(exercise: LoadedExercise, submission: Path, options: Options, source: Path) -> Result:
    """The verdict; raises UnableError where nothing here keeps the hidden data from a hand-in."""
    from tlcourse.course.exercise import require_hidden_data, require_packages
    from tlcourse.errors import SubmissionError
    from tlcourse.execution.supervise import run
    from tlcourse.grading.grade import Grading
    from tlcourse.grading.intake.submission import collect
    from tlcourse.grading.result import without_run
    from tlcourse.sandbox.view import refuse_what_is_private
    from tlcourse.storage import now, scratch_folder

    require_hidden_data(exercise)
    require_packages(exercise.about, marks=True)
    started = now()
    with scratch_folder("submission") as folder:
        try:
            starter = exercise.folder / "starter.py"
            collected = collect(submission, folder, starter=starter, about=exercise.about)
        except SubmissionError as error:
            said = " ".join(part for part in (error.what, error.cause, f"Fix: {error.remedy}") if part)
            said = said.replace(str(submission), "The hand-in")
            about = {"path": "submission", "variant": options.variant, "started": started}
            return without_run(exercise, outcome="invalid", message=said, **about)
        sandbox = _sandbox()
        refuse_what_is_private([("What the ZIP holds", source)])
        out.note(f"sandbox: {sandbox.name}")
        grading = Grading(exercise, options, lambda spec, tell: run(spec, sandbox, tell))
        return grading.result(collected, lambda _: None, started=started)


def _sandbox() -> Sandbox:
    """Bubblewrap, else landlock: a hand-in is alone in its container. Raises UnableError where neither can be built."""
    from tlcourse.errors import UnableError
    from tlcourse.sandbox.choose import choose

    missing = []
    for kind in ("bubblewrap", "landlock"):
        try:
            return choose(kind)[0]
        except UnableError as error:
            missing.append(f"{kind}: {error.what}")
    raise UnableError(
        "This container builds no sandbox, and no hand-in is run without one: it could read the hidden data.",
        cause=" ".join(missing),
        remedy="choose another base image or container in Autograder Settings; until then grade with `tlcourse "
        "batch`, from Gradescope's download of the submissions.",
    )


def _said(
    course: LoadedCourse, exercise: LoadedExercise, result: Result, metadata: Metadata
) -> tuple[Any, float | None]:
    """What students read, and the score where it is not the sum of the checks."""
    from tlcourse.grading.lateness import judged
    from tlcourse.grading.lms.gradescope import Said
    from tlcourse.presenting.report.feedback_content import advice, messages_of, problem_of
    from tlcourse.presenting.verdict import OUTCOMES, check
    from tlcourse.presenting.words import due, lateness, points, taken_off

    about, score = exercise.about, None
    lines = [f"{OUTCOMES[result.outcome].full}, {points(result.points, about.checked_points)}."]
    if deadline := metadata.deadline(course.about, about):
        free = deadline.late.free_days if deadline.late.costs else 0
        late = judged(metadata.submitted_at(), deadline, free_left=free)
        left = late.after(result.points, about.checked_points)
        if left != result.points:
            score = left
            lines.append(f"{taken_off(result.points, left, late)}. It was due {due(deadline)}.")
        elif late.days:
            lines.append(f"{lateness(late)}; nothing is taken off. It was due {due(deadline)}.")
    if metadata.attempts > about.policy.attempts:
        lines.append(
            f"This is hand-in {metadata.attempts}, and the exercise allows {about.policy.attempts}; "
            "what follows is for your course's staff to decide."
        )
    if about.manual:
        lines.append(_MANUAL.format(", ".join(f"{item.title} ({item.max_points:g})" for item in about.manual)))
    if len(metadata.users) > 1:
        lines.append(f"It counts for {', '.join(user.name or user.email for user in metadata.users)}.")
    said = messages_of(result)
    if result.outcome == "pass":
        lines += said
    elif result.checks:
        lines += [*said, f"Next: {advice(exercise, result)}"]
    else:  # the last message says how it ended, and the advice begins with it
        lines += [*said[:-1], advice(exercise, result)]
    if problem := problem_of(result):
        lines.append(f"\n{problem}")
    checks = {}
    for one in result.checks:
        words = check(one)
        own = "It rests on what the run said of itself." if one.self_reported else ""
        checks[one.id] = "\n".join(part for part in (words.measured, words.advice, own) if part)
    ended = {part.id: part.outcome for part in result.parts}
    for rule in about.checks:  # of a part that gave nothing to measure
        outcome = OUTCOMES[ended.get(rule.part, result.outcome)].full
        checks.setdefault(rule.id, f"Not measured: the run ended as {outcome}.")
    return Said("\n".join(lines), checks), score


def _memory_mb() -> float:
    """What this container may use."""
    import psutil

    least = float(psutil.virtual_memory().total)
    for file in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            least = min(least, float(Path(file).read_text()))
        except (OSError, ValueError):  # another version of control groups, or `max`: no limit of its own
            continue
    return least / 2**20
