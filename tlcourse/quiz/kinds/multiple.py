"""At least one option is right, and all that are must be chosen."""

from collections.abc import Iterator
from typing import ClassVar

from tlcourse.quiz.kinds.question import LETTERS, Answer, AnswerInput, Mark, is_index, problems_of_list
from tlcourse.quiz.kinds.single import Choice, ChoiceInput


class Multiple(Choice, frozen=True, kw_only=True, tag="multiple"):
    """`options`, at least one of them correct."""

    asks: ClassVar[str] = "several may be right"
    hint: ClassVar[str] = "A letter, or space, chooses or clears; enter submits."

    def problems(self) -> Iterator[str]:
        """Too few options, two alike, or none that is right."""
        yield from problems_of_list(self.choices(), "options", 2)
        if not self.right():
            yield "has no correct option, expected at least 1"

    def answer_input(self) -> AnswerInput:
        return ChoiceInput(self, several=True)

    def wanted(self) -> str:
        letters = LETTERS[: len(self.options)]
        return f"letters of {letters}, such as {letters[:2]}"

    def read(self, line: str) -> Answer:
        """Read letters; one that stands twice counts once."""
        return sorted(set(self.read_letters(line)))

    def mark(self, answer: Answer) -> Mark:
        """Mark indices in any order: all right options and no other. One that is named twice counts once."""
        if not isinstance(answer, list) or not all(is_index(index, len(self.options)) for index in answer):
            raise ValueError(f"{answer!r} does not name options")
        return Mark(sorted(set(answer)) == self.right(), self.right())

    def solution(self) -> Answer:
        return self.right()
