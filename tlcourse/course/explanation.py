"""After a pass: why the reference solution does what it does, and its source. Both are the staff's files."""

from __future__ import annotations

from msgspec import Struct

from tlcourse.course.model import LoadedExercise
from tlcourse.errors import UnableError, UsageError


class Explanation(Struct, frozen=True):
    """The explanation as Markdown, and the reference solution as Python."""

    text: str
    reference: str

    @property
    def page(self) -> str:
        """Both as one Markdown document."""
        return f"{self.text.strip()}\n\n## The reference\n\n```python\n{self.reference.strip()}\n```\n"


def explanation(exercise: LoadedExercise, *, passed: bool) -> Explanation:
    """The explanation of an exercise that was `passed`.

    Raises:
        UsageError: it was not passed yet.
        UnableError: this copy of the course was made without the staff's files.
    """
    name = exercise.about.id
    if not passed:
        raise UsageError(
            f"The explanation of {name} is shown once you have passed it.",
            cause="no attempt in your record on this machine has passed.",
            remedy=f"tlcourse grade {name} – or a hint: tlcourse exercise hint {name}",
        )
    missing = [
        f"graders/references/{exercise.folder.name}{suffix}"
        for suffix, path in ((".md", exercise.explanation), (".py", exercise.reference))
        if path is None
    ]
    if exercise.explanation is None or exercise.reference is None:
        raise UnableError(
            f"There is no explanation of {name} here: {' and '.join(missing)} are missing.",
            cause="they are kept by the course's staff, and this copy of the course was made without them.",
            remedy="ask the staff of your course for them.",
        )
    return Explanation(exercise.explanation.read_text(encoding="utf-8"), exercise.reference.read_text(encoding="utf-8"))
