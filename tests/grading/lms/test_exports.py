"""What is exported is what each platform takes back, for everyone in the class, and for nobody else."""

from __future__ import annotations

import csv
import io
import itertools
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.grading.lms import strict
from tlcourse.errors import UsageError
from tlcourse.grading.lms.exports import export
from tlcourse.grading.lms.marks import Mark
from tlcourse.grading.lms.roster import Person, Roster, read_roster
from tlcourse.grading.lms.table import cell, read_table

ITEM = "Exercise 2"
DECORATED = f"{ITEM} Points Grade <Numeric MaxPoints:2 Weight:10 Category:Assignments CategoryWeight:15>"
EVIL = "=cmd|' /C calc'!A1\n\x1b[2J<script>alert(1)</script>, \"quoted\"; @SUM(A1)"
PAIR = Roster((Person("1", "ann", "Ann", "Test", "ann@x.dk", "81"), Person("2", "bob", "Bob", "Test", "", "82")))


@pytest.fixture(scope="module")
def marks(a_class) -> list[Mark]:
    """What the class must get, with feedback that tries everything."""
    return [
        Mark(student.id, a_class.expected[student.id].points, EVIL, a_class.expected[student.id].outcome, student.group)
        for student in reversed(a_class.students)
    ]


@pytest.fixture(scope="module")
def expected(a_class) -> dict[str, float]:
    return {identifier: mark.points for identifier, mark in a_class.expected.items()}


def template(tmp_path, text: str):
    path = tmp_path / "theirs.csv"
    path.write_text(text, encoding="utf-8", newline="")
    return path


def test_brightspace_takes_the_class_back_without_a_template(a_class, roster, marks, expected):
    text = export(marks, "brightspace", item=ITEM, max_points=2, roster=roster)
    assert strict.brightspace(text, f"{ITEM} Points Grade", set(expected)) == expected
    assert all(student.last not in text and student.email not in text for student in a_class.students)


def test_brightspaces_ids_are_marked_as_text_as_in_its_own_exports():
    roster = Roster((Person("0042", "=1+1", "Ann", "Test"),))
    text = export([Mark("0042", 2)], "brightspace", item=ITEM, max_points=2, roster=roster)
    assert text.splitlines()[1] == "#0042,#=1+1,2,#"


def test_brightspace_takes_its_own_export_back_filled_in(a_class, roster, marks, expected, tmp_path):
    rows = [
        f"OrgDefinedId,Username,Last Name,First Name,Email,Exercise 1 Points Grade <Numeric MaxPoints:9>,{DECORATED},"
        "Calculated Final Grade Numerator,End-of-Line Indicator"
    ]
    rows += [f"#{s.id},#{s.username},{s.last},{s.first},{s.email},7,1,55,#" for s in a_class.students[::-1]]
    path = template(tmp_path, "\ufeff" + "\r\n".join(rows) + "\r\n")
    text = export(marks, "brightspace", item=ITEM.upper(), max_points=2, roster=roster, template=path)
    assert text.startswith("\ufeff")
    assert strict.brightspace(text, DECORATED, set(expected)) == expected
    assert [line.split(",")[0] for line in text.splitlines()[1:]] == [f"#{s.id}" for s in a_class.students[::-1]]


def test_brightspace_finds_people_by_user_name_where_the_export_has_no_ids(a_class, roster, marks, expected, tmp_path):
    rows = [f"Username,{DECORATED},End-of-Line Indicator", *(f"#{s.username},,#" for s in a_class.students)]
    path = template(tmp_path, "\r\n".join(rows) + "\r\n")
    text = export(marks, "brightspace", item=ITEM, max_points=2, roster=roster, template=path)
    names = {student.username: student.id for student in a_class.students}
    found = strict.brightspace(text, DECORATED, set(names))
    assert {names[name]: points for name, points in found.items()} == expected


