"""The gradebook as a file: its tables, its one writer, its copy, and one message for each thing that can go wrong."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from tlcourse.errors import InfraError, UnableError, UsageError
from tlcourse.storage import (
    BUSY_S,
    InUseError,
    bring_forward,
    check_sound,
    connect,
    in_use,
    kind_of,
    locked,
    replacing,
    statements,
    version_of,
)
from tlcourse.text import typed

_VERSION = 4
_APPLICATION = 0x746C6762  # tells a gradebook from other SQLite files, such as a student's own record
_SCHEMA = """
CREATE TABLE batches (id INTEGER PRIMARY KEY, exercise TEXT NOT NULL, variant TEXT NOT NULL, source TEXT NOT NULL,
    platform TEXT NOT NULL, max_points REAL NOT NULL, seed_source TEXT NOT NULL, salt TEXT NOT NULL,
    fingerprint TEXT NOT NULL, grader_sha256 TEXT NOT NULL, settings TEXT NOT NULL, notices TEXT NOT NULL,
    who TEXT NOT NULL, at TEXT NOT NULL);
CREATE TABLE handins (id INTEGER PRIMARY KEY, batch INTEGER NOT NULL REFERENCES batches (id), key TEXT NOT NULL,
    owner TEXT NOT NULL, kind TEXT NOT NULL, members TEXT NOT NULL, folder_name TEXT NOT NULL, path TEXT NOT NULL,
    submitted_at TEXT NOT NULL, twins TEXT NOT NULL, problem TEXT NOT NULL, UNIQUE (batch, key));
CREATE TABLE regrades (id INTEGER PRIMARY KEY, batch INTEGER NOT NULL REFERENCES batches (id),
    selection TEXT NOT NULL, why TEXT NOT NULL, who TEXT NOT NULL, at TEXT NOT NULL);
CREATE TABLE regraded (regrade INTEGER NOT NULL REFERENCES regrades (id), handin INTEGER NOT NULL REFERENCES
    handins (id), PRIMARY KEY (regrade, handin));
CREATE TABLE results (id INTEGER PRIMARY KEY, handin INTEGER NOT NULL REFERENCES handins (id),
    round INTEGER NOT NULL, outcome TEXT NOT NULL, points REAL NOT NULL, max_points REAL NOT NULL,
    cause TEXT NOT NULL, sha256 TEXT NOT NULL, wall_time_s REAL NOT NULL, cpu_s REAL NOT NULL, at TEXT NOT NULL);
CREATE INDEX results_of_handin ON results (handin, round);
CREATE UNIQUE INDEX graded_once ON results (handin, round) WHERE outcome != 'infra';
CREATE TABLE checks (result INTEGER NOT NULL REFERENCES results (id), name TEXT NOT NULL, title TEXT NOT NULL,
    passed INTEGER NOT NULL, value REAL, points REAL NOT NULL, max_points REAL NOT NULL, PRIMARY KEY (result, name));
CREATE TABLE documents (result INTEGER PRIMARY KEY REFERENCES results (id), document TEXT NOT NULL);
CREATE TABLE overrides (id INTEGER PRIMARY KEY, exercise TEXT NOT NULL, target TEXT NOT NULL, points REAL,
    why TEXT NOT NULL, who TEXT NOT NULL, at TEXT NOT NULL);
CREATE INDEX overrides_of ON overrides (exercise, target);
CREATE TABLE live (batch INTEGER PRIMARY KEY REFERENCES batches (id), state TEXT NOT NULL)
"""
_FIRST = ("batches", "handins", "regrades", "regraded", "results", "checks", "documents", "overrides")
_OF_THE_CLASS = """
CREATE TABLE people (id INTEGER PRIMARY KEY, batch INTEGER NOT NULL REFERENCES batches (id), person TEXT NOT NULL,
    username TEXT NOT NULL, first TEXT NOT NULL, last TEXT NOT NULL, email TEXT NOT NULL, platform_id TEXT NOT NULL,
    at TEXT NOT NULL);
CREATE TABLE memberships (id INTEGER PRIMARY KEY, batch INTEGER NOT NULL REFERENCES batches (id),
    person TEXT NOT NULL, team TEXT NOT NULL, counts INTEGER NOT NULL, why TEXT NOT NULL, who TEXT NOT NULL,
    at TEXT NOT NULL);
