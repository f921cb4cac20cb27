"""`tlcourse batch`: a class in one command."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tlcourse.cli import out
from tlcourse.cli.batch_place import found_in, joins_batch, place_document, place_lines, typed_command
from tlcourse.cli.options import (
    CourseFolder,
    DeviceName,
    ExerciseName,
    Group,
    Json,
    Plain,
    Threads,
    TimeLimit,
    Variant,
    VariantName,
)
from tlcourse.cli.staff_options import (
    BatchNumber,
    CategoryName,
    GradebookFile,
    GradingOptions,
    GroupsFile,
    RosterFile,
    end_runs_when_ended,
)
from tlcourse.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from tlcourse.course.model import LoadedExercise
    from tlcourse.grading.batch.joining import Place
    from tlcourse.grading.batch.setup import ClassLists
    from tlcourse.grading.batch.state import BatchState
    from tlcourse.grading.grade import Options
    from tlcourse.grading.gradebook.deadlines import Lates
    from tlcourse.grading.lms.handins import HandIns


class People(Group, frozen=True, kw_only=True):
    """The class list and the groups, as files."""

    roster: RosterFile = None
    groups: GroupsFile = None
    category: CategoryName = ""
    is_: Annotated[
        list[str] | None,
        typer.Option("--is", metavar="FOLDER=WHO", help="Whose a folder is: an id, a name, a group, or nobody. Kept."),
    ] = None

    def lists(self, begun: ClassLists | None) -> ClassLists:
        """What was given, else what the batch was begun with; raises UsageError."""
        from tlcourse.grading.batch.setup import ClassLists

        given = {}
        for text in self.is_ or []:
            folder, equals, who = text.rpartition("=")
            if not equals or not folder.strip() or not who.strip():
                raise UsageError(f"--is {text} names no folder and person.", remedy="--is 'FOLDER=s123'")
            given[folder.strip()] = who.strip()
        before = begun or ClassLists()
        return ClassLists(
            self.roster or before.roster,
            self.groups or before.groups,
            before.known,
            given,
            category=self.category or before.category,
            rows=before.rows,
        )

    def typed(self) -> list[str]:
        """The same as it was typed, for a command to type."""
        named = (("--roster", self.roster), ("--groups", self.groups), ("--category", self.category))
        given = [text for option, value in named if value for text in (option, str(value))]
        return given + [text for one in self.is_ or [] for text in ("--is", one)]


class Training(Group, frozen=True, kw_only=True):
    """How each submission is trained."""

    device: DeviceName = "cpu"
    variant: VariantName = Variant.AUTO
    threads: Threads = 1
    seconds: TimeLimit = None

    def chosen(self) -> Options:
        """What a grading is told."""
        from tlcourse.grading.grade import Options

        kind = "mini" if self.variant == Variant.AUTO else self.variant.value
        return Options(variant=kind, device=self.device, threads=self.threads, wall_time_s=self.seconds)


class Start(Group, frozen=True, kw_only=True):
    """Whether a batch begins, continues, or only says what it found, and by which deadline."""

    go_on: Annotated[
        bool, typer.Option("--resume", help="Continue the batch of these submissions, if one was begun.")
    ] = False
    again: Annotated[bool, typer.Option("--again", help="Grade them all anew, as another batch.")] = False
    join: Annotated[
        bool, typer.Option("--join", help="These submissions come into the newest batch, or into --batch NUMBER.")
    ] = False
    number: BatchNumber = None
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what was found, and grade nothing.")] = False
    due: Annotated[
        str, typer.Option("--due", metavar="DATE", help="'2026-11-20 23:59', a zone behind it, or none. Kept.")
    ] = ""


def batch(
    exercise: ExerciseName,
    submissions: Annotated[Path, typer.Argument(metavar="SUBMISSIONS", help="The platform's ZIP, or a folder.")],
    people: People,
    start: Start,
    how: GradingOptions,
    training: Training,
    out_folder: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Feedback, feedback.zip and reports go there.")
    ] = None,
    gradebook: GradebookFile = None,
    course: CourseFolder = None,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """Grade a class: find each person's or group's newest attempt, train and score all, record every verdict.

    A later download of the same class comes into its batch: only what is new or newer is graded. Stopped or killed at
    any moment, it continues with --resume; nothing is graded twice.
    """
    from tlcourse.course.loader import load_course
    from tlcourse.torch_install import is_here

    end_runs_when_ended()
    loaded = load_course(course)
    found = loaded.exercise(exercise)
    local = how.on in (None, "local") and sys.platform == "linux" and is_here("torch")
    if not start.dry_run and local and how.sandbox_kind in ("auto", "fork-server"):
        from tlcourse.sandbox.fork_server import begin_early

        begin_early()  # what follows takes half a second, most of it for importing

    from msgspec.structs import replace

    from tlcourse.cli.batch_display import display_for, summary
    from tlcourse.grading.batch.backend import Backend
    from tlcourse.grading.batch.run import BatchTask, as_document
    from tlcourse.grading.batch.setup import deadlines_before, many_attempts
    from tlcourse.grading.gradebook.deadlines import asked_deadline, of_found
    from tlcourse.grading.lms.unpacking import private_unpacking
    from tlcourse.paths import gradebook_file
    from tlcourse.presenting.report.late_words import called_late, found_late
    from tlcourse.presenting.report.report_files import refuse_unwritable

    book = gradebook or gradebook_file()
    tell = out.note if json else out.say
    if out_folder is not None and not start.dry_run:
        refuse_unwritable(out_folder)
    command = ["tlcourse", "batch", exercise, str(submissions), *people.typed()]
    for option, value in (("--gradebook", gradebook), ("--course", course)):
        command += [option, str(value)] if value else []
    with private_unpacking(book, only_look=start.dry_run) as unpacked:
        looked = found_in(book, found, submissions, people, start, training.variant, unpacked)
    handins, lists, place = looked.handins, looked.lists, looked.place
    before, extensions = deadlines_before(book, found.about.id, None if place.fit == "other" else place.batch)
    deadline = asked_deadline(loaded.about, found.about, start.due, before)
    backend = Backend.named(how.on or looked.on)
    late, nobodys = of_found(deadline.deadline, extensions, handins.found, handins.people, handins.groups)
    more = many_attempts(handins, found.about.policy.attempts, place.compared)
    handins = replace(handins, notices=[*handins.notices, *more, *called_late(handins, late)])  # the report repeats it
    for line in (*found_lines(handins, command, place), *found_late(handins, deadline.deadline, late, nobodys)):
        tell(line)
    if start.dry_run:
        for line in place_lines(place, found.about.id, command, join=start.join):
            tell(line)
        tell(f"It would be graded {backend.words()}.")
        if json:
            about = {"schema": 1, "exercise": found.about.id, "on": backend.name}
            out.document({**about, **found_document(handins, place, late), "joins": place_document(place)})
        return
    joins, take_unclear = joins_batch(place, start, found.about.id, command, ask=not json)
    if joins and place.batch is not None and not start.go_on:
        tell(f"It comes into batch {joins} of {found.about.id}, begun {place.batch.at}: {place.compared.counts}.")
        tell(f"  a batch of its own instead: {typed_command(command, '--again')}")
    if not handins.found:
        raise UsageError(
            f"{submissions} holds no hand-in that belongs to somebody.",
            cause="another file was named, or the roster and the submissions are of different classes.",
            remedy="look at the list above, and name the platform's download, with --roster if it has only names.",
        )
    options = training.chosen()
    task = BatchTask(
        exercise=found,
        handins=handins,
        source=submissions,
        lists=lists,
        options=options,
        seed=how.data_seed(found, begun=bool(joins)),
        backend=backend,
        sandbox_kind=how.sandbox_kind,
        trusted=how.trust,
        jobs=min(how.jobs or backend.side_by_side(training.threads), len(handins.found)),
        who=how.user,
        deadline=deadline,
        joins=joins,
        take_unclear=take_unclear,
    )
    graded = task.grade(book, tell, lambda: display_for(plain=plain or json), go_on=start.go_on, again=start.again)
    for line in summary(graded) if backend.packed is None else packed_lines(graded, backend.packed):
        tell(line)
    state = as_document(graded)
    if not state["infra"] and not state["waiting"]:
        shutil.rmtree(unpacked, ignore_errors=True)  # what was graded is kept under its hash
    written = _write_out(out_folder, found, book, state["batch"], tell)
    if json:
        about = {**found_document(handins, place, late), "joins": place_document(place) if joins else None}
        out.document({"schema": 1, **about, **state, "written": [str(path) for path in written]})
    packing = backend.packed is not None and not start.go_on  # what lies in a folder is done with for now
    if state["infra"] or (state["waiting"] and not packing):
        raise typer.Exit(ExitCode.INFRA)


def packed_lines(state: BatchState, folder: Path) -> Iterator[str]:
    """What is graded of a class in a folder, and what to do with the rest."""
    if state.final:
        yield f"{state.final} of {state.total} are graded."
    if not state.waiting:
        return
    yield f"{state.waiting} have a run in {folder} without a result. There, with a Python that has torch: sh run.sh"
    yield "  or as jobs, one for each number: sh run.sh 1, sh run.sh 2 …; what has a result is not run again."
    yield f"Then, with the folder where it is now: {typed_command(['tlcourse', 'collect', str(folder)])}"


def _write_out(
    folder: Path | None, exercise: LoadedExercise, gradebook: Path, batch: int, tell: Callable[[str], None]
) -> list[Path]:
    """Feedback and reports, from what is recorded."""
    name = exercise.about.id
    if folder is None:
        tell(f"Report: tlcourse ta report {name}   Feedback: tlcourse ta feedback {name} DIR")
        return []
    from tlcourse.grading.gradebook.gradebook import Gradebook
    from tlcourse.presenting.report.report_files import write_all, zip_words

    with Gradebook.reading(gradebook, {name: exercise.about.manual}) as book:
        record = book.batch(batch)
        written = write_all(book, record, exercise, folder)
    for path in written:
        tell(f"written: {path}")
    if record.platform == "canvas":
        tell(zip_words(record.platform))
    return written


def found_lines(handins: HandIns, command: list[str], place: Place) -> Iterator[str]:
    """What was found, for people: the counts, then notes, what belongs to nobody, and who handed in nothing.

    Of a download that comes into a batch, those who handed in with that batch are none of the last.
    """
    from tlcourse.grading.gradebook.people import without_handin
    from tlcourse.text import counted, harmless

    groups = sum(1 for handin in handins.found if handin.kind == "group")
    people = sum(len(handin.members) for handin in handins.found)
    found, whose = counted(len(handins.found), "hand-in"), counted(people, "person", "people")
    yield f"{found} found ({groups} of groups) for {whose}; download of: {handins.platform}"
    unmatched = [(one.name, one.reason) for one in handins.unmatched]
    without = [one for one in without_handin(handins, unmatched) if one.person.id not in place.members]
    for word, listed in (
        ("note", handins.notices),
        ("NOT MATCHED", [f"{name}: {reason}" for name, reason in unmatched]),
        ("not matched, and perhaps one of these", [one.named for one in without if one.state == "unmatched"]),
        ("handed in nothing", [one.named for one in without if one.state == "nothing"]),
    ):
        for one in listed:
            yield f"  {word}: {harmless(one)}"
    if unmatched and handins.people:
        more = ("--resume",) if place.fit == "download" else ()
        said = typed_command(command, *more, "--is", f"{unmatched[0][0]}=ID")
        yield f"  to say whose it is, or that it is nobody's: {harmless(said)}"


def found_document(handins: HandIns, place: Place, late: Mapping[str, Lates] | None = None) -> dict[str, Any]:
    """The same for `--json`; `late`: by key, how late hand-ins are."""
    from msgspec import to_builtins

    from tlcourse.grading.gradebook.people import without_handin
    from tlcourse.grading.result import storable

    unmatched = [(one.name, one.reason) for one in handins.unmatched]
    without = [one for one in without_handin(handins, unmatched) if one.person.id not in place.members]
    document = {
        "found": [
            {
                "key": h.key,
                "owner": h.owner,
                "kind": h.kind,
                "members": h.members,
                "folder": h.folder_name,
                "submitted_at": h.submitted_at,
                "late": own and own.late,
                "late_for": dict(own.members if own else {}),
            }
            for h in handins.found
            for own in [(late or {}).get(h.key)]
        ],
        "unmatched": handins.unmatched,
        "missing": [one.person.id for one in without if one.state == "nothing"],
        "unclear": [one.person.id for one in without if one.state == "unmatched"],
        "notices": handins.notices,
    }
    return dict(storable(to_builtins(document)))
