"""A drawn case, another one at each visit: a choice whose truth is known because the case was built from it."""

import zlib
from typing import Annotated, Any, ClassVar, Literal

from msgspec import Meta

from tlcourse.quiz.kinds.question import ImportedQuestion, Question
from tlcourse.quiz.kinds.single import Single

Family = Literal["setting", "shift"]


class Classify(Question, frozen=True, kw_only=True, tag="classify"):
    """`cases`, the family from which a case with its options is drawn. Marked and shown as what `realise` returns."""

    cases: Annotated[Family, Meta(description="the family of its cases, `setting` or `shift`")]

    changed_elsewhere: ClassVar[str] = "ask one drawn case, always the same"

    def realise(self, seed: int) -> Single:
        """Draw a case; the same seed draws the same one."""
        from tlcourse.quiz.kinds.cases import draw_case  # its fractions cost more than all kinds together

        case = draw_case(self.cases, seed)
        fields = {name: getattr(self, name) for name in Question.__struct_fields__}
        return Single(**fields | {"code": case.text, "options": case.options})

    def exported(self) -> Single:
        """One case, always the same."""
        return self.realise(zlib.crc32(self.id.encode()))

    def note(self) -> dict[str, Any]:
        """The family, from which cases are drawn again when it comes back."""
        return {"cases": self.cases}

    @classmethod
    def fields_of(cls, imported: ImportedQuestion) -> dict[str, Any]:
        """The family; what was drawn for the other program is not read."""
        return {"cases": imported.note.get("cases", "")}
