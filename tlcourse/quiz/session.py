"""One visit to a quiz: which question comes next, and what was missed.

The session holds no answers of its own. It is made from the record, so that a crash at any answer loses nothing:
opening the quiz again continues at the first question that was never answered.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tlcourse.quiz.kinds import Question
    from tlcourse.quiz.kinds.question import Answer, Mark


class Session:
    """The questions still to be asked, in their order.

    Args:
        questions: What is asked, in its order.
        latest: Whether the latest answer to a question, by its identifier, was right; from the record.
        seed: Draws the order of choices, and the cases and numbers of questions that have some: `Record.seed`. None:
            by chance.
    """

    def __init__(self, questions: Sequence[Question], latest: Mapping[str, bool], seed: int | None = None) -> None:
        self.questions = questions
        self._seed = secrets.randbits(32) if seed is None else seed
        self._correct = {question.id: latest[question.id] for question in questions if question.id in latest}
        self._queue = self._realised(question for question in questions if question.id not in self._correct)
        self.in_a_row = 0
        """How many of the last answers of this visit were right, one after the other."""

    @property
    def question(self) -> Question | None:
        """What is asked now; None when the round is over."""
        return self._queue[0] if self._queue else None

    @property
    def right(self) -> int:
        """Questions whose latest answer is right."""
        return sum(self._correct.values())

    @property
    def marks(self) -> list[bool | None]:
        """Whether the latest answer to each question is right, in the quiz's order; None where there is none."""
        return [self._correct.get(question.id) for question in self.questions]

    @property
    def answered(self) -> int:
        """Questions that were answered at least once."""
        return len(self._correct)

    @property
    def complete(self) -> bool:
        """Whether every question was answered at least once."""
        return self.answered == len(self.questions)

    @property
    def left(self) -> int:
        """Questions still to come in this round, the present one included."""
        return len(self._queue)

    def missed(self) -> list[Question]:
        """Questions whose latest answer is wrong, in the quiz's order."""
        return [question for question in self.questions if self._correct.get(question.id) is False]

    def answer(self, given: Answer) -> Mark:
        """Mark the present question; `advance` moves to the next. Raises ValueError for what cannot be marked."""
        if self.question is None:
            raise ValueError("no question is open")
        marked = self.question.mark(given)
        self._correct[self.question.id] = marked.correct
        self.in_a_row = self.in_a_row + 1 if marked.correct else 0
        return marked

    def advance(self) -> None:
        """Move to the next question."""
        self._queue = self._queue[1:]

    def retry_missed(self) -> None:
        """A new round of what was missed alone."""
        self._queue = self._realised(self.missed())

    def restart(self) -> None:
        """A new round of everything; earlier answers stay in the record."""
        self._queue = self._realised(self.questions)

    def position(self, question: Question) -> int:
        """The number of a question in its quiz, from 1."""
        return next(n for n, known in enumerate(self.questions, start=1) if known.id == question.id)

    def _realised(self, questions: Iterable[Question]) -> list[Question]:
        """The questions as they are asked in this round; the next round draws anew."""
        asked = [question.realise(self._seed) for question in questions]
        self._seed += 1
        return asked
