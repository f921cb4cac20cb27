"""Names are compared as people compare them; folders' names are read from both ends."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tlcourse.grading.lms.groups import Group, Groups
from tlcourse.grading.lms.matching import Label, Owner, index_class, owner_of
from tlcourse.grading.lms.platforms import parse_brightspace, parse_moodle
from tlcourse.grading.lms.roster import Person, Roster, loose_keys, same_key, visible

LETTERS = "abcdefghijklmnoprstuvyæøåäöüéçñABCDEÆØÅ'"
WORD = st.text(LETTERS, min_size=1, max_size=8).filter(lambda word: word.strip("'"))
NAME = st.lists(WORD, min_size=1, max_size=4).flatmap(
    lambda words: st.sampled_from([" ", " - ", "-"]).map(lambda joint: joint.join(words))
)


@given(st.text(max_size=40))
def test_normal_form_and_case_make_no_other_name(name):
    key = same_key(name)
    assert same_key(unicodedata.normalize("NFD", name)) == same_key(unicodedata.normalize("NFC", name)) == key
    assert same_key(key) == key
    assert same_key(f"  {name}\u200f ") == key


@given(NAME)
def test_a_name_is_read_from_a_folder_whatever_dashes_it_has(name):
    attempt = parse_brightspace(f"39786-640693 - {name} - Oct 10, 2025 1022 AM")
    assert attempt is not None
    assert (attempt.who, attempt.ids) == (name, (39786, 640693))
    assert attempt.when is not None


@given(NAME, NAME, st.integers(1, 99999))
def test_moodle_names_read_back(group, name, number):
    attempt = parse_moodle(f"{group}-{name}_{number}_assignsubmission_file_")
    assert attempt is not None
    assert (attempt.who, attempt.number) == (f"{group}-{name}", str(number))


@given(st.lists(NAME, min_size=3, max_size=3), st.booleans())
def test_a_group_and_its_member_are_told_apart_however_many_dashes(names, decomposed):
    group, one, other = names
    assume(len({frozenset(loose_keys(name)) for name in names}) == 3 and all(map(loose_keys, names)))
    roster = Roster((Person("1", "u1", "Zz", one), Person("2", "u2", "Yy", other)))
    class_ = index_class(roster, Groups((Group(group, ("1", "2")),)))
    who = f"{group} - Zz {one}"
    found = owner_of(Label(unicodedata.normalize("NFD", who) if decomposed else who), class_)
    assert isinstance(found, Owner)
    assert (found.kind, found.name, found.members) == ("group", group, ("1", "2"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Åse Ærø", "A\u030ase Ærø"),
        ("Jane Doe", "JANE  doe"),
        ("Jane Doe", "Jane\u00a0Doe\u200b"),
        ("O'Brien", "O’Brien"),
        ("Anne-Marie", "Anne‑Marie"),
    ],
)
def test_names_that_look_the_same_are_the_same(one, other):
    assert same_key(one) == same_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("Åse Ærø", "Aase Aeroe"), ("Åse Ærø", "Ase Aero"), ("Müller", "Mueller"), ("Jane_Doe", "Jane Doe")],
)
def test_spellings_without_the_letters_are_close(one, other):
    assert loose_keys(one) & loose_keys(other)


def test_a_message_shows_a_name_on_one_line_and_without_escapes():
    assert visible("\x1b[2Jevil\n\u202egnp.exe") == "evil gnp.exe"
    assert len(visible("x" * 1000)) == 200


ROSTER = Roster(
    (
        Person("400", "jado", "Jane", "Doe", "jado@example.org"),
        Person("401", "jodo", "John", "Doe"),
        Person("402", "twin1", "Sam", "Same"),
        Person("403", "twin2", "Sam", "Same"),
        Person("404", "dash", "Kim", "Lund - Berg"),
    )
)


@pytest.mark.parametrize(
    ("who", "identifier"),
    [
        ("Jane Doe", "400"),
        ("Doe, Jane", "400"),
        ("400 Doe", "400"),
        ("jado Jane Doe", "400"),
        ("jado@example.org", "400"),
        ("twin2 Sam Same", "403"),
        ("Kim Lund - Berg", "404"),
    ],
)
def test_a_person_is_found_by_name_id_user_name_or_address(who, identifier):
    found = owner_of(Label(who), index_class(ROSTER, None))
    assert isinstance(found, Owner)
    assert (found.kind, found.members) == ("person", (identifier,))


@pytest.mark.parametrize(
    ("who", "reason"),
    [
        ("Sam Same", "several people are meant: Sam Same (402), Sam Same (403)"),
        ("401 Jane Doe", "the id is that of John Doe (401), the name that of Jane Doe (400)"),
        ("Nobody Known", "nobody in the class list has this name, id or user name"),
        ("Doe", "nobody in the class list has this name, id or user name"),
    ],
)
def test_who_is_not_found_is_told_why(who, reason):
    assert owner_of(Label(who), index_class(ROSTER, None)) == reason


@pytest.mark.parametrize("who", ["ex2_jado", "jado-ex2-final", "Jane_Doe_solution", "solution Jane Doe (1)"])
def test_names_that_people_gave_are_searched_for_whom_they_mean(who):
    found = owner_of(Label(who, loosely=True), index_class(ROSTER, None))
    assert isinstance(found, Owner)
    assert found.members == ("400",)
    assert isinstance(owner_of(Label(who), index_class(ROSTER, None)), str)  # a platform's names are not guessed at


def test_a_short_id_is_not_searched_for_within_a_name():
    assert isinstance(owner_of(Label("solution 400", loosely=True), index_class(ROSTER, None)), str)


def test_a_group_without_a_list_of_groups_is_the_part_before_its_member():
    found = owner_of(Label("Team - 7 - Jane Doe"), index_class(ROSTER, None))
    assert found == Owner("group", "Team - 7", ("400",), "400")


def test_someone_who_hands_in_for_a_group_of_others_is_nobodys_hand_in():
    class_ = index_class(ROSTER, Groups((Group("Team 7", ("400", "401")),)))
    assert owner_of(Label("Team 7 - Kim Lund - Berg"), class_) == (
        "Kim Lund - Berg (404) handed in for Team 7 without being a member"
    )


def test_a_person_in_two_groups_is_nobodys_hand_in():
    class_ = index_class(ROSTER, Groups((Group("A", ("400", "401")), Group("B", ("400", "404")))))
    assert owner_of(Label("Jane Doe"), class_) == "Jane Doe (400) is in two groups: A and B"
