"""`tlcourse lesson`, `quiz`, `exercise` and `progress`: the course without the app."""

from __future__ import annotations

import json
from pathlib import Path

from answers import right_letters, wrong_letter

from tlcourse.course.loader import load_course
from tlcourse.student.record import Record

COURSE = "transfer-learning"
UNFINISHED = Path(__file__).parent.parent / "question_course"


def asked():
    """The questions as the next visit of this student asks them."""
    with Record.open() as record:
        seed = record.seed(COURSE)
    return [question.realise(seed) for question in load_course().quizzes["residual-connections"].questions]


def test_lessons_are_listed_in_order_with_what_is_read(tl):
    tl("lesson", "show", "fine-tuning", course=None)
    listed = json.loads(tl("lesson", "list", "--json", course=None).stdout)
    assert [unit["id"] for unit in listed["units"]][:3] == [
        "practicalities",
        "modern-cnns",
        "what-is-transfer-learning",
    ]
    assert [unit["id"] for unit in listed["units"] if unit["read"]] == ["fine-tuning"]


def test_a_lesson_is_shown_by_name_or_number_as_the_markdown_it_is(tl):
    by_name = tl("lesson", "show", "what-is-transfer-learning", course=None)
    by_number = tl("lesson", "show", "3", course=None)
    assert by_name.returncode == 0
    assert by_name.stdout == by_number.stdout
    assert by_name.stdout.startswith("# ")
    assert "## References" in by_name.stdout


def test_a_section_is_shown_as_questions_name_it_and_marks_nothing_as_read(tl):
    shown = tl("lesson", "show", "coral#which-one", course=None)
    assert shown.stdout.startswith("# CORAL: Which one?\n")
    assert "## " not in shown.stdout
    assert "0 of 20 lessons read" in tl("progress", course=None).stdout
    refused = tl("lesson", "show", "coral#wich-one", course=None)
    assert refused.returncode == 2
    assert "The lesson coral has no section 'wich-one'." in refused.stderr
    assert "which-one" in refused.stderr


def test_a_lesson_that_is_not_there_or_not_written_is_named(tl):
    for name in ("no-such-unit", "later", "0", "99"):
        shown = tl("lesson", "show", name, course=UNFINISHED)
        assert shown.returncode == 2
        assert "tlcourse lesson list" in shown.stderr
        assert "Traceback" not in shown.stderr


def test_a_quiz_is_taken_line_by_line_with_the_reason_of_every_option(tl):
    first, second = asked()[:2]
    stdin = f"z\n\nab\n{right_letters(first)}\n{wrong_letter(second)}\n"
    taken = tl("quiz", "take", "residual-connections", course=None, stdin=stdin)
    assert taken.returncode == 0
    assert "Right." in taken.stdout
    assert "Wrong." in taken.stdout
    assert taken.stdout.count("right:") + taken.stdout.count("wrong:") == 8
    assert "the answers so far are kept" in taken.stdout
    with Record.open() as record:
        assert record.latest_answers(COURSE, "residual-connections") == {
            "residual-what-is-learnt": True,
            "residual-degradation": False,
        }


def test_a_question_that_a_lesson_places_is_shown_as_it_is_asked_and_asked_alone(tl):
    shown = tl("lesson", "show", "lora#a-change-of-low-rank", "--plain", course=None).stdout
    with Record.open() as record:
        seed = record.seed(COURSE)
    question = next(one for one in load_course().quizzes["lora"].questions if one.id == "lora-rank").realise(seed)
    sheet = "\n".join([f"Question. {question.prompt}", *question.sheet()])
    assert f"{sheet}\nAnswer it with: tlcourse quiz take lora --question lora-rank\n" in shown
    assert question.options[question.right()[0]].reason not in shown
    how = ["quiz", "take", "lora", "--question"]
    taken = json.loads(tl(*how, "lora-rank", "--json", course=None, stdin=right_letters(question)).stdout)
    assert (taken["right"], taken["of"]) == (1, 1)
    with Record.open() as record:
        assert record.latest_answers(COURSE, "lora") == {"lora-rank": True}
    refused = tl(*how, "lora-rang", course=None)
    assert refused.returncode == 2
    assert "did you mean lora-rank" in refused.stderr


