"""`tlcourse ta`: what was graded, for the staff and for those who handed in; what the staff decides; where marks go."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from tlcourse.cli import fairness, out
from tlcourse.cli.options import ExerciseName, Json, Plain
from tlcourse.cli.staff_options import ChosenBatch, GradingOptions, RosterFile, Who, end_runs_when_ended, user, write
from tlcourse.errors import ExitCode, UsageError

secret_app = typer.Typer(
    help="The secret from which hidden data are drawn.", no_args_is_help=True, rich_markup_mode=None
)
app = typer.Typer(help="For assistants and lecturers.", no_args_is_help=True, rich_markup_mode=None)
HtmlFile = Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write a page that stands alone.")]


@app.command("report")
def report(
    exercise: ExerciseName,
    chosen: ChosenBatch,
    html: HtmlFile = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="As Markdown.")] = False,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """Outcomes, points, pass rates, failures by cause, decisions, and similar hand-ins of a batch."""
    from tlcourse.presenting.report.as_text import report_lines, report_markdown
    from tlcourse.presenting.report.report_data import document, gather

    with chosen.reading(exercise) as (found, book, record):
        gathered = gather(book, record, found)
    if html is not None:
        from tlcourse.presenting.report.as_html import report_page

        write(html, report_page(gathered).encode())
    if json:
        out.document(document(gathered))
    elif markdown:
        out.say(report_markdown(gathered).rstrip("\n"))
    elif html is not None:
        out.say(f"written: {html}")
    else:
        for line in report_lines(gathered, plain=plain):
            out.say(line)


@app.command("feedback")
def feedback(
    exercise: ExerciseName,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to; made if there is none.")],
    chosen: ChosenBatch,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """Write feedback for all, feedback.zip for the platform, and the reports; again after a regrade or an override."""
    from tlcourse.presenting.report.report_files import write_all

    with chosen.reading(exercise) as (found, book, record):
        written = write_all(book, record, found, folder)
    if json:
        out.document({"schema": 1, "written": [str(path) for path in written]})
        return
    for path in written:
        out.say(f"written: {path}")
    if not plain:
        out.note("feedback.zip is what the platform takes; the other files are for you.")


@app.command("similar")
def similar(
    exercise: ExerciseName,
    chosen: ChosenBatch,
    html: HtmlFile = None,
    most: Annotated[int, typer.Option("--most", min=1, help="Pairs at most.")] = 20,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """Pairs of hand-ins that share code, and copies of the reference: leads to look at, never a verdict."""
    from tlcourse.grading.gradebook.submission_store import SubmissionStore
    from tlcourse.grading.similarity import MAX_SOURCE
    from tlcourse.presenting.report.report_data import known_solutions, no_pair, similar_of
    from tlcourse.text import harmless

    with chosen.reading(exercise) as (found, book, record):
        statuses = book.statuses(record)
        looked = similar_of(book, statuses, found, most)
        pairs = looked.pairs
        kept = SubmissionStore(book.path)
    if html is not None:
        from tlcourse.presenting.report.as_html import similar_page

        hashes = {status.handin.key: status.verdict.sha256 for status in statuses if status.verdict}
        known = known_solutions(found)

        def source_of(key: str) -> str:
            return known[key] if key in known else kept.source(hashes[key], MAX_SOURCE) or ""

        page = similar_page(found.about.title, looked, source_of)
        write(html, page.encode("utf-8", "replace"))
    if json:
        out.document({"schema": 1, "exercise": found.about.id, "pairs": pairs, "not_compared": looked.not_compared})
        return
    for pair in pairs:
        one, other = (harmless(owner) for owner in pair.owners)
        out.say(f"{pair.share:4.0%} of the smaller one ({pair.shared} fingerprints): {one} and {other}")
    for said in looked.not_compared:
        out.say(said)
    if not pairs:
        out.say(no_pair(looked))
    if html is not None:
        out.say(f"written: {html}")
    elif pairs and not plain:
        out.note(f"Side by side: tlcourse ta similar {exercise} --html FILE")


class Format(StrEnum):
    """Platforms that take marks back."""

    BRIGHTSPACE = "brightspace"
    CANVAS = "canvas"
    MOODLE = "moodle"
    GRADESCOPE = "gradescope"
    CSV = "csv"


class Missing(StrEnum):
    """What those get who handed in nothing."""

    BLANK = "blank"
    ZERO = "zero"


@app.command("override")
def override(
    exercise: ExerciseName,
    whom: Annotated[
        str,
        typer.Argument(metavar="WHO", help="A group, a folder, or anybody of the lists: id, user name, address, name."),
    ],
    chosen: ChosenBatch,
    points: Annotated[float | None, typer.Option("--points", min=0, help="The points that count.")] = None,
    why: Annotated[str, typer.Option("--why", help="The reason, for the record.")] = "",
    withdraw: Annotated[bool, typer.Option("--withdraw", help="Let the graded points count again.")] = False,
    excuse: Annotated[bool, typer.Option("--excuse", help="No mark is to be given, and none is missing.")] = False,
    who: Who = None,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """Set somebody's points by hand: a new row with who, when and why, which a regrade leaves in force."""
    from tlcourse.grading.gradebook.people import targets_of

    if (points is not None) + withdraw + excuse != 1:
        raise UsageError("Give one of --points, --withdraw, --excuse.", remedy='such as: --points 8 --why "…"')
    if not why.strip():
        raise UsageError(
            "An override needs its reason.", cause="marks that were changed are asked about later.", remedy='--why "…"'
        )
    with chosen.writing(exercise, "tlcourse ta override") as (found, book, record):
        if points is not None and points > record.max_points:
            raise UsageError(
                f"{points:g} points are more than the {record.max_points:g} of {found.about.id}.",
                remedy=f"--points {record.max_points:g}",
            )
        targets = targets_of(book.handins(record.id), book.people(record.id), book.groups(record.id), whom)
        for target in targets:
            book.override(found.about.id, target, points, who=who or user(), why=why.strip(), excused=excuse)
    words = "excused" if excuse else "as graded" if points is None else f"{points:g}"
    if json:
        decided = {"target": targets[0], "targets": targets, "points": points, "excused": excuse}
        out.document({"schema": 1, "exercise": found.about.id, **decided})
    elif plain:
        out.say("\n".join([*(f"target: {target}" for target in targets), f"points: {words}"]))
    elif points is None:
        out.say(f"{whom}: " + ("excused." if excuse else "the graded points count again."))
    else:
        out.say(f"{whom}: {points:g} points.")


