"""How we keep things on disk: SQLite files, files written whole, locks, folders of a run's own. One way for each.

Nothing here raises a TlcourseError but where it says so: callers know what the file is to its reader. sqlite3, tempfile
and filelock are imported where they are used: a command that shows the kept course needs none of them.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal

from tlcourse.errors import InfraError, UsageError

if TYPE_CHECKING:
    import sqlite3

BUSY_S = 5.0
"""Seconds that we wait for another process before we say that a file is in use."""
_PAUSE_S = 0.02
_PRIVATE = 0o600
_SCRATCH = r"tlcourse-(?:run|submission|server|marking)-(\d+)-"


# Files


def sha256_of_file(path: Path) -> str:
    """The SHA-256 of a file's bytes, as hexadecimal digits. Raises OSError."""
    import hashlib

    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_atomically(path: Path, data: bytes, *, mode: int = _PRIVATE, durable: bool = True) -> None:
    """Write a file whole or not at all; see `replacing`. Raises OSError."""
    with replacing(path, mode=mode, durable=durable) as stream:
        stream.write(data)


@contextlib.contextmanager
def replacing(path: Path, *, mode: int = _PRIVATE, durable: bool = True) -> Iterator[IO[bytes]]:
    """A stream that takes the place of `path` when the block ends, unless it raises. Raises OSError.

    A reader meets the old file or the new one, and two writers never share the file beside it. `durable` waits until
    the disk has it, so that it outlives a power cut; what can be made again does without.
    """
    import tempfile

    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:100]}.", suffix=".part")
    os.close(descriptor)
    part = Path(name)
    try:
        with part.open("wb") as stream:
            yield stream
            stream.flush()
            part.chmod(mode)
            if durable:
                os.fsync(stream.fileno())
        part.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink()
        raise
    if durable:
        _sync_folder(path.parent)


def begin_file(target: Path, source: Path, *, again: bool, command: str) -> Path | None:
    """Copy `source` to `target`, which somebody will work on; return where what stood there was moved, if anything did.

    Args:
        target: The file to be made; its folder, too, where there is none.
        source: What it begins as.
        again: Begin anew, and keep what stands there as `NAME.backup1`, `NAME.backup2`, …
        command: The command that would do that, for the message.

    Raises:
        UsageError: the file is there already and `again` is false, or it cannot be written.
    """
    if target.exists() and not again:
        raise UsageError(
            f"{target} is there already; it was left as it is.",
            cause="the exercise was begun before.",
            remedy=f"go on with it, or begin again: {command} (keeps a backup).",
        )
    backup = None
    try:
        data = source.read_bytes()
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():
            numbered = (target.with_name(f"{target.stem}.backup{n}{target.suffix}") for n in range(1, 10_000))
            backup = next(path for path in numbered if not path.exists())
            target.rename(backup)
        target.write_bytes(data)
    except OSError as error:
        raise UsageError(
            f"{target} cannot be written: {error.strerror}.", remedy="name a folder that you may write to."
        ) from None
    return backup


