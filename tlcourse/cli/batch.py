"""`tlcourse batch`: a class in one command."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from tlcourse.cli import out
from tlcourse.cli.exercise import find
from tlcourse.cli.options import (
    CourseFolder,
    DeviceName,
    ExerciseName,
    Json,
    Plain,
    Seed,
    Threads,
    Variant,
    VariantName,
    WallSeconds,
    Where,
)
from tlcourse.cli.staff_options import (
    BatchIsolation,
    BatchIsolationName,
    GradebookFile,
    GroupsFile,
    Jobs,
    RosterFile,
    SecretFile,
    Trust,
    Who,
    data_seed_for,
    end_runs_when_ended,
    user,
)
from tlcourse.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from tlcourse.course.model import LoadedExercise
    from tlcourse.grading.batch.opening import Seed as DataSeed
    from tlcourse.grading.grade import Options
    from tlcourse.grading.gradebook.gradebook import Gradebook
    from tlcourse.grading.gradebook.records import BatchRecord
    from tlcourse.grading.lms.handins import HandIns


def batch(
    exercise: ExerciseName,
    submissions: Annotated[Path, typer.Argument(metavar="SUBMISSIONS", help="The platform's ZIP, or a folder.")],
    roster: RosterFile = None,
    groups: GroupsFile = None,
    out_folder: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Feedback, feedback.zip and reports go there.")
    ] = None,
    jobs: Jobs = None,
    go_on: Annotated[
        bool, typer.Option("--resume", help="Go on with the batch of these submissions, if one was begun.")
    ] = False,
    again: Annotated[bool, typer.Option("--again", help="Grade them all anew, as another batch.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what was found, and grade nothing.")] = False,
    isolation: BatchIsolationName = BatchIsolation.AUTO,
    trust: Trust = False,
    secret: SecretFile = None,
    seed: Seed = None,
    gradebook: GradebookFile = None,
    device: DeviceName = "cpu",
    variant: VariantName = Variant.AUTO,
    threads: Threads = 1,
    seconds: WallSeconds = None,
    on: Where = "local",
    who: Who = None,
    course: CourseFolder = None,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """Grade a class: find each person's or group's newest attempt, train and score all, record every verdict.

    Stopped or killed at any moment, it goes on with --resume; nothing is graded twice.
    """
    from tlcourse.grading.grade import Options
    from tlcourse.grading.gradebook.file import gradebook_path

    if on != "local":
        raise UsageError(f"{on!r} is not a place where a batch runs.", remedy="leave --on away, or say --on local.")
    end_runs_when_ended()
    found = find(exercise, course)
    book = gradebook_path(gradebook)
    unpacked = book.with_name(book.name + ".unpacked")
    tell = out.note if json else out.say
    lists = _Lists(roster, groups)
    if go_on and roster is None and groups is None:
        lists = _lists_of_before(book, found.about.id, submissions)
    handins = lists.find(submissions, unpacked)
    for line in _found_lines(handins):
        tell(line)
    if dry_run:
        if json:
            out.document({"schema": 1, "exercise": found.about.id, **_found_document(handins)})
        return
    if not handins.found:
        raise UsageError(
            f"{submissions} holds no hand-in that belongs to somebody.",
            cause="another file was named, or the roster and the submissions are of different classes.",
            remedy="look at the list above, and name the platform's download, with --roster if it has only names.",
        )
    kind = "mini" if variant == Variant.AUTO else variant.value
    options = Options(variant=kind, device=device, threads=threads, wall_s=seconds)
    data_seed = data_seed_for(found, secret, seed)
    task = _Task(found, handins, submissions, lists, options, data_seed, jobs, who or user())
    state = task.carry_out(book, isolation, trust, go_on=go_on, again=again, plain=plain or json, tell=tell)
    if not state["infra"] and not state["waiting"]:
        shutil.rmtree(unpacked, ignore_errors=True)  # what was graded is kept under its hash
    written = _write_out(out_folder, found, book, state["batch"], tell)
    if json:
        out.document({"schema": 1, **_found_document(handins), **state, "written": [str(path) for path in written]})
    if state["infra"] or state["waiting"]:
        raise typer.Exit(ExitCode.INFRA)


class _Lists(NamedTuple):
    """The class list and the groups, as files."""

    roster: Path | None = None
    groups: Path | None = None

    def find(self, submissions: Path, into: Path) -> HandIns:
        """Everybody's newest attempt."""
        from tlcourse.grading.lms.groups import read_groups
        from tlcourse.grading.lms.handins import find_handins
        from tlcourse.grading.lms.roster import read_roster

        people = read_roster(self.roster) if self.roster else None
        groups = read_groups(self.groups, people) if self.groups else None
        return find_handins(submissions, into, roster=people, groups=groups)

    def settings(self) -> dict[str, str]:
        """What is kept, so that --resume finds the same owners without being told."""
        named = {"roster": self.roster, "groups": self.groups}
        return {name: str(path.resolve()) for name, path in named.items() if path is not None}


def _lists_of_before(gradebook: Path, exercise: str, submissions: Path) -> _Lists:
    """The lists with which the batch of these submissions was begun."""
    from tlcourse.grading.batch.opening import earlier
    from tlcourse.grading.gradebook.gradebook import Gradebook

    try:
        with Gradebook.reading(gradebook) as book:
            before = earlier(book, exercise, submissions)
    except UsageError:  # there is no gradebook: a batch begins
        before = None
    kept = before.settings if before else {}
    roster, groups = (Path(kept[name]) if name in kept else None for name in ("roster", "groups"))
    return _Lists(roster, groups)


