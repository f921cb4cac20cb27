"""The student's own record: what was read, answered and handed in, in one SQLite file.

Answers and attempts are only ever appended. Every write is its own transaction in WAL mode, so that a process killed
at any moment loses at most what it had not yet said. A file that is damaged is moved aside, never overwritten; where
nothing can be written the record lives in memory, and `notice` says so.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from tlcourse import paths
from tlcourse.errors import InfraError
from tlcourse.storage import BUSY_S, bring_forward, check_sound, connect, in_use, kind_of, statements, transaction

if TYPE_CHECKING:
    from types import TracebackType

_WHAT = "The record of your progress"
_VERSION = 5
_SCHEMA = """
CREATE TABLE reads (course TEXT NOT NULL, unit TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY (course, unit));
CREATE TABLE positions (course TEXT NOT NULL, unit TEXT NOT NULL, share REAL NOT NULL, PRIMARY KEY (course, unit));
CREATE TABLE places (course TEXT PRIMARY KEY, place TEXT NOT NULL, at TEXT NOT NULL);
CREATE TABLE answers (id INTEGER PRIMARY KEY, course TEXT NOT NULL, quiz TEXT NOT NULL, question TEXT NOT NULL,
                      answer TEXT NOT NULL, correct INTEGER NOT NULL, at TEXT NOT NULL);
CREATE INDEX answers_of_quiz ON answers (course, quiz, question);
CREATE TABLE attempts (id INTEGER PRIMARY KEY, course TEXT NOT NULL, exercise TEXT NOT NULL, outcome TEXT NOT NULL,
                       points REAL NOT NULL, max_points REAL NOT NULL, path TEXT NOT NULL, sha256 TEXT NOT NULL,
                       result TEXT NOT NULL, at TEXT NOT NULL);
CREATE INDEX attempts_of_exercise ON attempts (course, exercise);
CREATE TABLE hints (course TEXT NOT NULL, exercise TEXT NOT NULL, number INTEGER NOT NULL, at TEXT NOT NULL,
                    PRIMARY KEY (course, exercise, number));
"""
_CARDS = """
CREATE TABLE IF NOT EXISTS cards (course TEXT NOT NULL, quiz TEXT NOT NULL, question TEXT NOT NULL, due TEXT NOT NULL,
                                  card TEXT NOT NULL, answer INTEGER NOT NULL, PRIMARY KEY (course, quiz, question))
"""
_SEED = """
CREATE TABLE student (seed INTEGER NOT NULL);
INSERT INTO student VALUES (abs(random() % 4294967296));
"""
_PREDICTIONS = """
CREATE TABLE predictions (id INTEGER PRIMARY KEY, course TEXT NOT NULL, lab TEXT NOT NULL, answer TEXT NOT NULL,
                          correct INTEGER NOT NULL, at TEXT NOT NULL)
