"""Everyone's newest attempt is found, in every form of download; and what is not found is said."""

from __future__ import annotations

import datetime
import hashlib
import os
import re
import shutil
import unicodedata
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tlcourse.errors import UsageError
from tlcourse.grading.lms.groups import Group, Groups
from tlcourse.grading.lms.handins import HandIns, find_handins
from tlcourse.grading.lms.matching import Owner
from tlcourse.grading.lms.newest_attempt import holds_a_solution, in_an_hour_that_came_twice
from tlcourse.grading.lms.roster import Person, Roster

FORMS = ("brightspace", "brightspace_zip", "moodle", "moodle_zip", "folders", "files")
TWO = Roster((Person("1", "jado", "Jane", "Doe"), Person("2", "jodo", "John", "Doe")))
NAMESAKES = Roster((Person("100001", "jado1", "Jane", "Doe"), Person("100002", "jado2", "Jane", "Doe")))
PAIR = Groups((Group("Pair", ("1", "2")),))


def lay(folder: Path, *names: str) -> Path:
    """Folders of these names, each with a solution that says its name."""
    for name in names:
        (folder / name).mkdir(parents=True)
        (folder / name / "solution.py").write_text(f"# {name}")
    return folder


def solution(path: Path) -> bytes:
    """The bytes of the solution that a path leads to."""
    found = [path] if path.is_file() else [p for p in sorted(path.rglob("*")) if p.suffix in (".py", ".ipynb", ".zip")]
    return found[0].read_bytes() if found else b""


@pytest.fixture(scope="module")
def found(a_class, roster, groups, tmp_path_factory) -> dict[str, HandIns]:
    """The class, found in each form."""
    into = tmp_path_factory.mktemp("into")
    return {form: find_handins(getattr(a_class, form), into, roster=roster, groups=groups) for form in FORMS}


@pytest.mark.parametrize("form", FORMS)
def test_every_group_of_the_class_is_found_with_its_newest_attempt(found, a_class, form):
    handins = found[form]
    by_members = {handin.members: handin for handin in handins.found}
    assert len(handins.found) == len(by_members) == 40
    for group in a_class.groups:
        handin = by_members[tuple(student.id for student in group.members)]
        assert handin.kind == "group"
        assert handin.owner == group.name
        newest = group.attempts[-1]
        if newest.size and form.endswith("zip"):
            assert "150 MB are allowed" in handin.problem
            assert solution(handin.path) == b""
        else:
            assert handin.problem == ""
            expected = [data for name, data in newest.files.items() if not name.endswith(".md")]
            data = solution(handin.path)
            assert data.rstrip(b"\0") == (expected[0] if expected else b"").rstrip(b"\0")
    assert handins.missing == []


@pytest.mark.parametrize("form", ["brightspace", "brightspace_zip"])
def test_older_attempts_are_kept_and_a_stranger_is_named(found, a_class, form):
    handins = found[form]
    assert [(one.name, one.reason) for one in handins.unmatched] == [
        (a_class.stranger, "nobody in the class list has this name, id or user name")
    ]
    older = {handin.owner: len(handin.older) for handin in handins.found if handin.older}
    assert older == {group.name: len(group.attempts) - 1 for group in a_class.groups if len(group.attempts) > 1}
    assert all(path.exists() for handin in handins.found for path in handin.older)


def test_keys_are_the_same_in_every_form_and_fit_for_file_names(found):
    keys = [sorted(handin.key for handin in handins.found) for handins in found.values()]
    assert all(one == keys[0] for one in keys)
    assert len({key.casefold() for key in keys[0]}) == 40
    assert all(set(key) <= set("abcdefghijklmnopqrstuvwxyz0123456789-") and len(key) <= 51 for key in keys[0])


def test_the_size_of_one_hand_in_costs_no_other_its_place(found):
    problems = [handin.owner for handin in found["brightspace_zip"].found if handin.problem]
    assert problems == ["Group 1"]


def test_the_same_zip_is_unpacked_once_and_an_interrupted_unpacking_again(a_class, roster, groups, tmp_path):
    first = find_handins(a_class.brightspace_zip, tmp_path, roster=roster, groups=groups)
    one = next(handin for handin in first.found if handin.path.is_file())
    before = one.path.stat().st_mtime_ns
    assert find_handins(a_class.brightspace_zip, tmp_path, roster=roster, groups=groups) == first
    assert one.path.stat().st_mtime_ns == before
    next(tmp_path.glob("*/unpacked.json")).unlink()  # killed before the end
    one.path.unlink()
    assert find_handins(a_class.brightspace_zip, tmp_path, roster=roster, groups=groups) == first
    assert one.path.is_file()


def test_without_a_class_list_everyone_is_called_as_the_folder_is(a_class, tmp_path):
    handins = find_handins(a_class.brightspace, tmp_path)
    assert any(handin.owner == "Fremmed Gæst" and handin.members == () for handin in handins.found)
    (notice,) = [notice for notice in handins.notices if "--roster" in notice]
    assert notice[0].isupper()
    assert notice.endswith(".")
    assert handins.missing == []


