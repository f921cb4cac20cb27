"""Readers of what platforms import, written from their manuals and strict where the platforms are. Not our own code.

Each returns the points by the key that the platform looks people up by, or raises AssertionError as the platform would
refuse the file. None of them uses tlcourse.
"""

from __future__ import annotations

import json
import re
from typing import Any

DANGEROUS = "=+-@\t\r"


def rfc4180(text: str, delimiter: str = ",") -> list[list[str]]:
    """The records of a CSV, one character at a time: quotation marks only around whole cells, CRLF, equal widths."""
    text = text.removeprefix("\ufeff")
    assert text.endswith("\r\n"), "the last record must end"
    records: list[list[str]] = [[]]
    cell, state = "", "start"
    i = 0
    while i < len(text):
        c = text[i]
        if state == "quoted":
            if c == '"' and text[i + 1 : i + 2] == '"':
                cell += '"'
                i += 1
            elif c == '"':
                state = "closed"
            else:
                cell += c
        elif c == delimiter or text.startswith("\r\n", i):
            records[-1].append(cell)
            cell, state = "", "start"
            if c != delimiter:
                records.append([])
                i += 1
        elif c == '"':
            assert state == "start", f"a quotation mark within a cell, at {i}"
            state = "quoted"
        else:
            assert state in ("start", "plain") and c not in "\r\n\0\x1b", f"{c!r} in a bare cell, at {i}"
            cell += c
            state = "plain"
        i += 1
    assert state == "start" and records.pop() == []
    assert len({len(record) for record in records}) == 1, "records of different widths"
    return records


def harmless(records: list[list[str]], allowed: tuple[str, ...] = ()) -> None:
    """No cell is a formula for a spreadsheet, and none has control characters."""
    for cell in (cell for record in records for cell in record):
        assert cell in allowed or not cell.startswith(tuple(DANGEROUS)), f"a formula: {cell!r}"
        assert not re.search(r"[\x00-\x1f\x7f-\x9f]", cell), f"control characters: {cell!r}"


def points(text: str) -> float | None:
    """A number as platforms take it; None for an empty cell."""
    assert re.fullmatch(r"\d+(\.\d+)?|", text), f"no number: {text!r}"
    return float(text) if text else None


def brightspace(text: str, item: str, known: set[str]) -> dict[str, float | None]:
    """By OrgDefinedId (else user name), of people that the class list knows; a header must be the item's, exactly."""
    head, *rows = rfc4180(text)
    harmless([head, *rows])
    assert head[-1] == "End-of-Line Indicator"
    keys = [name for name in head[:-2] if name in ("OrgDefinedId", "Username")]
    assert keys and head == [*keys, item, head[-1]], f"Brightspace takes ids and one item, not {head}"
    found: dict[str, float | None] = {}
    for row in rows:
        assert row[-1] == "#", "a record must end in the indicator"
        ids = [cell.removeprefix("#") for cell in row[: len(keys)]]
        assert any(ids), "a record of nobody"
        key = ids[0] or ids[-1]
        assert key in known, f"{key} is not in the class"
        assert key not in found, f"{key} twice"
        found[key] = points(row[-2])
    return found


def canvas(text: str, item: str, known: set[str]) -> dict[str, float | None]:
    """By Canvas's ID, else the SIS ID; the points possible in the second record."""
    head, possible, *rows = rfc4180(text)
    harmless([head, *rows])
    assert head[:2] == ["Student", "ID"] and "Section" in head
    assert head[-1] == item
    assert possible[0] == "    Points Possible" and (points(possible[-1]) or 0) > 0
    found: dict[str, float | None] = {}
    for row in rows:
        record = dict(zip(head, row, strict=True))
        assert record["Student"].strip()
        key = record["ID"] or record["SIS User ID"]
        assert key in known and key not in found, key
        found[key] = points(row[-1])
    return found


def moodle(text: str, delimiter: str = ",") -> dict[str, tuple[float | None, str]]:
    """By participant number: points and comment. Moodle's importer needs three columns, by these very names."""
    head, *rows = rfc4180(text, delimiter)
    harmless(rows, allowed=("-",))
    for name in ("Identifier", "Grade", "Last modified (grade)"):
        assert head.count(name) == 1, name
    found: dict[str, tuple[float | None, str]] = {}
    for row in rows:
        record = dict(zip(head, row, strict=True))
        match = re.fullmatch(r"Participant (\d+)", record["Identifier"])
        assert match and match[1] not in found, record["Identifier"]
        grade = points(record["Grade"])
        assert grade is None or grade <= float(record["Maximum Grade"]), "above the maximum"
        comment = record["Feedback comments"]
        tags = set(re.findall(r"<[^>]*>?", comment))
        assert tags <= {"<br>"}, f"markup in a comment: {tags}"
        found[match[1]] = grade, comment
    return found


TEST_KEYS = {
    *("score", "max_score", "status", "name", "name_format", "number", "output", "output_format", "tags"),
    *("visibility", "extra_data"),
}
TOP_KEYS = {
    *("score", "execution_time", "output", "output_format", "test_output_format", "test_name_format", "visibility"),
    *("stdout_visibility", "extra_data", "tests", "leaderboard"),
}
VISIBILITY = {"hidden", "after_due_date", "after_published", "visible"}
FORMATS = {"text", "html", "simple_format", "md", "ansi"}


def gradescope(text: str) -> dict[str, Any]:
    """The document, if Gradescope's autograder specification allows all of it."""
    document = json.loads(text, parse_constant=lambda name: _refuse(name))
    assert isinstance(document, dict) and set(document) <= TOP_KEYS, set(document) - TOP_KEYS
    assert "score" in document or document.get("tests"), "either a score or tests"
    if "score" in document:
        assert isinstance(document["score"], int | float)
    for part in (document, *document.get("tests", [])):
        assert part.get("visibility", "visible") in VISIBILITY
        assert part.get("stdout_visibility", "visible") in VISIBILITY
        assert part.get("output_format", "text") in FORMATS and part.get("name_format", "text") in FORMATS
        assert isinstance(part.get("output", ""), str) and "\x1b" not in part.get("output", "")
    for test in document.get("tests", []):
        assert set(test) <= TEST_KEYS, set(test) - TEST_KEYS
        assert isinstance(test["score"], int | float) and isinstance(test["max_score"], int | float)
        assert test["status"] in ("passed", "failed")
        assert isinstance(test.get("number", ""), str)
    return document


def _refuse(name: str) -> None:
    raise AssertionError(f"{name} is no JSON")
