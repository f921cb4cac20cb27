"""Whose a hand-in is follows from a name: no number and no first word gives one person's work to another."""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tlcourse.errors import UsageError
from tlcourse.grading.lms.groups import Group, Groups, read_groups
from tlcourse.grading.lms.handins import HandIns, find_handins
from tlcourse.grading.lms.marks import Mark, one_mark_each
from tlcourse.grading.lms.matching import Label, Owner, index_class, owner_of
from tlcourse.grading.lms.platforms import own_names
from tlcourse.grading.lms.roster import Person, Roster, read_roster

UNIVERSITY = Roster(
    (
        Person("48211", "agua", "Anne", "Agurk", "agua@example.org"),
        Person("48212", "tomb", "Bo", "Tomat", "tomb@example.org"),
        Person("48213", "logc", "Cia", "O'Løg", "logc@example.org"),
    )
)
CANVAS = Roster(
    tuple(Person(p.id, p.username, p.first, p.last, "", str(5501 + i)) for i, p in enumerate(UNIVERSITY.people)),
    "canvas",
)
WORKSHEET = (
    'Identifier,"Full name","Email address",Status,Group,Grade,"Maximum Grade"\n'
    "Participant 1,Anne Agurk,p1@example.org,,Group 1,,2\n"
    "Participant 2,Bo Tomat,p2@example.org,,Group 1,,2\n"
    "Participant 3,Cia Løg,p3@example.org,,Group 2,,2\n"
    "Participant 4,Dan Radise,p4@example.org,,Group 2,,2\n"
    "Participant 5,Eva Porre,p5@example.org,,Group 3,,2\n"
    "Participant 6,Fie Kål,p6@example.org,,Group 3,,2\n"
)


