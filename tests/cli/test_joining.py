"""`tlcourse batch` with a later download of a class, as an assistant meets it."""

from __future__ import annotations

import csv
import io
import json
import shlex
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parent.parent / "example_course"
RIGHT = (EXAMPLE / "graders" / "references" / "line.py").read_text()
ONLY_Y = (EXAMPLE / "graders" / "wrong" / "line" / "only_y.py").read_text()
MORNING, NOON = "Oct 3, 2025 1107 AM", "Oct 3, 2025 1207 PM"


@pytest.fixture
def class_(tmp_path):
    """Teams A (a, b), B (c, d) and C (e, f), and g in none; A and B hand in, then A again and C, and late a folder."""
    people, teams = "abcdefg", {"Team A": "ab", "Team B": "cd", "Team C": "ef"}
    (tmp_path / "class.csv").write_text("id,name\n" + "".join(f"{one},Person {one.upper()}\n" for one in people))
    groups = "".join(f"{team},{one}\n" for team, members in teams.items() for one in members)
    (tmp_path / "groups.csv").write_text("group,id\n" + groups)
    for folder, name, source in (
        ("first", f"1-1 - Team A - Person A - {MORNING}", ONLY_Y),
        ("first", f"2-1 - Team B - Person C - {MORNING}", ONLY_Y),
        ("late", f"1-1 - Team A - Person B - {NOON}", RIGHT),
        ("late", f"3-1 - Team C - Person E - {NOON}", RIGHT),
        ("mailed", "Team B", RIGHT),
        ("mailed", "Person G", ONLY_Y),
    ):
        (tmp_path / folder / name).mkdir(parents=True)
        (tmp_path / folder / name / "solution.py").write_text(source)
    return tmp_path


def points(tl):
    exported = tl("ta", "export", "line", "--format", "csv")
    assert exported.returncode == 0, exported.stderr
    return {row["id"]: row["points"] for row in csv.DictReader(io.StringIO(exported.stdout))}


@pytest.mark.slow
def test_a_late_download_comes_into_its_batch_and_what_is_exported_is_of_the_whole_class(
    class_, graded_here, monkeypatch
):
    batch = ("batch", "line")
    begun = graded_here(*batch, "first", "--roster", "class.csv", "--groups", "groups.csv")
    assert begun.returncode == 0, begun.stderr

    # by itself where it is plain, after a dry run that says what would happen
    looked = graded_here(*batch, "late", "--dry-run")
    assert "It comes into batch 1 of line" in looked.stdout
    assert "1 new, 1 newer, 0 the same, and 1 that it lacks, which stay." in looked.stdout
    assert "Team A (2025-10-03 12:07, graded so far: 2025-10-03 11:07)" in looked.stdout
    assert "2 hand-ins are to be graded. A batch of its own instead: tlcourse batch line late" in looked.stdout
    assert "handed in nothing: Person G (g)" in looked.stdout
    assert "Person C" not in looked.stdout  # B is in the batch, and handed in
    joined = graded_here(*batch, "late", "--json")
    assert joined.returncode == 0, joined.stderr
    said = json.loads(joined.stdout)
    assert (said["batch"], said["total"], said["counts"]) == (1, 3, {"pass": 2, "fail": 1})
    assert {kind: said["joins"][kind] for kind in ("new", "newer", "same", "absent")} == {
        "new": ["Team C"],
        "newer": ["Team A"],
        "same": [],
        "absent": ["Team B"],
    }
    assert "It comes into batch 1" in joined.stderr
    assert "a batch of its own instead: tlcourse batch line late" in joined.stderr
    assert points(graded_here) == {"a": "2", "b": "2", "c": "1", "d": "1", "e": "2", "f": "2", "g": ""}

    # the older download again changes nothing
    again = graded_here(*batch, "first", "--resume", "--json")
    assert json.loads(again.stdout)["joins"]["older"] == ["Team A"]
    assert points(graded_here)["a"] == "2"

    # refused with the two commands to type where it is not plain; on a terminal it is asked
    refused = graded_here(*batch, "mailed")
    assert refused.returncode == 2
    assert "that batch is of brightspace, and this download of folders" in refused.stderr
    commands = [line.split(": ", 1)[1] for line in refused.stderr.replace(" – for", "\nfor").splitlines()[-2:]]
    join, alone = (shlex.split(one.removeprefix("if it comes into batch 1: ")) for one in commands)
    assert [one[:4] for one in (join, alone)] == [["tlcourse", "batch", "line", "mailed"]] * 2
    assert (join[-1], alone[-1]) == ("--join", "--again")
    with monkeypatch.context() as terminal:
        terminal.setattr(sys.stdin, "isatty", lambda: True, raising=False)
        terminal.setattr(sys.stderr, "isatty", lambda: True, raising=False)
        terminal.setattr("typer.confirm", lambda question, **_: question == "Does it come into batch 1?")
        asked = graded_here(*batch, "mailed", "--plain")
    assert asked.returncode == 0, asked.stderr
    assert points(graded_here) == {**dict.fromkeys("abcdef", "2"), "g": "1"}
    report = json.loads(graded_here("ta", "report", "line", "--json").stdout)
    assert [(one["owner"], one["why"], one["points_before"]) for one in report["attempts"]] == [
        ("Team A", "late", 1.0),
        ("Team B", "mailed", 1.0),
    ]
    assert sorted(one["owner"] for one in report["handins"]) == ["Person G", "Team A", "Team B", "Team C"]


def test_which_batch_is_meant_can_be_said_and_what_cannot_be_is_refused(class_, graded_here):
    nobody = graded_here("batch", "line", "late", "--join")
    assert nobody.returncode == 2
    assert "no gradebook" in nobody.stderr
    for words, said in (
        (("--batch", "1"), "--join --batch 1"),
        (("--join", "--again"), "contrary"),
    ):
        refused = graded_here("batch", "line", "late", *words)
        assert refused.returncode == 2
        assert said in refused.stderr
