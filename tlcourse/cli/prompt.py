"""Questions asked line by line, for `quiz take` and `quiz review`."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tlcourse.quiz.kinds import Question
    from tlcourse.quiz.kinds.question import Answer, Mark, OwnWords
    from tlcourse.student.record import Record

Tell = Callable[[str], None]


def ask_all(questions: Sequence[tuple[str, Question]], course: str, record: Record, tell: Tell) -> list[dict[str, Any]]:
    """Ask each (quiz, question) in turn, keep each answer at once, and tell its reasons; ends with the input.

    Returns:
        One row for each answer given.
    """
    from tlcourse.quiz.kinds.question import for_record

    answers: list[dict[str, Any]] = []
    seed = secrets.randbits(32)
    for number, (quiz, plain) in enumerate(questions, start=1):
        question = plain.realise(seed + number)
        tell(f"\n{number} of {len(questions)}  {question.prompt.strip()}")
        for line in question.sheet():
            tell(line)
        given = _ask(question, tell)
        if given is None:
            tell("\nStopped; the answers so far are kept.")
            break
        marked = question.mark(given)
        kept = for_record(given)
        record.record_answer(course, quiz, question.id, kept, correct=marked.correct)
        answers.append({"question": question.id, "answer": kept, "correct": marked.correct, "mark": marked})
        _explain(question, given, marked, tell)
    return answers


def _ask(question: Question, tell: Tell) -> Answer | None:
    """An answer that can be marked, or None at the end of the input. What cannot be read is asked for again."""
    while True:
        line = _line(f"Answer ({question.wanted()}): ")
        if line is None:
            return None
        if question.form == "words":
            if line.strip():
                return _own_words(question, line, tell)
            tell("Write a line first, in your own words.")
            continue
        try:
            return question.read(line)
        except ValueError as error:
            tell(str(error))


def _own_words(question: Question, text: str, tell: Tell) -> OwnWords | None:
    """The model answer, and the student's own judgement beside it."""
    from tlcourse.quiz.kinds.question import OwnWords

    for reason in question.reasons():
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
    tell(("Right." if marked.correct else "Wrong.") + f"  (taught in {question.section})")
    if question.form == "words":
        return  # its reasons were shown before it was marked
    for reason in question.reasons(given):
        word = {None: ":", True: " right:", False: " wrong:"}[reason.right]
        tell(f"  {reason.label}{word} {reason.text}")
