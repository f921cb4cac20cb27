"""What a grader of functions calls, and how answers are compared: the names that `cases` and `measure_calls` use.

    from tlcourse.grading.scoring.calls import call, case, sequence

    def cases(seed, data):
        draw = np.random.default_rng(seed)
        z = draw.normal(size=(5, 3))
        return [
            case(call("softmax", z), check="softmax", expect=softmax(z)),
            case(call("softmax", np.array([[0.0, 1000.0]])), check="softmax", judge=finite, public=True),
            sequence(call("Scaler").kept("s"), call("s.fit", z).kept("s"), call("s.mean"), check="scaler", expect=[…]),
        ]

Where every case says its check and what is expected, that is all: answers are compared, and each check is the share of
its cases that are right. Else the grader defines `measure_calls(cases, answers)`. What is expected never leaves the
staff side; the calls are what a solution is given.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from tlcourse.execution.answers import Raised, Ref
from tlcourse.grading.scoring.measurement import Measurement, exact

__all__ = ["Call", "Case", "Raised", "Ref", "call", "case", "difference", "same", "sequence", "share"]


class _Nothing:
    """Stands for what a case does not say is expected: None is an answer."""


NOTHING = _Nothing()


class Call(Struct, frozen=True):
    """One call: of `softmax`, of a class, of a method `model.predict` of what was kept as `model`, or of the module
    that a part `network` has trained, `network.generate`."""

    name: str
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = {}
    keep: str = ""
    take: int = 0

    def kept(self, name: str) -> Call:
        """Its value stays in the sandbox under this name, for later calls of the case; it is no answer."""
        return replace(self, keep=name)

    def first(self, count: int) -> Call:
        """Of an iterator: its first `count` values are the answer, as a list."""
        return replace(self, take=count)


class Case(Struct, frozen=True):
    """Some calls that share a process, and whose answers are one item of a check."""

    calls: tuple[Call, ...]
    check: str = ""
    expect: Any = NOTHING
    judge: Callable[[Any], bool | str] | None = None
    rtol: float = 1e-5
    atol: float = 1e-8
    equal_nan: bool = True
    public: bool = False

    @property
    def judges_nothing(self) -> bool:
        """Whether it leaves to `measure_calls` what is right."""
        return self.expect is NOTHING and self.judge is None


def call(name: str, /, *args: Any, **kwargs: Any) -> Call:
    """A call of `name`. Arguments are plain values, arrays, and `Ref("NAME")` for what was kept or is defined."""
    return Call(name, args, kwargs)


def case(only: Call, **about: Any) -> Case:
    """A case of one call; its answer is what the call gives.

    Args:
        only: The call.
        about: `check`: the id of the check whose cases it is of. `expect`: the right answer. `judge`: in its place, a
            function of the answer that gives True, False, or says what is wrong, in words that do not repeat it.
            `rtol`, `atol`, `equal_nan`: of comparing numbers. `public`: students may read its arguments in a graded
            batch, too.
    """
    return Case((only,), **about)


def sequence(*calls: Call, **about: Any) -> Case:
    """A case of several calls, one after another; its answer is a list of what those give that are not kept.

    Raises whatever `case` does; where one call raises, so does the case.
    """
    return Case(calls, **about)


def same(got: Any, wanted: Any, *, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = True) -> bool:
    """Whether an answer is the one that is wanted, as `difference` says."""
    return not difference(got, wanted, rtol=rtol, atol=atol, equal_nan=equal_nan)


def difference(
    got: Any, wanted: Any, *, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = True, values: bool = True
) -> str:
    """What sets an answer apart from the one that is wanted, in words; "" where nothing does.

    Numbers and arrays of numbers are close where |got - wanted| ≤ atol + rtol · |wanted|; of an array the shape counts,
    and whether it holds floats, ints or bools does not. Elsewhere the types must be the same: a list is no tuple.

    Args:
        got: An answer, of plain types.
        wanted: Plain values and arrays of any shape.
        rtol: See above; as `atol` without a unit of its own.
        atol: See above.
        equal_nan: Whether NaN is as good as NaN.
        values: Whether what came may be said; else nothing that an answer could carry a secret in.
    """
    if isinstance(got, Raised):
        return f"it gave no answer ({got.kind})"
    if _is_number(wanted) and isinstance(got, np.ndarray) and got.dtype.kind == "b":
        return "a bool came, a number was expected"
    if isinstance(wanted, np.ndarray | np.generic) or (_is_number(wanted) and isinstance(got, np.ndarray)):
        return _apart(got, np.asarray(wanted), rtol, atol, equal_nan=equal_nan, values=values)
    if _is_number(wanted):
        if not _is_number(got):
            return f"{_kind(got, values)} came, a number was expected"
        return _apart(got, np.asarray(wanted), rtol, atol, equal_nan=equal_nan, values=values)
    if type(got) is not type(wanted):
        return f"{_kind(got, values)} came, {_kind(wanted, values)} was expected"
    about: dict[str, Any] = {"rtol": rtol, "atol": atol, "equal_nan": equal_nan, "values": values}
    if isinstance(wanted, list | tuple):
        if len(got) != len(wanted):
            return (
                f"{_kind(got)} of length {len(got)} came, {len(wanted)} was expected" if values else "of another length"
            )
        pairs = zip(got, wanted, strict=True)
        found = ((f"item {i}: ", said) for i, (a, b) in enumerate(pairs) if (said := difference(a, b, **about)))
        where, said = next(found, ("", ""))
        return where * values + said  # where it is tells as much as what it is
    if isinstance(wanted, dict):
        if got.keys() != wanted.keys():
            return "a table with other keys came" + (f": {_short(sorted(map(str, got)))}" if values else "")
        found = ((f"[{k!r:.40}]: ", said) for k in wanted if (said := difference(got[k], wanted[k], **about)))
        where, said = next(found, ("", ""))
        return where * values + said
    if got == wanted:
        return ""
    return f"{_short(got)} came, {_short(wanted)} was expected" if values else "another value was expected"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _apart(got: Any, wanted: np.ndarray[Any, Any], rtol: float, atol: float, *, equal_nan: bool, values: bool) -> str:
    """Of arrays and numbers."""
    if not isinstance(got, np.ndarray | bool | int | float):
        return f"{_kind(got)} came, {_kind(wanted, values)} was expected"
    try:
        array = np.asarray(got, dtype=np.float64)
        right = np.asarray(wanted, dtype=np.float64)
    except (OverflowError, ValueError, TypeError):
        return "a number that is too large came"
    if array.shape != right.shape:
        return f"shape {array.shape} came, {right.shape} was expected" if values else "another shape was expected"
    with np.errstate(all="ignore"):
        wrong = ~np.isclose(array, right, rtol=rtol, atol=atol, equal_nan=equal_nan)
    if not wrong.any():
        return ""
    if not values:
        return "other numbers were expected" if wrong.ndim else "another number was expected"
    at = tuple(int(i) for i in np.argwhere(wrong)[0])
    where = f" at {list(at)}" if at else ""
    count = f"; {int(wrong.sum())} of {wrong.size} numbers are others" if at else ""
    return f"{array[at]:.6g} came{where}, {right[at]:.6g} was expected{count}"


def _kind(value: Any, values: bool = True) -> str:
    if value is None:
        return "None"
    if isinstance(value, np.ndarray | np.generic):
        array = np.asarray(value)
        return (f"an array of shape {array.shape}" if values else "an array") if array.ndim else "a number"
    names = {bool: "a bool", int: "a number", float: "a number", str: "a text", dict: "a table"}
    return names.get(type(value), f"a {type(value).__name__}")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "…"


def wrong_with(one: Case, answer: Any, *, values: bool = True) -> str:
    """What is wrong with the answer of a case, in words; "" where it is right. Raises ValueError where nobody says."""
    if isinstance(answer, Raised):
        return "it gave no answer"
    if one.judge is not None:
        try:
            said = one.judge(answer)
            right = said == "" if isinstance(said, str) else bool(said)
        except (Exception, SystemExit):  # of an answer of another form than it was written for
            return _of_another_form(answer, values)
        if right:
            return ""
        return said if isinstance(said, str) and (values or one.public) else "the answer is not right"
    if one.judges_nothing:
        raise ValueError(f"a case of `{one.calls[0].name}` says neither what is expected nor who judges it")
    try:
        return difference(answer, one.expect, rtol=one.rtol, atol=one.atol, equal_nan=one.equal_nan, values=values)
    except Exception:  # whatever it holds, it costs its own case
        return _of_another_form(answer, values)


def _of_another_form(answer: Any, values: bool) -> str:
    return f"the answer ({_kind(answer, values)}) is of another form than was expected"


def share(right: Sequence[bool], message: str = "") -> Measurement:
    """The share of cases that are right: exact, as the same code gives the same answers."""
    return exact(sum(map(bool, right)) / len(right), len(right), message)
