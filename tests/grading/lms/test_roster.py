"""Class lists of every platform, in whatever dialect of CSV a spreadsheet left them."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlcourse.errors import UsageError
from tlcourse.grading.lms.roster import Person, read_roster
from tlcourse.grading.lms.table import cell, number, read_table, write_table

BRIGHTSPACE = """OrgDefinedId,Username,Last Name,First Name,Email,End-of-Line Indicator
#400123456,#doej,Doe,John,john@x.dk,#
#0042,#ærø,"Ærø, von",Åse - Bo,,#
"""
JOHN = Person("400123456", "doej", "John", "Doe", "john@x.dk")


def write(folder, text, **kwargs):
    path = folder / "list.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode(**kwargs))
    return path


def test_a_brightspace_class_list_loses_its_marks_and_keeps_leading_zeros(tmp_path):
    roster = read_roster(write(tmp_path, BRIGHTSPACE))
    assert roster.platform == "brightspace"
    assert roster.people == (JOHN, Person("0042", "ærø", "Åse - Bo", "Ærø, von", ""))


def dialect(delimiter: str, encoding: str, ends: str, change) -> bytes:
    rows = list(csv.reader(io.StringIO(BRIGHTSPACE)))
    rows[0] = [change(header) for header in rows[0]]
    stream = io.StringIO(newline="")
    csv.writer(stream, delimiter=delimiter, lineterminator=ends).writerows(rows)
    return stream.getvalue().encode(encoding)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("change", [str, str.upper, lambda header: f" {header.replace(' ', '')} ".lower()])
def test_delimiter_encoding_line_ends_and_case_of_headers_do_not_matter(tmp_path, delimiter, encoding, ends, change):
    people = read_roster(write(tmp_path, dialect(delimiter, encoding, ends, change))).people
    assert people[0] == JOHN
    assert people[1].name == "Åse - Bo Ærø, von"


def test_excels_line_about_the_delimiter_is_no_header(tmp_path):
    assert read_roster(write(tmp_path, "sep=;\r\nid;name\r\n7;Jane Doe\r\n")).people == (
        Person("7", "", "Jane", "Doe"),
    )


def test_a_canvas_export_skips_what_is_no_student(tmp_path):
    text = (
        "Student,ID,SIS User ID,SIS Login ID,Section,Ex 2 (77)\n"
        "    Points Possible,,,,,10.00\n"
        '"Doe, Jane",5501,400,jado,S1,7\n'
        '"Doe, John",5502,,jodo,S1,\n'
        '"Student, Test",9,,x,S1,\n'
    )
    roster = read_roster(write(tmp_path, text))
    assert roster.platform == "canvas"
    assert roster.people == (
        Person("400", "jado", "Jane", "Doe", "", "5501"),
        Person("5502", "jodo", "John", "Doe", "", "5502"),
    )


def test_a_moodle_worksheet_gives_participant_numbers(tmp_path):
    text = (
        'Identifier,"Full name","Email address",Status,Group,Grade,"Maximum Grade","Grade can be changed",'
        '"Last modified (submission)","Last modified (grade)","Feedback comments"\n'
        '"Participant 81001","Jane van der Doe",jane@x.dk,Submitted,G1,,10.00,Yes,-,-,\n'
    )
    roster = read_roster(write(tmp_path, text))
    assert roster.platform == "moodle"
    assert roster.people == (Person("jane@x.dk", "", "Jane van der", "Doe", "jane@x.dk", "81001"),)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it is empty"),
        ("\n\n", "it is empty"),
        ("a,b\n1,2\n", "names nobody"),
        ("id,name\n", "names nobody"),
        ("id,name\n1,Jane\n1,John\n", "names 1 people twice"),
        ('id,name\n1,"Jane\n2,John\n', "line 3"),
        ("id,name\n1,Doe,Jane\n", "line 2 has 3 cells for 2 headers"),
        (b"PK\x03\x04\0\0", "NUL"),
    ],
)
def test_what_is_no_class_list_is_refused_with_its_line_and_a_way_out(tmp_path, text, said):
    with pytest.raises(UsageError, match=said) as raised:
        read_roster(write(tmp_path, text))
    assert raised.value.cause
    assert raised.value.remedy


def test_a_line_that_is_not_closed_ssandboxows_nobody_in_silence(tmp_path):
    with pytest.raises(UsageError, match="unexpected end of data"):
        read_table(write(tmp_path, 'id,name\n1,"Jane\n2,John\n'))


def test_a_folder_is_no_class_list(tmp_path):
    with pytest.raises(UsageError, match="cannot be read"):
        read_roster(tmp_path)


@given(st.lists(st.lists(st.text(max_size=20), min_size=2, max_size=2), max_size=5))
def test_cells_read_back_as_text_and_never_as_a_formula(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("t") / "t.csv"
    written = [["a", "b"], *([cell(text) for text in row] for row in rows)]
    path.write_text(write_table(written), encoding="utf-8", newline="")
    assert list(read_table(path).rows) == [tuple(row) for row in written[1:] if any(row)]
    for text in (text for row in written for text in row):
        assert not text.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
        assert "\x1b" not in text
        assert "\n" not in text


@pytest.mark.parametrize(
    ("value", "text"), [(10.0, "10"), (7.5, "7.5"), (0.0, "0"), (1 / 3, "0.333333"), (1e6, "1000000"), (100.0, "100")]
)
def test_points_are_written_without_exponent_or_needless_zeros(value, text):
    assert number(value) == text


@pytest.mark.parametrize(
    ("dates", "when"),
    [
        ("Monday, 23 November 2026, 10:45 AM", "2026-11-23T10:45:00"),
        ("mandag den 23. november 2026 kl. 10:45", "2026-11-23T10:45:00"),
        ("poniedziałek, 23 listopada 2026, 10:45", None),  # November in Polish, October in Croatian
        ("pondělí, 23. listopadu 2026, 10:45", "2026-11-23T10:45:00"),
        ("-", None),
    ],
)
def test_moodles_worksheet_says_when_somebody_handed_in_in_any_language(tmp_path, dates, when):
    path = tmp_path / "sheet.csv"
    head = "Identifikator,Navn,Mail,Status,Karakter,Højeste,Kan ændres,Ændret,Rettet,Kommentar"
    rows = [
        f'Deltager {number},{name},{number}@x.dk,Afleveret,,2,Ja,"{dates}",-,'
        for number, name in ((71, "Anne Abel"), (72, "Bo Beck"))
    ]
    path.write_text("\n".join([head, *rows]) + "\n")
    roster = read_roster(path)
    assert set(roster.times.values()) == ({when} if when else set())
