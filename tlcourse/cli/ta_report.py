"""`tlcourse ta report`, `feedback` and `similar`: what was graded, for the staff and for those who handed in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tlcourse.cli import out
from tlcourse.cli.marks_book import BatchNumber, reading, write
from tlcourse.cli.options import CourseFolder, ExerciseName, Json, Plain
from tlcourse.cli.staff_options import GradebookFile

HtmlFile = Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write a page that stands alone.")]


def report(
    exercise: ExerciseName,
    html: HtmlFile = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="As Markdown.")] = False,
    batch: BatchNumber = None,
    gradebook: GradebookFile = None,
    course: CourseFolder = None,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """Outcomes, points, pass rates, failures by cause, decisions, and similar hand-ins of a batch."""
    from tlcourse.grading.report import staff, staff_page
    from tlcourse.grading.report.gathered import document, gather

    with reading(exercise, course, gradebook, batch) as (found, book, record):
        gathered = gather(book, record, found)
    if html is not None:
        write(html, staff_page.as_page(gathered).encode())
    if json:
        out.document(document(gathered))
    elif markdown:
        out.say(staff.as_markdown(gathered).rstrip("\n"))
    elif html is not None:
        out.say(f"written: {html}")
    else:
        for line in staff.as_lines(gathered, plain=plain):
            out.say(line)


def feedback(
    exercise: ExerciseName,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to; made if there is none.")],
    batch: BatchNumber = None,
    gradebook: GradebookFile = None,
    course: CourseFolder = None,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """Write feedback for all, feedback.zip for the platform, and the reports; again after a regrade or an override."""
    from tlcourse.grading.report.written import write_all

    with reading(exercise, course, gradebook, batch) as (found, book, record):
        written = write_all(book, record, found, folder)
    if json:
        out.document({"schema": 1, "written": [str(path) for path in written]})
        return
    for path in written:
        out.say(f"written: {path}")


def similar(
    exercise: ExerciseName,
    html: HtmlFile = None,
    most: Annotated[int, typer.Option("--most", min=1, help="Pairs at most.")] = 20,
    batch: BatchNumber = None,
    gradebook: GradebookFile = None,
    course: CourseFolder = None,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """Pairs of hand-ins that share code, ranked, the starter's discounted: leads to look at, never a verdict."""
    from tlcourse.grading.gradebook.submission_store import SubmissionStore
    from tlcourse.grading.report.gathered import pairs_of
    from tlcourse.grading.report.side_by_side import as_page
    from tlcourse.text import harmless

    with reading(exercise, course, gradebook, batch) as (found, book, record):
        statuses = book.statuses(record)
        pairs = pairs_of(book, statuses, found, most)
        kept = SubmissionStore(book.path)
    if html is not None:
        hashes = {status.handin.key: status.verdict.sha256 for status in statuses if status.verdict}
        write(
            html,
            as_page(found.about.title, pairs, lambda key: kept.source(hashes[key]) or "").encode("utf-8", "replace"),
        )
    if json:
        out.document({"schema": 1, "exercise": found.about.id, "pairs": pairs})
        return
    for pair in pairs:
        one, other = (harmless(owner) for owner in pair.owners)
        out.say(f"{pair.share:4.0%} of the smaller one ({pair.shared} fingerprints): {one} and {other}")
    if not pairs:
        out.say("No pair shares more than the starter's code.")
    if html is not None:
        out.say(f"written: {html}")
    elif pairs and not plain:
        out.note(f"Side by side: tlcourse ta similar {exercise} --html FILE")
