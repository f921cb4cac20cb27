"""The gradebook as a file: its tables, its one writer, its copy, and one message for each thing that can go wrong."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tlcourse.errors import InfraError, UsageError
from tlcourse.progress import home
from tlcourse.wal import use_wal

VARIABLE = "TLCOURSE_GRADEBOOK"
_VERSION = 2
_APPLICATION = 0x746C6762  # tells a gradebook from other SQLite files, such as a student's own record
BUSY_S = 5.0
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
APPENDED = ("batches", "handins", "regrades", "regraded", "results", "checks", "documents", "overrides")
"""Tables whose rows stay as they were written: triggers refuse anything else."""


def gradebook_path(chosen: Path | None = None) -> Path:
    """The gradebook that was named, that of the environment, or the user's own."""
    if chosen is not None:
        return chosen
    if named := os.environ.get(VARIABLE):
        return Path(named).expanduser()
    return home() / "gradebook.sqlite"


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
    """The gradebook, made if there is none, for the one process that writes; raises InfraError and UsageError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"{path.parent} cannot be made: {error.strerror}.", remedy="name another file: --gradebook FILE"
        ) from None
    with _only_writer(path, what, wait_s), explained(path):
        db = _connect(path, wait_s)
        try:
            if db.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
                raise sqlite3.DatabaseError("malformed")
            _make_tables(db, path)
            yield db
        finally:
            db.close()


@contextlib.contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """The gradebook for looking only, also while another process writes; raises UsageError where there is none."""
    must_exist(path)
    with explained(path):
        db = _connect(path)
        try:
            if _bring_forward(db, path) == 0:  # its making was cut short
                raise _none_there(path)
            db.execute("PRAGMA query_only = ON")
            yield db
        finally:
            db.close()


def keep_copy(db: sqlite3.Connection, path: Path) -> Path:
    """A copy beside the gradebook, replaced as a whole: what is left when the file itself is damaged."""
    copy = path.with_name(path.name + ".copy")
    half = path.with_name(path.name + ".copy.part")
    half.unlink(missing_ok=True)
    half.touch(0o600)
    with contextlib.closing(sqlite3.connect(half)) as target:
        db.backup(target)
    half.replace(copy)
    return copy


@contextlib.contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """All or nothing."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        with contextlib.suppress(sqlite3.Error):  # a full disk has rolled it back already
            db.rollback()
        raise
    db.commit()


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
    said = str(error)
    if "locked" in said or "busy" in said:
        return InfraError(
            f"The gradebook is in use: {path}",
            cause="another program holds it open for writing.",
            remedy="end the other one (a database browser, a backup), and give the command again.",
        )
    if "full" in said or "disk I/O" in said:
        return InfraError(
            f"The gradebook could not be written ({said}): {path}",
            cause="the disk is full. What was recorded before is safe.",
            remedy="make room, and go on with --resume.",
        )
    if "readonly" in said or "unable to open" in said:
        return InfraError(
            f"The gradebook could not be opened for writing ({said}): {path}",
            cause="missing permissions on the file or on its folder.",
            remedy=f"chmod u+rw '{path}' – or name another: --gradebook FILE",
        )
    if isinstance(error, sqlite3.OperationalError) and "malformed" not in said:
        return InfraError(
            f"The gradebook could not be used ({said}): {path}", remedy="report this as a mistake of ours."
        )
    copy = path.with_name(path.name + ".copy")
    remedy = (
        f"mv '{path}' '{path}.damaged'; rm -f '{path}-wal' '{path}-shm'; cp '{copy}' '{path}' "
        "– then go on with tlcourse batch … --resume, which grades what the copy lacks."
        if copy.is_file()
        else f"mv '{path}' '{path}.damaged', and grade the batch again."
    )
    return InfraError(
        f"The gradebook is damaged ({said}): {path}",
        cause="a disk that failed, or another program wrote into the file.",
        remedy=remedy,
    )


def _connect(path: Path, wait_s: float = BUSY_S) -> sqlite3.Connection:
    with contextlib.suppress(OSError):  # SQLite says it better; its other files take this one's mode
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))
    db = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)
    try:
        use_wal(db, wait_s)
        db.execute("PRAGMA synchronous = FULL")  # a verdict that was shown outlives a power cut
        db.execute("PRAGMA foreign_keys = ON")
    except BaseException:
        db.close()
        raise
    return db


def _check_version(db: sqlite3.Connection, path: Path) -> int:
    (version,) = db.execute("PRAGMA user_version").fetchone()
    (application,) = db.execute("PRAGMA application_id").fetchone()
    tables = db.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()[0]
    if application != _APPLICATION and tables:
        raise UsageError(
            f"{path} is not a gradebook.",
            cause="another SQLite file was named.",
            remedy="name another: --gradebook FILE",
        )
    if version > _VERSION:
        raise UsageError(
            f"{path} was written by a newer tlcourse.",
            cause="two versions are installed.",
            remedy="python3 -m pip install --upgrade tlcourse",
        )
    return int(version)


def _bring_forward(db: sqlite3.Connection, path: Path) -> int:
    """Its version (0: no tables yet), after one that an older tlcourse wrote was given the names of this one."""
    if (version := _check_version(db, path)) == 1:
        with transaction(db):
            if _check_version(db, path) == 1:  # no other process was quicker
                db.execute("ALTER TABLE results RENAME COLUMN wall_s TO wall_time_s")
                db.execute(f"PRAGMA user_version = {_VERSION}")
        return _VERSION
    return version


def _make_tables(db: sqlite3.Connection, path: Path) -> None:
    if _bring_forward(db, path) == _VERSION:
        return
    with transaction(db):
        for statement in _SCHEMA.split(";"):
            db.execute(statement)
        for table in APPENDED:
            for deed in ("UPDATE", "DELETE"):
                db.execute(
                    f"CREATE TRIGGER {table}_stay_{deed.lower()} BEFORE {deed} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, '{table} are appended to, never changed'); END"
                )
        db.execute(f"PRAGMA application_id = {_APPLICATION}")
        db.execute(f"PRAGMA user_version = {_VERSION}")


@contextlib.contextmanager
def _only_writer(path: Path, what: str, wait_s: float) -> Iterator[None]:
    """A lock that the kernel takes back when its process ends, however it ends."""
    if sys.platform == "win32":  # there SQLite's own lock has to do
        yield
        return
    import fcntl

    lock = path.with_name(path.name + ".lock")
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise InfraError(
            f"The gradebook could not be opened for writing ({error.strerror}): {path}",
            cause="a full disk, or missing permissions on its folder.",
            remedy="make room or mend the permissions, or name another: --gradebook FILE",
        ) from None
    try:
        until = time.monotonic() + wait_s
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                if time.monotonic() >= until:
                    holder = os.pread(descriptor, 200, 0).decode(errors="replace").strip() or "another tlcourse"
                    raise InfraError(
                        f"The gradebook is in use by {holder}: {path}",
                        cause="a batch or a regrade is running; one process writes at a time.",
                        remedy="wait for its end, or end it (nothing is lost), and give the command again.",
                    ) from None
                time.sleep(0.05)
        with contextlib.suppress(OSError):  # a full disk takes the name, not the lock
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{what} (process {os.getpid()})\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)
