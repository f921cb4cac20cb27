"""Questions asked line by line, for `quiz take` and `quiz review`."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tlcourse.course.model import Question
    from tlcourse.progress import Progress
    from tlcourse.quiz.marking import Answer, Mark

Tell = Callable[[str], None]


def ask_all(
    questions: Sequence[tuple[str, Question]],
    course: str,
    record: Progress,
    tell: Tell,
    after: Callable[[str, Question, Mark], None] | None = None,
) -> list[dict[str, Any]]:
    """Ask each (quiz, question) in turn, keep each answer at once, and tell its reasons; ends with the input.

    Returns:
        One row for each answer given. `after` is called with quiz, question and mark once an answer is kept.
    """
    from tlcourse.quiz.marking import kept, mark
    from tlcourse.quiz.presenting import realise

    answers: list[dict[str, Any]] = []
    seed = secrets.randbits(32)
    for number, (quiz, plain) in enumerate(questions, start=1):
        question = realise(plain, seed + number)
        tell(f"\n{number} of {len(questions)}  {question.prompt.strip()}")
        _show(question, tell)
        given = _ask(question, tell)
        if given is None:
            tell("\nStopped; the answers so far are kept.")
            break
        marked = mark(question, given)
        record.record_answer(course, quiz, question.id, kept(given), correct=marked.correct)
        if after is not None:
            after(quiz, question, marked)
        answers.append({"question": question.id, "answer": kept(given), "correct": marked.correct, "mark": marked})
        _explain(question, given, marked, tell)
    return answers


def _show(question: Question, tell: Tell) -> None:
    """Listing, numbered lines and lettered choices."""
    from tlcourse.course.questions import LETTERS
    from tlcourse.quiz.presenting import choices, listing, shown_order

    for line in listing(question):
        tell(f"    {line}".rstrip())
    for row, pair in enumerate(question.pairs, start=1):
        tell(f"  {row}  {pair.left}")
    if question.type == "bug":
        return  # its letters stand in the listing
    texts = choices(question)
    for letter, index in zip(LETTERS, shown_order(question), strict=False):
        tell(f"  {letter}) {texts[index]}")


def _ask(question: Question, tell: Tell) -> Answer | None:
    """An answer that can be marked, or None at the end of the input. What cannot be read is asked for again."""
    from tlcourse.quiz.reading import read_answer, wanted

    while True:
        line = _line(f"Answer ({wanted(question)}): ")
        if line is None:
            return None
        if question.type == "short":
            if not line.strip():
                tell("Write a line first, in your own words.")
                continue
            return _own_words(question, line, tell)
        try:
            return read_answer(question, line)
        except ValueError as error:
            tell(str(error))


def _own_words(question: Question, text: str, tell: Tell) -> Answer | None:
    """The model answer, and the student's own judgement beside it."""
    from tlcourse.quiz.explaining import reasons
    from tlcourse.quiz.marking import OwnWords

    for reason in reasons(question):
        tell(f"  {reason.label}: {reason.text}")
    while True:
        line = _line("Does yours say the same? (y or n): ")
        if line is None:
            return None
        if (word := line.strip().lower()) in ("y", "yes", "n", "no"):
            return OwnWords(text.strip(), word.startswith("y"))
        tell("y or n is expected.")


def _line(prompt: str) -> str | None:
    sys.stderr.write(prompt)
    sys.stderr.flush()
    return sys.stdin.readline() or None


def _explain(question: Question, given: Answer, marked: Mark, tell: Tell) -> None:
    """Right or wrong, and the reason of every option."""
    from tlcourse.quiz.explaining import reasons

    tell(("Right." if marked.correct else "Wrong.") + f"  (taught in {question.section})")
    if question.type == "short":
        return  # shown before it was marked
    for reason in reasons(question, given):
        word = "" if question.type == "numeric" else f" {'right' if reason.right else 'wrong'}:"
        tell(f"  {reason.label}{word} {reason.text}" if word else f"  {reason.label}: {reason.text}")
