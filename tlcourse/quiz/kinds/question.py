"""What every question has, and what can be done with it: show, answer, read, mark, explain and exchange.

A kind is a file beside this one: a Struct that derives from `Question`, with its fields, and with what differs.
`realise` returns a question as it is asked at one visit: options in another order, other numbers. Answers and marks
count the choices of that; the record keeps what was chosen by its text (`named`), which no order changes.

As in `course/model.py` there is no `from __future__ import annotations` in the file of a kind.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal

import msgspec
from msgspec import Meta, Struct

from tlcourse.course.spec import Identifier

Text = Annotated[str, Meta(min_length=1)]
Why = Annotated[str, Meta(min_length=1, description="why the answer is right")]

Level = Literal["remember", "understand", "apply", "analyse", "evaluate", "create"]
"""What a question asks of a student, in the revised words of Bloom's taxonomy (Anderson and Krathwohl, 2001)."""
JUDGING: tuple[Level, ...] = ("analyse", "evaluate", "create")
"""Levels at which a student has to judge, and cannot recall or plug in."""

LETTERS = "abcdefghi"
"""Choices are named by these letters, so there are nine at most; `j` and `k` move the cursor in the app."""


class Option(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One answer to choose, and why it is right or wrong."""

    text: Text
    """As it is offered."""
    reason: Text
    """Why it is right or wrong; shown after the answer, whatever that was."""
    correct: bool = False
    """Whether it is right."""


class OwnWords(Struct, frozen=True):
    """A short answer, and whether its author finds it right beside the model answer."""

    text: str
    right: bool


Answer = int | float | list[int] | OwnWords
"""A choice's index; a number; the indices of several choices, of the right side for each left one, or of steps in the
order given; a short answer."""


class Mark(Struct, frozen=True):
    """Whether an answer is right, and what would have been right."""

    correct: bool
    expected: int | float | list[int] | str


class Reason(Struct, frozen=True):
    """One thing that could be answered: its name, whether it is right (None: no choice), and why."""

    label: str
    right: bool | None
    text: str


class Line(Struct, frozen=True):
    """One line of an answer: what it says, whether the cursor may stand on it, and its reason once it is marked."""

    text: str
    kind: Literal["choice", "code", "legend"] = "choice"
    selectable: bool = True
    mine: bool = False
    reason: Reason | None = None


class ImportedQuestion(Struct):
    """A question as another program's file gives it; what that program has no place for may stand in its note."""

    where: str
    """Such as `quiz.gift:12`, for messages."""
    title: str = ""
    prompt: str = ""
    code: str = ""
    type: str = ""
    options: list[dict[str, Any]] = []
    pairs: list[dict[str, str]] = []
    steps: list[dict[str, str]] = []
    answer: float | None = None
    tolerance: float | None = None
    answer_text: str = ""
    reason: str = ""
    note: dict[str, Any] = {}
    lost: list[str] = []
    """What of it could not be carried, in words."""
    problems: list[str] = []
    """Why no kind of ours can ask it, as ends of a sentence that begins with "it"."""

    @property
    def kind(self) -> str:
        """The type that it had in the course it came from, or that its form suggests."""
        return str(self.note.get("type") or self.type)

    @property
    def form(self) -> str:
        """The type as which it was written for the other program."""
        return str(self.note.get("as") or self.kind)

    def noted(self, name: str) -> dict[str, str]:
        """A table of its note; empty when somebody made something else of it."""
        found = self.note.get(name)
        return found if isinstance(found, dict) else {}


class AnswerInput:
    """An answer while it is given with single keys, and the lines that show it; nothing here knows of a screen.

    Every kind that is answered with keys takes the same five: a letter, space, up, down, and "carry" up and down. What
    is typed into a field has no lines, and needs nothing beyond this class.
    """

    def __init__(self, question: "Question") -> None:
        self.count = len(question.choices())
        """Places of the cursor."""
        self.cursor = 0
        """Counts what can be chosen, not the lines."""

    def letter(self, index: int) -> None:
        """Take the letter with this number."""

    def space(self) -> None:
        """Choose under the cursor."""

    def move(self, by: int) -> None:
        """Move the cursor; after the last place comes the first."""
        if self.count:
            self.cursor = (self.cursor + by) % self.count

    def carry(self, by: int) -> None:
        """Move the line under the cursor; only orders have such lines."""

    def answer(self) -> Answer:
        """Return what is to be marked. Raises ValueError, with what to press, while something is missing."""
        raise ValueError("Type an answer first.")

    def lines(self, given: Answer | None = None) -> list[Line]:
        """Return the lines to show; once `given` was marked, with reasons."""
        return []


class Question(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, tag_field="type", tag=""
):
    """The fields of every question, and its behaviour, of which each kind changes what differs."""

    id: Identifier
    """Unique in the course."""
    prompt: Text
    """What is asked; Markdown, with formulas between `$`."""
    objective: Identifier
    """The objective that it asks about."""
    section: Text
    """Where it is taught: `unit-id#heading-in-lower-case-with-dashes`."""
    difficulty: Annotated[int, Meta(ge=1, le=3)] = 1
    """1 easy, 2, 3 hard."""
    level: Level | None = None
    """What it asks of a student, in Bloom's words."""
    code: str = ""
    """A listing or a table to look at, shown as it stands; any kind may have one."""

    asks: ClassVar[str] = "one answer is right"
    """Shown beside the heading."""
    hint: ClassVar[str] = "A letter, or space, chooses; enter submits."
    """Which keys answer it."""
    form: ClassVar[Literal["keys", "line", "words"]] = "keys"
    """How it is answered: with single keys, by a line that `read` understands, or in words that their author marks."""
    changed_elsewhere: ClassVar[str] = ""
    """What every other program does differently with it, as the end of a sentence."""

    @property
    def type(self) -> str:
        """The name of its kind in the file of a quiz."""
        return str(self.__struct_config__.tag)

    def problems(self) -> Iterator[str]:
        """What is wrong with it although its fields are there, as ends of a sentence that begins with its name."""
        yield from ()

    def realise(self, seed: int) -> "Question":
        """Return the question as it is asked at one visit: its choices in another order, its case or numbers drawn."""
        return self

    # -- showing ---------------------------------------------------------------------------------------------------

    def choices(self) -> list[str]:
        """What the letters stand for, in the order of the course's file; empty where there is nothing to choose."""
        return []

    def shown_order(self) -> list[int]:
        """Indices of `choices` in the order in which they are shown, the same at every visit."""
        return list(range(len(self.choices())))

    def topic(self) -> str:
        """The prompt for lists of questions, where nothing is drawn."""
        return self.prompt.strip()

    def letter_of(self, index: int) -> str:
        """Return the letter of a choice."""
        return LETTERS[self.shown_order().index(index)]

    def listing(self) -> str:
        """What is shown between the prompt and the answer."""
        return self.code.rstrip()

    def sheet(self) -> list[str]:
        """All that is shown below the prompt where there are no keys, only lines of text: listing and choices."""
        return [*(f"    {line}".rstrip() for line in self.listing().splitlines()), *self._lettered()]

    def _lettered(self) -> list[str]:
        texts = self.choices()
        return [f"  {letter}) {texts[index]}" for letter, index in zip(LETTERS, self.shown_order(), strict=False)]

    # -- answering -------------------------------------------------------------------------------------------------

    def answer_input(self) -> AnswerInput:
        """Return an empty answer, to be filled with keys."""
        return AnswerInput(self)

    def wanted(self) -> str:
        """What a typed line must hold, in words."""
        return f"one letter of {LETTERS[: len(self.choices())]}"

    def read(self, line: str) -> Answer:
        """Read a typed line. Raises ValueError saying what was expected when it is not an answer."""
        raise NotImplementedError

    def read_letters(self, line: str, count: int | None = None) -> list[int]:
        """Read the choices that a line names by letter; commas and spaces do not count. `count`: so many are expected.

        Raises:
            ValueError: another letter, or another number of them; the message says what was expected.
        """
        typed = [letter for letter in line.lower() if not letter.isspace() and letter not in ",;"]
        order = self.shown_order()
        letters = LETTERS[: len(order)]
        if not typed or len(typed) != (count or len(typed)) or any(letter not in letters for letter in typed):
            raise self.not_an_answer(line)
        return [order[letters.index(letter)] for letter in typed]

    def not_an_answer(self, line: str) -> ValueError:
        """Return the error for a line that cannot be read."""
        return ValueError(f"{line.strip()!r} is not an answer; expected {self.wanted()}.")

    def mark(self, answer: Answer) -> Mark:
        """Mark an answer. Raises ValueError when it is not one to this kind of question, or names no choice."""
        raise NotImplementedError

    def solution(self) -> Answer:
        """Return an answer that is right."""
        raise NotImplementedError

    def reasons(self, given: Answer | None = None) -> list[Reason]:
        """One reason for each option, pair or step; a pair or step is `right` when it was given rightly."""
        raise NotImplementedError

    def named(self, answer: Answer | str) -> Any:
        """Return an answer as the record and documents keep it: plain values, and what was chosen by its text.

        Letters and indices change from visit to visit. Records of earlier versions hold indices; of those only whether
        they were right is ever read.
        """
        return msgspec.to_builtins(answer)

    # -- exchanging ------------------------------------------------------------------------------------------------

    def exported(self) -> "Question":
        """Return the question as a kind that other programs know: single, multiple, numeric, matching, ordering, short.

        They cannot draw cases, so that they always ask the same one.
        """
        return self

    def note(self) -> dict[str, Any]:
        """What formats of other programs have no place for; `fields_of` reads it."""
        return {}

    @classmethod
    def fields_of(cls, imported: ImportedQuestion) -> dict[str, Any]:
        """Return the fields of this kind, as plain values, from what a file of another program says."""
        return {"code": imported.code} if imported.code else {}


def is_index(value: object, count: int) -> bool:
    """Whether a value is one of `count` indices. True is not the index 1."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < count


def mark_sequence(answer: Answer, right: list[int], count: int) -> Mark:
    """Mark an answer of which every part must be right. Raises ValueError for another length, or no index."""
    if not isinstance(answer, list) or len(answer) != len(right):
        raise ValueError(f"{len(right)} choices are expected")
    if not all(is_index(index, count) for index in answer):
        raise ValueError(f"{answer!r} does not name {len(right)} choices")
    return Mark(answer == right, right)


def problems_of_list(texts: list[str], what: str, least: int) -> Iterator[str]:
    """Too few, too many, or two alike."""
    if len(texts) < least:
        yield f"has {len(texts)} {what}, expected at least {least}"
    if len(texts) > len(LETTERS):
        yield f"has {len(texts)} {what}, expected at most {len(LETTERS)}"
    if any(count > 1 for count in Counter(map(normalised, texts)).values()):
        yield f"has two {what} with the same text, expected texts that differ"


def normalised(text: str) -> str:
    """A text without what makes no difference to a reader: case and spaces."""
    return " ".join(text.lower().split())