def test_people_without_a_hand_in_are_missing(tmp_path):
    folder = lay(tmp_path / "in", "1-1 - Jane Doe - Nov 20, 2026 1022 AM")
    assert find_handins(folder, tmp_path, roster=TWO).missing == ["2"]


def test_the_newest_attempt_is_the_latest_date_and_not_the_last_name(tmp_path):
    folder = lay(
        tmp_path / "in",
        "9-9 - Jane Doe - Nov 9, 2026 1022 AM",
        "1-1 - Jane Doe - Nov 20, 2026 1022 AM",
        "2-2 - Jane Doe - Nov 20, 2026 1201 AM",
    )
    (handin,) = find_handins(folder, tmp_path, roster=TWO).found
    assert handin.folder_name == "1-1 - Jane Doe - Nov 20, 2026 1022 AM"
    assert handin.submitted_at == "2026-11-20T10:22:00"
    assert [path.parent.name[0] for path in handin.older] == ["2", "9"]


@pytest.mark.parametrize(("number", "least"), [("2", "1"), ("12", "9"), ("100", "99")])
def test_of_attempts_in_one_minute_the_highest_number_counts_and_staff_are_told(tmp_path, number, least):
    names = [f"7-{one} - Jane Doe - 5 maj 2026 0812" for one in (least, number, "0")]
    handins = find_handins(lay(tmp_path / "in", *names), tmp_path / "into", roster=TWO)
    (handin,) = handins.found
    assert handin.folder_name == names[1]
    assert [path.parent.name for path in handin.older] == [names[0], names[2]]
    assert handins.notices == [f"Jane Doe: 3 attempts in one minute; {names[1]} counts, as its number is the highest."]


def test_an_undated_attempt_beside_a_dated_one_is_not_silently_older(tmp_path):
    names = ("1-1 - Jane Doe - 5 maj 2026 0812", "1-2 - Jane Doe - 6 Floreal 234", "1-3 - John Doe - 5 maj 2026 0812")
    handins = find_handins(lay(tmp_path / "in", *names), tmp_path / "into", roster=TWO)
    assert [handin.members for handin in handins.found] == [("2",)]
    assert [(one.name, one.reason) for one in handins.unmatched] == [
        (name, "2 hand-ins of Jane Doe, and nothing says which is the newest") for name in names[:2]
    ]
    assert handins.missing == ["1"]


def test_an_undated_attempt_that_is_the_dated_one_again_is_its_twin(tmp_path):
    names = ("1-1 - Jane Doe - 5 maj 2026 0812", "1-2 - Jane Doe - 6 Floreal 234")
    folder = lay(tmp_path / "in", *names)
    for name in names:
        (folder / name / "solution.py").write_text("# the same")
    (handin,) = find_handins(folder, tmp_path / "into", roster=TWO).found
    assert (handin.folder_name, handin.twins, handin.older) == (names[0], (names[1],), ())
    assert handin.submitted_at == "2026-05-05T08:12:00"


@pytest.mark.parametrize(
    ("mine", "yours", "same"),
    [
        ({"a.py": "x", "b.py": "y"}, {"a.py": "x", "b.py": "y"}, True),
        ({"a.py": "x", "b.py": "y"}, {"a.py": "y", "b.py": "x"}, False),
        ({"a.py": "x", "b.py": "y"}, {"a.py": "x"}, False),
        ({"m/a.py": "x", "n.py": "z"}, {"k/a.py": "x", "n.py": "z"}, False),
        ({"m/a.py": "x", "n/a.py": "y"}, {"m/a.py": "x", "n/a.py": "y"}, True),
        ({"a.py": "x"}, {"other.py": "x"}, True),  # one file each: what it is called does not count
    ],
)
def test_attempts_are_the_same_if_their_files_and_bytes_are(tmp_path, mine, yours, same):
    for name, files in (("Jane Doe", mine), ("John Doe", yours)):
        for file, text in files.items():
            path = tmp_path / "in" / name / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    handins = find_handins(tmp_path / "in", tmp_path / "into", roster=TWO, groups=PAIR)
    assert [handin.twins for handin in handins.found] == ([("John Doe",)] if same else [])
    assert len(handins.unmatched) == (0 if same else 2)


def test_a_newest_attempt_without_a_solution_hides_no_older_one_in_silence(tmp_path):
    names = ("39-7 - Jane Doe - Oct 3, 2025 1107 AM", "39-7 - Jane Doe - Oct 3, 2025 1130 AM")
    folder = lay(tmp_path / "in", *names)
    (folder / names[1] / "solution.py").rename(folder / names[1] / "report.pdf")
    handins = find_handins(folder, tmp_path / "into", roster=TWO)
    assert handins.found[0].folder_name == names[1]
    assert handins.notices == [
        f"Jane Doe: the newest attempt, {names[1]}, counts and holds no .py, .ipynb or ZIP; "
        f"an older one does: {names[0]}."
    ]


