"""`tlcourse ta`: what was graded, for the staff and for those who handed in; grading again; the secret."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tlcourse.cli import fairness, out, ta_decisions, ta_export, ta_rank
from tlcourse.cli.options import ExerciseName, Json, Plain
from tlcourse.cli.staff_options import (
    AllExercises,
    Anonymous,
    ChosenBatch,
    ExerciseOrAll,
    GradingOptions,
    end_runs_when_ended,
    one_or_all,
    write,
)
from tlcourse.errors import ExitCode

if TYPE_CHECKING:
    pass

secret_app = typer.Typer(
    help="The secret from which hidden data are drawn.", no_args_is_help=True, rich_markup_mode=None
)
app = typer.Typer(help="For assistants and lecturers.", no_args_is_help=True, rich_markup_mode=None)
HtmlFile = Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write a page that stands alone.")]


@app.command("report")
def report(
    chosen: ChosenBatch,
    exercise: ExerciseOrAll = "",
    whole: AllExercises = False,
    html: HtmlFile = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="As Markdown.")] = False,
    anonymous: Anonymous = False,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """Outcomes, points, pass rates, failures by cause, decisions, and similar hand-ins of a batch."""
    from tlcourse.presenting.report.as_text import report_lines, report_markdown
    from tlcourse.presenting.report.report_data import document, gather

    one_or_all(exercise, whole)
    if whole:
        _report_all(chosen, html, anonymous=anonymous, markdown=markdown, json=json)
        return
    with chosen.reading(exercise) as (found, book, record):
        gathered = gather(book, record, found)
        if anonymous:
            from tlcourse.presenting.report.pseudonyms import names_of, without_names

            names = names_of(book, [one.person for one in gathered.people], book.handins(record.id))
            gathered = without_names(gathered, names)
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


def _report_all(chosen: ChosenBatch, html: Path | None, *, anonymous: bool, markdown: bool, json: bool) -> None:
    """All exercises of the course in one table."""
    from tlcourse.presenting.report.whole_course import course_document, course_lines, course_markdown, whole_course

    with chosen.reading_all() as (course, book):
        made = whole_course(book, course)
        if anonymous:
            from tlcourse.presenting.report.pseudonyms import course_without_names, names_of

            made = course_without_names(made, names_of(book, [], []))
    if html is not None:
        from tlcourse.presenting.report.as_html import course_page

        write(html, course_page(made).encode())
    if json:
        out.document(course_document(made))
    elif markdown:
        out.say(course_markdown(made).rstrip("\n"))
    elif html is not None:
        out.say(f"written: {html}")
    else:
        for line in course_lines(made):
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
    from tlcourse.presenting.report.report_files import OF_MEMBERS, refuse_unwritable, write_all, zip_words

    with chosen.reading(exercise) as (found, book, record):
        refuse_unwritable(folder)
        written = write_all(book, record, found, folder)
    if json:
        out.document({"schema": 1, "written": [str(path) for path in written]})
        return
    for path in written:
        out.say(f"written: {path}")
    if not plain:
        out.note(zip_words(record.platform))
        if written[-1].name == OF_MEMBERS:
            out.note(f"{OF_MEMBERS} holds what concerns one of a group alone: send it to that person alone.")


app.command("rank")(ta_rank.rank)


@app.command("similar")
def similar(
    exercise: ExerciseName,
    chosen: ChosenBatch,
    html: HtmlFile = None,
    others: Annotated[
        list[Path] | None,
        typer.Option(
            "--with", metavar="FILE", help="Also an earlier year's gradebook, or a solution (.py); may be given again."
        ),
    ] = None,
    anonymous: Anonymous = False,
    most: Annotated[int, typer.Option("--most", min=1, help="Pairs at most.")] = 20,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """Pairs of hand-ins that share code, and copies of the reference: leads to look at, never a verdict."""
    from tlcourse.presenting.report.similar_handins import earlier_handins, no_pair, similar_of
    from tlcourse.text import harmless

    with chosen.reading(exercise) as (found, book, record):
        earlier = earlier_handins(others or [], found, book, record)
        statuses = book.statuses(record)
        with out.waiting("Comparing hand-ins", quiet=json or plain):
            looked = similar_of(book, statuses, found, most, earlier)
        if anonymous:
            from tlcourse.presenting.report.pseudonyms import CANNOT, names_of, similar_without_names

            handins = [status.handin for status in statuses]
            people = [one.person for one in book.person_statuses(record, statuses)]
            names = names_of(book, [*people, *earlier.people], handins)
            owners = {handin.owner: names.owner(handin) for handin in handins}
            looked = similar_without_names(looked, names, owners)
            out.note(CANNOT)
    pairs = looked.pairs
    if html is not None:
        from tlcourse.presenting.report.as_html import similar_page

        write(html, similar_page(found.about.title, looked).encode("utf-8", "replace"))
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
    from tlcourse.cli.batch_place import typed_command
    from tlcourse.grading.batch.backend import Backend
    from tlcourse.grading.batch.run import as_document
    from tlcourse.grading.batch.run import regrade as graded_again
    from tlcourse.grading.batch.setup import refuse_of_older

    end_runs_when_ended()
    tell = out.note if json else out.say
    with chosen.writing(exercise, f"tlcourse ta regrade {exercise}") as (found, book, record):
        refuse_of_older(record)
        backend = Backend.named(how.on or record.settings.get("on"))
        round_, state = graded_again(
            *(book, record, found, how.data_seed(found, begun=True), only),
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
        still = book.open_handins(record.id, round_)
        faults = sum(any(v.round == round_ for v in book.history(one.id)) for one in still)
    left = len(still)
    for line in summary(state):
        tell(line)
    if json:
        out.document({"schema": 1, "regrade": round_, "left": left, "on": backend.name, **as_document(state)})
    asked = {"--batch": chosen.batch, "--gradebook": chosen.gradebook, "--course": chosen.course}
    asked |= {"--seed": how.seed, "--secret": how.secret}
    named = [str(word) for option, value in asked.items() if value is not None for word in (option, value)]
    named += ["--public-marks"] if how.public_marks else []
    resume = typed_command(["tlcourse", "ta", "regrade", exercise, "--only", only, "--resume", *named])
    if backend.packed is not None and left > faults:
        said = f"{left - faults} have a run in {backend.packed} without a result. There, with a Python that has torch:"
        tell(f"{said} sh run.sh. Then: {resume}")
    if faults or (left and backend.packed is None):
        tell(f"{faults or left} ended with an internal error. Again: {resume}")
    if faults or (left and (backend.packed is None or go_on)):  # what lies in a folder is done with for now
        raise typer.Exit(ExitCode.INFRA)


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


ta_decisions.add_to(app)
ta_export.add_to(app)
app.command("fairness")(fairness.fairness)
app.add_typer(secret_app, name="secret")
