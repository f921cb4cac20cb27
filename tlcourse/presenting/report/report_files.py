"""The folder that a batch leaves: feedback in the original folder names, its ZIP for the platform, and the reports."""

from __future__ import annotations

import os
from pathlib import Path

from tlcourse.course.model import LoadedExercise
from tlcourse.errors import UsageError
from tlcourse.grading.gradebook.gradebook import Gradebook
from tlcourse.grading.gradebook.records import BatchRecord, GradeStatus, HandInRecord
from tlcourse.grading.lms.exports import pack_feedback
from tlcourse.grading.lms.handins import HandIn, HandIns
from tlcourse.presenting.report.as_html import feedback_page, report_page
from tlcourse.presenting.report.as_text import feedback_markdown, report_markdown
from tlcourse.presenting.report.feedback_content import feedback_of
from tlcourse.presenting.report.report_data import gather
from tlcourse.storage import write_atomically


def write_all(book: Gradebook, batch: BatchRecord, exercise: LoadedExercise, folder: Path) -> list[Path]:
    """Write feedback/, feedback.zip, report.html and report.md; raises UsageError where that is not possible."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        report = gather(book, batch, exercise)
        files = feedback_files(book, report.statuses, exercise)
        links = {}
        for status in report.statuses:
            place = _inside(folder / "feedback", status.handin)
            links[status.handin.key] = f"feedback/{place.name}/feedback.html"
            place.mkdir(parents=True, exist_ok=True)
            for name, data in files[status.handin.key].items():
                write_atomically(place / name, data, durable=False)
        packed = {s.handin.folder_name: files[s.handin.key] for s in report.statuses}
        made = {
            "feedback.zip": pack_feedback(packed, _origin(batch, report.statuses)),
            "report.html": report_page(report, links).encode(),
            "report.md": report_markdown(report).encode(),
        }
        for name, data in made.items():
            write_atomically(folder / name, data, durable=False)
    except OSError as error:
        raise UsageError(
            f"{folder} cannot be written: {error.strerror}. The verdicts are in the gradebook.",
            cause="a full disk, or missing permissions.",
            remedy=f"tlcourse ta feedback {exercise.about.id} ANOTHER-FOLDER",
        ) from None
    return [folder / name for name in made] + [folder / "feedback"]


def feedback_files(
    book: Gradebook, statuses: list[GradeStatus], exercise: LoadedExercise
) -> dict[str, dict[str, bytes]]:
    """Of each hand-in's key: feedback.md and feedback.html."""
    files = {}
    for status in statuses:
        result = book.document(status.verdict.id) if status.verdict and status.verdict.readable else None
        said = feedback_of(exercise, status, result)
        files[status.handin.key] = {
            "feedback.md": feedback_markdown(said).encode("utf-8", "replace"),
            "feedback.html": feedback_page(said).encode("utf-8", "replace"),
        }
    return files


def _inside(parent: Path, handin: HandInRecord) -> Path:
    """The original folder's name where it is a plain name; else the key, which always is."""
    name = handin.folder_name
    plain = name not in ("", ".", "..") and not any(c in name for c in "/\\\0") and len(os.fsencode(name)) < 200
    return parent / (name if plain else handin.key)


def _origin(batch: BatchRecord, statuses: list[GradeStatus]) -> HandIns:
    """The hand-ins as they were found, as far as packing feedback needs them."""
    found = [
        HandIn(
            key=row.key,
            owner=row.owner,
            kind="group" if row.kind == "group" else "person",
            members=tuple(row.members),
            path=Path(row.path),
            folder_name=row.folder_name,
            twins=tuple(row.twins),
        )
        for row in (status.handin for status in statuses)
    ]
    return HandIns(found, [], [], [], batch.platform)
