"""What each kind gives to the formats of other programs, and what it makes of what comes back."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tlcourse.course.loader import load_course
from tlcourse.quiz.kinds import KINDS, Classify, Single
from tlcourse.quiz.kinds.question import ImportedQuestion

QUIZ = load_course(Path(__file__).parent.parent.parent / "question_course").quizzes["kinds"]
QUESTIONS = {question.id: question for question in QUIZ.questions}


def imported(**fields) -> ImportedQuestion:
    return ImportedQuestion(where="file:1", **fields)


def test_the_list_of_kinds_has_them_by_the_names_of_a_file():
    assert list(KINDS) == ["single", "multiple", "numeric", "matching", "ordering", "short", "classify", "bug", "drawn"]
    assert [question.type for question in QUIZ.questions] == [
        *("single", "multiple", "numeric", "matching", "ordering", "short", "classify", "bug", "drawn")
    ]


@pytest.mark.parametrize("name", ["one", "many", "number", "pairs", "order", "words"])
def test_what_other_programs_know_goes_there_as_itself(name):
    assert QUESTIONS[name].exported() is QUESTIONS[name]
    assert QUESTIONS[name].changed_elsewhere == ""


def test_the_wrong_line_of_a_listing_goes_as_a_choice_below_the_listing():
    line = QUESTIONS["line"]
    exported = line.exported()
    assert exported.type == "single"
    assert msgspec.to_builtins(exported) == {**msgspec.to_builtins(line), "type": "single", "ordered": True}


def test_a_drawn_case_goes_as_one_case_that_is_always_the_same():
    case = QUESTIONS["case"]
    assert case.exported() == case.exported()
    assert case.exported().code != msgspec.structs.replace(case, id="other").exported().code
    assert case.realise(1) == case.realise(1)
    assert case.realise(1).code != case.realise(2).code
    assert isinstance(case.exported(), Single)
    assert case.changed_elsewhere == "ask one drawn case, always the same"


NOTES = {
    "one": {},
    "many": {},
    "number": {"tolerance": 0.01},
    "pairs": {
        "reasons": {"1": "One leaves one.", "2": "Two leaves none.", "3": "Three leaves one as well."},
        "extras": {"neither": "Every whole number is one of the two."},
    },
    "order": {
        "reasons": {
            "small": "The smallest comes first.",
            "middle": "It is larger than small.",
            "large": "Nothing is larger.",
        }
    },
    "words": {"reason": "the word divisible, or something like it."},
    "case": {"cases": "shift"},
    "line": {},
    "family": {
        "family": {
            "prompt": "What is {a} times {b}?",
            "draw": {"a": [2, 3, 5], "b": {"from": 0.5, "to": 2, "step": 1}},
            "let": {"double": "2 * a"},
            "keep": "a - b",
            "answer": "a * b",
            "tolerance": "answer / 100",
            "reason": "{a}·{b} = {answer}; {double} would be a times two.",
        }
    },
}


@pytest.mark.parametrize("name", NOTES)
def test_the_note_has_what_a_format_may_have_no_place_for(name):
    assert QUESTIONS[name].note() == NOTES[name]


def test_a_match_without_further_sides_notes_none():
    assert msgspec.structs.replace(QUESTIONS["pairs"], options=[]).note() == {"reasons": NOTES["pairs"]["reasons"]}


OPTIONS = [{"text": "a", "reason": "r", "correct": True}, {"text": "b", "reason": "r"}]


@pytest.mark.parametrize("kind", ["single", "multiple", "bug"])
def test_options_come_back_with_their_listing(kind):
    assert KINDS[kind].fields_of(imported(options=OPTIONS)) == {"options": OPTIONS}
    assert KINDS[kind].fields_of(imported(options=OPTIONS, code="x")) == {"options": OPTIONS, "code": "x"}


def test_that_the_order_of_options_has_a_sense_goes_out_and_comes_back():
    assert msgspec.structs.replace(QUESTIONS["one"], ordered=True).note() == {"ordered": True}
    assert msgspec.structs.replace(QUESTIONS["one"], ordered=False).note() == {}
    for note, kept in (({"ordered": True}, {"ordered": True}), ({"ordered": "yes"}, {}), ({"ordered": False}, {})):
        back = KINDS["single"].fields_of(imported(options=OPTIONS, note=note))
        assert back == {"options": OPTIONS} | kept


@pytest.mark.parametrize(
    ("tolerance", "note", "expected"),
    [(None, {}, 0.0), (None, {"tolerance": 0.5}, 0.5), (0.25, {"tolerance": 0.5}, 0.25)],
)
def test_a_number_takes_its_tolerance_from_its_note_where_the_format_has_none(tolerance, note, expected):
    fields = KINDS["numeric"].fields_of(imported(answer=2.0, tolerance=tolerance, reason="r", note=note, code="x"))
    assert fields == {"code": "x", "answer": 2.0, "tolerance": expected, "reason": "r"}


def test_pairs_take_their_reasons_from_the_note_by_their_left_side():
    back = imported(
        pairs=[
            {"left": "1", "right": "odd"},
            {"left": "new", "right": "even"},
            {"left": "2", "right": "x", "reason": "y"},
        ],
        options=[{"text": "neither"}, {"text": "other"}],
        note={"reasons": {"1": "why", "2": "old"}, "extras": {"neither": "fits none"}},
        code="x",
    )
    assert KINDS["matching"].fields_of(back) == {
        "code": "x",
        "pairs": [
            {"left": "1", "right": "odd", "reason": "why"},
            {"left": "new", "right": "even", "reason": ""},  # named as missing when the question is made
            {"left": "2", "right": "x", "reason": "y"},
        ],
        "options": [{"text": "neither", "reason": "fits none"}, {"text": "other", "reason": ""}],
    }


def test_steps_take_their_reasons_from_the_note_by_their_text():
    back = imported(
        steps=[{"text": "a"}, {"text": "b"}, {"text": "c", "reason": "z"}],
        note={"reasons": {"a": "x", "c": "y"}},
        code="x",
    )
    assert KINDS["ordering"].fields_of(back) == {
        "code": "x",
        "steps": [{"text": "a", "reason": "x"}, {"text": "b", "reason": ""}, {"text": "c", "reason": "z"}],
    }


@pytest.mark.parametrize(("note", "reason"), [({"reason": "noted"}, "noted"), ({}, "own"), ({"reason": ""}, "own")])
def test_a_model_answer_takes_what_a_good_one_has_from_its_note(note, reason):
    fields = KINDS["short"].fields_of(imported(answer_text="model", reason="own", note=note, code="x"))
    assert fields == {"code": "x", "answer_text": "model", "reason": reason}


def test_a_drawn_case_comes_back_as_its_family_whatever_was_drawn():
    assert Classify.fields_of(imported(options=OPTIONS, code="x", note={"cases": "shift"})) == {"cases": "shift"}
    assert Classify.fields_of(imported()) == {"cases": ""}


@pytest.mark.parametrize(
    ("note", "kind", "form"),
    [
        ({}, "single", "single"),
        ({"type": "bug", "as": "single"}, "bug", "single"),
        ({"type": "ordering"}, "ordering", "ordering"),
    ],
)
def test_an_imported_question_is_of_the_kind_of_its_note_before_that_of_its_form(note, kind, form):
    back = imported(type="single", note=note)
    assert (back.kind, back.form) == (kind, form)


@pytest.mark.parametrize("spoilt", [[1], "x", 3, None])
def test_a_note_that_somebody_spoilt_has_no_reasons(spoilt):
    assert imported(note={"reasons": spoilt}).noted("reasons") == {}
    assert imported(note={"reasons": {"a": "b"}}).noted("reasons") == {"a": "b"}
