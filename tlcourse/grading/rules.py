"""What decides about a mark beside the grader, by name: kept with each verdict, and compared with what holds later."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from tlcourse.course.model import LoadedExercise
from tlcourse.course.parts import ManualPart
from tlcourse.storage import sha256_of_file

if TYPE_CHECKING:
    from tlcourse.grading.gradebook.gradebook import Gradebook

Rules = dict[str, Any]
"""`sizes.test` → 400, `checks.y_error.threshold` → 0.1: plain values, as they come back out of JSON."""
_DECIDE = ("targets", "outputs", "checks", "seconds", "sizes", "limits", "graph", "policy")
_SAID = 5
_ONLY_SAID = {"id", "name", "title", "taught", "unit", "attempts"}
"""Fields that no mark depends on: `policy.attempts` is said to the staff, who decide."""


def rules_of(exercise: LoadedExercise) -> Rules:
    """What exercise.yaml says today. What people mark is not in it: the gradebook goes by the rubric of today."""
    about = exercise.about
    given = {name: getattr(about, name) for name in _DECIDE}
    given["parts"] = [part for part in about.parts if not isinstance(part, ManualPart)]
    given |= {"generator": _program(exercise.generator), "real": _program(exercise.real)}
    found = {key: value for name, one in given.items() for key, value in _leaves(name, one)}
    return dict(msgspec.json.decode(msgspec.json.encode(found)))


def files_in_rules(public: str, hidden: str) -> Rules:
    """The data files, by their hashes, as what decides as well."""
    return {"files of public data": public[:12], "files of hidden data": hidden[:12]}


def changes(before: Mapping[str, Any], now: Mapping[str, Any], *, word: str = "now") -> str:
    """What differs, in words; "" where nothing does. A name that one of the two lacks is of another edition."""
    found = [
        f"{name} {_words(value)}, {word} {_words(now[name])}"
        for name, value in before.items()
        if name in now and now[name] != value
    ]
    return "; ".join(found[:_SAID]) + (f"; and {len(found) - _SAID} more" if len(found) > _SAID else "")


def kept_rules(book: Gradebook, batch: int) -> list[Rules]:
    """The rules by which the marks of a batch that count were made, each set of them once; in what earlier editions
    kept, bars and points alone."""
    found = []
    for verdict in book.verdicts(batch).values():
        if verdict.outcome == "infra" or not verdict.readable:
            continue
        kept = msgspec.json.decode(book.raw_document(verdict.id), type=_Kept)
        of = kept.provenance
        rules = of.rules and of.rules | files_in_rules(of.public_files_sha256, of.hidden_files_sha256)
        rules = rules or {
            f"checks.{check.id}.{name}": value
            for check in kept.checks
            for name, value in (("threshold", check.threshold), ("points", check.max_points))
            if value is not None
        }
        if rules and rules not in found:
            found.append(rules)
    return found


class _Check(Struct, frozen=True):
    id: str
    threshold: float | None = None
    max_points: float | None = None


class _Provenance(Struct, frozen=True):
    rules: Rules = {}
    public_files_sha256: str = ""
    hidden_files_sha256: str = ""


class _Kept(Struct, frozen=True):
    """Of a kept document what says by which rules it was made."""

    checks: list[_Check] = []
    provenance: _Provenance = _Provenance()


def _leaves(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """The plain values below a name; of what its author names, the names as well, so that none goes or comes unseen."""
    if isinstance(value, Struct):
        fields = [field for field in value.__struct_fields__ if field not in _ONLY_SAID]
        below = {field: getattr(value, field) for field in fields}
    elif isinstance(value, Mapping):
        below = {f"{key:g}" if isinstance(key, float) else str(key): value[key] for key in sorted(value)}
        yield name, list(below)
    elif isinstance(value, Sequence) and value and isinstance(value[0], Struct):
        below = {getattr(one, "id", "") or one.name: one for one in value}
        yield name, list(below)
    else:
        yield name, value
        return
    for inner, one in below.items():
        yield from _leaves(f"{name}.{inner}", one)


def _program(of: Path | str | None) -> str:
    """A program's name, with a file of the course's own its hash: what it draws is what is measured on."""
    if isinstance(of, Path):
        return f"{of.name} ({sha256_of_file(of)[:12]})"
    return of or ""


def _words(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_words, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value) or "none"