def canvas_template(students) -> str:
    rows = [f"Student,ID,SIS User ID,SIS Login ID,Section,Exercise 1 (70),{ITEM} (77),Current Score"]
    rows += ["    Points Possible,,,,,9.00,2.00,(read only)"]
    rows += [f'"{s.last}, {s.first}",{s.canvas},{s.id},{s.username},"S, 1",7,,50' for s in students]
    rows += ['"Student, Test",1,,test,S 1,,,']
    return "\n".join(rows) + "\n"


def test_canvas_takes_its_own_export_back_filled_in(a_class, roster, marks, expected, tmp_path):
    path = template(tmp_path, canvas_template(a_class.students))
    text = export(marks, "canvas", item=ITEM, max_points=2, roster=roster, template=path)
    ids = {student.canvas: student.id for student in a_class.students}
    found = strict.canvas(text, f"{ITEM} (77)", set(ids))
    assert {ids[number]: points for number, points in found.items()} == expected
    assert "Current Score" not in text


def test_canvas_takes_the_class_back_without_a_template(roster, marks, expected):
    text = export(marks, "canvas", item=ITEM, max_points=2, roster=roster)
    assert strict.canvas(text, ITEM, set(expected)) == expected


MOODLE_HEADERS = (
    'Identifier,"Full name","Email address",Status,Group,Grade,"Maximum Grade","Grade can be changed",'
    '"Last modified (submission)","Last modified (grade)","Feedback comments"'
)


def moodle_template(students, delimiter=",") -> str:
    rows = [MOODLE_HEADERS]
    rows += [
        f'"Participant {s.participant}","{s.name}",{s.email},"Submitted for grading","{s.group}",,2.00,Yes,'
        '"Monday, 23 November 2026, 10:45 AM",-,'
        for s in students
    ]
    return "\r\n".join(rows) + "\r\n"


def test_moodle_takes_its_own_worksheet_back_filled_in(a_class, roster, marks, expected, tmp_path):
    path = template(tmp_path, moodle_template(a_class.students))
    text = export(marks, "moodle", item=ITEM, max_points=2, roster=roster, template=path)
    found = strict.moodle(text)
    ids = {student.participant: student.id for student in a_class.students}
    assert {ids[number]: points for number, (points, _) in found.items()} == expected
    assert all("&lt;script&gt;" in comment for _, comment in found.values())
    assert text.count('"Monday, 23 November 2026, 10:45 AM",-') == 110  # Moodle compares it with its own


def test_moodle_needs_participant_numbers(roster, marks):
    with pytest.raises(UsageError, match="participant numbers") as raised:
        export(marks, "moodle", item=ITEM, max_points=2, roster=roster)
    assert "--template" in raised.value.remedy
    text = export([Mark("1", 2), Mark("2", 1)], "moodle", item=ITEM, max_points=2, roster=PAIR)
    assert strict.moodle(text) == {"81": (2.0, ""), "82": (1.0, "")}


def test_moodle_says_whose_grade_is_locked_rather_than_lose_it(tmp_path):
    rows = "Participant 81,Ann,ann@x.dk,,,1.00,2.00,No,-,-,\r\nParticipant 82,Bob Test,,,,1,2.00,No,-,-,\r\n"
    path = template(tmp_path, f"{MOODLE_HEADERS}\r\n{rows}")
    with pytest.raises(UsageError, match="1 grades are locked in Moodle: Ann"):
        export([Mark("1", 2), Mark("2", 1)], "moodle", item=ITEM, max_points=2, roster=PAIR, template=path)


def test_plain_csv_has_everyone_in_the_rosters_order(a_class, roster, marks, expected):
    text = export(marks, "csv", item=ITEM, max_points=2, roster=roster)
    head, *rows = strict.rfc4180(text)
    strict.harmless([head, *rows])
    assert [row[0] for row in rows] == [student.id for student in a_class.students]
    assert {row[0]: float(row[head.index("points")]) for row in rows} == expected


