"""A short answer in own words, which its author compares with a model answer."""

from typing import Annotated, Any, ClassVar, Literal

from msgspec import Meta

from tlcourse.quiz.kinds.question import Answer, ImportedQuestion, Mark, OwnWords, Question, Reason, Why


class Short(Question, frozen=True, kw_only=True, tag="short"):
    """`answer_text`, a model answer, and `reason`, what a good answer has."""

    answer_text: Annotated[str, Meta(min_length=1, description="a model answer")]
    reason: Why

    asks: ClassVar[str] = "in your own words"
    hint: ClassVar[str] = "Enter submits; then you compare with a model answer."
    form: ClassVar[Literal["keys", "line", "words"]] = "words"

    def wanted(self) -> str:
        return "your answer in one line"

    def mark(self, answer: Answer) -> Mark:
        """Return the author's own mark."""
        if not isinstance(answer, OwnWords):
            raise ValueError("a text with its author's mark is expected")
        return Mark(answer.right, self.answer_text)

    def solution(self) -> Answer:
        return OwnWords(self.answer_text, True)

    def reasons(self, given: Answer | None = None) -> list[Reason]:
        return [
            Reason("Model answer", None, self.answer_text.strip()),
            Reason("A good answer has", None, self.reason.strip()),
        ]

    def note(self) -> dict[str, Any]:
        """What a good answer has: GIFT has no place for it."""
        return {"reason": self.reason}

    @classmethod
    def fields_of(cls, imported: ImportedQuestion) -> dict[str, Any]:
        own = {"answer_text": imported.answer_text, "reason": imported.note.get("reason") or imported.reason}
        return super().fields_of(imported) | own


class Recalled(Short, frozen=True, kw_only=True, tag="recalled"):
    """What a lesson asks above an answer that is folded; the review asks it, and no file of a quiz holds it."""

    reason: str = ""

    asks: ClassVar[str] = "in your own words, as its lesson asks it"
    hint: ClassVar[str] = "Enter submits; then you compare with the lesson's answer."

    def reasons(self, given: Answer | None = None) -> list[Reason]:
        return [Reason("Answer", None, self.answer_text)]