CREATE TABLE looks (id INTEGER PRIMARY KEY, batch INTEGER NOT NULL REFERENCES batches (id), source TEXT NOT NULL,
    notices TEXT NOT NULL, who TEXT NOT NULL, at TEXT NOT NULL);
CREATE TABLE identities (id INTEGER PRIMARY KEY, batch INTEGER NOT NULL REFERENCES batches (id),
    folder_name TEXT NOT NULL, means TEXT NOT NULL, who TEXT NOT NULL, at TEXT NOT NULL);
CREATE TABLE attempts (id INTEGER PRIMARY KEY, handin INTEGER NOT NULL REFERENCES handins (id),
    regrade INTEGER NOT NULL REFERENCES regrades (id), folder_name TEXT NOT NULL, path TEXT NOT NULL,
    submitted_at TEXT NOT NULL, twins TEXT NOT NULL, problem TEXT NOT NULL, at TEXT NOT NULL);
CREATE INDEX people_of ON people (batch);
CREATE INDEX memberships_of ON memberships (batch);
CREATE INDEX attempts_of ON attempts (handin);
ALTER TABLE overrides ADD COLUMN excused INTEGER NOT NULL DEFAULT 0
"""
_THEN = ("people", "memberships", "looks", "identities", "attempts")
_BY_HAND = """
CREATE TABLE hand_marks (id INTEGER PRIMARY KEY, exercise TEXT NOT NULL, target TEXT NOT NULL, item TEXT NOT NULL,
    points REAL, comment TEXT NOT NULL, why TEXT NOT NULL, who TEXT NOT NULL, at TEXT NOT NULL,
    seen TEXT NOT NULL DEFAULT '');
CREATE INDEX hand_marks_of ON hand_marks (exercise);
CREATE TABLE requests (id INTEGER PRIMARY KEY, exercise TEXT NOT NULL, target TEXT NOT NULL, text TEXT NOT NULL,
    who TEXT NOT NULL, at TEXT NOT NULL);
CREATE TABLE answers (id INTEGER PRIMARY KEY, request INTEGER NOT NULL REFERENCES requests (id), text TEXT NOT NULL,
    regrade INTEGER REFERENCES regrades (id), override INTEGER REFERENCES overrides (id), who TEXT NOT NULL,
    at TEXT NOT NULL);
ALTER TABLE overrides ADD COLUMN shown INTEGER NOT NULL DEFAULT 0
"""
_LATER = ("hand_marks", "requests", "answers", "deadlines", "extensions", "keys", "owners")
_DUE = """
CREATE TABLE deadlines (id INTEGER PRIMARY KEY, batch INTEGER NOT NULL REFERENCES batches (id),
    deadline TEXT NOT NULL, given INTEGER NOT NULL, who TEXT NOT NULL, at TEXT NOT NULL);
CREATE TABLE extensions (id INTEGER PRIMARY KEY, exercise TEXT NOT NULL, target TEXT NOT NULL, until TEXT NOT NULL,
    days INTEGER NOT NULL, why TEXT NOT NULL, who TEXT NOT NULL, at TEXT NOT NULL)
"""
_KEYS = """
CREATE TABLE keys (name TEXT PRIMARY KEY, value BLOB NOT NULL);
INSERT INTO keys VALUES ('pseudonyms', randomblob(32))
"""
_CHANGED = """
ALTER TABLE overrides ADD COLUMN team TEXT NOT NULL DEFAULT '';
ALTER TABLE people ADD COLUMN gone INTEGER NOT NULL DEFAULT 0;
CREATE TABLE owners (id INTEGER PRIMARY KEY, handin INTEGER NOT NULL REFERENCES handins (id), owner TEXT NOT NULL,
    kind TEXT NOT NULL, members TEXT NOT NULL, who TEXT NOT NULL, at TEXT NOT NULL);
