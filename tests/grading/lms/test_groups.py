"""The groups of a course, from every kind of file, and the policy that they are held to."""

from __future__ import annotations

import pytest

from tlcourse.errors import UsageError
from tlcourse.grading.lms.groups import Group, Groups, check_groups, read_groups
from tlcourse.grading.lms.roster import Person, Roster, read_roster

ROSTER = Roster(tuple(Person(str(400 + i), f"user{i}", f"First{i}", "Doe", f"u{i}@x.dk") for i in range(6)))


def read(tmp_path, text, **kwargs):
    path = tmp_path / "groups.csv"
    path.write_text(text, encoding="utf-8")
    return {group.name: group.members for group in read_groups(path, ROSTER, **kwargs).groups}


def test_the_groups_of_the_class_keep_the_policy(groups, roster):
    assert len(groups.groups) == 40
    assert sum(len(group.members) for group in groups.groups) == 110
    assert check_groups(groups, roster) == []


def test_brightspace_enrolments_and_their_opposite(tmp_path):
    text = (
        "Action,Username,Organisation Defined ID,Group Name,Group Code\n"
        "ENROLL,#user0,#400,Group 1,G1\n"
        "ENROLL,user1,,Group 1,G1\n"
        "ENROLL,,402,Group 1,G1\n"
        "UNENROLL,user0,,Group 1,G1\n"
    )
    assert read(tmp_path, text) == {"Group 1": ("401", "402")}


def test_a_class_list_with_groups_beside_the_people(tmp_path):
    text = (
        "OrgDefinedId,Username,Last Name,First Name,GroupCategory,GroupName,End-of-Line Indicator\n"
        "#400,#user0,Doe,First0,Exercise groups,Group - 1,#\n"
        "#401,#user1,Doe,First1,Exercise groups,Group - 1,#\n"
        "#402,#user2,Doe,First2,Exercise groups,,#\n"
    )
    assert read(tmp_path, text) == {"Group - 1": ("400", "401")}


def test_one_of_several_categories_must_be_chosen(tmp_path):
    text = "Username,GroupCategory,GroupName\nuser0,Labs,L1\nuser0,Exercises,E1\nuser1,Exercises,E1\n"
    with pytest.raises(UsageError, match="2 categories") as raised:
        read(tmp_path, text)
    assert "Labs, Exercises" in raised.value.remedy
    assert read(tmp_path, text, category="exercises") == {"E1": ("400", "401")}


def test_one_line_a_group_with_members_by_name_id_or_address(tmp_path):
    text = "group;member 1;member 2;member 3\nA;First0 Doe;401;\nB;u2@x.dk;Doe, First3;user4\n"
    assert read(tmp_path, text) == {"A": ("400", "401"), "B": ("402", "403", "404")}


def test_one_line_a_member_and_the_exception(tmp_path):
    path = tmp_path / "groups.csv"
    path.write_text("group,name,exception\nA,First0 Doe,ill\nB,First1 Doe,\nB,first2  DOE,\n")
    groups = read_groups(path, ROSTER)
    assert groups.groups == (Group("A", ("400",), "ill"), Group("B", ("401", "402")))


def test_moodles_column_of_groups_and_those_without(tmp_path):
    text = (
        'Identifier,"Full name","Email address",Group\n'
        "Participant 1,First0 Doe,u0@x.dk,Team 1\n"
        "Participant 2,X,x@x.dk,-\n"
    )
    assert read(tmp_path, text) == {"Team 1": ("400",)}


def test_a_file_without_groups_names_its_headers(tmp_path):
    with pytest.raises(UsageError) as raised:
        read(tmp_path, "id,name\n1,x\n")
    assert "id, name" in raised.value.cause


def problems(*groups: Group, roster: Roster | None = ROSTER) -> list[tuple[str, str]]:
    return [(problem.kind, problem.message) for problem in check_groups(Groups(groups), roster)]


FULL = (Group("A", ("400", "401", "402")), Group("B", ("403", "404", "405")))


def test_groups_within_the_policy_are_fine():
    assert problems(*FULL) == []


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        ((FULL[0], Group("B", ("403", "404"))), [("missing", "First5 Doe (405) is in no group.")]),
        (
            (*FULL, Group("C", ("400", "401"))),
            [("twice", "First0 Doe (400) is in A and C."), ("twice", "First1 Doe (401) is in A and C.")],
        ),
        ((*FULL, Group("C", ())), [("empty", "C has no members.")]),
        (
            (Group("A", ("400",)), Group("B", ("401", "402", "403", "404", "405"))),
            [
                ("small", "A has 1 member; 2 are needed, or a recorded exception."),
                ("large", "B has 5 members; 4 are allowed."),
            ],
        ),
        ((Group("A", ("400",), "ill"), Group("B", ("401", "402", "403")), Group("C", ("404", "405"))), []),
        (
            (*FULL, Group("C", ("nobody", "Doe"))),
            [("unknown", "nobody is not in the class list."), ("unknown", "Doe is not in the class list.")],
        ),
    ],
)
def test_each_breach_is_named_with_whom_it_concerns(groups, expected):
    assert problems(*groups) == expected


def test_an_exception_never_allows_a_larger_group():
    assert problems(Group("A", tuple("abcde"), "they asked"), roster=None) == [
        ("large", "A has 5 members; 4 are allowed.")
    ]


def test_a_namesake_in_a_list_of_groups_is_unclear():
    twins = Roster((Person("1", "a", "Sam", "Same"), Person("2", "b", "Sam", "Same")))
    assert problems(Group("A", ("1", "2", "Sam Same")), roster=twins) == [
        ("unclear", "Sam Same could be Sam Same (1), Sam Same (2).")
    ]


def test_moodles_groups_of_one_person_are_several_and_one_set_is_chosen(tmp_path):
    text = 'ID number,Groups\n400,"Group 1, Lab A"\n401,"Group 1, Lab B"\n402,Group 2\n'
    with pytest.raises(UsageError, match="2 people in several groups, such as Group 1 and Lab A") as raised:
        read(tmp_path, text)
    assert raised.value.remedy.endswith("--category Group")
    assert read(tmp_path, text, category="group") == {"Group 1": ("400", "401"), "Group 2": ("402",)}
    assert read(tmp_path, text, category="Lab") == {"Lab A": ("400",), "Lab B": ("401",)}


def test_a_class_list_with_a_line_for_each_group_names_everyone_once(tmp_path):
    path = tmp_path / "class.csv"
    path.write_text(
        "OrgDefinedId,Last Name,First Name,GroupCategory,GroupName\n1,A,B,Lab,L1\n1,A,B,Project,P1\n2,C,D,Lab,L1\n"
    )
    assert [person.id for person in read_roster(path).people] == ["1", "2"]
