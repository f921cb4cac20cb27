"""One visit to a quiz: which question comes next, and what was missed.

The session holds no answers of its own. It is made from the record, so that a crash at any answer loses nothing:
opening the quiz again goes on at the first question that was never answered.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from tlcourse.quiz.marking import Answer, Mark, mark
from tlcourse.quiz.presenting import realise

if TYPE_CHECKING:
    from tlcourse.course.model import Question, Quiz


class Session:
    """The questions still to be asked, in their order.

    Args:
        quiz: What is asked.
        latest: Whether the latest answer to a question, by its identifier, was right; from the record.
        seed: Draws the cases of `classify` questions; None: other cases at each visit.
    """

    def __init__(self, quiz: Quiz, latest: Mapping[str, bool], seed: int | None = None) -> None:
        self.quiz = quiz
        self._seed = secrets.randbits(32) if seed is None else seed
        self._correct = {question.id: latest[question.id] for question in quiz.questions if question.id in latest}
        self._queue = self._realised(question for question in quiz.questions if question.id not in self._correct)

    @property
    def question(self) -> Question | None:
        """What is asked now; None when the round is over."""
        return self._queue[0] if self._queue else None

    @property
    def right(self) -> int:
        """Questions whose latest answer is right."""
        return sum(self._correct.values())

    @property
    def answered(self) -> int:
        """Questions that were answered at least once."""
        return len(self._correct)

    @property
    def complete(self) -> bool:
        """Whether every question was answered at least once."""
        return self.answered == len(self.quiz.questions)

    @property
    def left(self) -> int:
        """Questions still to come in this round, the present one included."""
        return len(self._queue)

    def missed(self) -> list[Question]:
        """Questions whose latest answer is wrong, in the quiz's order."""
        return [question for question in self.quiz.questions if self._correct.get(question.id) is False]

    def answer(self, given: Answer) -> Mark:
        """Mark the present question; `advance` goes on. Raises ValueError for what cannot be marked."""
        if self.question is None:
            raise ValueError("no question is open")
        marked = mark(self.question, given)
        self._correct[self.question.id] = marked.correct
        return marked

    def advance(self) -> None:
        """Go on to the next question."""
        self._queue = self._queue[1:]

    def retry_missed(self) -> None:
        """A new round of what was missed alone."""
        self._queue = self._realised(self.missed())

    def restart(self) -> None:
        """A new round of everything; earlier answers stay in the record."""
        self._queue = self._realised(self.quiz.questions)

    def position(self, question: Question) -> int:
        """The number of a question in its quiz, from 1."""
        return next(n for n, known in enumerate(self.quiz.questions, start=1) if known.id == question.id)

    def _realised(self, questions: Iterable[Question]) -> list[Question]:
        """The questions as they are asked in this round; the next round draws other cases."""
        self._seed += 1
        return [realise(question, self._seed) for question in questions]