"""
_CODES = "CREATE TABLE codes (attempt INTEGER PRIMARY KEY, code TEXT NOT NULL)"
_CODE_CHARS = 200_000
_STEPS = {
    0: statements(_SCHEMA + ";" + _CARDS + ";" + _SEED + ";" + _PREDICTIONS + ";" + _CODES),
    1: [_CARDS, *statements(_SEED), _PREDICTIONS, _CODES],
    2: [*statements(_SEED), _PREDICTIONS, _CODES],
    3: [_PREDICTIONS, _CODES],
    4: [_CODES],
}
"""From each version to the newest, at once."""


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

    def __init__(self, connection: sqlite3.Connection, notice: str = "") -> None:
        self._db = connection
        self.notice = notice
        self._attempts: dict[tuple[str, str], list[Attempt]] = {}

    @classmethod
    def open(cls, path: Path | None = None, *, wait_s: float = BUSY_S) -> Record:
        """Open the record, made if there is none.

        Raises:
            UsageError: it was written by a newer version of tlcourse.
            InfraError: another process holds it for longer than a few seconds.
        """
        path = path or paths.record_file()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            return cls(_connect(path, wait_s))
        except sqlite3.OperationalError as error:
            if kind_of(error) == "locked":
                raise in_use(_WHAT, path) from None
            return cls(_in_memory(), f"Record is not kept: {path} cannot be written ({error}).")
        except OSError as error:
            return cls(_in_memory(), f"Record is not kept: {path.parent} cannot be made ({error.strerror}).")
        except sqlite3.DatabaseError:
            aside = _move_aside(path)
            return cls(_connect(path, wait_s), f"The record of your progress was damaged. It was moved to {aside}.")

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def __enter__(self) -> Record:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def mark_read(self, course: str, unit: str) -> None:
        """The unit's lesson was read to its end."""
        self._write("INSERT OR IGNORE INTO reads VALUES (?, ?, ?)", course, unit, _stamp())

    def read_units(self, course: str) -> set[str]:
        """Units whose lesson was read."""
        return {unit for (unit,) in self._db.execute("SELECT unit FROM reads WHERE course = ?", (course,))}

    def keep_position(self, course: str, unit: str, share: float) -> None:
        """How far the lesson was scrolled, from 0 to 1: its lines depend on the size of the terminal."""
        self._write("INSERT OR REPLACE INTO positions VALUES (?, ?, ?)", course, unit, share)

    def position(self, course: str, unit: str) -> float:
        """Where the lesson was left; 0 at first."""
        rows = self._db.execute("SELECT share FROM positions WHERE course = ? AND unit = ?", (course, unit)).fetchall()
        return float(rows[0][0]) if rows else 0.0

    def keep_place(self, course: str, place: str) -> None:
        """The screen to go on with, such as `lesson/fine-tuning`."""
        self._write("INSERT OR REPLACE INTO places VALUES (?, ?, ?)", course, place, _stamp())

    def place(self, course: str) -> str:
        """The screen that was left last; empty at first."""
        rows = self._db.execute("SELECT place FROM places WHERE course = ?", (course,)).fetchall()
        return str(rows[0][0]) if rows else ""

    def record_answer(self, course: str, quiz: str, question: str, answer: Any, *, correct: bool) -> None:
        """Append an answer."""
        self._write(
            "INSERT INTO answers (course, quiz, question, answer, correct, at) VALUES (?, ?, ?, ?, ?, ?)",
            course,
            quiz,
            question,
            json.dumps(answer),
            int(correct),
            _stamp(),
        )

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
        rows = self._db.execute("SELECT lab, answer, correct FROM predictions WHERE course = ? ORDER BY id", (course,))
        return {lab: (answer, bool(correct)) for lab, answer, correct in rows}

    def seed(self, course: str) -> int:
        """What the next visit to questions draws from: the order of options, cases, numbers.

        It is this student's own, and another one after each answer: nobody can pass on a letter, where an answer stood
        is never learnt with it, and closing a question without an answer draws no easier one.
        """
        (own,) = self._db.execute("SELECT seed FROM student").fetchone()
        (answered,) = self._db.execute("SELECT COUNT(*) FROM answers WHERE course = ?", (course,)).fetchone()
        return int(own) + int(answered)

    def latest_answers(self, course: str, quiz: str) -> dict[str, bool]:
        """Whether the latest answer to each question was right; questions never answered are absent."""
        rows = self._db.execute(
            "SELECT question, correct FROM answers WHERE course = ? AND quiz = ? ORDER BY id", (course, quiz)
        )
        return {question: bool(correct) for question, correct in rows}

    def record_attempt(self, course: str, result: dict[str, Any], code: str = "") -> None:
        """Append a verdict; `result` is the result document, `code` what was graded, kept up to 200 kB."""
        self._write(
            "INSERT INTO attempts (course, exercise, outcome, points, max_points, path, sha256, result, at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
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
        if code and len(code) <= _CODE_CHARS:
            self._write("INSERT INTO codes VALUES (last_insert_rowid(), ?)", code)

    def codes(self, course: str, exercise: str, last: int = 5) -> dict[int, str]:
        """The code of the last attempts at an exercise, by their number; those of which none was kept are absent."""
        rows = self._db.execute(
            "SELECT attempt, code FROM codes JOIN attempts ON attempts.id = attempt"
            " WHERE course = ? AND exercise = ? ORDER BY attempt DESC LIMIT ?",
            (course, exercise, last),
        )
        return dict(rows.fetchall())

    def attempts(self, course: str, exercise: str) -> list[Attempt]:
        """All attempts at an exercise, the oldest first.

        Each is read once, for the app asks ten times a second while a run goes on, and a document may hold pictures.
        """
        known = self._attempts.setdefault((course, exercise), [])
        rows = self._db.execute(
            "SELECT exercise, outcome, points, max_points, path, at, result, id FROM attempts"
            " WHERE course = ? AND exercise = ? AND id > ? ORDER BY id",
            (course, exercise, known[-1].number if known else 0),
        )
        known += [
            Attempt(exercise, outcome, points, most, path, at, json.loads(result), number)
            for exercise, outcome, points, most, path, at, result, number in rows
        ]
        return list(known)

    def has_passed(self, course: str, exercise: str) -> bool:
        """Whether any attempt at an exercise passed."""
        rows = self._db.execute(
            "SELECT 1 FROM attempts WHERE course = ? AND exercise = ? AND outcome = 'pass' LIMIT 1", (course, exercise)
        )
        return rows.fetchone() is not None

    def best_attempts(self, course: str) -> dict[str, tuple[str, float, float, int]]:
        """Of each exercise tried: outcome, points and highest points of the best attempt, and how many there were."""
        rows = self._db.execute(
            "SELECT exercise, outcome, points, max_points FROM attempts WHERE course = ? AND outcome != 'infra'"
            " ORDER BY id",
            (course,),
        )
        best: dict[str, tuple[str, float, float, int]] = {}
        for exercise, outcome, points, most in rows:
            _, before, _, count = best.get(exercise, ("", -1.0, 0.0, 0))
            kept = best[exercise][:3] if before >= points else (outcome, points, most)
            best[exercise] = (*kept, count + 1)
        return best

    def moments(self, course: str, since: datetime.datetime) -> list[datetime.datetime]:
        """When a lesson was read to its end, a question answered, a solution graded, from `since` on."""
        found = self._db.execute(
            "SELECT at FROM answers WHERE course = ?1 AND at >= ?2 UNION ALL SELECT at FROM reads WHERE course = ?1"
            " AND at >= ?2 UNION ALL SELECT at FROM attempts WHERE course = ?1 AND at >= ?2",
            (course, since.astimezone(datetime.UTC).isoformat(timespec="seconds")),
        )
        return [datetime.datetime.fromisoformat(at) for (at,) in found]

    def take_hint(self, course: str, exercise: str, number: int) -> None:
        """A hint was read."""
        self._write("INSERT OR IGNORE INTO hints VALUES (?, ?, ?, ?)", course, exercise, number, _stamp())

    def hints_taken(self, course: str, exercise: str) -> int:
        """The highest hint that was read; 0 at first."""
        rows = self._db.execute("SELECT MAX(number) FROM hints WHERE course = ? AND exercise = ?", (course, exercise))
        return int(rows.fetchone()[0] or 0)

    def answers_without_card(self, course: str) -> list[Answer]:
        """Answers that the cards of spaced review do not contain yet, the oldest first."""
        rows = self._db.execute(
            "SELECT id, quiz, question, correct, at, answer FROM answers WHERE course = ?1 AND id >"
            " (SELECT COALESCE(MAX(answer), 0) FROM cards WHERE course = ?1) ORDER BY id",
            (course,),
        )
        return [
            Answer(number, quiz, question, bool(correct), at, quiz.startswith("lesson/") and answer == '"partly"')
            for number, quiz, question, correct, at, answer in rows
        ]

    def keep_cards(self, course: str, cards: Iterable[KeptCard]) -> None:
        """Replace the cards of these questions."""
        self._write_all(
            "INSERT OR REPLACE INTO cards VALUES (?, ?, ?, ?, ?, ?)",
            [(course, one.quiz, one.question, one.due, one.card, one.answer) for one in cards],
        )

    def cards(self, course: str) -> list[KeptCard]:
        """Every card, the one that is due first in front."""
        rows = self._db.execute(
            "SELECT quiz, question, due, card, answer FROM cards WHERE course = ? ORDER BY due, answer", (course,)
        )
        return [KeptCard(*row) for row in rows]

    def _write_all(self, statement: str, values: Iterable[tuple[Any, ...]]) -> None:
        """One statement for each tuple, all in one transaction."""
        try:
            with transaction(self._db):
                self._db.executemany(statement, values)
        except sqlite3.OperationalError as error:
            if kind_of(error) == "locked":
                raise in_use(_WHAT, paths.record_file()) from None
            raise InfraError(
                f"Your progress could not be written ({error}).",
                cause="a full disk, or a folder that may not be written to any more.",
                remedy="make room, or set TLCOURSE_HOME to another folder.",
            ) from None

    def _write(self, statement: str, *values: Any) -> None:
        self._write_all(statement, [values])


def _connect(path: Path, wait_s: float) -> sqlite3.Connection:
    db = connect(path, wait_s=wait_s)
    try:
        check_sound(db)
        bring_forward(db, path, _VERSION, _STEPS)
    except BaseException:
        db.close()
        raise
    return db


def _in_memory() -> sqlite3.Connection:
    db = sqlite3.connect(":memory:", isolation_level=None)
    for statement in _STEPS[0]:
        db.execute(statement)
    return db


def _move_aside(path: Path) -> Path:
    number = next(n for n in range(1, 10_000) if not path.with_name(f"{path.name}.damaged{n}").exists())
    aside = path.with_name(f"{path.name}.damaged{number}")
    path.rename(aside)
    for suffix in ("-wal", "-shm"):  # they belong to the damaged file, and would spoil the new one
        with contextlib.suppress(FileNotFoundError):
            path.with_name(path.name + suffix).rename(aside.with_name(aside.name + suffix))
    return aside


def now() -> datetime.datetime:
    """The present moment, with its time zone."""
    return datetime.datetime.now(datetime.UTC)


def _stamp() -> str:
    return now().isoformat(timespec="seconds")