@pytest.mark.parametrize(
    ("day", "newest", "said"),
    [
        ("26 Oct 2025", 1, True),
        ("2 Nov 2025", 1, True),
        ("19 Oct 2025", 0, False),
        ("27 Oct 2025", 0, False),
        ("3 May 2026", 0, False),
    ],
)
def test_in_the_hour_that_comes_twice_the_number_tells_which_attempt_is_the_newest(tmp_path, day, newest, said):
    names = (f"39-1 - Jane Doe - {day} 250 AM", f"39-2 - Jane Doe - {day} 210 AM")
    handins = find_handins(lay(tmp_path / "in", *names), tmp_path / "into", roster=TWO)
    assert handins.found[0].folder_name == names[newest]
    assert [notice.split(";")[0] for notice in handins.notices] == [
        "Jane Doe: 2 attempts in an hour that came twice"
    ] * said


@pytest.mark.parametrize(
    ("night", "twice"),
    [
        ("2025-10-26 01:00", True),
        ("2025-10-26 03:59", True),
        ("2025-10-26 00:59", False),
        ("2025-10-26 04:00", False),
        ("2026-10-25 02:30", True),
        ("2027-10-31 02:30", True),
        ("2027-10-24 02:30", False),
        ("2026-11-01 01:30", True),
        ("2027-11-07 01:30", True),
        ("2026-11-08 01:30", False),
        ("2029-04-01 02:30", True),
        ("2024-04-07 02:30", True),
        ("2029-04-08 02:30", False),
        ("2026-05-03 02:30", False),
        ("2025-10-27 02:30", False),
        ("2025-10-26 02:30+01:00", False),  # a zone says which of the two hours it was
    ],
)
def test_the_hours_that_may_come_twice_are_those_of_one_sunday_in_autumn(night, twice):
    one = datetime.datetime.fromisoformat(night)
    assert in_an_hour_that_came_twice(one, one.replace(minute=5)) is twice
    assert not in_an_hour_that_came_twice(one, one + datetime.timedelta(hours=1))


def test_what_could_be_graded_is_source_a_notebook_or_a_zip_wherever_it_lies(tmp_path):
    for name, holds in {"a.py": True, "a.IPYNB": True, "a.Zip": True, "a.pdf": False, "py": False}.items():
        folder = tmp_path / f"with {name.replace('.', ' ')}"
        (folder / "deep").mkdir(parents=True)
        (folder / "deep" / name).write_text("x")
        assert holds_a_solution(folder / "deep" / name) is holds_a_solution(folder) is holds
    lay(tmp_path, "named.zip")
    (tmp_path / "named.zip" / "solution.py").unlink()
    assert not holds_a_solution(tmp_path / "named.zip")  # a folder is what it holds, whatever it is called


def test_a_zip_beside_source_is_no_more_than_a_part_of_the_hand_in(tmp_path):
    folder = lay(tmp_path / "in", "Jane Doe", "John Doe")
    for name in ("Jane Doe", "John Doe"):
        (folder / name / "data.zip").write_text("x")
    (folder / "John Doe" / "solution.py").rename(folder / "John Doe" / "solution.ipynb")
    found = find_handins(folder, tmp_path / "into", roster=TWO).found
    assert [handin.path for handin in found] == [folder / "Jane Doe", folder / "John Doe"]


def test_whoever_is_in_two_groups_and_in_no_class_list_is_named_by_the_id(tmp_path):
    groups = Groups((Group("T1", ("1", "9")), Group("T2", ("9",))))
    handins = find_handins(lay(tmp_path / "in", "T1", "T2"), tmp_path / "into", roster=TWO, groups=groups)
    assert handins.notices[0] == "9 is in two groups: T1 and T2."


def test_whoever_is_in_two_groups_is_named_before_anything_is_graded(tmp_path):
    groups = Groups((Group("T1", ("1", "2")), Group("T2", ("2",))))
    handins = find_handins(lay(tmp_path / "in", "T1", "T2"), tmp_path / "into", roster=TWO, groups=groups)
    assert handins.notices[0] == "John Doe (2) is in two groups: T1 and T2."


def test_links_are_no_part_of_an_attempt_and_are_not_followed(tmp_path):
    folder = lay(tmp_path / "in", "Jane Doe", "John Doe")
    for name in ("Jane Doe", "John Doe"):
        (folder / name / "solution.py").write_text("# ours")
        (folder / name / "secret").symlink_to("/nowhere")
        (folder / name / "notes").write_text("x")
    (folder / "John Doe" / "more").symlink_to(folder / "Jane Doe" / "notes")
    (handin,) = find_handins(folder, tmp_path / "into", roster=TWO, groups=PAIR).found
    assert handin.twins == ("John Doe",)


def test_namesakes_with_ids_are_two_people(tmp_path):
    folder = lay(tmp_path / "in", "100001 Jane Doe", "100002 Jane Doe")
    handins = find_handins(folder, tmp_path / "into", roster=NAMESAKES)
    assert sorted((handin.members, handin.owner) for handin in handins.found) == [
        (("100001",), "Jane Doe"),
        (("100002",), "Jane Doe"),
    ]
    assert len({handin.key for handin in handins.found}) == 2
    assert (handins.unmatched, handins.missing) == ([], [])


