"""Steps to be put into their order."""

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar

from msgspec import Meta, Struct
from msgspec.structs import replace

from tlcourse.quiz.kinds.question import (
    LETTERS,
    Answer,
    AnswerInput,
    ImportedQuestion,
    Line,
    Mark,
    Question,
    Reason,
    Text,
    mark_sequence,
    problems_of_list,
)
from tlcourse.quiz.kinds.visit_order import shuffled


class Step(Struct, frozen=True, forbid_unknown_fields=True):
    """One step of an order, and why it stands where it does."""

    text: Text
    """As it is shown."""
    reason: Text
    """Why it stands where it does."""


class Ordering(Question, frozen=True, kw_only=True, tag="ordering"):
    """`steps` in the right order; they are shown in another one."""

    steps: Annotated[list[Step], Meta(description="at least 3 steps")]
    visit: int = 0
    """Which order is shown; `realise` sets it, files do not."""

    asks: ClassVar[str] = "put into the right order"
    hint: ClassVar[str] = "Space picks a line up, arrows carry it, space puts it down (or J, K); enter submits."

    def problems(self) -> Iterator[str]:
        yield from problems_of_list(self.choices(), "steps", 3)

    def choices(self) -> list[str]:
        return [step.text for step in self.steps]

    def realise(self, seed: int) -> "Ordering":
        """Return it with its steps in the order of a visit."""
        return replace(self, visit=seed)

    def shown_order(self) -> list[int]:
        """Never the right one."""
        return shuffled(f"{self.id}/{self.visit}" if self.visit else self.id, len(self.steps))

    def answer_input(self) -> AnswerInput:
        return OrderingInput(self)

    def wanted(self) -> str:
        letters = LETTERS[: len(self.steps)]
        return f"all letters of {letters} in the right order, such as {letters[::-1]}"

    def read(self, line: str) -> Answer:
        """Read all letters, each once."""
        indices = self.read_letters(line, len(self.steps))
        if len(set(indices)) < len(indices):
            raise self.not_an_answer(line)
        return indices

    def mark(self, answer: Answer) -> Mark:
        """Mark the steps' indices in the order given; it is right as a whole."""
        right = list(range(len(self.steps)))
        marked = mark_sequence(answer, right, len(right))
        if isinstance(answer, list) and sorted(answer) != right:
            raise ValueError("each step is expected once")
        return marked

    def solution(self) -> Answer:
        return list(range(len(self.steps)))

    def reasons(self, given: Answer | None = None) -> list[Reason]:
        """The right order, and why each step stands where it does."""
        placed = given if isinstance(given, list) else []
        return [
            Reason(
                f"{place + 1}. {self.letter_of(place)})",
                placed[place : place + 1] == [place],
                f"{step.text.strip()}: {step.reason.strip()}",
            )
            for place, step in enumerate(self.steps)
        ]

    def named(self, answer: Answer | str) -> Any:
        """The steps as they were ordered."""
        return [self.steps[index].text for index in answer] if isinstance(answer, list) else []

    def note(self) -> dict[str, Any]:
        """The reasons: not every format has a place for them."""
        return {"reasons": {step.text: step.reason for step in self.steps}}

    @classmethod
    def fields_of(cls, imported: ImportedQuestion) -> dict[str, Any]:
        """The steps, with the reasons of the note."""
        reasons = imported.noted("reasons")
        steps = [{"reason": reasons.get(step["text"], ""), **step} for step in imported.steps]
        return super().fields_of(imported) | {"steps": steps}


class OrderingInput(AnswerInput):
    """Steps that are carried to their places."""

    def __init__(self, question: Ordering) -> None:
        super().__init__(question)
        self.question = question
        self.order = question.shown_order()
        self.carried = False
        """Whether the line under the cursor moves with it."""

    def letter(self, index: int) -> None:
        """Move the cursor to the line with this letter; lines keep the letter that they had at first."""
        shown = self.question.shown_order()
        if index < self.count:
            self.cursor, self.carried = self.order.index(shown[index]), False

    def space(self) -> None:
        """Pick the line up, or put it down."""
        self.carried = not self.carried

    def move(self, by: int) -> None:
        """Move the cursor, and the line with it while it is carried."""
        if self.carried:
            self.carry(by)
        else:
            super().move(by)

    def carry(self, by: int) -> None:
        """Exchange the line under the cursor with its neighbour; it stops at the ends."""
        other = self.cursor + by
        if 0 <= other < self.count:
            self.order[self.cursor], self.order[other] = self.order[other], self.order[self.cursor]
            self.cursor = other

    def answer(self) -> Answer:
        return list(self.order)

    def lines(self, given: Answer | None = None) -> list[Line]:
        """The lines as they are ordered; after marking, the right order with its reasons."""
        if given is not None:
            return [Line(reason.label, reason=reason) for reason in self.question.reasons(given)]
        return [
            Line(
                f"{'≡' if self.carried and place == self.cursor else ' '} {place + 1}. "
                f"{self.question.letter_of(index)})  {self.question.steps[index].text}"
            )
            for place, index in enumerate(self.order)
        ]
