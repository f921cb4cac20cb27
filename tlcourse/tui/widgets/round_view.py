"""A round of questions as text: a dot a question, the score, and at its end a bar for each objective."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Callable, Mapping

from textual.content import Content

from tlcourse.course.markdown import title_of
from tlcourse.course.model import LoadedCourse
from tlcourse.presenting.marks import TRACK, heated, parted, share_bar
from tlcourse.quiz.kinds import Question
from tlcourse.quiz.kinds.question import Answer, Mark
from tlcourse.quiz.session import Session
from tlcourse.tui.text import Text

_DOTS = 40
"""Most questions of a round that have a dot each."""
_SIDE, _GOAL = 26, 8
"""Columns of the bars beside a question, and of an objective."""


def dots(session: Session, *, marked: bool) -> Text:
    """A dot for each question of the round: right, wrong, open, and the one that is asked unless it is `marked`."""
    text, now = Text(), session.question
    if len(session.questions) > _DOTS:
        return text
    for question, mark in zip(session.questions, session.marks, strict=True):
        if now is not None and question.id == now.id and not marked:
            text.append("◆", style="bold $next")
        elif mark is None:
            text.append("○", style=TRACK)
        else:
            text.append("●" if mark else "✗", style="$done" if mark else "$wrong")
    return text.append("  ")


def score(session: Session) -> Text:
    """Right and wrong as a bar, in words, and how many of the last answers were right."""
    marks = session.marks
    right, wrong = marks.count(True), marks.count(False)
    text = Text.of(parted([(right, "$done"), (wrong, "$wrong")], len(marks), _SIDE))
    text.append(f"\n{right} right, {wrong} wrong, {marks.count(None)} open", style="$muted")
    if session.in_a_row > 1:
        text.append(f"\n{session.in_a_row} right in a row", style="bold $done")
    return text


def listing(text: str) -> Content:
    """What is to be looked at: a program has colours and the numbers of its lines, a table's cells have shades."""
    if not _is_program(text):
        return Content("\n").join(Text.of(line).visualize() for line in heated(text))
    from textual.highlight import highlight

    lines = highlight(text, language="python").split("\n", allow_blank=True)
    width = len(str(len(lines)))
    numbered = [Content.assemble((f"{number:>{width}}  ", "$muted"), line) for number, line in enumerate(lines, 1)]
    return Content("\n").join(numbered)


def _is_program(text: str) -> bool:
    """Whether it is Python with a statement that a table or a log cannot hold."""
    try:
        tree = ast.parse(textwrap.dedent(text))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return any(not isinstance(node, ast.Expr) for node in tree.body)


def to_compare(question: Question, words: Callable[[str], str]) -> Text:
    """The model answer, for whoever compares an answer of their own with it."""
    text = Text()
    for reason in question.reasons():
        text.append(f"{reason.label}: ", style="bold").append(words(reason.text) + "\n\n")
    return text.append("Does yours say the same?  y yes · n no", style="bold")


def marked(question: Question, given: Answer, mark: Mark, words: Callable[[str], str]) -> Text:
    """Right or wrong; with the reasons, where these do not stand beside the lines of the answer."""
    word, colour = ("✓ Right.", "$good") if mark.correct else ("✗ Wrong.", "$bad")
    if question.form == "words":
        word = "✓ You marked it right." if mark.correct else "✗ You marked it wrong."
    text = Text().append(words(word), style=f"bold {colour}")
    if question.form != "keys":
        for reason in question.reasons(given):
            text.append(words(f"\n{reason.label}: {reason.text}"))
    return text


def goals_of(course: LoadedCourse) -> dict[str, str]:
    """The text of each objective, by its identifier; what lessons ask has none."""
    known = {goal.id: goal.text for unit in course.about.units for goal in unit.objectives}
    return known | {"": "Answer what the lessons ask."}


def prompt(question: Question, words: Callable[[str], str], style: str = "") -> Text:
    """What is asked, with its code, formulas and emphasis; `words` spells its words."""
    from tlcourse.presenting.prompt import in_runs

    text = Text(style=style)
    for run in in_runs(question.prompt.strip()):
        text.append(words(run.text), style=run.style or None)
    return text


def taught_in(course: LoadedCourse, question: Question) -> str:
    """Where a question is taught, in words: the unit and the section of its lesson."""
    name, _, section = question.section.partition("#")
    unit = next((unit.title for unit in course.about.units if unit.id == name), name)
    title = title_of(course.lessons[name].body, section) if name in course.lessons and section else ""
    return f"{unit} › {title}" if title else unit


def by_objective(session: Session, before: Mapping[str, bool | None], goals: Mapping[str, str]) -> Text:
    """Each objective of the round with a bar, and what this visit changed.

    Args:
        session: The round.
        before: Whether each question was right before the visit; None where it was never answered.
        goals: The text of each objective, as it is to be shown.
    """
    found: dict[str, list[tuple[bool | None, bool | None]]] = {}
    for question, mark in zip(session.questions, session.marks, strict=True):
        found.setdefault(question.objective, []).append((before.get(question.id), mark))
    text = Text("\n\n")
    for goal, marks in found.items():
        right = sum(mark is True for _, mark in marks)
        change = right - sum(earlier is True for earlier, _ in marks)
        text.append_text(Text.of(share_bar(right / len(marks), _GOAL)))
        text.append(f" {right}/{len(marks)} ", style="$muted")
        text.append(f"{change:+d} " if change else "   ", style="$done" if change > 0 else "$wrong")
        text.append(goals.get(goal, goal) + "\n")
    return text
