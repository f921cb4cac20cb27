"""Files written whole, locks, and SQLite files that several processes open at once."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tlcourse import storage
from tlcourse.errors import UsageError

ROOT = Path(__file__).resolve().parent.parent


def started(code: str, *arguments: object) -> subprocess.Popen[str]:
    """A Python process of its own that says `ready` and then waits for a line."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def names_in(folder: Path) -> list[str]:
    return [file.name for file in folder.iterdir()]


def mode_of(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_what_is_written_is_there_whole_and_nothing_beside_it(tmp_path):
    path = tmp_path / "file.json"
    storage.write_atomically(path, b"old")
    storage.write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert names_in(tmp_path) == ["file.json"]


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
@pytest.mark.parametrize(("given", "mode"), [({}, 0o600), ({"mode": 0o644}, 0o644)])
def test_the_mode_is_the_one_asked_for_whatever_the_umask(tmp_path, mask, given, mode):
    before = os.umask(mask)
    try:
        storage.write_atomically(tmp_path / "file", b"", **given)
    finally:
        os.umask(before)
    assert mode_of(tmp_path / "file") == mode


def test_an_error_in_the_middle_leaves_the_old_file_and_nothing_beside_it(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with pytest.raises(RuntimeError), storage.replacing(path) as stream:
        stream.write(b"half of the ne")
        raise RuntimeError
    assert path.read_bytes() == b"old"
    assert names_in(tmp_path) == ["file"]


def test_a_kill_between_writing_and_renaming_leaves_the_old_file(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    process = started(
        "import sys; from pathlib import Path; from tlcourse.storage import replacing\n"
        "with replacing(Path(sys.argv[1])) as stream:\n"
        "    stream.write(b'half'); stream.flush(); print('ready', flush=True); sys.stdin.readline()",
        path,
    )
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert path.read_bytes() == b"old"
    storage.write_atomically(path, b"new")  # what the killed one left is not in the way
    assert path.read_bytes() == b"new"


def test_many_writers_of_one_file_never_share_the_file_beside_it(tmp_path):
    path = tmp_path / "file"
    texts = [bytes([65 + number]) * 200_000 for number in range(16)]
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda text: storage.write_atomically(path, text, durable=False), texts))
    assert path.read_bytes() in texts
    assert names_in(tmp_path) == ["file"]


def test_a_name_as_long_as_names_may_be_can_be_written(tmp_path):
    path = tmp_path / ("n" * 255)
    storage.write_atomically(path, b"x")
    assert path.read_bytes() == b"x"


def test_a_folder_that_is_not_there_is_an_error_of_the_system(tmp_path):
    with pytest.raises(FileNotFoundError):
        storage.write_atomically(tmp_path / "none" / "file", b"")


LOCK = (
    "import sys; from pathlib import Path; from tlcourse.storage import locked\n"
    "with locked(Path(sys.argv[1]), holder='a test'):\n"
    "    print('ready', flush=True); sys.stdin.readline()"
)


def test_a_lock_is_held_by_one_process_and_says_by_whom(tmp_path):
    path = tmp_path / "lock"
    process = started(LOCK, path)
    with pytest.raises(storage.InUseError) as raised, storage.locked(path, wait_s=0.05):
        pass
    assert raised.value.holder == f"a test (process {process.pid})"
    process.communicate("\n")
    with storage.locked(path):
        assert mode_of(path) == 0o600


def test_the_lock_of_a_process_that_was_killed_is_free(tmp_path):
    process = started(LOCK, tmp_path / "lock")
    process.send_signal(signal.SIGKILL)
    process.communicate()
    with storage.locked(tmp_path / "lock"):
        pass


def test_two_threads_of_one_process_do_not_hold_a_lock_together(tmp_path):
    inside, most = [], []

    def work(number: int) -> None:
        with storage.locked(tmp_path / "lock", wait_s=20):
            inside.append(number)
            most.append(len(inside))
            inside.remove(number)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(40)))
    assert most == [1] * 40


def test_a_database_writes_ahead_keeps_references_and_is_its_owners_alone(tmp_path):
    path = tmp_path / "file.sqlite"
    with contextlib.closing(storage.connect(path)) as db:
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert db.execute("PRAGMA foreign_keys").fetchone() == (1,)
        assert db.execute("PRAGMA synchronous").fetchone() == (1,)  # NORMAL
        db.execute("CREATE TABLE one (id INTEGER)")
        assert {mode_of(file) for file in tmp_path.iterdir()} == {0o600}
    with contextlib.closing(storage.connect(path, durable=True)) as db:
        assert db.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL


def test_a_transaction_is_all_or_nothing(tmp_path):
    with contextlib.closing(storage.connect(tmp_path / "file")) as db:
        db.execute("CREATE TABLE one (id INTEGER)")
        with storage.transaction(db):
            db.execute("INSERT INTO one VALUES (1)")
        with pytest.raises(RuntimeError), storage.transaction(db):
            db.execute("INSERT INTO one VALUES (2)")
            raise RuntimeError
        assert db.execute("SELECT id FROM one").fetchall() == [(1,)]


def test_a_writer_waits_for_another_and_then_says_locked(tmp_path):
    path = tmp_path / "file"
    with contextlib.closing(storage.connect(path)) as first, storage.transaction(first):
        other = storage.connect(path, wait_s=0.05)
        with contextlib.closing(other), pytest.raises(sqlite3.OperationalError) as raised, storage.transaction(other):
            pass
    assert storage.kind_of(raised.value) == "locked"


STEPS = {0: ["CREATE TABLE one (id INTEGER, name TEXT)"], 1: ["ALTER TABLE one ADD COLUMN name TEXT"]}
COLUMNS = "SELECT name FROM pragma_table_info('one')"


def test_tables_are_made_and_older_ones_brought_forward(tmp_path):
    for name, before in (("new", []), ("old", ["CREATE TABLE one (id INTEGER)", "PRAGMA user_version = 1"])):
        with contextlib.closing(storage.connect(tmp_path / name)) as db:
            for statement in before:
                db.execute(statement)
            for _ in range(2):
                storage.bring_forward(db, tmp_path / name, 2, STEPS)
            assert db.execute(COLUMNS).fetchall() == [("id",), ("name",)]
            assert storage.version_of(db, tmp_path / name, 2) == 2


def test_a_step_that_fails_leaves_the_file_as_it_was(tmp_path):
    with contextlib.closing(storage.connect(tmp_path / "file")) as db:
        with pytest.raises(sqlite3.OperationalError):
            storage.bring_forward(db, tmp_path / "file", 1, {0: ["CREATE TABLE one (id INTEGER)", "nonsense"]})
        assert db.execute(COLUMNS).fetchall() == []
        assert storage.version_of(db, tmp_path / "file", 1) == 0


def test_tables_of_a_newer_version_are_refused(tmp_path):
    with contextlib.closing(storage.connect(tmp_path / "file")) as db:
        db.execute("PRAGMA user_version = 3")
        with pytest.raises(UsageError, match="newer"):
            storage.bring_forward(db, tmp_path / "file", 2, STEPS)


def test_many_processes_that_make_one_file_at_once_make_it_once(tmp_path):
    code = (
        "import sys; from pathlib import Path; from tlcourse import storage\n"
        "print('ready', flush=True); sys.stdin.readline(); path = Path(sys.argv[1])\n"
        "db = storage.connect(path, wait_s=30)\n"
        "storage.bring_forward(db, path, 1, {0: ['CREATE TABLE one (id INTEGER)', 'INSERT INTO one VALUES (7)']})\n"
    )
    processes = [started(code, tmp_path / "file") for _ in range(6)]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    assert [process.wait(60) for process in processes] == [0] * 6
    for process in processes:
        process.communicate()
    with contextlib.closing(storage.connect(tmp_path / "file")) as db:
        assert db.execute("SELECT id FROM one").fetchall() == [(7,)]


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (sqlite3.OperationalError("database is locked"), "locked"),
        (sqlite3.OperationalError("database or disk is full"), "full"),
        (sqlite3.OperationalError("disk I/O error"), "full"),
        (sqlite3.OperationalError("attempt to write a readonly database"), "readonly"),
        (sqlite3.OperationalError("unable to open database file"), "readonly"),
        (sqlite3.DatabaseError("database disk image is malformed"), "damaged"),
        (sqlite3.DatabaseError("file is not a database"), "damaged"),
        (sqlite3.OperationalError("no such table: one"), "other"),
    ],
)
def test_what_went_wrong_has_one_of_five_kinds(error, kind):
    assert storage.kind_of(error) == kind


def test_a_sound_file_is_told_from_a_damaged_one(tmp_path):
    path = tmp_path / "file"
    with contextlib.closing(storage.connect(path)) as db:
        db.execute("CREATE TABLE one (text TEXT)")
        db.executemany("INSERT INTO one VALUES (?)", [("x" * 500,)] * 200)
        storage.check_sound(db)
    data = bytearray(path.read_bytes())
    data[4096 : 4096 + 8] = b"\xff" * 8
    path.write_bytes(data)
    with contextlib.closing(storage.connect(path)) as db, pytest.raises(sqlite3.DatabaseError) as raised:
        storage.check_sound(db)
    assert storage.kind_of(raised.value) == "damaged"