def _sync_folder(folder: Path) -> None:
    """Have the disk know the new name; not every file system (nor Windows) can be asked to."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


class InUseError(Exception):
    """Another process holds the lock; `holder` is what it said of itself, empty where it said nothing."""

    def __init__(self, holder: str) -> None:
        super().__init__(holder)
        self.holder = holder


@contextlib.contextmanager
def locked(path: Path, *, wait_s: float = 0.0, holder: str = "") -> Iterator[None]:
    """Hold the lock file `path`, which stays behind. The system takes the lock back when this process ends.

    `holder` is told to others who ask for it meanwhile.

    Raises:
        InUseError: another has held it for `wait_s`.
        OSError: the lock file cannot be made.
    """
    from filelock import FileLock, Timeout

    note = path.with_name(f"{path.name}.holder")
    lock = FileLock(path, timeout=wait_s, mode=_PRIVATE, poll_interval=_PAUSE_S)
    try:
        lock.acquire()
    except Timeout:
        said = ""
        with contextlib.suppress(OSError):
            said = note.read_text(encoding="utf-8", errors="replace")[:200].strip()
        raise InUseError(said) from None
    try:
        if holder:
            with contextlib.suppress(OSError):  # a full disk takes the name, not the lock
                write_atomically(note, f"{holder} (process {os.getpid()})\n".encode(), durable=False)
        yield
    finally:
        if holder:
            note.unlink(missing_ok=True)
        lock.release()


# Folders of a run's own: gone when the run is over, and swept later where the grader itself was killed


@contextlib.contextmanager
def scratch_folder(kind: str) -> Iterator[Path]:
    """A new folder that only this user can enter; `kind` is `run`, `submission`, `server` or `marking`."""
    folder = new_folder(kind)
    try:
        yield folder
    finally:
        remove(folder)


def remove(folder: Path) -> None:
    """Remove a folder whatever a submission made in it: unreadable folders, or thousands of them in one another."""
    import shutil
    import subprocess

    with contextlib.suppress(RecursionError):
        shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():  # these tools neither recurse nor follow links
        for command in (["chmod", "-R", "u+rwx"], ["rm", "-rf"]):
            subprocess.run([*command, "--", str(folder)], capture_output=True, check=False)


def new_folder(kind: str) -> Path:
    """Such a folder, for its caller to remove."""
    import tempfile

    _sweep(Path(tempfile.gettempdir()))
    return Path(tempfile.mkdtemp(prefix=f"tlcourse-{kind}-{os.getpid()}-"))


def _sweep(parent: Path) -> None:
    """Remove what killed graders of this user left behind: the process whose number is in the name is gone.

    Only this user's: root would otherwise remove what a grader in a container, whose numbers are others, is using.
    """
    import re

    import psutil

    if not hasattr(os, "geteuid"):  # Windows gives each user a folder of their own, and empties it when asked
        return
    with contextlib.suppress(OSError), os.scandir(parent) as entries:
        for entry in entries:
            match = re.match(_SCRATCH, entry.name)
            mine = match and entry.is_dir(follow_symlinks=False) and entry.stat().st_uid == os.geteuid()
            if match and mine and not psutil.pid_exists(int(match[1])):
                remove(Path(entry.path))


# SQLite


def connect(path: Path, *, wait_s: float = BUSY_S, durable: bool = False) -> sqlite3.Connection:
    """Open a database that its owner alone can read, made if there is none: WAL, foreign keys, no transaction open.

    `durable`: what was committed outlives a power cut, not only the end of the process. Raises sqlite3.DatabaseError.
    """
    import sqlite3

    with contextlib.suppress(OSError):  # SQLite says it better; its other files take this one's mode
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), _PRIVATE))
    db = sqlite3.connect(path, timeout=wait_s, isolation_level=None)
    try:
        _use_wal(db, wait_s)
        db.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        db.execute("PRAGMA foreign_keys = ON")
    except BaseException:
        db.close()
        raise
    return db


def _use_wal(db: sqlite3.Connection, wait_s: float) -> None:
    """Of several that first open a file SQLite refuses all but one at once, whatever its own time to wait is."""
    import sqlite3

    until = time.monotonic() + wait_s
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if kind_of(error) != "locked" or time.monotonic() > until:
                raise
            time.sleep(_PAUSE_S)
        else:
            return


def check_sound(db: sqlite3.Connection) -> None:
    """Raises sqlite3.DatabaseError where the file is damaged."""
    import sqlite3

    if db.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
        raise sqlite3.DatabaseError("malformed")


@contextlib.contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """All or nothing; other writers wait from its beginning on."""
    import sqlite3

    db.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        with contextlib.suppress(sqlite3.Error):  # a full disk has rolled it back already
            db.rollback()
        raise
    db.commit()


def version_of(db: sqlite3.Connection, path: Path, newest: int) -> int:
    """The version of a file's tables, 0 before there are any. Raises UsageError where it is above `newest`."""
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version > newest:
        raise UsageError(
            f"{path} was written by a newer tlcourse.",
            cause="two versions are installed on this machine.",
            remedy="python3 -m pip install --upgrade tlcourse",
        )
    return int(version)


def bring_forward(db: sqlite3.Connection, path: Path, newest: int, steps: Mapping[int, Iterable[str]]) -> None:
    """Bring a file's tables to version `newest` by the statements for the version that it has (0: a new file).

    Two first commands may do so at once: the second finds the tables of the first. Raises UsageError as `version_of`.
    """
    if version_of(db, path, newest) == newest:
        return
    with transaction(db):
        if (version := version_of(db, path, newest)) < newest:
            for statement in steps[version]:
                db.execute(statement)
            db.execute(f"PRAGMA user_version = {newest}")


def statements(schema: str) -> list[str]:
    """The statements of a schema; none of them holds a semicolon."""
    return [statement for part in schema.split(";") if (statement := part.strip())]


def kind_of(error: sqlite3.Error) -> Literal["locked", "full", "readonly", "damaged", "other"]:
    """What went wrong with a file."""
    import sqlite3

    said = str(error)
    if "locked" in said or "busy" in said:
        return "locked"
    if "full" in said or "disk I/O" in said:
        return "full"
    if "readonly" in said or "unable to open" in said:
        return "readonly"
    if isinstance(error, sqlite3.OperationalError) and "malformed" not in said:
        return "other"
    return "damaged"


def in_use(what: str, path: Path) -> InfraError:
    """The error for a file that another process holds; `what` begins a sentence, such as `The gradebook`."""
    return InfraError(
        f"{what} is in use: {path}",
        cause="another program has been writing to it for several seconds.",
        remedy="end the other one (another tlcourse, a database browser, a backup), and try again.",
    )


def user() -> str:
    """Who works here, as rows of the gradebook keep it."""
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container without a user database
        return "unknown"


def now() -> str:
    """This moment, as a row keeps it for people: nothing is ordered by it, because clocks jump."""
    return datetime.now(UTC).isoformat(timespec="seconds")
