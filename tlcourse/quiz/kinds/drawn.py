"""A number whose givens are drawn at each visit: it can be computed again and again, and not remembered."""

import re
import zlib
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar

from msgspec import Meta, Struct, field

from tlcourse.quiz.kinds.formula import FUNCTIONS, evaluate
from tlcourse.quiz.kinds.numeric import Numeric
from tlcourse.quiz.kinds.question import Answer, ImportedQuestion, Question, Reason, Why

Name = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,15}\Z", description="a short name in lower-case letters")]
Formula = Annotated[str, Meta(min_length=1, max_length=300, description="a formula such as `r * (n + m)`")]
_PLACE = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_TRIES = 500
_PROVED = 25
"""Seeds with which a question is tried when its course is read."""


class Range(Struct, frozen=True, forbid_unknown_fields=True):
    """Evenly spaced numbers, both ends among them."""

    low: float = field(name="from")
    """The least number."""
    high: float = field(name="to")
    """The largest, itself included."""
    step: Annotated[float, Meta(gt=0)] = 1.0
    """From one to the next."""

    def values(self) -> list[float]:
        """The numbers, without the rounding that adding up steps would leave; a thousand at most."""
        count = min(int((self.high - self.low) / self.step + 1e-9), 999)
        return [round(self.low + number * self.step, 10) for number in range(count + 1)]


class Drawn(Question, frozen=True, kw_only=True, tag="drawn"):
    """A family of numeric questions: `draw` givens, `let` further numbers, `answer` and `tolerance` as formulas.

    `{name}` in `prompt`, `code` and `reason` stands for a number, `{answer}` in the reason for the answer. Marked and
    shown as what `realise` returns.
    """

    draw: Annotated[dict[Name, list[float] | Range], Meta(min_length=1, max_length=12)]
    """What is drawn at each visit, by name: a list of numbers, or a range."""
    let: Annotated[dict[Name, Formula], Meta(max_length=12)] = field(default_factory=dict)
    """What follows from that, by name: formulas."""
    keep: Formula | None = None
    """Where this is not above zero the numbers are drawn again."""
    answer: Formula
    tolerance: Formula | float = 0.0
    """How far off an answer may be: a formula."""
    reason: Why

    changed_elsewhere: ClassVar[str] = "ask with one set of drawn numbers, always the same"

    def problems(self) -> Iterator[str]:
        """What cannot be drawn, computed or shown, as `_PROVED` seeds find it."""
        given = [*self.draw, *self.let]
        if bad := [name for name in given if name in FUNCTIONS or name == "answer" or given.count(name) > 1]:
            yield f"has the name `{bad[0]}` for a number, expected one that is free"
            return
        known = {*given}
        for text, more in ((self.prompt, ()), (self.code, ()), (self.reason, ("answer",))):
            for name in (name for name in _PLACE.findall(text) if name not in known.union(more)):
                yield f"has a place for `{{{name}}}`, expected one of: {', '.join(sorted(known.union(more)))}"
                return
        try:
            for seed in range(_PROVED):
                yield from self.realise(seed).problems()
        except ValueError as error:
            yield f"cannot be drawn: {error}"

    def realise(self, seed: int) -> "Asked":
        """Draw the givens; the same seed draws the same ones. Raises ValueError where that is impossible."""
        values = self.numbers(seed)
        answer = evaluate(self.answer, values)
        told = values | {"answer": answer}
        tolerance = self.tolerance if isinstance(self.tolerance, float | int) else evaluate(self.tolerance, told)
        fields = {name: getattr(self, name) for name in Question.__struct_fields__}
        return Asked(
            **fields
            | {
                "prompt": _filled(self.prompt, values),
                "code": _filled(self.code, values),
                "answer": answer,
                "tolerance": abs(tolerance),
                "reason": _filled(self.reason, told),
                "drawn": {name: values[name] for name in self.draw},
            }
        )

    def numbers(self, seed: int) -> dict[str, float]:
        """The givens that a seed draws, with what follows from them."""
        import random

        dice = random.Random(f"{self.id}/{seed}")  # noqa: S311 - numbers to practise on, no secret
        choices = {name: one.values() if isinstance(one, Range) else one for name, one in self.draw.items()}
        if empty := [name for name, numbers in choices.items() if not numbers]:
            raise ValueError(f"`{empty[0]}` has no numbers to draw from")
        for _ in range(_TRIES):
            values = {name: float(dice.choice(numbers)) for name, numbers in choices.items()}
            for name, formula in self.let.items():
                values[name] = evaluate(formula, values)
            if self.keep is None or evaluate(self.keep, values) > 0:
                return values
        raise ValueError(f"`{self.keep}` held for none of {_TRIES} draws")

    def topic(self) -> str:
        """The prompt with dots for the numbers."""
        return _PLACE.sub("…", self.prompt.strip())

    def exported(self) -> Numeric:
        """One set of numbers, always the same."""
        asked = self.realise(zlib.crc32(self.id.encode()))
        return Numeric(**{name: getattr(asked, name) for name in Numeric.__struct_fields__})

    def note(self) -> dict[str, Any]:
        """The family, from which numbers are drawn again when it comes back."""
        import msgspec

        family = {name: msgspec.to_builtins(getattr(self, name)) for name in _FAMILY}
        return {"family": {name: value for name, value in family.items() if value not in (None, {}, "")}}

    @classmethod
    def fields_of(cls, imported: ImportedQuestion) -> dict[str, Any]:
        """The family; what was drawn for the other program is not read, and its prompt neither."""
        found = imported.note.get("family")
        return dict(found) if isinstance(found, dict) else {}


_FAMILY = ("prompt", "code", "draw", "let", "keep", "answer", "tolerance", "reason")


class Asked(Numeric, frozen=True, kw_only=True, tag="numeric"):
    """A drawn question as it is asked, with the numbers that were drawn: they belong to the answer."""

    drawn: dict[str, float]

    def named(self, answer: Answer | str) -> Any:
        """The number, and what it answers."""
        return {"answer": answer, "drawn": self.drawn}

    def reasons(self, given: Answer | None = None) -> list[Reason]:
        """The number with its tolerance, and why."""
        tolerance = f" ± {shown(float(f'{self.tolerance:.2g}'))}" if self.tolerance else ""
        return [Reason(shown(self.answer) + tolerance, None, self.reason)]


def shown(number: float) -> str:
    """A number as it stands in a text: whole, or with four digits that count; with a minus sign of its own."""
    if number == int(number) or abs(number) >= 1e4:
        text = f"{round(number):,}".replace(",", " ") if abs(number) >= 1e4 else f"{round(number)}"
    else:
        text = f"{number:.4g}"
        text = f"{number:.7f}".rstrip("0") if "e" in text else text
    return text.replace("-", "−")


def _filled(text: str, values: dict[str, float]) -> str:
    return _PLACE.sub(lambda place: shown(values[place[1]]), text)