@app.command("move")
def move(
    exercise: ExerciseName,
    whom: Annotated[str, typer.Argument(metavar="WHO", help="Somebody of the lists: id, user name, address or name.")],
    group: Annotated[str, typer.Argument(metavar="GROUP", help="The group whose mark is theirs from now on.")],
    chosen: ChosenBatch,
    why: Annotated[str, typer.Option("--why", help="The reason, for the record.")] = "",
    who: Who = None,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """Give somebody the mark of another group than the one they handed in with: a new row with who, when and why."""
    from tlcourse.grading.gradebook.people import group_of, person_of

    if not why.strip():
        raise UsageError("A move needs its reason.", cause="it changes a mark.", remedy='--why "…"')
    with chosen.writing(exercise, "tlcourse ta move") as (found, book, record):
        handins, groups = book.handins(record.id), book.groups(record.id)
        person = person_of(handins, book.people(record.id), whom)
        named = group_of(handins, groups, group)
        book.move(record.id, person, named, who=who or user(), why=why.strip())
    if json:
        out.document({"schema": 1, "exercise": found.about.id, "person": person, "group": named})
    else:
        out.say(f"person: {person}\ngroup: {named}" if plain else f"{person} has the mark of {named}.")


@app.command("regrade")
def regrade(
    exercise: ExerciseName,
    chosen: ChosenBatch,
    how: GradingOptions,
    only: Annotated[str, typer.Option("--only", metavar="WHICH", help="infra, fail, another outcome, all, or WHO.")],
    why: Annotated[str, typer.Option("--why", help="The reason, for the record.")] = "",
    go_on: Annotated[bool, typer.Option("--resume", help="Continue a regrade that was stopped.")] = False,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """Grade some hand-ins of a batch again, as they were handed in, on the same data; earlier results stay."""
    from tlcourse.cli.batch_display import display_for, summary
    from tlcourse.grading.batch.backend import Backend
    from tlcourse.grading.batch.run import as_document
    from tlcourse.grading.batch.run import regrade as graded_again

    end_runs_when_ended()
    tell = out.note if json else out.say
    with chosen.writing(exercise, f"tlcourse ta regrade {exercise}") as (found, book, record):
        backend = Backend.named(how.on or record.settings.get("on"))
        round_, state = graded_again(
            *(book, record, found, how.data_seed(found), only),
            go_on=go_on,
            why=why.strip(),
            who=how.user,
            jobs=how.jobs,
            backend=backend,
            sandbox_kind=how.sandbox_kind,
            trusted=how.trust,
            tell=tell,
            display=lambda: display_for(plain=plain or json),
        )
        left = len(book.open_handins(record.id, round_))
    for line in summary(state):
        tell(line)
    if json:
        out.document({"schema": 1, "regrade": round_, "left": left, "on": backend.name, **as_document(state)})
    if left:
        tell(f"{left} ended with an internal error: continue with --resume.")
        raise typer.Exit(ExitCode.INFRA)


@app.command("export")
def export(
    exercise: ExerciseName,
    format_: Annotated[Format, typer.Option("--format", help="The platform that takes the marks.")],
    chosen: ChosenBatch,
    template: Annotated[
        Path | None, typer.Option("--template", metavar="FILE", help="The platform's own export, to be filled in.")
    ] = None,
    roster: RosterFile = None,
    output: Annotated[Path | None, typer.Option("--output", metavar="FILE", help="Default: standard output.")] = None,
    item: Annotated[str | None, typer.Option("--item", help="What the platform calls it; default: its title.")] = None,
    scale: Annotated[bool, typer.Option("--scale", help="Convert to the template's maximum points.")] = False,
    partial: Annotated[
        bool, typer.Option("--partial", help="Even while some have no verdict or are unmatched.")
    ] = False,
    missing: Annotated[
        Missing, typer.Option("--missing", help="What those get who handed in nothing; blank leaves the cell as it is.")
    ] = Missing.BLANK,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """Everybody's points in the form that a platform imports; nothing is written while somebody is unclear."""
    from tlcourse.grading.gradebook.people import is_a_test_person, left_out, may_be_in, refuse_unclear
    from tlcourse.grading.lms.exports import export as exported
    from tlcourse.grading.lms.marks import Absent
    from tlcourse.grading.lms.roster import Roster, read_roster
    from tlcourse.presenting.report.report_data import marks_of, marks_of_class, without_verdict

    with chosen.reading(exercise) as (found, book, record):
        statuses = book.statuses(record)
        if (open_ := without_verdict(statuses)) and not partial:
            raise UsageError(
                f"{len(open_)} hand-ins have no verdict yet: {', '.join(open_[:10])}.",
                cause="the batch was stopped, or they ended in internal errors.",
                remedy=f"tlcourse batch {found.about.id} SUBMISSIONS --resume – or export the others with --partial",
            )
        people, unmatched = book.person_statuses(record, statuses), book.look(record).unmatched
        known = people if book.people(record.id) or record.notices.get("missing") else []
        if not partial:
            refuse_unclear(known, unmatched, found.about.id)
        zero = 0.0 if missing is Missing.ZERO else None
        marks = marks_of_class(marks_of(book, statuses, found), people, found, zero)
    said = list(left_out(people, unmatched, missing.value))
    class_ = read_roster(roster) if roster else Roster(tuple(one.person for one in known)) if known else None
    absent = Absent(
        zero,
        lambda person: "" if partial else may_be_in(person, "", unmatched),
        is_a_test_person,
        said.append,
    )
    made = exported(
        marks,
        format_.value,
        item=item or found.about.title,
        max_points=record.max_points,
        roster=class_,
        absent=absent if class_ else None,
        template=template,
        scale=scale,
    )
    data = made if isinstance(made, bytes) else made.encode("utf-8")
    for line in said:
        out.note(line)
    with_points = sum(mark.points is not None for mark in marks)
    if output is not None:
        write(output, data)
    if json:
        out.document({"schema": 1, "marks": marks, "written": output and str(output), "left_out": said})
    elif output is not None:
        out.say(f"written: {output}\nmarks: {with_points}" if plain else f"written: {output} ({with_points} marks)")
    elif isinstance(made, bytes) and sys.stdout.isatty():
        raise UsageError(f"The export for {format_.value} is not text.", remedy="--output FILE")
    else:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)


@secret_app.command("new")
def new(
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="Default: your own, which batches use by themselves.")
    ] = None,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """Make a secret that only you can read."""
    from tlcourse.grading.secret import new_secret
    from tlcourse.paths import secret_file

    path = file or secret_file()
    new_secret(path)
    if json:
        out.document({"schema": 1, "file": str(path)})
        return
    out.say(f"Made {path}, which only you can read.")
    if not plain:
        out.say("Keep a copy in a safe place: verdicts can be repeated only with it.")


app.command("fairness")(fairness.fairness)
app.add_typer(secret_app, name="secret")
