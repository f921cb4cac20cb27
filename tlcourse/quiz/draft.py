"""An answer while it is being given with single keys, and the lines that show it; nothing here knows of a screen.

Every kind of question takes the same five keys: a letter, space, up and down, and "carry" up and down. A number and
a short answer are typed into a field instead, so that their drafts have no lines.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from tlcourse.course.questions import LETTERS
from tlcourse.quiz.explaining import Reason, reasons
from tlcourse.quiz.presenting import choices, letter_of, shown_order

if TYPE_CHECKING:
    from tlcourse.course.model import Question
    from tlcourse.quiz.marking import Answer

HINTS = {
    "single": "A letter, or space, chooses; enter hands in.",
    "multiple": "A letter, or space, chooses or takes back; enter hands in.",
    "classify": "A letter, or space, chooses; enter hands in.",
    "bug": "The letter of a line, or space, chooses; enter hands in.",
    "numeric": "Enter hands in.",
    "matching": "A letter matches the line under the cursor; space goes through them; enter hands in.",
    "ordering": "Space takes a line up, arrows carry it, space puts it down (or J, K); enter hands in.",
    "short": "Enter hands in; then you compare with a model answer.",
}


class Line(Struct, frozen=True):
    """One line of an answer: what it says, whether the cursor may stand on it, and its reason once it is marked."""

    text: str
    kind: Literal["choice", "code", "legend"] = "choice"
    selectable: bool = True
    mine: bool = False
    reason: Reason | None = None


class Draft:
    """Choices by cursor and letter: `single`, `multiple`, `classify` and, on the lines of a listing, `bug`."""

    def __init__(self, question: Question) -> None:
        self.question = question
        self.chosen: set[int] = set()
        self.cursor = 0
        """Counts what can be chosen, not the lines."""

    @property
    def count(self) -> int:
        """How many places the cursor has."""
        return len(self.question.options)

    def letter(self, index: int) -> None:
        """The letter with this number was pressed."""
        if index < self.count:
            self.cursor = index
            self.space()

    def space(self) -> None:
        """Take the choice under the cursor, or take it back."""
        if self.count:
            self.chosen = self.chosen ^ {self.cursor} if self.question.type == "multiple" else {self.cursor}

    def move(self, by: int) -> None:
        """Move the cursor; after the last place comes the first."""
        if self.count:
            self.cursor = (self.cursor + by) % self.count

    def carry(self, by: int) -> None:
        """Move the line under the cursor; only orders have such lines."""

    def answer(self) -> Answer:
        """What is to be marked. Raises ValueError, with what to press, as long as something is missing."""
        if not self.chosen:
            raise ValueError("Choose first: a letter, or space on an option.")
        return sorted(self.chosen) if self.question.type == "multiple" else next(iter(self.chosen))

    def lines(self, given: Answer | None = None) -> list[Line]:
        """The lines to show; once `given` was marked, with reasons."""
        why = reasons(self.question, given) if given is not None else []
        if self.question.type == "bug":
            return self._listing(why)
        return [
            Line(
                f"{self._box(index)} {LETTERS[index]})  {option.text}",
                mine=index in self.chosen,
                reason=why[index] if why else None,
            )
            for index, option in enumerate(self.question.options)
        ]

    def _box(self, index: int) -> str:
        if self.question.type == "multiple":
            return "[x]" if index in self.chosen else "[ ]"
        return "(•)" if index in self.chosen else "( )"

    def _listing(self, why: list[Reason]) -> list[Line]:
        places = {option.text.strip(): index for index, option in enumerate(self.question.options)}
        found = []
        for code in self.question.code.rstrip().splitlines():
            index = places.get(code.strip())
            if index is None:
                found.append(Line(f"       {code}", "code", selectable=False))
            else:
                text = f"{self._box(index)} {LETTERS[index]}) {code}"
                found.append(Line(text, "code", mine=index in self.chosen, reason=why[index] if why else None))
        return found


class MatchingDraft(Draft):
    """Left sides, each with the letter of its right side; the right sides stand below."""

    def __init__(self, question: Question) -> None:
        super().__init__(question)
        self.order = shown_order(question)
        self.matches: list[int | None] = [None] * len(question.pairs)

    @property
    def count(self) -> int:
        """One place for each left side."""
        return len(self.question.pairs)

    def letter(self, index: int) -> None:
        """Match the line under the cursor, and go on to the next."""
        if index < len(self.order):
            self.matches[self.cursor] = self.order[index]
            self.cursor = min(self.cursor + 1, self.count - 1)

    def space(self) -> None:
        """The next right side for the line under the cursor."""
        match = self.matches[self.cursor]
        place = -1 if match is None else self.order.index(match)
        self.matches[self.cursor] = self.order[(place + 1) % len(self.order)]

    def answer(self) -> Answer:
        """The index of the right side of each line."""
        if (open_lines := self.matches.count(None)) > 0:
            raise ValueError(f"{open_lines} of {self.count} lines have no letter yet.")
        return [match for match in self.matches if match is not None]

    def lines(self, given: Answer | None = None) -> list[Line]:
        """The left sides, then the right sides as a legend."""
        why = reasons(self.question, given) if given is not None else []
        sides = choices(self.question)
        found = []
        for row, pair in enumerate(self.question.pairs):
            match = self.matches[row]
            letter = "_" if match is None else letter_of(self.question, match)
            reason = why[row] if why else None
            found.append(Line(f"[{letter}] {row + 1}  {pair.left}", reason=reason))
        extras = dict(zip([o.text for o in self.question.options], why[self.count :], strict=False))
        for letter, index in zip(LETTERS, self.order, strict=False):
            text = sides[index]
            found.append(Line(f"{letter})  {text}", "legend", selectable=False, reason=extras.get(text)))
        return found


class OrderingDraft(Draft):
    """Steps that are carried to their places."""

    def __init__(self, question: Question) -> None:
        super().__init__(question)
        self.order = shown_order(question)
        self.held = False
        """The line under the cursor is carried along."""

    @property
    def count(self) -> int:
        """One place for each step."""
        return len(self.order)

    def letter(self, index: int) -> None:
        """To the line with this letter; lines keep the letter that they had at first."""
        wanted = [place for place in range(self.count) if letter_of(self.question, self.order[place]) == LETTERS[index]]
        if wanted:
            self.cursor, self.held = wanted[0], False

    def space(self) -> None:
        """Take the line up, or put it down."""
        self.held = not self.held

    def move(self, by: int) -> None:
        """Move the cursor, and the line with it while it is held."""
        if self.held:
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
        """The steps' indices in the order given."""
        return list(self.order)

    def lines(self, given: Answer | None = None) -> list[Line]:
        """The lines as they are ordered; after marking, the right order with its reasons."""
        if given is not None:
            return [Line(reason.label, reason=reason) for reason in reasons(self.question, given)]
        return [
            Line(
                f"{'≡' if self.held and place == self.cursor else ' '} {place + 1}. "
                f"{letter_of(self.question, index)})  {self.question.steps[index].text}"
            )
            for place, index in enumerate(self.order)
        ]


def draft_of(question: Question) -> Draft:
    """An empty answer to a question."""
    kinds = {"matching": MatchingDraft, "ordering": OrderingDraft}
    return kinds.get(question.type, Draft)(question)
