"""Things that belong together: each left side gets the letter of its right side."""

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar

from msgspec import Meta, Struct, field
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
    Text,
    mark_sequence,
    normalised,
    problems_of_list,
)
from tlcourse.quiz.kinds.visit_order import shuffled


class Pair(Struct, frozen=True, forbid_unknown_fields=True):
    """Two things that belong together, and why."""

    left: Text
    """What gets a letter."""
    right: Text
    """What belongs to it; several pairs may have the same."""
    reason: Text
    """Why the two belong together."""


class Matching(Question, frozen=True, kw_only=True, tag="matching"):
    """`pairs`; `options` are further right sides that fit nothing. Several left sides may have the same right side."""

    pairs: Annotated[list[Pair], Meta(description="at least 2 pairs")]
    options: list[Option] = field(default_factory=list)
    """Further right sides that fit nothing, each with its reason."""
    visit: int = 0
    """Which order is shown; `realise` sets it, files do not."""

    asks: ClassVar[str] = "give each line its letter"
    hint: ClassVar[str] = "A letter matches the line under the cursor; space goes through them; enter submits."

    def problems(self) -> Iterator[str]:
        """Too few or too many sides, two alike, or a further side that is said to be right."""
        yield from problems_of_list([pair.left for pair in self.pairs], "pairs", 2)
        rights = {normalised(pair.right) for pair in self.pairs}
        wrong = [normalised(option.text) for option in self.options]
        count = len({*rights, *wrong})
        if any(option.correct for option in self.options):
            yield "has an option that is correct beside its pairs, expected only ones that fit nothing"
        if count < len(rights) + len(wrong):
            yield "has two options with the same text, expected texts that differ"
        if count < 2:
            yield "has one right side only, expected at least 2"
        if count > len(LETTERS):
            yield f"has more than {len(LETTERS)} right sides, expected at most {len(LETTERS)}"

    def choices(self) -> list[str]:
        """The right sides, each once: those of the pairs, then those that fit nothing."""
        return list(dict.fromkeys([*(pair.right for pair in self.pairs), *(option.text for option in self.options)]))

    def realise(self, seed: int) -> "Matching":
        """Return it with its right sides in the order of a visit."""
        return replace(self, visit=seed)

    def shown_order(self) -> list[int]:
        """Not the order of the file, in which authors write what belongs together."""
        return shuffled(f"{self.id}/{self.visit}" if self.visit else self.id, len(self.choices()))

    def sheet(self) -> list[str]:
        """Listing, numbered left sides, lettered right sides."""
        code = [f"    {line}".rstrip() for line in self.listing().splitlines()]
        return [*code, *(f"  {row}  {pair.left}" for row, pair in enumerate(self.pairs, start=1)), *self._lettered()]

    def right(self) -> list[int]:
        """The index of the right side of each left one."""
        sides = self.choices()
        return [sides.index(pair.right) for pair in self.pairs]

    def answer_input(self) -> AnswerInput:
        return MatchingInput(self)

    def wanted(self) -> str:
        letters = LETTERS[: len(self.choices())]
        count = len(self.pairs)
        return f"{count} letters of {letters}, one for each line from 1 on, such as {letters[::-1][:count]}"

    def read(self, line: str) -> Answer:
        return self.read_letters(line, len(self.pairs))

    def mark(self, answer: Answer) -> Mark:
        """Mark the index of a right side for each left one; every match counts."""
        return mark_sequence(answer, self.right(), len(self.choices()))

    def solution(self) -> Answer:
        return self.right()

    def reasons(self, given: Answer | None = None) -> list[Reason]:
        """What belongs to each left side, and why; then why the further sides fit nothing."""
        placed = given if isinstance(given, list) else []
        found = []
        for row, (pair, index) in enumerate(zip(self.pairs, self.right(), strict=True)):
            text = f"{self.letter_of(index)}) {pair.right}: {pair.reason.strip()}"
            found.append(Reason(f"{row + 1}", placed[row : row + 1] == [index], text))
        sides = self.choices()
        for option in self.options:
            label = f"{self.letter_of(sides.index(option.text))})"
            found.append(Reason(label, False, f"fits nothing. {option.reason.strip()}"))
        return found

    def named(self, answer: Answer | str) -> Any:
        """The right side that each left side got."""
        sides = self.choices()
        given = zip(self.pairs, answer, strict=True) if isinstance(answer, list) else ()
        return {pair.left: sides[index] for pair, index in given}

    def note(self) -> dict[str, Any]:
        """The reasons: other programs know matches without them."""
        note: dict[str, Any] = {"reasons": {pair.left: pair.reason for pair in self.pairs}}
        return note | ({"extras": {option.text: option.reason for option in self.options}} if self.options else {})

    @classmethod
    def fields_of(cls, imported: ImportedQuestion) -> dict[str, Any]:
        """Pairs and further sides, with the reasons of the note."""
        reasons, extras = imported.noted("reasons"), imported.noted("extras")
        return super().fields_of(imported) | {
            "pairs": [{"reason": reasons.get(pair["left"], ""), **pair} for pair in imported.pairs],
            "options": [{"reason": extras.get(option["text"], ""), **option} for option in imported.options],
        }


class MatchingInput(AnswerInput):
    """Left sides, each with the letter of its right side; the right sides stand below."""

    def __init__(self, question: Matching) -> None:
        super().__init__(question)
        self.question = question
        self.count = len(question.pairs)
        self.order = question.shown_order()
        self.matches: list[int | None] = [None] * self.count

    def letter(self, index: int) -> None:
        """Match the line under the cursor, and move to the next."""
        if index < len(self.order):
            self.matches[self.cursor] = self.order[index]
            self.cursor = min(self.cursor + 1, self.count - 1)

    def space(self) -> None:
        """Match the line under the cursor with the next right side."""
        match = self.matches[self.cursor]
        place = -1 if match is None else self.order.index(match)
        self.matches[self.cursor] = self.order[(place + 1) % len(self.order)]

    def answer(self) -> Answer:
        if (open_lines := self.matches.count(None)) > 0:
            raise ValueError(f"{open_lines} of {self.count} lines have no letter yet.")
        return [match for match in self.matches if match is not None]

    def lines(self, given: Answer | None = None) -> list[Line]:
        """The left sides, then the right sides as a legend."""
        why = self.question.reasons(given) if given is not None else []
        sides = self.question.choices()
        found = []
        for row, pair in enumerate(self.question.pairs):
            match = self.matches[row]
            letter = "_" if match is None else self.question.letter_of(match)
            found.append(Line(f"[{letter}] {row + 1}  {pair.left}", reason=why[row] if why else None))
        extras = dict(zip([option.text for option in self.question.options], why[self.count :], strict=False))
        for letter, index in zip(LETTERS, self.order, strict=False):
            text = sides[index]
            found.append(Line(f"{letter})  {text}", "legend", selectable=False, reason=extras.get(text)))
        return found