def test_what_a_zip_refused_and_no_file_system_can_hold_is_not_forgotten(tmp_path):
    path = tmp_path / "in.zip"
    names = ("1-1 - Jane Doe - 5 maj 2026 0812", "1-2 - John Doe - 5 maj 2026 0812", "1-3 - " + "n" * 300)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{names[0]}/solution.py", "x")
        archive.writestr(f"{names[1]}/../solution.py", "x")
        archive.writestr(f"{names[2]}/solution.py", "x")
    handins = find_handins(path, tmp_path / "into", roster=TWO)
    assert [(handin.owner, bool(handin.problem)) for handin in handins.found] == [
        ("Jane Doe", False),
        ("John Doe", True),
    ]
    assert "would lead out of the hand-in" in handins.found[1].problem
    assert [(one.name, "refused" in one.reason) for one in handins.unmatched] == [(names[2], True)]


def test_a_zip_with_a_name_that_no_system_call_takes_is_not_forgotten(tmp_path):
    path = tmp_path / "in.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("Jane Doe/solution.py", "x")
        archive.writestr("Bad?name/solution.py", "x")
    path.write_bytes(path.read_bytes().replace(b"Bad?name", b"Bad\0name"))
    handins = find_handins(path, tmp_path / "into", roster=TWO)
    assert [handin.owner for handin in handins.found] == ["Jane Doe"]
    ((name, reason),) = [(one.name, one.reason) for one in handins.unmatched]
    assert name.startswith("Bad")
    assert "NUL" in reason


@pytest.mark.parametrize(
    ("name", "readable"),
    [
        ("Søren Æblegård", "soren-aeblegard"),
        ("Jörg Groß", "jorg-gross"),
        ("  -- O'Neill, Ann! --", "o-neill-ann"),
        ("李小龍", "handin"),
        ("a" * 39 + " bcd", "a" * 39),
        ("a" * 60, "a" * 40),
        ("- " + "a" * 60, "a" * 40),
        ("x -", "x"),
    ],
)
def test_a_key_can_be_read_and_is_another_for_every_name(tmp_path, name, readable):
    folder = lay(tmp_path / "in", name, "Somebody Else")
    keys = {handin.owner: handin.key for handin in find_handins(folder, tmp_path / "into").found}
    (key,) = (key for owner, key in keys.items() if owner != "Somebody Else")
    front, _, digest = key.rpartition("-")
    assert front == readable
    assert re.fullmatch("[0-9a-f]{10}", digest)
    assert not keys["Somebody Else"].endswith(digest)


def test_the_key_of_a_person_is_that_of_every_earlier_version(tmp_path):
    # a gradebook finds its rows by it
    (handin,) = find_handins(lay(tmp_path / "in", "Jane Doe"), tmp_path / "into", roster=TWO).found
    assert handin.key == "jane-doe-" + hashlib.sha256(b"person\x001").hexdigest()[:10]


def test_of_a_group_whose_members_each_handed_in_the_newest_counts_and_staff_are_told(tmp_path):
    names = ("1-1 - Jane Doe - 5 maj 2026 0812", "1-2 - John Doe - 6 maj 2026 0812")
    handins = find_handins(lay(tmp_path / "in", *names), tmp_path / "into", roster=TWO, groups=PAIR)
    (handin,) = handins.found
    assert (handin.folder_name, handin.members) == (names[1], ("1", "2"))
    assert handins.notices == [f"Pair: 2 members handed in; the newest, {names[1]}, counts."]
    alone = find_handins(
        lay(tmp_path / "one", *(f"1-{n} - Jane Doe - {n} maj 2026 0812" for n in (1, 2))),
        tmp_path / "into",
        roster=TWO,
        groups=PAIR,
    )
    assert alone.notices == []


def test_whoever_is_in_no_group_is_named_and_a_group_is_not(tmp_path):
    three = Roster((*TWO.people, Person("3", "kim", "Kim", "Roe")))
    folder = lay(tmp_path / "in", "Jane Doe", "Kim Roe")
    handins = find_handins(folder, tmp_path / "into", roster=three, groups=PAIR)
    assert [(handin.kind, handin.owner) for handin in handins.found] == [("person", "Kim Roe"), ("group", "Pair")]
    assert handins.notices == ["Kim Roe handed in and is in no group."]


def test_members_of_groups_whom_the_class_list_lacks_are_named(tmp_path):
    groups = Groups((*PAIR.groups, Group("Trio", tuple("abcdef"))))
    handins = find_handins(lay(tmp_path / "in", "Jane Doe"), tmp_path / "into", roster=TWO, groups=groups)
    assert handins.notices == [
        "6 of the groups' members are not in the class list: "
        "a (Trio), b (Trio), c (Trio), d (Trio), e (Trio) and 1 more."
    ]