def test_gradescope_takes_a_document_for_each_person(roster, marks, expected):
    packed = zipfile.ZipFile(io.BytesIO(export(marks, "gradescope", item=ITEM, max_points=2, roster=roster)))
    documents = {name.split("/")[0][5:]: strict.gradescope(packed.read(name).decode()) for name in packed.namelist()}
    assert {key: document["score"] for key, document in documents.items()} == expected
    assert packed.testzip() is None


# ---- nobody is dropped


def refused(marks, platform="csv", roster=PAIR, path=None, **kwargs) -> str:
    with pytest.raises(UsageError) as raised:
        export(marks, platform, item=ITEM, max_points=2, roster=roster, template=path, **kwargs)
    assert raised.value.remedy
    return raised.value.what


@pytest.mark.parametrize(
    ("marks", "said"),
    [
        ([Mark("1", 2)], ["Bob Test (2): no mark"]),
        ([], ["Ann Test (1): no mark", "Bob Test (2): no mark"]),
        ([Mark("1", 2), Mark("2", 1), Mark("3", 1)], ["3: marked, and not in the class list"]),
        (
            [Mark("1", 2, owner="Group A"), Mark("1", 1, owner="Group B"), Mark("2", 1)],
            ["1: 2 marks, from Group A and Group B"],
        ),
        ([Mark("1", 2), Mark("1", 2), Mark("2", 1)], ["1: 2 marks, as in two groups"]),
        ([Mark("1", float("nan")), Mark("2", -1)], ["1: nan are no points", "2: -1 are no points"]),
    ],
)
@pytest.mark.parametrize("platform", ["csv", "brightspace", "canvas", "moodle", "gradescope"])
def test_whoever_is_unmatched_missing_or_marked_twice_blocks_the_export_with_a_list(platform, marks, said):
    lines = [line.strip() for line in refused(marks, platform).splitlines()[1:]]
    assert lines == said


def test_more_points_than_moodle_takes_are_refused_here_and_not_there():
    marks = [Mark("1", 2.5), Mark("2", 2)]
    assert refused(marks, "moodle").splitlines()[1:] == ["  1: 2.5 points of 2"]
    assert export(marks, "brightspace", item=ITEM, max_points=2, roster=PAIR)


def test_everyone_in_a_template_needs_a_mark_and_everyone_marked_a_row(tmp_path):
    text = f"OrgDefinedId,Username,{DECORATED},End-of-Line Indicator\r\n#2,#bob,,#\r\n#7,#guest,,#\r\n"
    lines = refused([Mark("1", 2), Mark("2", 1)], "brightspace", path=template(tmp_path, text)).splitlines()[1:]
    assert [line.strip() for line in lines] == [
        "Ann Test (1): marked, and not in the template",
        "guest (7): in the template, and no mark",
    ]


def test_two_people_with_one_row_are_refused(tmp_path):
    twins = Roster((Person("1", "", "Sam", "Same", "s@x.dk"), Person("2", "", "Sam", "Same", "s@x.dk")))
    path = template(tmp_path, moodle_template([]) + '"Participant 9","Sam Same",s@x.dk,,,,2.00,Yes,-,-,\r\n')
    said = refused([Mark("1", 2), Mark("2", 1)], "moodle", roster=twins, path=path)
    assert "the marks of Sam Same (1) and Sam Same (2) belong to this row" in said


UNSEEN = [
    "",
    " ",
    "\u200b",
    "\ufeff",
    "\u00ad",
    "\u2060",
    "\u00a0",
    "\u3000",
    "\u2028",
    "\x1b",
    "\x00",
    "\n",
    "\U000e0041",
    "\u3164",
]


def test_a_formula_behind_whatever_is_not_seen_is_text_for_a_spreadsheet():
    for unseen, sign in itertools.product([a + b for a in UNSEEN for b in UNSEEN], "=+-@＝＋－＠﹢⁼−"):
        shown = cell(f"{unseen}{sign}1+1")
        assert shown[0] == "'", (unseen, sign)
        assert shown in (f"'{sign}1+1", "'1+1")  # an escape takes the `@` behind it with it
        assert cell(f"{unseen}\u200d{sign}1")[0] == "'"
        assert cell(f"{unseen}1{sign}1") == f"1{sign}1"


