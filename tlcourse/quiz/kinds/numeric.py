"""A number, right within a tolerance."""

import math
import re
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal

from msgspec import Meta

from tlcourse.quiz.kinds.question import Answer, ImportedQuestion, Mark, Question, Reason, Why

_THOUSANDS = r"(?<=\d)[ \u00a0\u2009\u202f](?=\d{3}(?!\d))"


class Numeric(Question, frozen=True, kw_only=True, tag="numeric"):
    """`answer`, `tolerance`, `reason`."""

    answer: Annotated[float, Meta(description="a number")]
    tolerance: Annotated[float, Meta(ge=0)] = 0.0
    """How far off an answer may be, both ends included."""
    reason: Why

    asks: ClassVar[str] = "a number"
    hint: ClassVar[str] = "Enter submits."
    form: ClassVar[Literal["keys", "line", "words"]] = "line"

    def problems(self) -> Iterator[str]:
        """A number that nothing equals, or that everything does."""
        if not (math.isfinite(self.answer) and math.isfinite(self.tolerance)):
            yield "has an `answer` or a `tolerance` that is not finite, expected finite numbers"

    def wanted(self) -> str:
        return "a number"

    def read(self, line: str) -> Answer:
        """Read a number; a decimal comma is a point, and spaces may part thousands."""
        try:
            return float(re.sub(_THOUSANDS, "", line).replace(",", ".").replace("−", "-"))
        except ValueError:
            raise ValueError(f"{line.strip()!r} is not a number.") from None

    def mark(self, answer: Answer) -> Mark:
        """Right within the tolerance, both ends included, and within the rounding of a binary fraction."""
        if not isinstance(answer, int | float) or isinstance(answer, bool):
            raise ValueError(f"{answer!r} is not a number")
        slack = self.tolerance + 1e-9 * max(1.0, abs(self.answer))
        return Mark(abs(answer - self.answer) <= slack, self.answer)

    def solution(self) -> Answer:
        return self.answer

    def reasons(self, given: Answer | None = None) -> list[Reason]:
        """The number with its tolerance, and why."""
        tolerance = f" ± {self.tolerance:g}" if self.tolerance else ""
        return [Reason(f"{self.answer:.10g}{tolerance}", None, self.reason)]

    def note(self) -> dict[str, Any]:
        """The tolerance: not every format has one."""
        return {"tolerance": self.tolerance}

    @classmethod
    def fields_of(cls, imported: ImportedQuestion) -> dict[str, Any]:
        noted = imported.note.get("tolerance", 0.0)
        tolerance = noted if imported.tolerance is None else imported.tolerance
        own = {"answer": imported.answer, "tolerance": tolerance, "reason": imported.reason}
        return super().fields_of(imported) | own
