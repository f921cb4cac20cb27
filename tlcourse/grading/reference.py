"""What the reference answers where a case of a part `functions` does not say what is right.

The staff have the reference, and call it in this process: it is theirs, as the grader is. Students have neither it nor
what it would answer, but for the cases of the public seed: `author hand-out` writes those answers into their copy. So
a grader that leaves to the reference what is right gives no solution away, and need not be written twice.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping, Sequence
from itertools import islice
from types import ModuleType
from typing import Any

from msgspec.structs import replace

from tlcourse.course.exercise import staff_text
from tlcourse.course.model import LoadedExercise
from tlcourse.errors import UnableError
from tlcourse.execution.answers import AnswerError, Ref, from_bytes, to_bytes
from tlcourse.grading.scoring.calls import Case

PRACTICE = "answers.bin"
"""In `exercises/NAME` of a copy for students: the answers to the cases of the public seed. In `graders/NAME`, which no
submission sees: those of a secret seed, where the reference does not go."""
_KEPT = 8


class NoReferenceError(Exception):
    """The reference gives no answer; says of which case, and why."""


class NoReferenceHereError(UnableError):
    """There is no reference, and no answers of it for these cases."""

    def __init__(self, what: str, *, cause: str, remedy: str, is_copy: bool) -> None:
        super().__init__(what, cause=cause, remedy=remedy)
        self.is_copy = is_copy
        """Whether this is a copy for students, which holds other answers."""


class Reference:
    """The reference of an exercise, called where its cases need it."""

    def __init__(self, exercise: LoadedExercise) -> None:
        self._about, self._path = exercise.about, exercise.reference
        secret = exercise.staff / exercise.folder.name / PRACTICE
        self._practice = secret if secret.is_file() else exercise.folder / PRACTICE
        self._module: ModuleType | None = None
        self._answers: dict[bytes, list[Any]] = {}
        self._lock = threading.Lock()

    @property
    def is_here(self) -> bool:
        """Whether it can be asked."""
        return self._path is not None

    @property
    def sha256(self) -> str:
        """Its hash; "" where it is not here."""
        return hashlib.sha256(staff_text(self._path).encode()).hexdigest() if self._path else ""

    def completed(self, cases: Sequence[Case], seed: int) -> list[Case]:
        """The cases, each with what is right. Raises NoReferenceError, or NoReferenceHereError.

        What it answers is asked once for the same cases, also by several threads.
        """
        open_ones = [one for one in cases if one.judges_nothing]
        if not open_ones:
            return list(cases)
        key = _digest(open_ones)
        with self._lock:
            if key not in self._answers:
                while len(self._answers) >= _KEPT:
                    del self._answers[next(iter(self._answers))]
                self._answers[key] = self._asked(open_ones, key, seed)
            right = iter(self._answers[key])
        return [replace(one, expect=next(right)) if one.judges_nothing else one for one in cases]

    def document(self) -> bytes | None:
        """All that it was asked, for copies of the course that have no reference; None where it was asked nothing."""
        return to_bytes({key.hex(): answers for key, answers in self._answers.items()}) if self._answers else None

    def _asked(self, cases: Sequence[Case], key: bytes, seed: int) -> list[Any]:
        if self._path is not None:
            return [self._answer(one) for one in cases]
        if self._practice.is_file():
            try:
                answers = from_bytes(self._practice.read_bytes()).get(key.hex())
            except (AnswerError, ValueError, AttributeError) as error:
                raise NoReferenceError(f"{PRACTICE} cannot be read: {error}") from None
            if isinstance(answers, list) and len(answers) == len(cases):
                return answers
        raise NoReferenceHereError(
            f"What is right with seed {seed} is not here.",
            cause=f"the reference of {self._about.id} stays with the staff of your course; their copy for students "
            "holds the answers to the public seed alone.",
            remedy="leave --seed and --secret away; staff keep graders/references beside the graders.",
            is_copy=self._practice.is_file(),
        )

    def _answer(self, one: Case) -> Any:
        """What a case gives, in the form that a hand-in's answers have."""
        known: dict[str, Any] = {}
        values: list[Any] = []
        try:
            names = self._loaded().__dict__
            for step in one.calls:
                args, kwargs = from_bytes(to_bytes([step.args, step.kwargs]), refs=True)  # its own: it may change them
                value = _named(step.name, known, names)(*_given(args, known, names), **_given(kwargs, known, names))
                if step.keep:
                    known[step.keep] = value
                else:
                    values.append(list(islice(value, step.take)) if step.take else value)
            return from_bytes(to_bytes(values[0] if len(one.calls) == 1 and values else values))
        except NoReferenceError:
            raise
        except AnswerError as error:
            raise NoReferenceError(f"what the reference gives for `{one.calls[-1].name}` {error}") from None
        except (Exception, SystemExit) as error:
            said = f"{type(error).__name__}: {str(error)[:300]}"
            raise NoReferenceError(f"the reference raised {said}, in a case of `{one.calls[-1].name}`") from error

    def _loaded(self) -> ModuleType:
        if self._module is None:
            assert self._path is not None
            module = ModuleType("reference")
            exec(compile(staff_text(self._path), self._path.name, "exec"), module.__dict__)  # noqa: S102 - the staff's
            self._module = module
        return self._module


def _digest(cases: Sequence[Case]) -> bytes:
    calls = [[[step.name, step.args, step.kwargs, step.keep, step.take] for step in one.calls] for one in cases]
    try:
        return hashlib.sha256(to_bytes(calls)).digest()
    except AnswerError as error:
        raise NoReferenceError(f"an argument {error}") from None


def _named(name: str, known: Mapping[str, Any], names: Mapping[str, Any]) -> Any:
    first, *rest = name.split(".")
    if first not in known and first not in names:
        raise NoReferenceError(f"the reference has no `{first}`, so that a case of `{name}` says `expect` or `judge`")
    value = known[first] if first in known else names[first]
    for attribute in rest:
        value = getattr(value, attribute)
    return value


def _given(value: Any, known: Mapping[str, Any], names: Mapping[str, Any]) -> Any:
    if isinstance(value, Ref):
        return _named(value.name, known, names)
    if isinstance(value, list | tuple):
        return type(value)(_given(one, known, names) for one in value)
    if isinstance(value, dict):
        return {name: _given(one, known, names) for name, one in value.items()}
    return value
