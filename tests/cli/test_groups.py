"""`tlcourse groups check` as an assistant uses it."""

from __future__ import annotations

import json

from tests.fixtures.a_class import build


def test_a_class_within_the_policy_is_a_table_and_exit_code_0(tl, tmp_path):
    made = build(tmp_path / "class")
    checked = tl("groups", "check", str(made.groups_file), "--roster", str(made.classlist), course=None)
    assert checked.returncode == 0, checked.stderr
    lines = checked.stdout.splitlines()
    assert len(lines) == 41
    assert "(exception: works alone by agreement)" in lines[0]
    assert lines[-1] == "40 groups, 110 places, no problems."


def test_breaches_are_listed_as_lines_and_as_a_document_with_exit_code_1(tl, tmp_path):
    (tmp_path / "groups.csv").write_text("group,username\nA,ann\nB,bob\nB,ann\n\x1b[2JC,=cmd|calc\n")
    (tmp_path / "list.csv").write_text("id,username,name\n1,ann,Ann Test\n2,bob,Bob Test\n3,cem,Cem Test\n")
    plain = tl("groups", "check", "groups.csv", "--roster", "list.csv", "--plain", course=None)
    assert plain.returncode == 1
    assert "problem: twice: Ann Test (1) is in A and B." in plain.stdout
    assert "problem: missing: Cem Test (3) is in no group." in plain.stdout
    assert "\x1b" not in plain.stdout
    document = tl("groups", "check", "groups.csv", "--roster", "list.csv", "--json", course=None)
    assert document.returncode == 1
    found = json.loads(document.stdout)
    assert found["ok"] is False
    assert {problem["kind"] for problem in found["problems"]} == {"small", "twice", "missing", "unknown"}


def test_a_file_that_cannot_be_read_is_exit_code_2_and_one_message(tl):
    checked = tl("groups", "check", "nowhere.csv", "--json", course=None)
    assert checked.returncode == 2
    assert "nowhere.csv cannot be read" in json.loads(checked.stdout)["error"]["what"]
    assert "Traceback" not in checked.stderr
