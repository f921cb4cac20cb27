"""Brightspace's CSV as it is written by others, and what a spreadsheet may do to it."""

from __future__ import annotations

import csv
import io

import pytest

from tlcourse.course.model import Quiz
from tlcourse.errors import ContentError
from tlcourse.quiz.exchange import brightspace
from tlcourse.quiz.exchange.common import Given
from tlcourse.quiz.kinds import Multiple, Numeric, Single
from tlcourse.quiz.kinds.question import Option

GIVEN = Given("quiz.csv", "o", "u#s")
COMMON = {"objective": "o", "section": "u#s"}
FOREIGN = """//MULTIPLE CHOICE QUESTION TYPE,,,,
NewQuestion,MC,,,
ID,CHEM110-237,,,
Title,A choice,,,
QuestionText,Which is a gas?,,,
Points,1,,,
Option,100,Steam,,It is hot
Option,0,Ice,,It is cold
Hint,None,,,
,,,,
NewQuestion,MS,,,
Title,Several,,,
QuestionText,Which are odd?,,,
Scoring,RightAnswers,,,
Option,1,one,,odd
Option,0,two,,even
Option,1,three,,odd
,,,,
NewQuestion,TF,,,
QuestionText,Water is wet.,,,
TRUE,100,it is,,
FALSE,0,it is,,
,,,,
NewQuestion,O,,,
QuestionText,Order them.,,,
Scoring,RightMinusWrong,,,
Item,first,NOT HTML,it begins,
Item,second,NOT HTML,it follows,
Item,third,NOT HTML,it ends,
,,,,
NewQuestion,WR,,,
QuestionText,"<p>Say <b>why</b> &lt; 3.</p>",HTML,,
AnswerKey,Because.,,,
Feedback,a reason,,,
"""


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_what_others_wrote_is_read(delimiter, end):
    rows = list(csv.reader(io.StringIO(FOREIGN)))
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator=end).writerows(rows)
    (quiz,) = brightspace.read("\ufeff" + text.getvalue(), GIVEN)
    kinds = [(question.id, question.type) for question in quiz.questions]
    assert kinds == [
        ("a-choice", "single"),
        ("several", "multiple"),
        ("question-3", "single"),
        ("question-4", "ordering"),
        ("question-5", "short"),
    ]
    assert [step.text for step in quiz.questions[3].steps] == ["first", "second", "third"]
    assert quiz.questions[4].prompt == "Say why < 3."


def test_the_file_is_what_the_import_expects():
    question = Multiple(
        id="x", prompt="?", options=[Option("a", "ra", True), Option("b", "rb"), Option("c", "rc", True)], **COMMON
    )
    text = brightspace.write([Quiz("q", "Q", [question])])
    assert text.startswith("\ufeff")
    rows = {row[0]: row for row in csv.reader(io.StringIO(text.lstrip("\ufeff"))) if row}
    assert rows["NewQuestion"] == ["NewQuestion", "MS"]
    assert rows["Scoring"] == ["Scoring", "RightMinusWrong"]
    assert rows["Option"] == ["Option", "1", "c", "", "rc"]  # 1 and 0 for several, 100 and 0 for one


def test_no_cell_is_a_formula():
    evil = '=HYPERLINK("http://x","y")'
    question = Single(id="x", prompt=evil, options=[Option("+1+1", "@r", True), Option("-a", "\tr")], **COMMON)
    text = brightspace.write([Quiz("q", evil, [question])])
    cells = [cell for row in csv.reader(io.StringIO(text.lstrip("\ufeff"))) for cell in row]
    assert not any(cell.startswith(("=", "+", "-", "@", "\t")) for cell in cells)


def test_a_number_keeps_its_sign_and_its_tolerance():
    question = Numeric(id="x", prompt="?", answer=-0.4, tolerance=0.01, reason="r", **COMMON)
    text = brightspace.write([Quiz("q", "Q", [question])])
    assert "Answer,100,-0.4" in text
    (quiz,) = brightspace.read(text, GIVEN)
    assert quiz.questions == [question]


def test_half_credit_html_hints_and_points_are_named():
    text = """NewQuestion,MC
Title,Own MC
QuestionText,<p>Which part is <b>frozen</b>?</p>,HTML
Points,10
Image,images/MC1.jpg
Option,100,<p>The backbone</p>,HTML,<i>Right</i>
Option,0,The <head>,NOT HTML,No
Option,25,Both,,Partly
Hint,A hint
NewQuestion,SA
Title,Own SA
QuestionText,Name it
Answer,100,DANN,regexp
Answer,50,Dann net
Feedback,why
NewQuestion,LK
QuestionText,How did you like it?
"""
    given = Given("quiz.csv", "o", "u#s")
    ((choice, short),) = (quiz.questions for quiz in brightspace.read(text, given))
    assert choice.options == [
        Option("The backbone", "Right", True),
        Option("The <head>", "No"),
        Option("Both", "Partly"),
    ]
    assert (choice.prompt, short.answer_text) == ("Which part is frozen?", "DANN")
    assert [lost.removeprefix("quiz.csv:").replace(": question ", ": ") for lost in given.lost] == [
        "16: `LK` is not a type, expected one of MC, TF, MS, SA, M, O, WR: the question is left out",
        "1: `own-mc`: left out of its HTML: bold letters",
        "1: `own-mc`: its 10 points are left out: here all questions count alike",
        "1: `own-mc`: the picture `images/MC1.jpg` is left out",
        "1: `own-mc`: left out of its HTML: emphasis",
        "1: `own-mc`: the hint `A hint` is left out",
        "1: `own-mc`: `Both` is worth 25 % there, and is wrong here",
        "10: `own-sa`: the answer `DANN` is a pattern there, and a text here",
        "10: `own-sa`: the answer `Dann net` is worth 50 % there, and is left out",
    ]


def test_an_unknown_type_is_named_with_its_line():
    with pytest.raises(ContentError, match=r"quiz.csv:1: `LK` is not a type"):
        brightspace.read("NewQuestion,LK\nQuestionText,A Likert question\n", GIVEN)
