"""The student's own record: what was read, answered and handed in, in one SQLite file.

Answers and attempts are only ever appended. Every write is its own transaction in WAL mode, so that a process killed
at any moment loses at most what it had not yet said. A file that is damaged is moved aside, never overwritten; where
nothing can be written the record lives in memory, and that is said (`record_file.py`).
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from tlcourse import paths
from tlcourse.errors import InfraError
from tlcourse.storage import BUSY_S
from tlcourse.student.record_file import RecordFile
from tlcourse.text import counted

if TYPE_CHECKING:
    from types import TracebackType

_CODE_CHARS = 200_000


class Answer(Struct, frozen=True):
    """An answer to a question of a quiz; `number` grows with every answer."""

    number: int
    quiz: str
    question: str
    correct: bool
    at: str
    partly: bool = False
    """Not right, and known in part: only of what a lesson asks."""


class KeptCard(Struct, frozen=True):
    """When a question comes back; `answer` is the number of the last one that `card` contains."""

    quiz: str
    question: str
    due: str
    card: str
    answer: int


class Attempt(Struct, frozen=True):
    """One graded hand-in; `result` is the result document."""

    exercise: str
    outcome: str
    points: float
    max_points: float
    path: str
    at: str
    result: dict[str, Any]
    number: int = 0
    """Grows with every attempt."""


def first_start() -> bool:
    """Whether the app was never started here before; from now on it was. A file of its own remembers it.

    Where the folder cannot be written it is no first start either: nothing is shown again and again.
    """
    mark = paths.first_start_file()
    try:
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.touch(exist_ok=False)
    except OSError:  # among them FileExistsError
        return False
    return True


class Record:
    """The record of one student on this machine; a context manager."""

    def __init__(self, file: RecordFile) -> None:
        self._file = file
        self.notice = file.notice
        self._attempts: dict[tuple[int, str, str], list[Attempt]] = {}

    @classmethod
    def open(
        cls, path: Path | None = None, *, wait_s: float = BUSY_S, tell: Callable[[str], None] | None = None
    ) -> Record:
        """Open the record, made if there is none; with `tell`, what cannot be written is told and kept in memory.

        Raises:
            UsageError: it was written by a newer version of tlcourse.
            InfraError: another process holds it for longer than a few seconds, and nobody is told.
        """
        return cls(RecordFile(path or paths.record_file(), wait_s=wait_s, tell=tell))

    @property
    def unwritten(self) -> int:
        """How many writes are in no file, and wait."""
        return self._file.unwritten

    @property
    def in_memory(self) -> bool:
        """Whether the file cannot be used now."""
        return self._file.in_memory

    def lost(self) -> InfraError:
        """The error for what waited in vain until the record was closed."""
        return InfraError(
            f"{counted(self.unwritten, 'thing')} that you did could not be recorded.",
            cause="the file of the record could not be written until the end; why was said when it began.",
            remedy=f"see to {paths.record_file().parent}, or set TLCOURSE_HOME to another folder.",
        )

    def try_again(self) -> bool:
        """Write what waits; whether nothing waits any more."""
        return self._file.try_again()

    def close(self) -> None:
        """Write what waits, and close the file; `unwritten` says afterwards what was lost."""
        self._file.close()

    def __enter__(self) -> Record:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def mark_read(self, course: str, unit: str) -> None:
        """The unit's lesson was read to its end."""
        self._write("INSERT OR IGNORE INTO reads VALUES (?, ?, ?)", course, unit, _stamp())

    def read_units(self, course: str) -> set[str]:
        """Units whose lesson was read."""
        return {unit for (unit,) in self._file.read("SELECT unit FROM reads WHERE course = ?", course)}

    def keep_position(self, course: str, unit: str, share: float) -> None:
        """How far the lesson was scrolled, from 0 to 1: its lines depend on the size of the terminal."""
        self._write("INSERT OR REPLACE INTO positions VALUES (?, ?, ?)", course, unit, share)

    def position(self, course: str, unit: str) -> float:
        """Where the lesson was left; 0 at first."""
        rows = self._file.read("SELECT share FROM positions WHERE course = ? AND unit = ?", course, unit)
        return float(rows[0][0]) if rows else 0.0

    def keep_place(self, course: str, place: str) -> None:
        """The screen to go on with, such as `lesson/fine-tuning`."""
        self._write("INSERT OR REPLACE INTO places VALUES (?, ?, ?)", course, place, _stamp())

    def place(self, course: str) -> str:
        """The screen that was left last; empty at first."""
        rows = self._file.read("SELECT place FROM places WHERE course = ?", course)
        return str(rows[0][0]) if rows else ""

    def record_answer(self, course: str, quiz: str, question: str, answer: Any, *, correct: bool) -> None:
        """Append an answer."""
        import json  # here, and below: `tlcourse progress` needs none

        self._write(
            "INSERT INTO answers (course, quiz, question, answer, correct, at) VALUES (?, ?, ?, ?, ?, ?)",
            course,
            quiz,
            question,
            json.dumps(answer),
            int(correct),
            _stamp(),
        )

    def rename_questions(self, course: str, quiz: str, names: Mapping[str, str]) -> None:
        """What was answered to questions of a quiz is kept under other names from now on."""
        values = [(new, course, quiz, old) for old, new in names.items()]
        what = "SET question = ? WHERE course = ? AND quiz = ? AND question = ?"
        self._file.write((f"UPDATE answers {what}", values), (f"UPDATE OR REPLACE cards {what}", values))

    def record_prediction(self, course: str, lab: str, answer: str, *, correct: bool) -> None:
        """Append what was predicted of a lab, by its text."""
        self._write(
            "INSERT INTO predictions (course, lab, answer, correct, at) VALUES (?, ?, ?, ?, ?)",
            course,
            lab,
            answer,
            int(correct),
            _stamp(),
        )

    def predictions(self, course: str) -> dict[str, tuple[str, bool]]:
        """Of each lab the latest prediction, and whether it was right."""
        rows = self._file.read("SELECT lab, answer, correct FROM predictions WHERE course = ? ORDER BY id", course)
        return {lab: (answer, bool(correct)) for lab, answer, correct in rows}

    def seed(self, course: str) -> int:
        """What the next visit to questions draws from: the order of options, cases, numbers.

        It is this student's own, and another one after each answer: nobody can pass on a letter, where an answer stood
        is never learnt with it, and closing a question without an answer draws no easier one.
        """
        ((own,),) = self._file.read("SELECT seed FROM student")
        ((answered,),) = self._file.read("SELECT COUNT(*) FROM answers WHERE course = ?", course)
        return int(own) + int(answered)

    def latest_answers(self, course: str, quiz: str) -> dict[str, bool]:
        """Whether the latest answer to each question was right; questions never answered are absent."""
        rows = self._file.read(
            "SELECT question, correct FROM answers WHERE course = ? AND quiz = ? ORDER BY id", course, quiz
        )
        return {question: bool(correct) for question, correct in rows}

    def record_attempt(self, course: str, result: dict[str, Any], code: str = "") -> None:
        """Append a verdict; `result` is the result document, `code` what was graded, kept up to 200 kB."""
        import json

        attempt = (
            course,
            result["exercise"],
            result["outcome"],
            result["points"],
            result["max_points"],
            result["submission"]["path"],
            result["submission"]["sha256"],
            json.dumps(result),
            _stamp(),
        )
        kept = [(code,)] if code and len(code) <= _CODE_CHARS else []
        self._file.write(
            (
                "INSERT INTO attempts (course, exercise, outcome, points, max_points, path, sha256, result, at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [attempt],
            ),
            ("INSERT INTO codes VALUES (last_insert_rowid(), ?)", kept),
        )

    def codes(self, course: str, exercise: str, last: int = 5) -> dict[int, str]:
        """The code of the last attempts at an exercise, by their number; those of which none was kept are absent."""
        rows = self._file.read(
            "SELECT attempt, code FROM codes JOIN attempts ON attempts.id = attempt"
            " WHERE course = ? AND exercise = ? ORDER BY attempt DESC LIMIT ?",
            course,
            exercise,
            last,
        )
        return dict(rows)

    def attempts(self, course: str, exercise: str) -> list[Attempt]:
        """All attempts at an exercise, the oldest first.

        Each is read once, for the app asks ten times a second while a run goes on, and a document may hold pictures.
        """
        import json

        known = self._attempts.setdefault((self._file.opened, course, exercise), [])
        rows = self._file.read(
            "SELECT exercise, outcome, points, max_points, path, at, result, id FROM attempts"
            " WHERE course = ? AND exercise = ? AND id > ? ORDER BY id",
            course,
            exercise,
            known[-1].number if known else 0,
        )
        known += [
            Attempt(exercise, outcome, points, most, path, at, json.loads(result), number)
            for exercise, outcome, points, most, path, at, result, number in rows
        ]
        return list(known)

    def has_passed(self, course: str, exercise: str) -> bool:
        """Whether any attempt at an exercise passed."""
        rows = self._file.read(
            "SELECT 1 FROM attempts WHERE course = ? AND exercise = ? AND outcome = 'pass' LIMIT 1", course, exercise
        )
        return bool(rows)

    def best_attempts(self, course: str) -> dict[str, tuple[str, float, float, int]]:
        """Of each exercise tried: outcome, points and highest points of the best attempt, and how many there were."""
        rows = self._file.read(
            "SELECT exercise, outcome, points, max_points FROM attempts WHERE course = ? AND outcome != 'infra'"
            " ORDER BY id",
            course,
        )
        best: dict[str, tuple[str, float, float, int]] = {}
        for exercise, outcome, points, most in rows:
            _, before, _, count = best.get(exercise, ("", -1.0, 0.0, 0))
            kept = best[exercise][:3] if before >= points else (outcome, points, most)
            best[exercise] = (*kept, count + 1)
        return best

    def moments(self, course: str, since: datetime.datetime) -> list[datetime.datetime]:
        """When a lesson was read to its end, a question answered, a solution graded, from `since` on."""
        found = self._file.read(
            "SELECT at FROM answers WHERE course = ?1 AND at >= ?2 UNION ALL SELECT at FROM reads WHERE course = ?1"
            " AND at >= ?2 UNION ALL SELECT at FROM attempts WHERE course = ?1 AND at >= ?2",
            course,
            since.astimezone(datetime.UTC).isoformat(timespec="seconds"),
        )
        return [datetime.datetime.fromisoformat(at) for (at,) in found]

    def take_hint(self, course: str, exercise: str, number: int) -> None:
        """A hint was read."""
        self._write("INSERT OR IGNORE INTO hints VALUES (?, ?, ?, ?)", course, exercise, number, _stamp())

    def hints_taken(self, course: str, exercise: str) -> int:
        """The highest hint that was read; 0 at first."""
        rows = self._file.read("SELECT MAX(number) FROM hints WHERE course = ? AND exercise = ?", course, exercise)
        return int(rows[0][0] or 0)

    def answers_without_card(self, course: str) -> list[Answer]:
        """Answers that the cards of spaced review do not contain yet, the oldest first."""
        rows = self._file.read(
            "SELECT id, quiz, question, correct, at, answer FROM answers WHERE course = ?1 AND id >"
            " (SELECT COALESCE(MAX(answer), 0) FROM cards WHERE course = ?1) ORDER BY id",
            course,
        )
        return [
            Answer(number, quiz, question, bool(correct), at, quiz.startswith("lesson/") and answer == '"partly"')
            for number, quiz, question, correct, at, answer in rows
        ]

    def keep_cards(self, course: str, cards: Iterable[KeptCard]) -> None:
        """Replace the cards of these questions."""
        rows: list[tuple[Any, ...]] = [(course, one.quiz, one.question, one.due, one.card, one.answer) for one in cards]
        self._file.write(("INSERT OR REPLACE INTO cards VALUES (?, ?, ?, ?, ?, ?)", rows), computed=True)

    def cards(self, course: str) -> list[KeptCard]:
        """Every card, the one that is due first in front."""
        rows = self._file.read(
            "SELECT quiz, question, due, card, answer FROM cards WHERE course = ? ORDER BY due, answer", course
        )
        return [KeptCard(*row) for row in rows]

    def _write(self, statement: str, *values: Any) -> None:
        self._file.write((statement, [values]))


def now() -> datetime.datetime:
    """The present moment, with its time zone."""
    return datetime.datetime.now(datetime.UTC)


def _stamp() -> str:
    return now().isoformat(timespec="seconds")