@pytest.mark.parametrize(("text", "shown"), [("\tx", "'x"), ("\rx", "'x"), ("", ""), ("a\n=1", "a =1"), ("é=1", "é=1")])
def test_a_cell_that_begins_as_text_is_left_as_it_is(text, shown):
    assert cell(text) == shown


def test_no_mark_to_give_leaves_the_cell_as_it_was(tmp_path):
    text = f"OrgDefinedId,{DECORATED},End-of-Line Indicator\r\n#1,1.5,#\r\n#2,,#\r\n"
    marks = [Mark("1", None), Mark("2", None)]
    kept = export(marks, "brightspace", item=ITEM, max_points=2, roster=PAIR, template=template(tmp_path, text))
    assert strict.brightspace(kept, DECORATED, {"1", "2"}) == {"1": 1.5, "2": None}


# ---- the right column, and the right scale


def test_an_item_that_the_platform_does_not_have_is_refused_with_those_it_has(tmp_path, a_class):
    path = template(tmp_path, canvas_template(a_class.students[:2]))
    marks = [Mark(student.id, 1) for student in a_class.students[:2]]
    with pytest.raises(UsageError, match="no item is called 'Exercise 9'") as raised:
        export(marks, "canvas", item="Exercise 9", max_points=2, template=path)
    assert "Exercise 1; Exercise 2" in raised.value.remedy


def test_other_maximum_points_are_refused_unless_they_are_to_be_converted(tmp_path):
    text = f"OrgDefinedId,{ITEM} Points Grade <Numeric MaxPoints:13>,End-of-Line Indicator\r\n#1,,#\r\n#2,,#\r\n"
    path = template(tmp_path, text)
    marks = [Mark("1", 1), Mark("2", 2)]
    said = refused(marks, "brightspace", path=path)
    assert "worth 13 points, the exercise 2" in said
    scaled = export(marks, "brightspace", item=ITEM, max_points=2, roster=PAIR, template=path, scale=True)
    header = f"{ITEM} Points Grade <Numeric MaxPoints:13>"
    assert strict.brightspace(scaled, header, {"1", "2"}) == {"1": 6.5, "2": 13.0}


@pytest.mark.parametrize("platform", ["brightspace", "canvas", "moodle"])
def test_a_template_of_another_platform_is_refused(tmp_path, platform):
    path = template(tmp_path, "id,name,something\r\n1,Ann Test,x\r\n2,Bob Test,y\r\n")
    assert refused([Mark("1", 1), Mark("2", 2)], platform, path=path)


TEXT = st.text(max_size=30)


@given(st.lists(st.tuples(TEXT, TEXT, TEXT, TEXT), min_size=1, max_size=4))
def test_no_name_and_no_feedback_breaks_a_format_or_becomes_a_formula(people):
    roster = Roster(tuple(Person(f"id{i}", *texts[:3], "", str(i)) for i, texts in enumerate(people)))
    marks = [Mark(f"id{i}", i / 4, texts[3], "pass", texts[0]) for i, texts in enumerate(people)]
    expected = {f"id{i}": i / 4 for i in range(len(people))}
    options = dict(item=ITEM, max_points=2, roster=roster)
    assert (
        strict.brightspace(export(marks, "brightspace", **options), f"{ITEM} Points Grade", set(expected)) == expected
    )
    found = strict.moodle(export(marks, "moodle", **options))
    assert {f"id{number}": points for number, (points, _) in found.items()} == expected
    head, *rows = strict.rfc4180(export(marks, "csv", **options))
    strict.harmless([head, *rows])
    assert {row[0]: float(row[head.index("points")]) for row in rows} == expected
    canvas = strict.rfc4180(export(marks, "canvas", **options))
    strict.harmless(canvas)
    assert [float(row[-1]) for row in canvas[2:]] == list(expected.values())