class _Task:
    """What one `tlcourse batch` is asked to do."""

    def __init__(
        self,
        exercise: LoadedExercise,
        handins: HandIns,
        source: Path,
        lists: _Lists,
        options: Options,
        seed: DataSeed,
        jobs: int | None,
        who: str,
    ) -> None:
        from tlcourse.execution.pool import cores

        self.exercise = exercise
        self.handins = handins
        self.source = source
        self.lists = lists
        self.options = options
        self.seed = seed
        self.jobs = min(jobs or max(cores() // options.threads, 1), max(len(handins.found), 1))
        self.who = who

    def carry_out(
        self,
        path: Path,
        isolation: BatchIsolation,
        trust: bool,
        *,
        go_on: bool,
        again: bool,
        plain: bool,
        tell: Callable[[str], None],
    ) -> dict[str, Any]:
        """Open everything, grade, and say what came of it; returns the batch's state as a document."""
        from tlcourse.cli.batch_display import display_for, summary
        from tlcourse.grading.batch.grading import as_document, grade_round
        from tlcourse.grading.batch.opening import options_of, work_left
        from tlcourse.grading.batch.state import state_of
        from tlcourse.grading.batch.walls import place_for
        from tlcourse.grading.gradebook.gradebook import Gradebook

        with Gradebook.writing(path, f"tlcourse batch {self.exercise.about.id}") as book:
            before = self._before(book, go_on=go_on, again=again, tell=tell)
            if before is not None and not work_left(book, before, self.handins):
                state = state_of(book, before)
            else:
                with place_for(isolation.value, self.jobs, trusted=trust) as place:
                    batch = before or self._begin(book)
                    book.keep_copy()
                    work = work_left(book, batch, self.handins)
                    if place.notice:
                        tell(f"  note: {place.notice}")
                    tell(
                        f"Batch {batch.id}: {len(work)} to grade, {self.jobs} at a time, {_wall_words(place.name)}; "
                        f"gradebook {path}"
                    )
                    state = grade_round(
                        *(book, batch, self.exercise, work),
                        options=options_of(batch, self.seed, self.options),
                        jobs=self.jobs,
                        place=place,
                        display=display_for(plain=plain),
                    )
        for line in summary(state):
            tell(line)
        return as_document(state)

    def _begin(self, book: Gradebook) -> BatchRecord:
        from tlcourse.grading.batch.opening import begin

        settings = {"jobs": self.jobs, **self.lists.settings()}
        return begin(
            book, self.exercise, self.handins, self.source, self.options, self.seed, who=self.who, settings=settings
        )

    def _before(self, book: Gradebook, *, go_on: bool, again: bool, tell: Callable[[str], None]) -> BatchRecord | None:
        """The batch to go on with; None where a new one is to begin. Raises UsageError where neither was asked for."""
        from tlcourse.grading.batch.opening import earlier, resume

        before = earlier(book, self.exercise.about.id, self.source)
        if go_on and before is None:
            tell("No batch of these submissions was begun: this one begins.")
        if before is None or (again and not go_on):
            return None
        if go_on:
            said = resume(book, self.exercise, self.handins, before, self.seed)
            tell(" ".join([f"Going on with batch {before.id}.", *said]))
            return before
        left = len(book.open_handins(before.id))
        raise UsageError(
            f"Batch {before.id} of these submissions is in the gradebook already, "
            + (f"with {left} not graded yet." if left else "and all of it is graded."),
            cause="the command was given before.",
            remedy="--resume goes on with it; --again grades everything anew, as another batch.",
        )


def _wall_words(name: str) -> str:
    return "WITHOUT a wall, as you trust them" if name == "none" else f"each behind a wall ({name})"


def _found_lines(handins: HandIns) -> Iterator[str]:
    from tlcourse.execution.log import harmless

    groups = sum(1 for handin in handins.found if handin.kind == "group")
    people = sum(len(handin.members) for handin in handins.found)
    yield (
        f"{len(handins.found)} hand-ins found ({groups} of groups) for {people} people; download of: {handins.platform}"
    )
    for word, listed in (
        ("note", handins.notices),
        ("NOT MATCHED", [f"{one.name}: {one.reason}" for one in handins.unmatched]),
        ("handed in nothing", handins.missing),
    ):
        for one in listed:
            yield f"  {word}: {harmless(one)}"


def _found_document(handins: HandIns) -> dict[str, Any]:
    from msgspec import to_builtins

    from tlcourse.grading.batch.document import storable

    document = {
        "found": [
            {"key": h.key, "owner": h.owner, "kind": h.kind, "members": h.members, "folder": h.folder_name}
            for h in handins.found
        ],
        "unmatched": handins.unmatched,
        "missing": handins.missing,
        "notices": handins.notices,
    }
    return dict(storable(to_builtins(document)))


def _write_out(
    folder: Path | None, exercise: LoadedExercise, gradebook: Path, batch: int, tell: Callable[[str], None]
) -> list[Path]:
    """Feedback and reports, from what is recorded."""
    name = exercise.about.id
    if folder is None:
        tell(f"Report: tlcourse ta report {name}   Feedback: tlcourse ta feedback {name} DIR")
        return []
    from tlcourse.grading.gradebook.gradebook import Gradebook
    from tlcourse.grading.report.written import write_all

    with Gradebook.reading(gradebook) as book:
        written = write_all(book, book.batch(batch), exercise, folder)
    for path in written:
        tell(f"written: {path}")
    return written
