"""What decides about a mark is kept with it, by name: so it can be said later what was otherwise."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from tlcourse.course.model import CheckRule, Policy
from tlcourse.course.parts import FunctionsPart, ManualItem, ManualPart
from tlcourse.grading.rules import changes, files_in_rules, rules_of


def changed(line, **fields):
    """What differs where the exercise is given other fields."""
    return changes(rules_of(line), rules_of(replace(line, about=replace(line.about, **fields))))


def test_rules_are_plain_values_by_where_they_stand_in_exercise_yaml(line):
    rules = rules_of(line)
    assert (rules["sizes.test"], rules["limits.cpu_s"], rules["policy.doubt"], rules["seconds"]) == (400, 20, 0.01, 20)
    assert (rules["checks"], rules["checks.z_error.threshold"]) == (["y_error", "z_error"], 0.1)
    assert msgspec.json.decode(msgspec.json.encode(rules)) == rules


def test_each_that_was_changed_is_named_with_both_values(line):
    assert changed(line, seconds=20.0) == ""
    assert changed(line, seconds=12.5, graph=True) == "seconds 20, now 12.5; graph no, now yes"
    assert changed(line, sizes={"train": 200, "val": 50}) == "sizes test, train, val, now train, val"
    steps = [CheckRule("y_error", steps={0.2: 1.0, 0.1: 2.0}, direction="at_most")]
    better = [CheckRule("y_error", steps={0.2: 1.5, 0.1: 2.0}, direction="at_most")]
    before, now = (rules_of(replace(line, about=replace(line.about, checks=one))) for one in (steps, better))
    assert changes(before, now) == "checks.y_error.steps.0.2 1, now 1.5"
    assert changes(before, now, word="there") == "checks.y_error.steps.0.2 1, there 1.5"


def test_of_many_the_first_are_said_and_how_many_more(line):
    before = {f"limits.{number}": 1 for number in range(7)}
    said = changes(before, dict.fromkeys(before, 2))
    assert said.count("1, now 2") == 5
    assert said.endswith("limits.4 1, now 2; and 2 more")


def test_what_is_only_read_or_marked_by_people_changes_no_mark(line):
    first, *others = line.about.checks
    titled = [replace(first, title="Another title", unit="px", taught=("unit#heading",)), *others]
    report = ManualPart("report", rubric=(ManualItem("figures", "Figures", 3),))
    assert changed(line, title="Another", checks=titled, policy=Policy(attempts=9)) == ""
    assert changed(line, parts=(*line.about.parts, report)) == ""
    assert changed(line, parts=(*line.about.parts, FunctionsPart(("mean",)))) == "parts network, now network, functions"


def test_a_name_that_another_edition_did_not_keep_says_nothing(line):
    rules = rules_of(line)
    assert changes({name: value for name, value in rules.items() if name != "graph"}, {**rules, "graph": True}) == ""
    assert changes({**rules, "of old": 3}, rules) == ""


def test_a_generator_of_the_course_decides_as_well_and_data_files_do(line, tmp_path):
    (tmp_path / "points.py").write_text("x = 1\n")
    own = replace(line, folder=tmp_path, about=replace(line.about, generator="points"))
    before = rules_of(own)
    (tmp_path / "points.py").write_text("x = 2\n")
    assert changes(before, rules_of(own)).startswith("generator points.py (")
    assert changes(files_in_rules("", "a" * 64), files_in_rules("", "b" * 64)) == (
        "files of hidden data aaaaaaaaaaaa, now bbbbbbbbbbbb"
    )