DANISH = """Identifikator;"Fulde navn";"E-mailadresse";Status;Karakter;"Maksimal karakter";"Karakter kan ændres";\
"Sidst ændret (aflevering)";"Sidst ændret (karakter)";Feedbackkommentarer
Deltager 11;"Ane Agurk";a@x.dk;Afleveret;;"2,00";Ja;-;-;
Deltager 12;"Bo Tomat";b@x.dk;Afleveret;"1,00";"2,00";Ja;-;-;
"""
GERMAN = """ID,"Vollständiger Name",Status,Bewertung,Bestwertung,"Bewertung kann geändert werden",\
"Zuletzt geändert (Abgabe)","Zuletzt geändert (Bewertung)"
Teilnehmer/in11,"Ane Agurk","Zur Bewertung abgegeben",-,2.00,Ja,-,-
Teilnehmer/in12,"Bo Tomat","Keine Abgabe",-,2.00,Nein,-,-
"""
HIDDEN = """识别符,状态,成绩,最高分,允许更改成绩,"最后修改(提交)","最后修改(成绩)",评语
参与者 11,已提交,,2.00,是,-,-,
参与者 12,已提交,,2.00,是,-,-,
"""
MARKS = [Mark("Ane Agurk", 1.5, "PASS"), Mark("Bo Tomat", 2, "PASS")]


def test_moodles_worksheet_is_filled_in_whatever_its_language(tmp_path):
    (tmp_path / "w.csv").write_text(DANISH)
    text = export(MARKS, "moodle", item="x", max_points=2, template=tmp_path / "w.csv")
    lines = list(csv.reader(text.splitlines(), delimiter=";"))
    assert [";".join(lines[0])] == [DANISH.splitlines()[0].replace('"', "")]
    assert [(row[0], row[4], row[5], row[-1]) for row in lines[1:]] == [
        ("Deltager 11", "1.5", "2,00", "PASS"),
        ("Deltager 12", "2", "2,00", "PASS"),
    ]


def test_a_locked_grade_and_hidden_names_are_known_in_every_language(tmp_path):
    (tmp_path / "w.csv").write_text(GERMAN)
    with pytest.raises(UsageError, match="1 grades are locked in Moodle: Bo Tomat"):
        export(MARKS, "moodle", item="x", max_points=2, template=tmp_path / "w.csv")
    assert [(p.name, p.platform_id) for p in read_roster(tmp_path / "w.csv").people] == [
        ("Ane Agurk", "11"),
        ("Bo Tomat", "12"),
    ]
    (tmp_path / "w.csv").write_text(HIDDEN)
    roster = read_roster(tmp_path / "w.csv")
    assert (roster.platform, roster.participant) == ("moodle", "参与者")
    marks = [Mark("11", 1), Mark("12", 2)]
    text = export(marks, "moodle", item="x", max_points=2, roster=roster, template=tmp_path / "w.csv")
    assert [row.split(",")[2] for row in text.splitlines()] == ["成绩", "1", "2"]


@pytest.mark.parametrize(
    "text",
    [
        "s1,name,points,of\ns2,Ane,1,2\ns3,Bo,2,2\n",
        "Team,name,points,of\nTeam 1,Ane,1,2\nTeam 1,Bo,2,2\n",
        "Kode,navn,point\nDeltager 1,Ane,1\nDeltager 2,Bo,2\n",
    ],
)
def test_what_is_no_worksheet_is_not_taken_for_one(text, tmp_path):
    (tmp_path / "w.csv").write_text(text)
    assert read_table(tmp_path / "w.csv").known == ()


def test_a_template_that_names_nobody_says_which_columns_it_has(tmp_path):
    (tmp_path / "w.csv").write_text("Kode,Karakter\n1,2\n")
    with pytest.raises(UsageError, match="nothing says whose its 1 rows are") as caught:
        export(MARKS, "moodle", item="x", max_points=2, template=tmp_path / "w.csv")
    assert "Kode, Karakter" in caught.value.cause