def test_what_a_lesson_asks_is_asked_without_the_app_too(tl):
    taken = tl("quiz", "take", "lesson/lora", course=None, stdin="many\nn\n")
    assert "How many parameters does LoRA with r = 4 add" in taken.stdout
    assert "Answer: 4 · (1024 + 4096) = 20 480" in taken.stdout
    assert "read: tlcourse lesson show lora#a-change-of-low-rank" in taken.stdout
    with Record.open() as record:
        assert record.latest_answers(COURSE, "lesson/lora") == {"lora#q-cb6b6d87": False}
    assert tl("quiz", "take", "lesson/none", course=None).returncode == 2


def test_a_quiz_gives_one_document(tl):
    question = asked()[0]
    taken = tl("quiz", "take", "residual-connections", "--json", course=None, stdin=right_letters(question) + "\n")
    document = json.loads(taken.stdout)
    assert document["right"] == 1
    assert document["answers"][0]["answer"] == question.options[question.right()[0]].text
    assert document["answers"][0]["question"] == "residual-what-is-learnt"
    assert tl("quiz", "take", "nothing", course=None).returncode == 2


def test_quizzes_are_listed_with_their_units(tl):
    listed = json.loads(tl("quiz", "list", "--json", course=None).stdout)
    assert {row["id"]: row["unit"] for row in listed["quizzes"]}["covariate-shift"] == "domains-and-tasks"


def test_progress_is_one_document_a_text_or_markdown(tl):
    tl("lesson", "show", "modern-cnns", course=None)
    tl("quiz", "take", "residual-connections", course=None, stdin="a\n")
    document = json.loads(tl("progress", "--json", course=None).stdout)
    assert document["next"] == "lesson/practicalities"
    assert "1 of 20 lessons read" in tl("progress", course=None).stdout
    assert "| 2. Last week: modern CNNs | read |" in tl("progress", "--markdown", course=None).stdout


def test_a_grading_is_an_attempt_in_the_record_and_a_crash_is_one_too(graded_here, tmp_path):
    (tmp_path / "solution.py").write_text("def fit(task):\n    raise RuntimeError('no')\n")
    assert graded_here("grade", "line").returncode == 1
    graded_here("run", "line")
    with Record.open() as record:
        (attempt,) = record.attempts("example", "line")
    assert attempt.outcome == "crash"


def test_a_damaged_record_is_mentioned_and_costs_no_verdict(tl, tmp_path, own_home):
    (own_home / "progress.sqlite").write_bytes(b"damaged" * 1000)
    shown = tl("progress", course=None)
    assert shown.returncode == 0
    assert "moved to" in shown.stderr


def test_start_refuses_what_is_no_terminal_and_names_the_commands(tl):
    refused = tl("start", course=None)
    assert refused.returncode == 2
    assert "tlcourse lesson list" in refused.stderr


def test_exercises_are_listed_and_their_hints_become_more_outspoken(tl):
    listed = json.loads(tl("exercise", "list", "--json", course=None).stdout)
    assert "ex2" in [row["id"] for row in listed["exercises"]]
    hints = [json.loads(tl("exercise", "hint", "ex2", str(n), "--json", course=None).stdout) for n in (1, 2, 3)]
    assert len({hint["hint"] for hint in hints}) == 3
    assert tl("exercise", "hint", "ex2", "4", course=None).returncode == 2
    shown = json.loads(tl("exercise", "show", "ex2", "--json", course=None).stdout)
    assert shown["reference"].endswith("graders/references/ex2_multitask.py")
