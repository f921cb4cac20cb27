"""The wrong line of a listing."""

import ast
from collections import Counter
from collections.abc import Iterator
from typing import Annotated, ClassVar

from msgspec import Meta

from tlcourse.quiz.kinds.question import LETTERS, Answer, AnswerInput, Line, Question
from tlcourse.quiz.kinds.single import Choice, ChoiceInput, Single

MOST_LINES = 24
"""Of a listing in which a line is to be chosen: more do not fit a terminal, question and all."""


class Bug(Choice, frozen=True, kw_only=True, tag="bug"):
    """`code`, and `options` whose text is a line of it, one of them correct."""

    code: Annotated[str, Meta(min_length=1, description="a listing")]

    asks: ClassVar[str] = "which line is wrong?"
    hint: ClassVar[str] = "The letter of a line, or space, chooses; enter submits."

    def problems(self) -> Iterator[str]:
        """As of any choice; and an option that is no line, or a listing that is not Python."""
        yield from super().problems()
        lines = Counter(line.strip() for line in self.code.splitlines())
        for option in self.options:
            if lines[option.text.strip()] != 1:
                yield f"has the option `{option.text}`, expected one that is exactly one line of its code"
        if (count := len(self.code.rstrip().splitlines())) > MOST_LINES:
            yield f"has {count} lines of code, expected at most {MOST_LINES}"
        try:
            ast.parse(self.code)
        except SyntaxError as error:
            yield f"has code that is not Python (line {error.lineno}), expected a listing that could run"

    def realise(self, seed: int) -> "Bug":
        """Itself: lines stand where they stand."""
        return self

    def listing(self) -> str:
        """Nothing: its lines are the answer's."""
        return ""

    def sheet(self) -> list[str]:
        """The listing, a letter before each line that may be chosen."""
        letters = {index: f"{LETTERS[index]})" for index in range(len(self.options))}
        return [f"    {letters.get(index, '  ')} {line}".rstrip() for index, line in self.numbered()]

    def numbered(self) -> list[tuple[int, str]]:
        """(index of its option, or -1; line) for each line of the code."""
        places = {option.text.strip(): index for index, option in enumerate(self.options)}
        return [(places.get(line.strip(), -1), line) for line in self.code.rstrip().splitlines()]

    def answer_input(self) -> AnswerInput:
        return BugInput(self)

    def exported(self) -> Question:
        """A choice below a listing, its lines in their order."""
        return Single(**{name: getattr(self, name) for name in self.__struct_fields__} | {"ordered": True})


class BugInput(ChoiceInput):
    """Choices on the lines of a listing."""

    def lines(self, given: Answer | None = None) -> list[Line]:
        """The whole listing; only lettered lines can be chosen."""
        assert isinstance(self.question, Bug)
        return [
            self.line(index, line, given, kind="code")
            if index >= 0
            else Line(f"       {line}", "code", selectable=False)
            for index, line in self.question.numbered()
        ]
