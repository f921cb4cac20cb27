"""Numbers drawn anew: what a formula may say, what is drawn, shown and kept, and what an author is told."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tlcourse.course.loader import load_course
from tlcourse.quiz.kinds import Drawn, Numeric
from tlcourse.quiz.kinds.drawn import Range, shown
from tlcourse.quiz.kinds.formula import LONGEST, evaluate
from tlcourse.quiz.kinds.question import ImportedQuestion, Reason

FAMILY = next(
    question
    for question in load_course(Path(__file__).parents[2] / "question_course").quizzes["kinds"].questions
    if question.id == "family"
)


@pytest.mark.parametrize(
    ("formula", "value"),
    [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * -3", -9),
        ("2 ** 10", 1024),
        ("7 % 4", 3),
        ("r * (n + m)", 48),
        ("sqrt(r) + exp(0) + abs(-1)", 4),
        ("max(r, n, 2) - min(r, n)", 4),
        ("log(exp(2))", 2),
        ("round(2.6) + floor(2.6) + ceil(2.2)", 8),
        (" 1_000 / 8 ", 125),
        ("-" * (LONGEST - 1) + "1", -1),
        ("-n", -8),
    ],
)
def test_a_formula_is_arithmetic_on_numbers_and_names(formula, value):
    assert evaluate(formula, {"r": 4, "n": 8, "m": 4}) == pytest.approx(value)


@pytest.mark.parametrize(
    ("formula", "said"),
    [
        ("x + 1", "`x` is not known, expected one of: n"),
        ("__import__('os')", "is not arithmetic"),
        ("n.real", "is not arithmetic"),
        ("[n][0]", "is not arithmetic"),
        ("(lambda: 1)()", "is not arithmetic"),
        ("n if n else 1", "is not arithmetic"),
        ("'a' * 9", "is not arithmetic"),
        ("True + 1", "is not arithmetic"),
        ("max(*n)", "is not arithmetic"),
        ("round(n, ndigits=2)", "is not arithmetic"),
        ("sqrt(1, 2)", "cannot be computed"),
        ("n +", "is not a formula"),
        ("n\0", "is not a formula"),
        ("1 / 0", "divides by zero"),
        ("sqrt(-1)", "cannot be computed"),
        ("log(0)", "cannot be computed"),
        ("(-1) ** 0.5", "a root of a negative number"),
        ("9 ** 9 ** 9 ** 9", "cannot be computed"),
        ("1e308 * 10", "is not finite"),
        ("n" * (LONGEST + 1), f"expected at most {LONGEST}"),
    ],
)
def test_nothing_else_is_a_formula_and_nothing_of_it_is_run(formula, said):
    with pytest.raises(ValueError) as refused:
        evaluate(formula, {"n": 1})
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("formula", "said"),
    [
        ("x", "`x` is not known, expected one of: none"),
        ("(-1) ** 0.5", "a root of a negative number cannot be computed"),
        (
            "1 if 1 else 2",
            "`1 if 1 else 2` is not arithmetic, expected numbers, names, + - * / ** % and "
            "abs, ceil, exp, floor, log, max, min, round, sqrt",
        ),
    ],
)
def test_what_is_wrong_with_a_formula_is_said_whole(formula, said):
    with pytest.raises(ValueError) as refused:
        evaluate(formula, {})
    assert str(refused.value) == said


def test_other_numbers_are_drawn_at_each_visit_and_the_same_ones_from_a_seed():
    drawn = {FAMILY.realise(seed).prompt for seed in range(60)}
    assert drawn == {f"What is {a} times {b}?" for a in (2, 3, 5) for b in (0.5, 1.5) if a > b}
    assert FAMILY.realise(7) == FAMILY.realise(7)
    asked = FAMILY.realise(7)
    a, b = asked.drawn["a"], asked.drawn["b"]
    assert asked.type == "numeric"
    assert asked.answer == a * b
    assert asked.tolerance == pytest.approx(a * b / 100)
    assert asked.mark(a * b).correct
    assert not asked.mark(a * b * 1.02).correct
    assert asked.named(1.5) == {"answer": 1.5, "drawn": {"a": a, "b": b}}
    (reason,) = asked.reasons(1.5)
    assert reason == Reason(
        f"{shown(a * b)} ± {shown(round(a * b / 100, 4))}",
        None,
        f"{a:g}·{b:g} = {a * b:g}; {2 * a:g} would be a times two.",
    )


def test_what_a_family_holds_besides_its_formulas_is_kept_for_each_draw():
    listing = msgspec.structs.replace(FAMILY, code="x = {a}", tolerance=0.5, keep="a - 2")
    asked = [listing.realise(seed) for seed in range(20)]
    assert {(one.code, one.tolerance) for one in asked} == {("x = 3", 0.5), ("x = 5", 0.5)}  # 2 is not above zero
    (reason,) = msgspec.structs.replace(listing, tolerance=0.0).realise(0).reasons()
    assert reason.label == shown(asked[0].answer)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (3.0, "3"),
        (-0.5, "−0.5"),
        (2 / 3, "0.6667"),
        (9999.0, "9999"),
        (278528.0, "278 528"),
        (123456.7, "123 457"),
        (0.0000625, "0.0000625"),
        (1234.567, "1235"),
        (0.0, "0"),
        (10000.0, "10 000"),
        (10000.5, "10 000"),
        (0.00002, "0.00002"),
    ],
)
def test_numbers_are_shown_with_four_digits_or_whole(number, text):
    assert shown(number) == text


def test_what_is_shown_can_be_typed():
    for text in ("278 528", "−0,5", " 0.6667 "):
        assert FAMILY.realise(1).read(text) == pytest.approx({"278 528": 278528, "−0,5": -0.5}.get(text, 0.6667))


def test_a_range_has_both_ends_and_no_dust():
    assert Range(0.1, 0.5, 0.1).values() == [0.1, 0.2, 0.3, 0.4, 0.5]
    assert Range(1, 3).values() == [1, 2, 3]
    assert Range(3, 1).values() == []
    assert len(Range(0, 1e9, 1).values()) == 1000


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"answer": "a * c"}, "`c` is not known, expected one of: a, b, double"),
        ({"prompt": "What is {c}?"}, "has a place for `{c}`, expected one of: a, b, double"),
        ({"prompt": "What is {answer}?"}, "has a place for `{answer}`, expected one of: a, b, double"),
        ({"let": {"a": "b"}}, "has the name `a` for a number"),
        ({"let": {"sqrt": "b"}, "reason": "."}, "has the name `sqrt` for a number"),
        ({"let": {"answer": "b"}, "reason": "."}, "has the name `answer` for a number"),
        ({"draw": {"a": [0, 1], "b": [1]}, "keep": None, "answer": "b / a"}, "divides by zero"),
        ({"draw": {"a": [1, 0], "b": [1]}, "keep": None, "answer": "b / a"}, "divides by zero"),  # of many draws one
        ({"keep": "a - 9"}, "`a - 9` held for none of 500 draws"),
        ({"draw": {"a": [], "b": [1]}}, "`a` has no numbers to draw from"),
        ({"draw": {"a": [0], "b": [1]}, "keep": None, "answer": "b / a"}, "divides by zero"),
        ({"tolerance": "1 / (a - a)"}, "divides by zero"),
    ],
)
def test_an_author_is_told_what_cannot_be_drawn(change, said):
    (problem,) = msgspec.structs.replace(FAMILY, **change).problems()
    assert said in problem


def test_another_program_gets_one_set_of_numbers_and_gives_the_family_back():
    exported = FAMILY.exported()
    assert type(exported) is Numeric
    assert exported == FAMILY.exported()
    assert "{" not in exported.prompt + exported.reason
    assert FAMILY.changed_elsewhere == "ask with one set of drawn numbers, always the same"
    assert FAMILY.topic() == "What is … times …?"
    back = ImportedQuestion(where="f:1", prompt=exported.prompt, answer=1.0, note=FAMILY.note())
    fields = {"id": "family", "type": "drawn", "objective": "answer", "section": "kinds#answering"}
    assert msgspec.convert(fields | Drawn.fields_of(back), Drawn) == FAMILY
    assert Drawn.fields_of(ImportedQuestion(where="f:1", note={"family": "a text"})) == {}
