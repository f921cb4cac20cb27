"""What `author check` finds beyond a course that cannot be read: lessons, questions and objectives that need a hand."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tlcourse.course.checks import lost_places, problems_of_lessons
from tlcourse.course.coverage import coverage, misplaced, uncovered
from tlcourse.course.loader import load_course
from tlcourse.errors import ContentError

KINDS = Path(__file__).parent.parent / "question_course"


@pytest.fixture
def course(tmp_path: Path) -> Path:
    return Path(shutil.copytree(KINDS, tmp_path / "course"))


def spoil(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("Costs $x more.", "a raw `$`"),
        ("    " + "x" * 80, "a line of 84 columns"),
        ("x" * 80, "a word of 80 columns"),
        ("See [there](nowhere).", "the link `nowhere` leads nowhere"),
        ("See [there](kinds#nothing).", "the link `kinds#nothing` leads nowhere"),
        ("See [there](#nothing).", "leads nowhere"),
        ("Try [it](lab/nothing).", "leads nowhere"),
        ("[Question](question/two)", "the question `two` is in no quiz of the unit `kinds`, expected another"),
        ("Now [this](question/one).", "stands within a line, expected `[Question](question/one)` alone in its own"),
    ],
)
def test_a_lesson_that_a_terminal_shows_badly_is_named_with_its_line(course, line, said):
    path = course / "lessons" / "kinds.md"
    path.write_text(path.read_text() + "\n" + line + "\n")
    (problem,) = problems_of_lessons(load_course(course))
    assert problem.startswith(f"{path}:{len(path.read_text().splitlines())}: ")
    assert said in problem


@pytest.mark.parametrize(
    "line",
    ["`$HOME`", "[Question](question/one)", "See [there](#answering), [here](kinds), [web](https://example.org/a)."],
)
def test_code_and_links_that_lead_somewhere_are_no_problem(course, line):
    path = course / "lessons" / "kinds.md"
    path.write_text(path.read_text() + "\n" + line + "\n")
    assert list(problems_of_lessons(load_course(course))) == []


def test_a_question_stands_below_the_section_that_teaches_it(course):
    spoil(course / "lessons" / "kinds.md", "## Answering", "[Question](question/one)\n\n## Answering")
    (problem,) = problems_of_lessons(load_course(course))
    assert "kinds.md:5: the question `one` is taught in `kinds#answering`, expected it there or further" in problem


def test_a_check_that_is_said_to_be_taught_where_nothing_is_is_named(tmp_path):
    folder = Path(shutil.copytree(KINDS.parent / "example_course", tmp_path / "course"))
    assert list(lost_places(load_course(folder))) == []
    path = next(folder.rglob("exercise.yaml"))
    spoil(path, "    points:", "    taught: [nowhere#at-all]\n    points:")
    (problem,) = lost_places(load_course(folder))
    assert problem.startswith(f"{path}:")
    assert "is taught in `nowhere#at-all`, expected a place of the course" in problem


def test_a_lesson_promises_as_much_as_the_unit(course):
    spoil(course / "lessons" / "kinds.md", "## Answering", "After this unit you can\n\n- answer.\n\n## Answering")
    (problem,) = problems_of_lessons(load_course(course))
    assert "2 objectives and its lesson names 1" in problem


def test_an_objective_that_nobody_asks_about_is_found(course):
    spoil(course / "course.yaml", "      - id: sort", "      - id: fly\n        text: Fly.\n      - id: sort")
    (problem,) = uncovered(load_course(course))
    assert "objective `fly` is asked about by no question" in problem
    assert problem.startswith(f"{course / 'course.yaml'}:10: ")


def test_a_question_asked_twice_is_found(course):
    spoil(course / "quizzes" / "kinds.yaml", "What is one half?", "Which NUMBER is   even?")
    (problem,) = uncovered(load_course(course))
    assert "asks the same as `one`" in problem


def test_coverage_counts_questions_and_names_sections():
    rows = {row.objective: row for row in coverage(load_course(KINDS))}
    assert (rows["answer"].questions, rows["sort"].questions) == (6, 3)
    assert rows["answer"].sections == ["kinds#answering"]
    assert rows["answer"].judging == 0


def test_where_questions_say_their_level_each_objective_needs_one_at_which_students_judge(course):
    path = course / "quizzes" / "kinds.yaml"
    assert list(uncovered(load_course(course))) == []  # no question says its level
    spoil(path, "    prompt: What is one half?\n", "    prompt: What is one half?\n    level: evaluate\n")
    (problem,) = uncovered(load_course(course))
    assert "`sort` is asked about by no question with the level analyse, evaluate, create" in problem
    assert {row.objective: row.judging for row in coverage(load_course(course))} == {"answer": 1, "sort": 0}


def test_a_slide_is_covered_by_places_that_are_there(course):
    path = course / "coverage.yaml"
    assert list(misplaced(load_course(course))) == []  # a course need not have such a list
    path.write_text("- {slide: sums, in: [kinds#answering, nowhere]}\n- {slide: proofs, in: []}\n")
    wrong, empty = misplaced(load_course(course))
    assert "coverage.yaml:1: slide `sums` names `nowhere`" in wrong
    assert "coverage.yaml:2: slide `proofs` is covered nowhere" in empty


@pytest.mark.slow
def test_author_check_prints_the_table_and_ends_with_2_where_something_is_missing(tl, course):
    table = tl("author", "check", "--coverage", course=None).stdout
    assert "write-lora" in table
    document = json.loads(tl("author", "check", str(KINDS), "--coverage", "--json", course=None).stdout)
    assert [row["questions"] for row in document["coverage"]] == [6, 3]
    spoil(course / "lessons" / "kinds.md", "There are", "There are $8, and")
    done = tl("author", "check", str(course), course=None)
    assert done.returncode == 2
    assert "a raw `$`" in done.stdout


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("        right: even", "        right: odd", None),
        ("      - text: neither", "      - text: ODD", "two options with the same text"),
        ('      - left: "2"', '      - left: "1"', "two pairs with the same text"),
        ("      - text: middle", "      - text: Small", "two steps with the same text"),
        ("    cases: shift\n", "", "no `cases`"),
        ("    answer_text: Because it is divisible by two.\n", "", "no `answer_text`"),
        ("    reason: the word divisible, or something like it.\n", "", "no `reason`"),
        ("      - text: return total", "      - text: return nothing", "exactly one line of its code"),
        ("          total = a - b\n", "          total = = b\n", "code that is not Python"),
        ("          return total\n", "          return total\n" + "          # more\n" * 30, "33 lines of code"),
        ("        reason: Two leaves none.\n", "", "no `reason`"),
        ("        reason: It is larger than small.\n", "", "no `reason`"),
        ("    type: ordering", "    type: numeric", "`steps`"),
    ],
)
def test_a_question_that_cannot_be_answered_is_a_problem_of_its_kind(course, old, new, said):
    spoil(course / "quizzes" / "kinds.yaml", old, new)
    if said is None:
        load_course(course)
        return
    with pytest.raises(ContentError) as caught:
        load_course(course)
    assert any(said in problem for problem in caught.value.problems), caught.value.problems


def test_a_deadline_has_a_zone_and_a_rule_and_students_read_both(tl, tmp_path):
    course = Path(shutil.copytree(KINDS.parent / "example_course", tmp_path / "course"))
    kept, exercise = course / "course.yaml", next(course.glob("exercises/*/exercise.yaml"))
    head, text = kept.read_text(), exercise.read_text()
    for zone, more, place, said in (
        ("", "due: 2026-11-20 23:59", "exercise.yaml", "due: '2026-11-20 23:59' has no zone, and neither has the cou"),
        ("zone: CEST", "due: 2026-11-20 23:59", "course.yaml", "'CEST' is not a time zone. Expected: write it as a c"),
        ("zone: Europe/Paris", "due: 20 Nov", "exercise.yaml", "due: '20 Nov' is not a date and time. Expected: writ"),
        ("", "late: {penalty: 10, of: mark}", "exercise.yaml", "late.of is `mark`, expected one of earned, maximum"),
        ("", "late: {penalties: 10}", "exercise.yaml", "late has `penalties`, expected only fields"),
        ("", "late: {penalty: 200}", "exercise.yaml", "late.penalty: expected `float` <= 100"),
    ):
        kept.write_text(f"{head}\n{zone}\n")
        exercise.write_text(f"{text}\n{more}\n")
        with pytest.raises(ContentError) as error:
            load_course(course)
        (problem,) = error.value.problems
        assert place in problem and said in problem
    kept.write_text(f"{head}\nzone: Europe/Paris\nlate: {{penalty: 10, cut_off_days: 3}}\n")
    exercise.write_text(f"{text}\ndue: 2026-11-20 23:59:00\n")
    shown = tl("exercise", "show", "line", "--plain", course=course)
    assert "Due: 2026-11-20 23:59 (Europe/Paris)\n  when late: 10 % of the points earned for each day" in shown.stdout
