"""The folder that a batch leaves: feedback in the original folder names, its ZIP for the platform, and the reports."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

from tlcourse.course.model import LoadedExercise
from tlcourse.errors import UnableError
from tlcourse.grading.gradebook.by_hand import Request, requests
from tlcourse.grading.gradebook.gradebook import Gradebook
from tlcourse.grading.gradebook.records import BatchRecord, GradeStatus, HandInRecord
from tlcourse.grading.lms.exports import pack_feedback
from tlcourse.grading.lms.handins import HandIns
from tlcourse.grading.lms.newest_attempt import HandIn
from tlcourse.grading.result import Result
from tlcourse.presenting.report.as_html import feedback_page, report_page
from tlcourse.presenting.report.as_text import feedback_markdown, report_markdown
from tlcourse.presenting.report.feedback_content import Feedback, feedback_of
from tlcourse.presenting.report.report_data import gather
from tlcourse.storage import write_atomically


def write_all(book: Gradebook, batch: BatchRecord, exercise: LoadedExercise, folder: Path) -> list[Path]:
    """Write feedback/, feedback.zip, report.html and report.md; raises UnableError where that is not possible."""
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
        alone = feedback_of_members(book, report.statuses, exercise)
        _write_of_members(folder / OF_MEMBERS, alone)
        packed = {s.handin.folder_name: files[s.handin.key] for s in report.statuses}
        made = {
            "feedback.zip": pack_feedback(packed, _origin(batch, report.statuses)),
            "report.html": report_page(report, links).encode(),
            "report.md": report_markdown(report).encode(),
        }
        for name, data in made.items():
            write_atomically(folder / name, data, durable=False)
    except OSError as error:
        raise UnableError(
            f"{folder} cannot be written: {error.strerror}. The verdicts are in the gradebook.",
            cause="a full disk, or missing permissions.",
            remedy=f"tlcourse ta feedback {exercise.about.id} ANOTHER-FOLDER",
        ) from None
    return [folder / name for name in (*made, "feedback", *([OF_MEMBERS] if alone else []))]


def refuse_unwritable(folder: Path) -> None:
    """Raise UnableError where nothing could be written into a folder, which is made: before hours of grading."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UnableError(
            f"{folder} cannot be written: {error.strerror}. Nothing was begun.",
            cause="a full disk, missing permissions, or a file of that name.",
            remedy="name another folder.",
        ) from None


def zip_words(platform: str) -> str:
    """What becomes of feedback.zip on a platform."""
    if platform == "canvas":
        return (
            "Canvas takes files back only under the names of those that were handed in, with the number of each: "
            "it leaves feedback.zip aside. Give everybody their page from the folder feedback."
        )
    return "feedback.zip is what the platform takes; the other files are for you."


OF_MEMBERS = "feedback-of-members"
"""Beside `feedback`, and not in the ZIP: what concerns one of a group, for that one alone."""


def _write_of_members(folder: Path, files: dict[str, dict[str, bytes]]) -> None:
    """Feedback by person; what an earlier call wrote for somebody else, which may be withdrawn, is taken away."""
    wanted = {_plain(person) or hashlib.sha256(person.encode()).hexdigest(): data for person, data in files.items()}
    for old in folder.glob("*/feedback.*"):
        if old.parent.name not in wanted:
            old.unlink(missing_ok=True)
    for name, said in wanted.items():
        place = folder / name
        place.mkdir(parents=True, exist_ok=True)
        for file, data in said.items():
            write_atomically(place / file, data, durable=False)


def feedback_files(
    book: Gradebook, statuses: list[GradeStatus], exercise: LoadedExercise
) -> dict[str, dict[str, bytes]]:
    """Of each hand-in's key: feedback.md and feedback.html, for all who handed it in."""
    asked = requests(book, exercise.about.id)
    files = {}
    for status in statuses:
        alone = status.handin.members[0] if len(status.handin.members) == 1 else ""
        files[status.handin.key] = _both(
            feedback_of(exercise, status, _result(book, status), alone, _of(asked, status, alone))
        )
    return files


def feedback_of_members(
    book: Gradebook, statuses: list[GradeStatus], exercise: LoadedExercise
) -> dict[str, dict[str, bytes]]:
    """The same for each member of a group whom something concerns alone: points, a comment, an answer."""
    asked = requests(book, exercise.about.id)
    files = {}
    for status in statuses:
        for person in status.handin.members if len(status.handin.members) > 1 else ():
            answered = _of(asked, status, person)
            own = person in status.overrides_of_members or person in status.hands_of_members
            own = own or status.late_alone(person)
            if own or len(answered) > len(_of(asked, status)):
                files[person] = _both(feedback_of(exercise, status, _result(book, status), person, answered))
    return files


def _of(asked: list[Request], status: GradeStatus, person: str = "") -> list[Request]:
    """The answered requests of a hand-in; with `person` also theirs."""
    targets = {status.handin.key, f"person:{person}" if person else status.handin.key}
    return [one for one in asked if one.target in targets and not one.open]


def _result(book: Gradebook, status: GradeStatus) -> Result | None:
    return book.document(status.verdict.id) if status.verdict and status.verdict.readable else None


def _both(said: Feedback) -> dict[str, bytes]:
    return {
        "feedback.md": feedback_markdown(said).encode("utf-8", "replace"),
        "feedback.html": feedback_page(said).encode("utf-8", "replace"),
    }


def _plain(name: str) -> str:
    """The name, where it can be that of a file; else ""."""
    good = name not in ("", ".", "..") and not any(c in name for c in "/\\\0") and len(os.fsencode(name)) < 200
    return name if good else ""


def _inside(parent: Path, handin: HandInRecord) -> Path:
    """The original folder's name where it is a plain name; else the key, which always is."""
    return parent / (_plain(handin.folder_name) or handin.key)


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