def test_the_platform_is_named(tmp_path):
    folders = {
        "brightspace": "1-1 - Jane Doe - 5 maj 2026 0812",
        "moodle": "Jane Doe_81_assignsubmission_file_",
        "folders": "Jane Doe",
    }
    for platform, name in folders.items():
        assert find_handins(lay(tmp_path / platform, name), tmp_path / "into", roster=TWO).platform == platform


def test_a_stranger_is_unmatched_with_the_reason(tmp_path):
    handins = find_handins(lay(tmp_path / "in", "Jane Doe", "Kim Roe"), tmp_path / "into", roster=TWO)
    assert [(one.name, one.reason) for one in handins.unmatched] == [
        ("Kim Roe", "nobody in the class list has this name, id or user name")
    ]


def test_whose_a_folder_is_the_staff_may_say_by_any_name_of_the_lists_and_it_is_told_what_they_said(tmp_path):
    folder = lay(tmp_path / "in", "A draft", "Jane Doe", "Who?", "Zoe")
    known = {"a DRAFT": "nobody", "Who?": "jodo"}
    handins = find_handins(folder, tmp_path / "into", roster=TWO, known=known)
    assert [(one.folder_name, one.owner, one.members) for one in handins.found] == [
        ("Jane Doe", "Jane Doe", ("1",)),
        ("Who?", "John Doe", ("2",)),
    ]
    assert ([one.name for one in handins.unmatched], handins.missing) == (["Zoe"], [])
    assert handins.settled == {"A draft": "nobody", "Who?": "jodo"}
    assert handins.owners == {"A draft": None, "Who?": Owner("person", "John Doe", ("2",), "2")}
    assert handins.notices == ["A draft is nobody's, as the staff said.", "Who? is jodo's, as the staff said."]
    pair = find_handins(folder, tmp_path / "into", groups=PAIR, known={"Who?": "Pair"})
    assert [(one.kind, one.owner, one.members) for one in pair.found] == [("group", "Pair", ("1", "2"))]
    with pytest.raises(UsageError, match=r"--is names Jim, which is nobody for sure\."):
        find_handins(folder, tmp_path / "into", roster=TWO, known={"Zoe": "Jim"})


def test_of_one_folder_alone_that_a_list_of_groups_names_its_file_is_not_taken_for_the_hand_in(tmp_path):
    (handin,) = find_handins(lay(tmp_path / "in", "Pair"), tmp_path / "into", groups=PAIR).found
    assert (handin.owner, handin.folder_name, handin.members) == ("Pair", "Pair", ("1", "2"))


def test_times_that_moodles_worksheet_gives_are_the_earliest_of_the_members(tmp_path):
    roster = Roster(TWO.people, times={"1": "2026-05-06T08:12:00", "2": "2026-05-05T08:12:00"})
    moodle = [f"{who}_assignsubmission_file_" for who in ("Jane Doe_81", "Team-7-John Doe_82")]
    handins = find_handins(lay(tmp_path / "in", *moodle), tmp_path / "into", roster=roster)
    assert {one.owner: one.submitted_at for one in handins.found} == {
        "Jane Doe": "2026-05-06T08:12:00",
        "Team-7": "2026-05-05T08:12:00",
    }
    pair = find_handins(lay(tmp_path / "one", moodle[0]), tmp_path / "into", roster=roster, groups=PAIR)
    assert [one.submitted_at for one in pair.found] == ["2026-05-05T08:12:00"]
    late = Roster(TWO.people, times={"2": "2026-05-05T08:12:00"})
    nothing = find_handins(tmp_path / "one", tmp_path / "into", roster=late)
    assert [one.submitted_at for one in nothing.found] == [""]  # of Jane, the worksheet says nothing
    folders = find_handins(lay(tmp_path / "folders", "Jane Doe", "John Doe"), tmp_path / "into", roster=roster)
    assert [one.submitted_at for one in folders.found] == ["", ""]  # the worksheet is of another download


def test_everybody_of_the_lists_and_their_groups_are_kept_beside_what_was_found(tmp_path):
    folder = lay(tmp_path / "in", "Jane Doe")
    trio = Groups((Group("Trio", ("1", "2", "9")),))
    both = find_handins(folder, tmp_path / "into", roster=TWO, groups=trio)
    assert both.people == (*TWO.people, Person("9"))
    assert both.groups == {"1": "Trio", "2": "Trio", "9": "Trio"}
    assert both.listed == ("1", "2")
    alone = find_handins(folder, tmp_path / "into", roster=TWO)
    assert (alone.people, alone.groups, alone.listed) == (TWO.people, {}, ("1", "2"))
    neither = find_handins(folder, tmp_path / "into")
    assert (neither.people, neither.groups, neither.listed) == ((), {}, None)


