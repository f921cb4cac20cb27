"""The file behind the student's record, and what becomes of what cannot be written: one way for the app and commands.

Where the disk is full, another process holds the file, the folder is read-only or was removed, the record goes on in
memory as a copy of all that could be read. What is written meanwhile waits, and is tried again with each later write,
whenever the app asks, and at the end.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from tlcourse.errors import InfraError, TlcourseError
from tlcourse.storage import BUSY_S, bring_forward, check_sound, connect, in_use, kind_of, statements, transaction

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
_STEPS = {
    0: statements(_SCHEMA + ";" + _CARDS + ";" + _SEED + ";" + _PREDICTIONS + ";" + _CODES),
    1: [_CARDS, *statements(_SEED), _PREDICTIONS, _CODES],
    2: [*statements(_SEED), _PREDICTIONS, _CODES],
    3: [_PREDICTIONS, _CODES],
    4: [_CODES],
}
"""From each version to the newest, at once."""
_TOLD_WAIT_S = 0.3
"""Seconds that a write waits for another process where what it could not write is kept: a key was pressed for it."""
_FIXES = {
    "full": ("the disk is full, or your share of it is.", "make room"),
    "readonly": ("the file or its folder may not be written to.", "chmod -R u+w {folder}"),
    "gone": ("it was removed or replaced meanwhile.", "mkdir -p {folder}"),
    "damaged": ("the file is damaged.", "start tlcourse again, which moves it aside"),
    "other": ("{said}.", "fix that"),
}
_KINDS: dict[int | None, str] = {
    errno.ENOENT: "gone",
    errno.ENOSPC: "full",
    errno.EDQUOT: "full",
    errno.EACCES: "readonly",
    errno.EPERM: "readonly",
    errno.EROFS: "readonly",
}
_MEANWHILE = "It is kept in memory, and tried again."
_Rows = list[tuple[Any, ...]]
_Writes = tuple[tuple[str, _Rows], ...]


class RecordFile:
    """The database, or while it cannot be used a copy of it in memory.

    Args:
        path: The file, made with its folder if there is none.
        wait_s: How long to wait for another process.
        tell: Told in words what could not be written, once for each time that it begins, and when it could be written
            after all; nothing is raised then. Without it, what cannot be read or written raises InfraError.

    Raises:
        UsageError: the file was written by a newer version of tlcourse.
        InfraError: another process holds it, and nobody is told.
    """

    def __init__(self, path: Path, *, wait_s: float = BUSY_S, tell: Callable[[str], None] | None = None) -> None:
        self.notice = ""
        """What to say of the file as it was found."""
        self._path, self._tell = path, tell
        self._on_disk: sqlite3.Connection | None = None
        self._waiting: list[_Writes] = []
        self.opened = 0
        """Grows whenever the rows come from elsewhere, with numbers of their own."""
        self._inode: tuple[int, int] | None = None
        self._memory: sqlite3.Connection | None = None
        try:
            self._open(wait_s)
        except (OSError, sqlite3.Error) as error:
            explained = self._explained(error)
            if tell is None and isinstance(error, sqlite3.Error) and kind_of(error) == "locked":
                raise explained from None
            self._leave_disk()
            self.notice = f"{explained}\n{_MEANWHILE}"
        if tell is not None and self._on_disk is not None:
            _wait(self._on_disk, _TOLD_WAIT_S)

    def _open(self, wait_s: float) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._use(_connect(self._path, wait_s))
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError:
            aside = _move_aside(self._path)
            self._use(_connect(self._path, wait_s))
            self.notice = f"{_WHAT} was damaged. It was moved to {aside}."

    def _use(self, db: sqlite3.Connection) -> None:
        self._on_disk, self._inode = db, _inode(self._path)
        self.opened += 1

    @property
    def unwritten(self) -> int:
        """How many writes wait; they are in no file."""
        return len(self._waiting)

    @property
    def in_memory(self) -> bool:
        """Whether the file cannot be used now."""
        return self._memory is not None

    def read(self, statement: str, *values: Any) -> _Rows:
        """The rows of a query."""
        try:
            return self._db.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            self._leave_disk(error)
            return self._db.execute(statement, values).fetchall()

    def write(self, *writes: tuple[str, _Rows], computed: bool = False) -> None:
        """Statements, each for all of its rows, in one transaction; `computed`: they can be had again from the rest."""
        if self._on_disk is not None:
            try:
                self._check_there()
                _apply(self._on_disk, [writes])
            except (OSError, sqlite3.Error) as error:
                self._leave_disk(error)
            else:
                return
        _apply(self._db, [writes])
        if not computed:
            self._waiting.append(writes)
        self.try_again()

    def try_again(self, wait_s: float = 0.0) -> bool:
        """Write what waits; whether nothing waits any more."""
        if self._memory is None:
            return True
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            was_there = self._path.exists()
            db = _connect(self._path, wait_s)
            try:
                if was_there:
                    _apply(db, self._waiting)
                else:  # all of it was lost with its folder
                    _copy(self._memory, db)
            except BaseException:
                db.close()
                raise
        except (OSError, sqlite3.Error, TlcourseError):
            return False
        if self._tell is not None:
            _wait(db, _TOLD_WAIT_S)
        self._use(db)
        self._memory.close()
        self._memory = None
        self._waiting.clear()
        return True

    def close(self) -> None:
        """Write what waits, and close the file; `unwritten` says afterwards what was lost."""
        if self._waiting:
            self.try_again(_TOLD_WAIT_S if self._tell is None else 1.0)
        for db in (self._on_disk, self._memory):
            if db is not None:
                db.close()

    @property
    def _db(self) -> sqlite3.Connection:
        db = self._on_disk or self._memory
        assert db is not None
        return db

    def _check_there(self) -> None:
        """SQLite writes on into a file that was removed, or that another one has replaced. Raises OSError."""
        if _inode(self._path) != self._inode:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))

    def _leave_disk(self, error: Exception | None = None) -> None:
        """Go on in memory, with all that can be read; raises the InfraError of `error` where nobody is told."""
        explained = self._explained(error) if error is not None else None
        if explained is not None and self._tell is None:
            raise explained from None
        if explained is not None and self._on_disk is None:
            raise explained from None  # memory itself failed
        self._memory = _in_memory(self._on_disk, self._path)
        self.opened += 1
        if self._on_disk is not None:
            self._on_disk.close()
            self._on_disk = None
        if explained is not None and self._tell is not None:
            self._tell(f"{explained}\n{_MEANWHILE}")

    def _explained(self, error: Exception) -> InfraError:
        kind = (
            kind_of(error) if isinstance(error, sqlite3.Error) else _KINDS.get(getattr(error, "errno", None), "other")
        )
        if kind == "locked":
            return in_use(_WHAT, self._path)
        cause, remedy = (
            words.format(folder=self._path.parent, said=_said(error)) for words in _FIXES.get(kind, _FIXES["other"])
        )
        return InfraError(
            f"Your progress cannot be written to {self._path}.",
            cause=cause,
            remedy=f"{remedy}, or set TLCOURSE_HOME to another folder.",
        )


def _said(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else str(error)) or type(error).__name__


def _inode(path: Path) -> tuple[int, int] | None:
    with contextlib.suppress(OSError):
        found = os.stat(path)  # noqa: PTH116 - at each write
        return found.st_dev, found.st_ino
    return None


def _wait(db: sqlite3.Connection, seconds: float) -> None:
    db.execute(f"PRAGMA busy_timeout = {round(seconds * 1000)}")


def _apply(db: sqlite3.Connection, several: Iterable[_Writes]) -> None:
    with transaction(db):
        for writes in several:
            for statement, rows in writes:
                for row in rows:  # not `executemany`, after which no `last_insert_rowid` is sure
                    db.execute(statement, row)


def _copy(source: sqlite3.Connection, target: sqlite3.Connection) -> None:
    """All of it. Raises sqlite3.Error; Python's own copy waits for ever where the file is locked."""

    def progress(status: int, remaining: int, total: int) -> None:
        if status in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise sqlite3.OperationalError("database is locked")

    source.backup(target, progress=progress)