def packed(folder: Path, files: dict[str, str]) -> Path:
    """A download with these files."""
    with zipfile.ZipFile(folder / "in.zip", "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return folder / "in.zip"


def found(folder: Path, files: dict[str, str], roster: Roster | None, groups: Groups | None = None) -> HandIns:
    return find_handins(packed(folder, files), folder / "into", roster=roster, groups=groups)


def whose(handins: HandIns) -> dict[str, tuple[str, ...]]:
    return {handin.folder_name: handin.members for handin in handins.found}


# -- Moodle ------------------------------------------------------------------------------------------------------------


def test_the_number_of_a_moodle_team_is_not_a_participants(tmp_path):
    (tmp_path / "worksheet.csv").write_text(WORKSHEET, encoding="utf-8")
    roster = read_roster(tmp_path / "worksheet.csv")
    groups = read_groups(tmp_path / "worksheet.csv", roster)
    names = [f"Group {group}_{number}_assignsubmission_file" for group, number in ((1, 5), (2, 1), (3, 3))]
    files = {f"{name}/solution.py": name for name in names}
    handins = found(tmp_path, files, roster, groups)
    assert whose(handins) == {
        name: (f"p{2 * i + 1}@example.org", f"p{2 * i + 2}@example.org") for i, name in enumerate(names)
    }
    assert (handins.missing, handins.unmatched) == ([], [])
    without = found(tmp_path, files, roster)
    assert without.found == []
    assert without.unmatched[0].reason == (
        "the number 5 is that of Eva Porre (p5@example.org), and Group 1 is not their name; "
        "if it is a group's: name the groups with --groups"
    )


def test_moodles_default_group_is_somebodys_and_nobody_is_guessed(tmp_path):
    handins = found(tmp_path, {"Default group_assignsubmission_file/solution.py": "x"}, UNIVERSITY)
    assert [(one.name, one.reason) for one in handins.unmatched] == [
        (
            "Default group_assignsubmission_file",
            "it is of somebody who is in no group on Moodle, and Moodle does not say of whom",
        )
    ]


@pytest.mark.parametrize("word", ["Participant", "Deltager"])
def test_whose_names_moodle_hides_are_known_by_its_own_numbers_alone(tmp_path, word):
    (tmp_path / "worksheet.csv").write_text(f'Identifier,Status,Grade,"Maximum Grade"\n{word} 81,,,2\n{word} 82,,,2\n')
    roster = read_roster(tmp_path / "worksheet.csv")
    handins = found(
        tmp_path,
        {f"{word}_81_assignsubmission_file/solution.py": "a", "Group 1_82_assignsubmission_file/solution.py": "b"},
        roster,
    )
    assert whose(handins) == {f"{word}_81_assignsubmission_file": ("81",)}
    assert [one.name for one in handins.unmatched] == ["Group 1_82_assignsubmission_file"]


def test_an_apostrophe_that_moodle_drops_makes_no_other_name(tmp_path):
    handins = found(tmp_path, {"Cia OLøg_77_assignsubmission_file/solution.py": "x"}, UNIVERSITY)
    assert whose(handins) == {"Cia OLøg_77_assignsubmission_file": ("48213",)}


def test_a_number_of_moodle_is_not_a_student_number(tmp_path):
    handins = found(tmp_path, {"Anne Agurk_48212_assignsubmission_file/solution.py": "x"}, UNIVERSITY)
    assert whose(handins) == {"Anne Agurk_48212_assignsubmission_file": ("48211",)}


def test_a_mark_goes_into_no_row_that_has_the_same_number_of_another_kind():
    rows = [Person("48212", "", "Anne", "Agurk"), Person("5", "", "", "", "", "5")]
    bo = Roster((Person("48212", "tomb", "Bo", "Tomat"),))
    with pytest.raises(UsageError, match="not in the template"):
        one_mark_each([Mark("48212", 2.0)], bo, rows)


# -- Canvas ------------------------------------------------------------------------------------------------------------

UPLOADS = {
    "agurkanne_5501_9001_solution.py": "1",
    "tomatbo_LATE_5502_9002_solution-1.py": "2",
    "oløgcia_5503_9003_solution-1.py": "3",
    "oløgcia_5503_9004_helpers-1.py": "4",
}


def test_canvas_files_have_their_own_names_again(tmp_path):
    handins = found(tmp_path, UPLOADS, CANVAS)
    cia = next(handin for handin in handins.found if handin.members == ("48213",))
    assert {path.name for path in cia.path.iterdir()} == {"solution.py", "helpers.py"}
    assert len(handins.found) == 3
    assert handins.notices == [
        "Canvas had numbered 3 files that were handed in again, such as solution-1.py: they have their own names again."
    ]


@pytest.mark.parametrize(
    ("files", "names"),
    [
        (["solution-1.py"], [("solution.py",)]),
        (["solution-1.py", "solution-2.py"], [("solution-1.py",), ("solution-2.py",)]),
        (["solution.py", "solution-1.py"], [("solution.py",), ("solution-1.py",)]),
        (["w-12.pt", "a-0.py", "-1.py"], [("w.pt", "w-12.pt"), ("a-0.py",), ("-1.py",)]),
    ],
)
def test_a_number_of_canvas_is_taken_off_where_the_name_stays_the_only_one(files, names):
    assert own_names(files) == names


@pytest.mark.parametrize("entry", ["text", "link"])
def test_a_text_or_a_link_beside_files_is_one_persons_and_spoils_nobodys(tmp_path, entry):
    eva = Roster((*CANVAS.people, Person("9", "pore", "Eva", "Porre", "", "5505")), "canvas")
    handins = found(tmp_path, {**UPLOADS, f"porreeva_5505_{entry}.html": "x", "classlist.csv": "x"}, eva)
    assert handins.platform == "canvas"
    assert {handin.owner: handin.problem for handin in handins.found if handin.problem} == {
        "Eva Porre": f"a {entry} was handed in on Canvas, and no file."
    }
    assert len(handins.found) == 4
    assert any(notice.startswith("classlist.csv was left aside") for notice in handins.notices)


def test_a_loose_file_that_may_be_a_part_of_another_is_named_and_what_to_do(tmp_path):
    """Whose it is cannot be known: `jane_doe.py` beside `jane.py` is another person's, `jane_utils.py` is not."""
    handins = found(tmp_path, {"jane.py": "x", "jane_utils.py": "x", "jane_utils_2.py": "x", "janet.py": "x"}, None)
    assert [handin.owner for handin in handins.found] == ["jane", "jane_utils", "jane_utils_2", "janet"]
    assert [notice for notice in handins.notices if "of its own" in notice] == [
        "jane_utils.py is taken for a hand-in of its own. If it belongs to jane.py, put both into a folder jane: "
        "nothing comes along with a loose file of a class.",
        "jane_utils_2.py is taken for a hand-in of its own. If it belongs to jane_utils.py, put both into a folder "
        "jane_utils: nothing comes along with a loose file of a class.",
    ]


def test_a_class_list_without_canvas_numbers_is_said_to_be_what_is_missing(tmp_path):
    handins = found(tmp_path, {"48212_48212_1_solution.py": "", "agurkanne_48212_9001_solution.py": "x"}, UNIVERSITY)
    assert handins.found == []
    assert all("name its gradebook as --roster" in one.reason for one in handins.unmatched)


def test_a_number_of_canvas_counts_only_if_the_name_is_the_same(tmp_path):
    handins = found(tmp_path, {"agurkanne_5502_9001_solution.py": "x"}, CANVAS)
    assert [one.reason for one in handins.unmatched] == [
        "the number 5502 is that of Bo Tomat (48212), and agurkanne is not their name; "
        "if it is a group's: name the groups with --groups"
    ]


def test_a_group_on_canvas_is_called_as_the_group_and_numbered_as_a_member(tmp_path):
    groups = Groups((Group("Group 7", ("48211", "48212")), Group("Group 8", ("48213",))))
    handins = found(
        tmp_path, {"group7_5502_9001_solution.py": "x", "group8_5501_9002_solution.py": "y"}, CANVAS, groups
    )
    assert whose(handins) == {"group7_5502": ("48211", "48212")}
    assert [one.name for one in handins.unmatched] == ["group8_5501"]


# -- Blackboard and Gradescope -----------------------------------------------------------------------------------------


def test_blackboards_files_are_attempts_with_dates_and_its_pages_name_people(tmp_path):
    one, two = ("Exercise 2_agua_attempt_2025-10-03-11-07-00", "Exercise 2_agua_attempt_2025-10-04-09-07-00")
    stranger = "Exercise 2_tomb_attempt_2025-10-03-11-07-00"
    text = "Exercise 2_logc_attempt_2025-10-03-11-08-00"
    handins = found(
        tmp_path,
        {
            f"{one}.txt": "Name: Anne Agurk (agua)\nAssignment: Exercise 2\n",
            f"{one}_solution.py": "1",
            f"{two}_solution.py": "2",
            f"{two}_model.py": "3",
            f"{stranger}.txt": "Name: Kim Roe (tomb)\n",
            f"{stranger}_solution.py": "4",
            f"{text}.txt": "\n",
        },
        UNIVERSITY,
    )
    assert handins.platform == "blackboard"
    assert [(h.folder_name, h.members, h.submitted_at, len(h.older), h.problem) for h in handins.found] == [
        (two, ("48211",), "2025-10-04T09:07:00", 1, ""),
        (text, ("48213",), "2025-10-03T11:08:00", 0, "a text was handed in on Blackboard, and no file."),
    ]
    assert {path.name for path in handins.found[0].path.iterdir()} == {"solution.py", "model.py"}
    assert [(one.name, one.reason) for one in handins.unmatched] == [
        (stranger, "tomb is Bo Tomat (48212), and the name beside it is Kim Roe")
    ]
    assert handins.notices == []


METADATA = """
submission_111:
  :submitters:
  - :name: Anne Agurk
    :sid: '48211'
    :email: agua@example.org
  :created_at: 2025-10-03 11:07:00 Z
submission_112:
  :submitters:
  - :name: Bo Tomat
    :sid: '48212'
  - :name: Cia O'Løg
    :email: logc@example.org
  :created_at: 2025-10-03 13:09:00 +0200
submission_113:
  :submitters:
  - :name: Kim Roe
    :sid: '48212'
"""


def test_gradescope_says_whose_its_folders_are(tmp_path):
    files = {f"export/submission_{n}/solution.py": str(n) for n in (111, 112, 113, 114)}
    handins = found(tmp_path, {"export/submission_metadata.yml": METADATA, **files}, UNIVERSITY)
    assert handins.platform == "gradescope"
    assert whose(handins) == {"submission_111": ("48211",), "submission_112": ("48212", "48213")}
    assert [handin.submitted_at for handin in handins.found] == [
        "2025-10-03T11:07:00+00:00",
        "2025-10-03T13:09:00+02:00",
    ]
    assert [(one.name, one.reason) for one in handins.unmatched] == [
        ("submission_113", "48212 is Bo Tomat (48212), and the name beside it is Kim Roe"),
        ("submission_114", "submission_metadata.yml does not say whose it is"),
    ]


def test_people_of_two_groups_do_not_hand_in_together_on_gradescope(tmp_path):
    groups = Groups((Group("A", ("48211", "48212")), Group("B", ("48213",))))
    files = {"submission_metadata.yml": METADATA, "submission_112/solution.py": "x", "submission_111/solution.py": "y"}
    handins = found(tmp_path, files, UNIVERSITY, groups)
    assert whose(handins) == {"submission_111": ("48211", "48212")}
    assert [one.reason for one in handins.unmatched] == ["it is of A, B, who are in no group together"]


@pytest.mark.parametrize("text", ["[", "- 1", "submission_111: 5", "submission_111: {':submitters': [1]}"])
def test_a_list_of_gradescope_that_cannot_be_read_gives_nobody_anything(tmp_path, text):
    # a number of Gradescope's is no student's, whatever it is
    files = {"submission_metadata.yml": text, "48211 Kim Roe/solution.py": "x", "submission_48212/a.py": ""}
    handins = found(tmp_path, files, UNIVERSITY)
    assert (handins.found, len(handins.unmatched)) == ([], 2)


def test_without_lists_two_people_of_one_name_are_two_where_the_platform_gives_ids(tmp_path):
    def said(*people: str) -> str:
        submitters = "".join(f"  - :name: {one[:-1]}\n    :sid: '{one[-1]}'\n" for one in people)
        return f"  :submitters:\n{submitters}  :created_at: 2025-10-03 11:0{len(people)}:00 Z\n"

    pairs = [
        ("Jane Doe1",),
        ("Jane Doe2",),
        ("Jane Doe1", "Bo Roe3"),
        ("Bo Roe3", "Jane Doe1"),
        ("Jane Doe2", "Bo Roe3"),
    ]
    about = "".join(f"submission_{n}:\n{said(*one)}" for n, one in enumerate(pairs))
    files = {"submission_metadata.yml": about, **{f"submission_{n}/solution.py": "x" for n in range(5)}}
    handins = found(tmp_path, files, None).found
    assert {h.members: (h.owner, 1 + len(h.older) + len(h.twins)) for h in handins} == {
        ("1",): ("Jane Doe", 1),
        ("2",): ("Jane Doe", 1),
        ("1", "3"): ("Jane Doe and Bo Roe", 2),
        ("2", "3"): ("Jane Doe and Bo Roe", 1),
    }
    assert len({handin.key for handin in handins}) == 4

    two = {
        f"Ex_2_{user}_attempt_2025-10-0{n}-11-07-00": user for n, user in enumerate(("jado1", "jado2", "a_b", "c_b"), 1)
    }
    pages = {f"{name}.txt": f"Name: Jane Doe ({user})\n" for name, user in two.items() if user.startswith("jado")}
    handins = found(tmp_path, pages | {f"{name}_solution.py": "x" for name in two}, None).found
    assert sorted((h.owner, h.members) for h in handins) == [
        ("2_a_b", ("2_a_b",)),
        ("2_c_b", ("2_c_b",)),
        ("Jane Doe", ("jado1",)),
        ("Jane Doe", ("jado2",)),
    ]


# -- what lies beside a platform's names -------------------------------------------------------------------------------

ONE_OF_EACH = {
    "brightspace": {"1-2 - Anne Agurk - Oct 10, 2025 1022 AM/solution.py": "x"},
    "moodle": {"Anne Agurk_12_assignsubmission_file/solution.py": "x"},
    "canvas": {f"agurkanne_5501_{n}_{n}.py": "x" for n in range(9)},
    "blackboard": {"Exercise 2_agua_attempt_2025-10-03-11-07-00_solution.py": "x"},
    "gradescope": {"submission_metadata.yml": METADATA, "submission_111/solution.py": "x"},
    "files": {"Anne Agurk.py": "x"},
    "folders": {"Anne Agurk/solution.py": "x"},
}


@pytest.mark.parametrize("platform", ONE_OF_EACH)
def test_what_was_added_to_a_download_is_of_whom_it_names_or_of_nobody_and_staff_may_say_whose(tmp_path, platform):
    added = {"O'Løg, Cia.tar.gz": "x", "Kim Roe/solution.py": "x", "classlist.csv": "x"}
    if platform == "files":
        added["Kim Roe.rar"] = added.pop("Kim Roe/solution.py")
    archive = packed(tmp_path, ONE_OF_EACH[platform] | added)
    handins = find_handins(archive, tmp_path / "into", roster=CANVAS)
    assert {(handin.owner, handin.folder_name) for handin in handins.found if handin.owner != "Anne Agurk"} == {
        ("Cia O'Løg", "O'Løg, Cia")  # who is told why an archive that is not opened has no marks
    }
    assert ([one.name for one in handins.unmatched], handins.missing) == (["Kim Roe"], ["48212"])
    assert [notice.split(" was ")[0] for notice in handins.notices] == ["classlist.csv"]
    assert handins.platform == platform
    settled = find_handins(archive, tmp_path / "into", roster=CANVAS, known={"Kim Roe": "48212"})
    assert (settled.unmatched, settled.missing, len(settled.found)) == ([], [], 3)


# -- Brightspace and plain folders -------------------------------------------------------------------------------------

FIRST = Roster((Person("0012", "anne", "Anne", "Agurk"), Person("0013", "bo", "Bo", "Tomat")))


def test_a_first_word_that_is_a_user_name_makes_nobody_a_stranger(tmp_path):
    names = ("39-1 - Anne Agurk - Oct 3, 2025 1107 AM", "39-2 - Anne Nybo - Oct 4, 2025 1107 AM")
    handins = found(tmp_path, {f"{name}/solution.py": name for name in names}, FIRST)
    assert whose(handins) == {names[0]: ("0012",)}
    assert [(one.name, one.reason) for one in handins.unmatched] == [
        (
            names[1],
            "Anne is the id or user name of Anne Agurk (0012), and Nybo is not their name",
        )
    ]


@pytest.mark.parametrize(
    ("name", "members"),
    [
        ("ex2_0012_final", ("0012",)),
        ("0012 Agurk", ("0012",)),
        ("Anne Agurk ex2 (1)", ("0012",)),
        ("0012 Anne Nybo", ()),
        ("ex2_Anne_Nybo", ()),
        ("Anne Agurk Nybo", ()),
        ("s999999 Anne Agurk", ()),
        ("Anne Agurk og Kim Roe", ()),
        ("0012_0013", ()),
    ],
)
def test_what_stands_beside_a_name_that_people_wrote_is_not_passed_over(name, members):
    owner = owner_of(Label(name, loosely=True), index_class(FIRST, None))
    assert (owner.members if isinstance(owner, Owner) else ()) == members


@pytest.mark.parametrize(
    ("name", "members"),
    [
        ("ex2_48211_nybo_v3", ("48211",)),
        ("ex2_48211_nybo_Anne_Agurk_v3", ("48211",)),
        ("ex2_48211_Anne_v3", ("48211",)),
        ("ex2_48211_Anne_Nybo_v3", ()),
        ("ex2_Anne_Nybo_48211", ()),
    ],
)
def test_a_user_name_beside_half_a_name_may_be_anothers_last_name(name, members):
    """Anne Agurk, whose user name is `nybo`: with a slip in the number, the hand-in of Anne Nybo came to her."""
    class_ = index_class(Roster((Person("48211", "nybo", "Anne", "Agurk"),)), None)
    owner = owner_of(Label(name, loosely=True), class_)
    assert (owner.members if isinstance(owner, Owner) else ()) == members
    assert members or owner == "it may be Anne Agurk (48211), but for Anne Nybo: nobody is guessed"


def test_words_of_most_names_are_nobodys(tmp_path):
    roster = Roster((*UNIVERSITY.people, Person("48214", "radd", "Dan", "Radise")))
    files = {f"multitask stars {who}/solution.py": who for who in ("agua", "Bo Tomat", "48213", "Dan Radise Roe")}
    handins = found(tmp_path, files, roster)
    assert sorted(members for members in whose(handins).values()) == [("48211",), ("48212",), ("48213",)]
    assert [one.reason for one in handins.unmatched] == ["it may be Dan Radise (48214), but for Roe: nobody is guessed"]


# -- any class ---------------------------------------------------------------------------------------------------------

FIRSTS, LASTS = ("Anne", "Bo", "Cia", "Anne Marie", ""), ("Agurk", "Tomat", "Anne", "O'Lund", "Bo", "Lund-Berg", "Nybo")
NUMBERS = st.integers(1, 6).map(str) | st.integers(48211, 48214).map(str)
NAMES = st.tuples(st.sampled_from(FIRSTS), st.sampled_from(LASTS)).map(lambda name: " ".join(filter(None, name)))
USERS = st.sampled_from(("anne", "bo", "agurkanne", "nybo", "agua", "tomb", "anneagurk", ""))
GROUPS = ("Group 1", "Group 2", "Anne", "Lund", "Anne Agurk", "5")


def words(name: str) -> frozenset[str]:
    return frozenset(name.casefold().replace("'", "").replace("-", " ").split())


@st.composite
def classes(draw) -> tuple[Roster, Groups | None]:
    names = draw(st.lists(NAMES, min_size=1, max_size=5))
    ids = draw(st.lists(NUMBERS, min_size=len(names), max_size=len(names), unique=True))
    numbers = draw(st.lists(NUMBERS, min_size=len(names), max_size=len(names), unique=True))
    platform = draw(st.sampled_from(("canvas", "moodle", "csv")))
    people = tuple(
        Person(
            i,
            draw(USERS),
            *reversed([part[::-1] for part in f"{name}"[::-1].partition(" ")[::2]]),
            "",
            number * (platform != "csv"),
        )
        for i, name, number in zip(ids, names, numbers, strict=True)
    )
    if not draw(st.booleans()):
        return Roster(people, platform), None
    of = {i: draw(st.sampled_from(GROUPS)) for i in ids}
    groups = tuple(Group(name, tuple(i for i in ids if of[i] == name)) for name in sorted(set(of.values())))
    return Roster(people, platform), Groups(groups)


@pytest.mark.slow
@settings(max_examples=600, deadline=None)
@given(classes(), NAMES, NUMBERS, st.sampled_from(GROUPS), st.data())
def test_no_hand_in_reaches_anybody_whose_name_is_another(made, name, number, group, data):
    roster, groups = made
    class_ = index_class(roster, groups)
    last_first = (
        "".join(reversed(name.rpartition(" ")[::2])).casefold().replace("'", "").replace("-", "").replace(" ", "")
    )
    user = data.draw(USERS.filter(bool) | NUMBERS)
    label, who, of_group = data.draw(
        st.sampled_from(
            [
                (Label(name, "moodle", number, dash="-"), name, ""),
                (Label(group, "moodle", number, dash="-"), "", group),
                (Label(f"{group}-{name}", "moodle", number, dash="-"), name, group),
                (Label(last_first, "canvas", number), name, ""),
                (Label(group.casefold().replace(" ", ""), "canvas", number), "", group),
                (Label(name, "brightspace"), name, ""),
                (Label(f"{user} {name}", "brightspace"), name, ""),
                (Label(f"{group} - {name}", "brightspace"), name, group),
                (Label(name, "blackboard", ids=(user,)), name, ""),
                (Label(name, "gradescope", ids=(user, data.draw(USERS.filter(bool)))), name, ""),
                (Label(f"ex2_{user}_{name}_v3".replace(" ", "_"), loosely=True), name, ""),
                (Label(f"{name} final", loosely=True), name, ""),
            ]
        )
    )
    owner = owner_of(label, class_)
    if isinstance(owner, str):
        assert owner
        return
    people = {person.id: words(person.name) for person in roster.people}
    users = {person.id: person.username for person in roster.people}

    def agree(one: str) -> bool:
        if label.loosely and words(who) == words(users[one]):
            return True  # people do call their folders by their user names; platforms do not
        text = words(who or of_group)  # a group that is called as a person is not told apart where no list names it
        return people[one] == text or (bool(who or len(text) > 1) and (people[one] <= text or text <= people[one]))

    if owner.by and not (of_group and words(owner.name) == words(of_group)):
        assert agree(owner.by), (label, owner)
    elif owner.kind == "person":
        assert all(map(agree, owner.members)), (label, owner)
    else:
        assert words(owner.name) in (words(of_group), words(who)), (label, owner)


@settings(max_examples=150, deadline=None)
@given(classes(), st.lists(st.tuples(NAMES, USERS | NUMBERS), min_size=1, max_size=3))
@example((Roster((Person("1", "bo", "Anne", "Agurk"),)), None), [("Bo", "")])  # a name there is no user name
def test_who_hands_in_together_on_gradescope_is_each_of_the_name_that_it_says(made, submitters):
    """Each submitter is a member whose name agrees, and nobody else gets the hand-in but the others of their group."""
    roster, groups = made
    said = "".join(f'  - :name: "{name}"\n    :sid: "{sid}"\n' for name, sid in submitters)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "submission_7").mkdir()
        (Path(folder) / "submission_7" / "solution.py").write_text("x")
        (Path(folder) / "submission_metadata.yml").write_text(f"submission_7:\n  :submitters:\n{said}")
        handins = find_handins(Path(folder), Path(folder), roster=roster, groups=groups)
    people = {person.id: words(person.name) for person in roster.people}
    names = [words(name) for name, _ in submitters]
    assert len(handins.found) + len(handins.unmatched) == 1
    for handin in handins.found:
        named = {one: [name for name in names if name <= people[one] or people[one] <= name] for one in handin.members}
        assert all(any(name in agreeing for agreeing in named.values()) for name in names), handin
        if groups is None:
            assert all(named.values()), handin
        else:
            assert any(group.members == handin.members for group in groups.groups)