def test_when_older_attempts_were_handed_in_and_what_the_platform_calls_late_is_kept(tmp_path):
    names = [f"1-1 - Jane Doe - {day} maj 2026 0812" for day in (7, 6, 5)]
    (handin,) = find_handins(lay(tmp_path / "in", *names), tmp_path / "into", roster=TWO).found
    assert (handin.submitted_at, handin.called_late) == ("2026-05-07T08:12:00", None)
    assert handin.older_at == ("2026-05-06T08:12:00", "2026-05-05T08:12:00")
    canvas = tmp_path / "canvas"
    canvas.mkdir()
    for name in ("doejane_5501_991_solution.py", "doejohn_LATE_5502_993_solution.py"):
        (canvas / name).write_text("x")
    numbered = Roster((Person("1", "a", "Jane", "Doe", "", "5501"), Person("2", "b", "John", "Doe", "", "5502")))
    found = find_handins(canvas, tmp_path / "into", roster=numbered).found
    assert [(one.owner, one.called_late) for one in found] == [("Jane Doe", False), ("John Doe", True)]


def test_who_hands_in_together_on_gradescope_is_their_group_or_a_pair_with_a_key_of_its_own(tmp_path):
    folder = lay(tmp_path / "in", "submission_7", "submission_8")
    names = [("Jane Doe", "John Doe"), ("John Doe", "Jane Doe")]
    about = [
        f"submission_{n}:\n  :submitters:\n"
        + "".join(f"  - :name: {who}\n" for who in both)
        + f"  :created_at: 2026-05-0{n} 08:12:00 Z\n"
        for n, both in zip((7, 8), names, strict=True)
    ]
    (folder / "submission_metadata.yml").write_text("".join(about))
    handins = find_handins(folder, tmp_path / "into", roster=TWO)
    (handin,) = handins.found
    assert (handin.kind, handin.owner, handin.members) == ("group", "John Doe and Jane Doe", ("2", "1"))
    assert handin.key.rpartition("-")[2] == hashlib.sha256(b"group\x001\x002").hexdigest()[:10]
    assert handins.notices == [
        "John Doe and Jane Doe: 2 members handed in; the newest, submission_8, counts.",
        "One hand-in is a group's (John Doe and Jane Doe): --groups says who is in it.",
    ]
    (pair,) = find_handins(folder, tmp_path / "into", roster=TWO, groups=PAIR).found
    assert (pair.kind, pair.owner, pair.members, pair.folder_name) == ("group", "Pair", ("1", "2"), "submission_8")


def test_a_folder_that_people_named_is_looked_through_for_a_name(tmp_path):
    folder = lay(tmp_path / "in", "ex2_final_Jane Doe_v3", "John Doe")
    assert [h.owner for h in find_handins(folder, tmp_path / "into", roster=TWO).found] == ["Jane Doe", "John Doe"]


def test_one_date_that_can_be_read_one_way_only_settles_the_order_for_the_class(tmp_path):
    names = ["1-1 - Jane Doe - 03-04-2026 0812", "1-2 - Jane Doe - 02-05-2026 0812", "1-3 - John Doe - 03-25-2026 0812"]
    handins = find_handins(lay(tmp_path / "in", *names), tmp_path, roster=TWO)
    jane = next(handin for handin in handins.found if handin.owner == "Jane Doe")
    assert jane.submitted_at == "2026-03-04T08:12:00"
    assert not any("day before the month" in notice for notice in handins.notices)
    ambiguous = find_handins(lay(tmp_path / "other", *names[:2]), tmp_path, roster=TWO)
    assert ambiguous.found[0].submitted_at == "2026-05-02T08:12:00"
    assert any("day before the month" in notice for notice in ambiguous.notices)


def test_a_date_that_is_not_understood_matters_only_where_there_are_several(tmp_path):
    one = find_handins(lay(tmp_path / "a", "1-1 - Jane Doe - 5 Floréal 234"), tmp_path, roster=TWO)
    assert [handin.submitted_at for handin in one.found] == [""]
    assert any("was not understood" in notice for notice in one.notices)
    two = lay(tmp_path / "b", "1-1 - Jane Doe - 5 Floréal 234", "1-2 - Jane Doe - 6 Floréal 234")
    handins = find_handins(two, tmp_path, roster=TWO)
    assert handins.found == []
    assert {one.reason for one in handins.unmatched} == {"2 hand-ins of Jane Doe, and nothing says which is the newest"}


def test_members_of_a_group_who_each_have_a_folder_are_one_hand_in_only_if_it_is_the_same(tmp_path):
    pair = Groups((Group("Pair", ("1", "2")),))
    same = lay(tmp_path / "same", "Jane Doe", "John Doe")
    for name in ("Jane Doe", "John Doe"):
        (same / name / "solution.py").write_text("# ours")
    (handin,) = find_handins(same, tmp_path, roster=TWO, groups=pair).found
    assert (handin.folder_name, handin.twins) == ("Jane Doe", ("John Doe",))
    handins = find_handins(lay(tmp_path / "different", "Jane Doe", "John Doe"), tmp_path, roster=TWO, groups=pair)
    assert handins.found == []
    assert len(handins.unmatched) == 2


