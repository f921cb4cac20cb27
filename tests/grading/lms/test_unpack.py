"""A download is unpacked within bounds; what one person put into it costs that person alone the hand-in."""

from __future__ import annotations

import errno
import stat
import struct
import zipfile
from pathlib import Path

import pytest
from msgspec.structs import replace

from tlcourse.errors import UnableError, UsageError
from tlcourse.grading.intake import archive as unpacking
from tlcourse.grading.intake.copy import CLASS
from tlcourse.grading.lms.handins import find_handins
from tlcourse.grading.lms.roster import Person, Roster
from tlcourse.grading.lms.unpacking import private_unpacking

ROSTER = Roster((Person("1", "jado", "Jane", "Doe"), Person("2", "evil", "Eve", "Vil")))
JANE = "1-1 - Jane Doe - 5 maj 2026 0812"
EVE = "1-2 - Eve Vil - 5 maj 2026 0812"


def packed(path: Path, *entries: tuple[str | zipfile.ZipInfo, bytes]) -> Path:
    """A ZIP with Jane's honest hand-in and these entries."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{JANE}/solution.py", b"# Jane")
        for name, data in entries:
            archive.writestr(name, data)
    return path


def link(name: str, target: str) -> tuple[zipfile.ZipInfo, bytes]:
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info, target.encode()


def special(name: str, kind: int) -> tuple[zipfile.ZipInfo, bytes]:
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = (kind | 0o666) << 16
    return info, b""


HOSTILE = {
    "parent": ([(f"{EVE}/../../evil.py", b"x")], "would lead out of the hand-in"),
    "parent with backslashes": ([(f"{EVE}\\..\\..\\evil.py", b"x")], "would lead out of the hand-in"),
    "link": ([link(f"{EVE}/solution.py", "/etc/passwd")], "it is a symbolic link"),
    "pipe": ([special(f"{EVE}/solution.py", stat.S_IFIFO)], "it is a named pipe"),
    "device": ([special(f"{EVE}/solution.py", stat.S_IFCHR)], "it is a device"),
    "escapes": ([(f"{EVE}/\x1b[2J.py", b"x")], "not seen, or that reorder"),
    "reordering": ([(f"{EVE}/nohtyp\u202eyp.exe", b"x")], "not seen, or that reorder"),
    "case": ([(f"{EVE}/solution.py", b"x"), (f"{EVE}/Solution.py", b"y")], "the name is there also as"),
    "normal forms": ([(f"{EVE}/å.py", b"x"), (f"{EVE}/a\u030a.py", b"y")], "the name is there also as"),
    "file and folder": ([(f"{EVE}/a", b"x"), (f"{EVE}/a/b.py", b"y")], "the name is there also as"),
    "long name": ([(f"{EVE}/{'x' * 300}.py", b"x")], "longer than 255 bytes"),
    "deep": ([(f"{EVE}/{'a/' * 40}b.py", b"x")], "folders deep"),
    "many": ([(f"{EVE}/{i}.py", b"") for i in range(CLASS.files + 1)], "holds more than 2000 files"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_hand_in_is_refused_by_itself(tmp_path, kind):
    entries, reason = HOSTILE[kind]
    handins = find_handins(packed(tmp_path / "in.zip", *entries), tmp_path / "into", roster=ROSTER)
    eve, jane = handins.found
    assert reason in eve.problem
    assert "\x1b" not in eve.problem + eve.owner
    assert list(eve.path.iterdir()) == []
    assert (jane.problem, jane.path.read_bytes()) == ("", b"# Jane")
    written = {path.name for path in tmp_path.rglob("*") if path.is_file()}
    assert written == {"in.zip", "solution.py", "unpacked.json"}


def test_a_bomb_stops_at_the_limit_even_if_it_lies_about_its_size(tmp_path, monkeypatch):
    monkeypatch.setattr(unpacking, "CLASS", replace(CLASS, bytes=2**20))
    archive = packed(tmp_path / "in.zip", (f"{EVE}/solution.py", bytes(8 * 2**20)))
    data = archive.read_bytes()
    size = struct.pack("<L", 8 * 2**20)
    assert data.count(size) == 2
    archive.write_bytes(data.replace(size, struct.pack("<L", 512)))  # in the entry and in the directory
    handins = find_handins(archive, tmp_path / "into", roster=ROSTER)
    eve, jane = handins.found
    assert eve.problem
    assert jane.path.read_bytes() == b"# Jane"
    assert sum(path.stat().st_size for path in (tmp_path / "into").rglob("*") if path.is_file()) < 2**20


def test_files_that_are_too_large_together_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(unpacking, "CLASS", replace(CLASS, bytes=1000))
    entries = [(f"{EVE}/{i}.py", bytes(400)) for i in range(3)]
    eve, jane = find_handins(packed(tmp_path / "in.zip", *entries), tmp_path / "into", roster=ROSTER).found
    assert "all entries unpack to" in eve.problem
    assert jane.problem == ""


def test_damage_in_one_hand_in_is_that_hand_ins(tmp_path):
    archive = packed(tmp_path / "in.zip", (zipfile.ZipInfo(f"{EVE}/solution.py"), b"# this is stored as it is"))
    archive.write_bytes(archive.read_bytes().replace(b"# this is stored", b"# that is stored"))
    eve, jane = find_handins(archive, tmp_path / "into", roster=ROSTER).found
    assert "it is damaged (Bad CRC-32" in eve.problem
    assert jane.problem == ""


def test_an_encrypted_entry_is_that_hand_ins(tmp_path):
    archive = packed(tmp_path / "in.zip", (zipfile.ZipInfo(f"{EVE}/solution.py"), b"secret"))
    data = bytearray(archive.read_bytes())
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = data.rindex(mark)
        data[place + at] |= 1
    archive.write_bytes(data)
    eve, jane = find_handins(archive, tmp_path / "into", roster=ROSTER).found
    assert "encrypted" in eve.problem
    assert jane.problem == ""


@pytest.mark.parametrize("name", ["../evil.py", "/etc/evil.py", "C:/evil.py", "\\evil.py"])
def test_an_entry_of_nobody_that_would_leave_the_folder_refuses_the_archive(tmp_path, name):
    with pytest.raises(UsageError, match=r"evil\.py"):
        find_handins(packed(tmp_path / "in.zip", (name, b"x")), tmp_path / "into", roster=ROSTER)
    assert list(tmp_path.rglob("evil.py")) == []


def test_an_entry_beside_the_hand_ins_of_a_repacked_download_cannot_leave_it_either(tmp_path):
    archive = tmp_path / "in.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr(f"Download/{JANE}/solution.py", b"x")
        opened.writestr("Download/../evil.py", b"x")
    (tmp_path / "into").mkdir()
    (tmp_path / "into" / "kept").write_text("x")
    with pytest.raises(UsageError, match=r"evil\.py"):
        find_handins(archive, tmp_path / "into", roster=ROSTER)
    assert (tmp_path / "into" / "kept").is_file()
    assert list(tmp_path.rglob("evil.py")) == []


@pytest.mark.parametrize("name", [f"1-2 - Eve Vil {'x' * 300} - 5 maj 2026 0812", "1-2 - Eve\0Vil - 5 maj 2026 0812"])
def test_a_hand_in_whose_name_no_file_system_takes_is_unmatched_and_not_lost(tmp_path, name):
    archive = packed(tmp_path / "in.zip", (f"{name.replace(chr(0), '~')}/solution.py", b"x"))
    archive.write_bytes(archive.read_bytes().replace(b"Eve~Vil", b"Eve\0Vil"))
    handins = find_handins(archive, tmp_path / "into", roster=ROSTER)
    assert [handin.owner for handin in handins.found] == ["Jane Doe"]
    assert len(handins.unmatched) == 1
    assert handins.unmatched[0].name.startswith("1-2 - Eve")
    assert "name" in handins.unmatched[0].reason


def test_a_zip_that_was_cut_off_is_refused(tmp_path):
    archive = packed(tmp_path / "in.zip")
    archive.write_bytes(archive.read_bytes()[:-30])
    with pytest.raises(UsageError, match="not a ZIP that can be read") as raised:
        find_handins(archive, tmp_path / "into", roster=ROSTER)
    assert "download it again" in raised.value.remedy


def test_names_without_the_flag_for_utf_8_are_read_as_it_all_the_same(tmp_path):
    archive = tmp_path / "in.zip"
    name = "1-1 - Søren Ærø - 5 maj 2026 0812/solution.py"
    placeholder = "x" * len(name.encode())
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr(placeholder, b"x")
    archive.write_bytes(archive.read_bytes().replace(placeholder.encode(), name.encode()))
    (handin,) = find_handins(archive, tmp_path / "into", roster=Roster((Person("1", "s", "Søren", "Ærø"),))).found
    assert handin.owner == "Søren Ærø"


def test_an_inner_zip_stays_a_file(tmp_path):
    handins = find_handins(packed(tmp_path / "in.zip", (f"{EVE}/all.zip", b"PK")), tmp_path / "into", roster=ROSTER)
    assert handins.found[0].path.name == "all.zip"


def test_a_folder_that_cannot_be_written_says_what_to_do(tmp_path):
    (tmp_path / "into").write_text("a file")
    with pytest.raises(UnableError) as raised:
        find_handins(packed(tmp_path / "in.zip"), tmp_path / "into", roster=ROSTER)
    assert "--out" in raised.value.remedy


def test_a_mere_look_leaves_nothing_and_what_is_unpacked_is_its_owners_alone(tmp_path):
    book = tmp_path / "g.sqlite"
    with private_unpacking(book, only_look=True) as folder:
        (folder / "solution.py").write_text("x")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ZeroDivisionError), private_unpacking(book, only_look=False):
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []
    for number, cause in (
        (errno.ENOSPC, "the disk is full"),
        (errno.EACCES, "permissions are missing"),
        (errno.ENAMETOOLONG, "longer than this file system takes"),
    ):
        where = str(tmp_path / "g.sqlite.unpacked" / "x")
        with pytest.raises(UnableError) as found, private_unpacking(book, only_look=False):
            raise OSError(number, "no", where)
        assert (found.value.what, cause in found.value.cause) == (f"{where} cannot be written: no.", True)
    with pytest.raises(UnableError, match="cannot be read"), private_unpacking(book, only_look=True):
        raise PermissionError(errno.EACCES, "no", "/their/solution.py")
    with private_unpacking(book, only_look=False) as folder:
        (folder / "solution.py").write_text("x")
    assert [path.stat().st_mode & 0o777 for path in (folder, folder / "solution.py")] == [0o700, 0o600]