CREATE INDEX owners_of ON owners (handin)
"""
APPENDED = _FIRST + _THEN + _LATER
"""Tables whose rows stay as they were written: triggers refuse anything else."""


def _stay(tables: tuple[str, ...]) -> list[str]:
    """Triggers by which the rows of tables stay as they were written."""
    return [
        f"CREATE TRIGGER {table}_stay_{deed.lower()} BEFORE {deed} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, '{table} are appended to, never changed'); END"
        for table in tables
        for deed in ("UPDATE", "DELETE")
    ]


_THIRD = [*statements(_OF_THE_CLASS), *_stay(_THEN)]
_FOURTH = [part for schema in (_BY_HAND, _CHANGED, _DUE, _KEYS) for part in statements(schema)] + _stay(_LATER)
_STEPS = {
    0: [*statements(_SCHEMA), *_stay(_FIRST), *_THIRD, *_FOURTH, f"PRAGMA application_id = {_APPLICATION}"],
    1: ["ALTER TABLE results RENAME COLUMN wall_s TO wall_time_s", *_THIRD, *_FOURTH],
    2: [*_THIRD, *_FOURTH],
    3: _FOURTH,
}


def must_exist(path: Path) -> Path:
    """The path; raises UsageError where no gradebook is."""
    if not path.is_file():
        raise _none_there(path)
    return path


def _none_there(path: Path) -> UsageError:
    return UsageError(
        f"There is no gradebook at {path}.",
        cause="no batch was graded yet, or another --gradebook was used.",
        remedy="tlcourse batch EXERCISE SUBMISSIONS – or name it: --gradebook FILE",
    )


@contextlib.contextmanager
def writing(path: Path, what: str, wait_s: float = BUSY_S) -> Iterator[sqlite3.Connection]:
    """The gradebook, made if there is none, for the one process that writes; raises InfraError, UnableError."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise UnableError(
            f"{path.parent} cannot be made: {error.strerror}.", remedy="name another file: --gradebook FILE"
        ) from None
    with _only_writer(path, what, wait_s), explained(path), _opened(path, wait_s) as db:
        check_sound(db)
        bring_forward(db, path, _VERSION, _STEPS)
        yield db


@contextlib.contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """The gradebook for looking only, also while another process writes; raises UsageError where there is none."""
    must_exist(path)
    may_write = os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)
    with (
        explained(path),
        contextlib.closing(connect(path, durable=True) if may_write else _only_readable(path)) as db,
    ):
        _refuse_other_files(db, path)
        version = version_of(db, path, _VERSION)
        if version == 0:  # its making was cut short
            raise _none_there(path)
        if not may_write and version < _VERSION:
            raise _not_yours(path, "it is of an earlier edition, and is brought forward when it is opened")
        bring_forward(db, path, _VERSION, _STEPS)
        db.execute("PRAGMA query_only = ON")
        yield db


@contextlib.contextmanager
def archived(path: Path) -> Iterator[sqlite3.Connection]:
    """An earlier year's gradebook, read into memory: the file stays as it was, of whatever edition, also read-only.

    Raises UsageError where there is none.
    """
    must_exist(path)
    alone = not path.with_name(path.name + "-wal").exists()
    # without its other files nobody has it open, and none need be made beside it
    address = f"{path.resolve().as_uri()}?mode=ro" + ("&immutable=1" if alone else "")
    with (
        explained(path),
        contextlib.closing(sqlite3.connect(address, uri=True)) as kept,
        contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as db,
    ):
        _refuse_other_files(kept, path)
        kept.backup(db)
        if version_of(db, path, _VERSION) == 0:
            raise _none_there(path)
        bring_forward(db, path, _VERSION, _STEPS)
        yield db


def _only_readable(path: Path) -> sqlite3.Connection:
    """A gradebook of another account, as it stands; raises UnableError where it cannot be read without writing.

    Who reads beside a writer must write, too (into `-shm`): so it is read only while nobody has it open.
    """
    if not os.access(path, os.R_OK):
        raise _not_yours(path, "its mode lets its owner alone read it")
    wal = path.with_name(path.name + "-wal")
    if wal.exists() and (not os.access(wal, os.R_OK) or wal.stat().st_size):
        raise _not_yours(path, "its owner has it open, or ended without closing it: what came last is in another file")
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True, isolation_level=None)


def _not_yours(path: Path, why: str) -> UnableError:
    return UnableError(
        f"The gradebook cannot be read by this account: {path}",
        cause=f"{why}.",
        remedy=f"have its owner copy it for you, with the folder {path.name}.handins; tlcourse ta merge joins two.",
    )


def keep_copy(db: sqlite3.Connection, path: Path) -> Path:
    """A copy beside the gradebook, replaced as a whole: what is left when the file itself is damaged."""
    copy = path.with_name(path.name + ".copy")
    with replacing(copy) as stream, contextlib.closing(sqlite3.connect(stream.name)) as target:
        db.backup(target)
    return copy


@contextlib.contextmanager
def explained(path: Path) -> Iterator[None]:
    """SQLite's errors as one message each."""
    try:
        yield
    except sqlite3.IntegrityError:
        raise  # a mistake of ours, or the second grading of a hand-in: never hidden
    except sqlite3.DatabaseError as error:
        raise _in_words(path, error) from error