def test_a_group_of_a_download_without_groups_belongs_to_those_who_handed_in(tmp_path):
    folder = lay(tmp_path / "in", "1-1 - Pair - Jane Doe - 5 maj 2026 0812", "1-2 - Pair - John Doe - 5 maj 2026 0912")
    handins = find_handins(folder, tmp_path, roster=TWO)
    assert [(h.kind, h.owner, set(h.members)) for h in handins.found] == [("group", "Pair", {"1", "2"})]
    assert handins.notices[-1] == "One hand-in is a group's (Pair): --groups says who is in it."
    names = [f"1-1 - {who} - 5 maj 2026 0812" for who in ("Pair - Jane Doe", "Other - John Doe")]
    two = find_handins(lay(tmp_path / "two", *names), tmp_path / "into", roster=TWO)
    assert two.notices == ["2 hand-ins are groups' (Other, …): --groups says who is in them."]


def test_what_a_batch_wrote_into_the_same_folder_is_no_hand_in(tmp_path):
    folder = lay(tmp_path / "in", "Jane Doe")
    (folder / "results" / "unpacked").mkdir(parents=True)
    handins = find_handins(folder, folder / "results" / "unpacked", roster=TWO)
    assert (len(handins.found), handins.unmatched) == (1, [])


def test_junk_and_pages_are_no_hand_ins_and_other_files_are_said_to_be_left_aside(tmp_path):
    folder = lay(tmp_path / "in", "Jane Doe")
    for name in (".DS_Store", "Thumbs.db", "index.html", "._Jane Doe"):
        (folder / name).write_bytes(b"\0")
    (folder / "__MACOSX").mkdir()
    (folder / "classlist.csv").write_text("x")
    handins = find_handins(folder, tmp_path, roster=TWO)
    assert [handin.owner for handin in handins.found] == ["Jane Doe"]
    assert handins.unmatched == []
    assert [notice.split(" was")[0] for notice in handins.notices] == ["classlist.csv"]


@pytest.mark.parametrize("above", ["Exercise 2 Download Nov 24, 2026 1129 PM", "a/b/c"])
def test_a_download_that_lies_some_folders_down_is_found(tmp_path, above):
    lay(tmp_path / "in" / above, "1-1 - Jane Doe - 5 maj 2026 0812")
    (tmp_path / "in" / above / "index.html").write_text("x")
    (handin,) = find_handins(tmp_path / "in", tmp_path, roster=TWO).found
    assert handin.owner == "Jane Doe"


@pytest.mark.parametrize("packed", [False, True])
def test_the_only_hand_in_of_a_download_is_called_as_its_folder(tmp_path, packed):
    folder = lay(tmp_path / "in", "Jane Doe")
    if packed:
        folder = Path(shutil.make_archive(str(tmp_path / "late"), "zip", folder))
    assert [one.owner for one in find_handins(folder, tmp_path / "into").found] == ["Jane Doe"]


def test_a_solution_one_folder_down_or_in_the_only_zip_is_what_counts(tmp_path):
    folder = tmp_path / "in"
    (folder / "Jane Doe" / "ex2").mkdir(parents=True)
    (folder / "Jane Doe" / "ex2" / "solution.py").write_text("x")
    (folder / "John Doe").mkdir()
    (folder / "John Doe" / "report.pdf").write_text("x")
    (folder / "John Doe" / "ex2.zip").write_text("x")
    jane, john = find_handins(folder, tmp_path, roster=TWO).found
    assert jane.path == folder / "Jane Doe" / "ex2" / "solution.py"
    assert john.path == folder / "John Doe"  # of which the ZIP is taken, and the report with it where one is marked