def _in_memory(source: sqlite3.Connection | None, path: Path) -> sqlite3.Connection:
    """A copy of an open file, or of one that can only be read; without either an empty record."""
    for opened in (lambda: _held(source), lambda: contextlib.closing(_only_readable(path))):
        db = sqlite3.connect(":memory:", isolation_level=None)
        try:
            with opened() as found:
                _copy(found, db)
            check_sound(db)
            bring_forward(db, path, _VERSION, _STEPS)
        except Exception:
            db.close()
        else:
            return db
    db = sqlite3.connect(":memory:", isolation_level=None)
    bring_forward(db, path, _VERSION, _STEPS)
    return db


@contextlib.contextmanager
def _held(source: sqlite3.Connection | None) -> Iterator[sqlite3.Connection]:
    if source is None:
        raise sqlite3.OperationalError
    yield source


def _only_readable(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True, isolation_level=None)


def _connect(path: Path, wait_s: float) -> sqlite3.Connection:
    db = connect(path, wait_s=wait_s)
    try:
        check_sound(db)
        bring_forward(db, path, _VERSION, _STEPS)
    except BaseException:
        db.close()
        raise
    return db


def _move_aside(path: Path) -> Path:
    number = next(n for n in range(1, 10_000) if not path.with_name(f"{path.name}.damaged{n}").exists())
    aside = path.with_name(f"{path.name}.damaged{number}")
    path.rename(aside)
    for suffix in ("-wal", "-shm"):  # they belong to the damaged file, and would spoil the new one
        with contextlib.suppress(FileNotFoundError):
            path.with_name(path.name + suffix).rename(aside.with_name(aside.name + suffix))
    return aside