def _in_words(path: Path, error: sqlite3.DatabaseError) -> InfraError:
    said, kind = str(error), kind_of(error)
    if kind == "locked":
        return in_use("The gradebook", path)
    if kind == "full":
        return InfraError(
            f"The gradebook could not be written ({said}): {path}",
            cause="the disk is full. What was recorded before is safe.",
            remedy="make room, and continue with --resume.",
        )
    if kind == "readonly":
        return InfraError(
            f"The gradebook could not be opened for writing ({said}): {path}",
            cause="missing permissions on the file or on its folder.",
            remedy=f"chmod u+rw {typed(str(path))} – or name another: --gradebook FILE",
        )
    if kind == "other":
        return InfraError(
            f"The gradebook could not be used ({said}): {path}", remedy="report this as a mistake of ours."
        )
    copy = path.with_name(path.name + ".copy")
    here, aside, wal, shm, kept = (
        typed(str(one)) for one in (path, f"{path}.damaged", f"{path}-wal", f"{path}-shm", copy)
    )
    remedy = (
        f"mv {here} {aside}; rm -f {wal} {shm}; cp {kept} {here} "
        "– then continue with tlcourse batch … --resume, which grades what the copy lacks."
        if copy.is_file()
        else f"mv {here} {aside}, and grade the batch again."
    )
    return InfraError(
        f"The gradebook is damaged ({said}): {path}",
        cause="a disk that failed, or another program wrote into the file.",
        remedy=remedy,
    )


def is_gradebook(path: Path) -> bool:
    """Whether a file is a gradebook or a copy of one, whatever it is called; looked at without opening it as one."""
    try:
        if not path.is_file():  # a pipe is waited on when it is opened
            return False
        with path.open("rb") as stream:
            head = stream.read(72)
    except OSError:
        return False
    return head.startswith(b"SQLite format 3\0") and head[68:] == _APPLICATION.to_bytes(4, "big")


@contextlib.contextmanager
def _opened(path: Path, wait_s: float = BUSY_S) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(connect(path, wait_s=wait_s, durable=True)) as db:  # a shown verdict outlives a power cut
        _refuse_other_files(db, path)
        yield db


def _refuse_other_files(db: sqlite3.Connection, path: Path) -> None:
    (application,) = db.execute("PRAGMA application_id").fetchone()
    tables = db.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()[0]
    if application != _APPLICATION and tables:
        raise UsageError(
            f"{path} is not a gradebook.",
            cause="another SQLite file was named.",
            remedy="name another: --gradebook FILE",
        )


@contextlib.contextmanager
def _only_writer(path: Path, what: str, wait_s: float) -> Iterator[None]:
    """A lock that the kernel takes back when its process ends, however it ends."""
    handins = path.with_name(path.name + ".handins")
    if handins.is_dir() and not os.access(handins, os.W_OK | os.X_OK):  # a group's folder helps the file, not these
        raise _anothers(path, f"{handins} belongs to another account, and hand-ins are their owner's alone to read")
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(locked(path.with_name(path.name + ".lock"), wait_s=wait_s, holder=what))
        except InUseError as error:
            raise InfraError(
                f"The gradebook is in use by {error.holder or 'another tlcourse'}: {path}",
                cause="a batch or a regrade is running; one process writes at a time.",
                remedy="wait for its end, or end it (nothing is lost), and give the command again.",
            ) from None
        except PermissionError as error:
            lock = path.with_name(path.name + ".lock")
            held_by = (
                f"{lock} belongs to another account" if lock.exists() else f"{path.parent} is not yours to write in"
            )
            raise _anothers(path, held_by, error.strerror) from None
        except OSError as error:
            raise InfraError(
                f"The gradebook could not be opened for writing ({error.strerror}): {path}",
                cause="a full disk, or a folder that is not there.",
                remedy="make room, or name another: --gradebook FILE",
            ) from None
        yield


def _anothers(path: Path, why: str, said: str | None = "Permission denied") -> InfraError:
    return InfraError(
        f"The gradebook could not be opened for writing ({said}): {path}",
        cause=f"{why}; one account writes in a gradebook.",
        remedy=f"have its owner copy it for you, with the folder {path.name}.handins; work in the copy "
        "(--gradebook FILE), which its owner joins with: tlcourse ta merge",
    )