def test_moodle_files_without_folders_are_gathered_by_person(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("solution.py", "weights_1.bin", "assignsubmission_file_x"):
        (folder / f"Jane Doe_81_assignsubmission_file_{name}").write_text(name)
    (folder / "Jane Doe_81_assignsubmission_onlinetext_onlinetext.html").write_text("see the file")
    (handin,) = find_handins(folder, tmp_path, roster=TWO).found
    assert {path.name for path in handin.path.iterdir()} == {"solution.py", "weights_1.bin", "assignsubmission_file_x"}
    assert handin.folder_name == "Jane Doe_81_assignsubmission_file_"
    (again,) = find_handins(folder, tmp_path, roster=TWO).found
    assert again == handin


def test_of_files_that_are_gathered_links_are_left_and_one_without_a_name_keeps_the_platforms(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    secret = tmp_path / "secret"
    secret.write_text("mine")
    (folder / "Jane Doe_81_assignsubmission_file_").write_text("nameless")
    (folder / "Jane Doe_81_assignsubmission_file_solution.py").write_text("x")
    (folder / "Jane Doe_81_assignsubmission_file_link").symlink_to(secret)
    (handin,) = find_handins(folder, tmp_path / "into", roster=TWO).found
    assert {path.name: path.read_text() for path in handin.path.iterdir()} == {
        "Jane Doe_81_assignsubmission_file_": "nameless",
        "solution.py": "x",
    }


def test_a_moodle_group_is_one_hand_in_also_without_a_list_of_groups(tmp_path):
    folder = lay(tmp_path / "in", *(f"Team-7-{n}_assignsubmission_file_" for n in ("Jane Doe_81", "John Doe_82")))
    for path in folder.rglob("solution.py"):
        path.write_text("# ours")
    for numbers in (("", ""), ("81", "82")):
        roster = Roster(
            (Person("1", "", "Jane", "Doe", "", numbers[0]), Person("2", "", "John", "Doe", "", numbers[1]))
        )
        (handin,) = find_handins(folder, tmp_path, roster=roster).found
        assert (handin.kind, handin.owner, handin.members) == ("group", "Team-7", ("1", "2"))


def test_moodle_folders_in_which_a_tool_put_underscores_for_spaces_are_found(tmp_path):
    folder = lay(tmp_path / "in", "Jane_Doe_81_assignsubmission_file_")
    (handin,) = find_handins(folder, tmp_path, roster=TWO).found
    assert handin.owner == "Jane Doe"


def test_moodle_folders_since_4_1_have_no_last_underscore(tmp_path):
    folder = lay(tmp_path / "in", "Jane Doe_81_assignsubmission_file")
    (handin,) = find_handins(folder, tmp_path, roster=TWO).found
    assert (handin.owner, handin.folder_name) == ("Jane Doe", "Jane Doe_81_assignsubmission_file")


def test_canvas_files_are_gathered_by_the_platforms_number(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "doejane_5501_991_solution.py").write_text("x")
    (folder / "doejane_5501_992_weights.bin").write_text("x")
    (folder / "doejohn_LATE_5502_993_solution.py").write_text("x")
    roster = Roster((Person("1", "a", "Jane", "Doe", "", "5501"), Person("2", "b", "John", "Doe", "", "5502")))
    handins = find_handins(folder, tmp_path, roster=roster)
    assert [handin.members for handin in handins.found] == [("1",), ("2",)]
    assert {path.name for path in handins.found[0].path.iterdir()} == {"solution.py", "weights.bin"}


def test_brightspace_files_without_folders_are_gathered_by_attempt(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("Nov 20, 2026 1022 AM - solution.py", "Nov 20, 2026 1022 AM - my - weights.bin"):
        (folder / f"1-1 - jado - Jane Doe - {name}").write_text(name)
    (folder / "1-2 - Jane Doe - Nov 21, 2026 1022 AM - solution.ipynb").write_text("x")
    (folder / "1-3 - John Doe - Nov 21, 2026 1022 AM - solution.py").write_text("x")
    jane, john = find_handins(folder, tmp_path / "into", roster=TWO).found
    assert jane.path.name.endswith("solution.ipynb")
    assert jane.folder_name == "1-2 - Jane Doe - Nov 21, 2026 1022 AM"
    assert {path.name for path in jane.older[0].iterdir()} == {"solution.py", "my - weights.bin"}
    assert john.path.is_file()


@pytest.mark.parametrize("what", ["missing", "text", "empty zip", "empty folder", "pipe"])
def test_what_is_no_download_is_refused_with_what_to_name(tmp_path, what):
    path = tmp_path / "in.zip"
    if what == "text":
        path.write_text("hello")
    elif what == "empty zip":
        zipfile.ZipFile(path, "w").close()
    elif what == "empty folder":
        path.mkdir()
    elif what == "pipe":
        os.mkfifo(path)
    with pytest.raises(UsageError) as raised:
        find_handins(path, tmp_path / "into", roster=TWO)
    error = raised.value
    assert str(path) in error.what
    for sentence in (
        (error.remedy, error.cause) if error.cause or what in ("missing", "empty folder") else (error.remedy,)
    ):
        assert sentence[0].islower() and sentence[1].islower() and sentence.endswith(".")


def test_a_folder_name_that_is_not_unicode_breaks_nothing(tmp_path):
    folder = lay(tmp_path / "in", "Jane Doe")
    Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9")).mkdir()
    handins = find_handins(folder, tmp_path, roster=TWO)
    assert len(handins.found) == len(handins.unmatched) == 1
    assert len(find_handins(folder, tmp_path).found) == 2


@settings(max_examples=40)
@given(st.lists(st.text("abÆøA\u030a -_.'=", min_size=1, max_size=12), min_size=1, max_size=6, unique=True))
def test_nothing_is_dropped_whatever_the_folders_are_called(tmp_path_factory, names):
    names = [name for name in names if name.strip(". ") and not name.startswith(("._", ".DS"))]
    kept = {unicodedata.normalize("NFC", name): name for name in names}
    folder = tmp_path_factory.mktemp("in")
    if not kept:
        return
    lay(folder / "in", *kept.values(), "Jane Doe")
    handins = find_handins(folder / "in", folder, roster=TWO)
    assert {one.name for one in handins.unmatched} | {h.folder_name for h in handins.found} == {
        *kept.values(),
        "Jane Doe",
    }
    without = find_handins(folder / "in", folder)
    said = {h.folder_name for h in without.found} | {t for h in without.found for t in h.twins}
    said |= {one.name for one in without.unmatched}
    assert said == {*kept.values(), "Jane Doe"}
    shutil.rmtree(folder)
