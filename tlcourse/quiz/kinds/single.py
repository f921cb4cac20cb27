"""One option is right; and what all kinds with options share."""

from collections.abc import Iterator
from typing import Annotated, Any

from msgspec import Meta
from msgspec.structs import replace

from tlcourse.quiz.kinds.question import (
    LETTERS,
    Answer,
    AnswerInput,
    ImportedQuestion,
    Line,
    Mark,
    Option,
    Question,
    Reason,
    is_index,
    problems_of_list,
)
from tlcourse.quiz.kinds.visit_order import fixed_places, visit_order


class Choice(Question, frozen=True, kw_only=True):
    """Options to choose from, in another order at each visit; not where `ordered` says that their order has a sense."""

    options: Annotated[list[Option], Meta(description="at least 2 options")]
    ordered: bool = False
    """Whether the order of the options has a sense, and stays at every visit."""

    def realise(self, seed: int) -> "Choice":
        """Return it with its options in the order of a visit; letters, answers and reasons then follow that order."""
        order = visit_order(self.choices(), self.id, seed, ordered=self.ordered)
        return replace(self, options=[self.options[index] for index in order])

    def right(self) -> list[int]:
        """Indices of the right options."""
        return [index for index, option in enumerate(self.options) if option.correct]

    def problems(self) -> Iterator[str]:
        """Too few options, two alike, or not exactly one that is right."""
        yield from problems_of_list(self.choices(), "options", 2)
        if (right := len(self.right())) != 1:
            yield f"has {right} correct options, expected exactly 1"

    def choices(self) -> list[str]:
        return [option.text for option in self.options]

    @property
    def free(self) -> bool:
        """Whether every option may stand anywhere."""
        return not fixed_places(self.choices(), ordered=self.ordered)

    def answer_input(self) -> AnswerInput:
        return ChoiceInput(self)

    def read(self, line: str) -> Answer:
        return self.read_letters(line, 1)[0]

    def mark(self, answer: Answer) -> Mark:
        if not is_index(answer, len(self.options)):
            raise ValueError(f"{answer!r} does not name an option")
        (right,) = self.right()
        return Mark(answer == right, right)

    def solution(self) -> Answer:
        return self.right()[0]

    def reasons(self, given: Answer | None = None) -> list[Reason]:
        """Why each option is right or wrong."""
        return [
            Reason(f"{LETTERS[index]})", option.correct, option.reason.strip())
            for index, option in enumerate(self.options)
        ]

    def named(self, answer: Answer | str) -> Any:
        """The text of the option, or of each one chosen."""
        if isinstance(answer, list):
            return [self.options[index].text for index in answer]
        assert isinstance(answer, int)
        return self.options[answer].text

    def note(self) -> dict[str, Any]:
        """That the order has a sense, where it has."""
        return {"ordered": True} if self.ordered else {}

    @classmethod
    def fields_of(cls, imported: ImportedQuestion) -> dict[str, Any]:
        ordered = {"ordered": True} if imported.note.get("ordered") is True else {}
        return {**super().fields_of(imported), "options": imported.options} | ordered


class Single(Choice, frozen=True, kw_only=True, tag="single"):
    """`options`, one of them correct."""


class ChoiceInput(AnswerInput):
    """Choices by cursor and letter."""

    def __init__(self, question: Choice, *, several: bool = False) -> None:
        super().__init__(question)
        self.question = question
        self.several = several
        self.chosen: set[int] = set()

    def letter(self, index: int) -> None:
        if index < self.count:
            self.cursor = index
            self.space()

    def space(self) -> None:
        """Choose the option under the cursor; of several, clear it when it is chosen already."""
        self.chosen = self.chosen ^ {self.cursor} if self.several else {self.cursor}

    def answer(self) -> Answer:
        """The index of the choice, or those of several."""
        if not self.chosen:
            raise ValueError("Choose first: a letter, or space on an option.")
        return sorted(self.chosen) if self.several else next(iter(self.chosen))

    def lines(self, given: Answer | None = None) -> list[Line]:
        return [self.line(index, f" {option.text}", given) for index, option in enumerate(self.question.options)]

    def line(self, index: int, text: str, given: Answer | None, **other: Any) -> Line:
        """Return the line of one option: its box, its letter, and the text behind it."""
        boxes = ("[ ]", "[x]") if self.several else ("( )", "(•)")
        mine = index in self.chosen
        reason = self.question.reasons(given)[index] if given is not None else None
        return Line(f"{boxes[mine]} {LETTERS[index]}) {text}", mine=mine, reason=reason, **other)
