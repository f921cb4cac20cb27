"""Whom a word of the staff means: a hand-in by its owner, folder or key; one member of a group by id."""

from __future__ import annotations

from collections.abc import Sequence

from tlcourse.errors import UsageError
from tlcourse.grading.gradebook.records import GradeStatus, HandInRecord
from tlcourse.grading.lms.names import same_key, visible

OUTCOMES = ("pass", "fail", "crash", "timeout", "memory", "output", "invalid", "infra")


def target_of(handins: Sequence[HandInRecord], word: str) -> str:
    """The target of an override: a hand-in's key, or `person:ID`. Raises UsageError where it is nobody, or several."""
    handin, person = _meant(handins, word)
    return f"person:{person}" if person and len(handin.members) > 1 else handin.key


def selected(statuses: Sequence[GradeStatus], only: str) -> list[GradeStatus]:
    """The hand-ins of an outcome (`waiting` counts as `infra`), `all`, or one that a word means; raises UsageError."""
    if only == "all":
        chosen = list(statuses)
    elif only in OUTCOMES:
        wanted = ("infra", "waiting") if only == "infra" else (only,)
        chosen = [status for status in statuses if status.outcome in wanted]
    else:
        handin, _ = _meant([status.handin for status in statuses], only)
        chosen = [status for status in statuses if status.handin.id == handin.id]
    if not chosen:
        raise UsageError(
            f"No hand-in of this batch ended as {only}.",
            cause="there is nothing to grade again.",
            remedy="--only all, another outcome, or somebody's name.",
        )
    return chosen


def _meant(handins: Sequence[HandInRecord], word: str) -> tuple[HandInRecord, str]:
    """The hand-in, and the member where one was named."""
    key = same_key(word)
    named = [(h, "") for h in handins if key in (h.key, same_key(h.owner), same_key(h.folder_name))]
    found = named or [(h, person) for h in handins for person in h.members if same_key(person) == key]
    if len(found) == 1:
        return found[0]
    if found:
        several = ", ".join(visible(handin.folder_name) for handin, _ in found[:5])
        raise UsageError(f"{visible(word)} means {len(found)} hand-ins: {several}.", remedy="name the folder.")
    near = [visible(h.owner) for h in handins if key and key in same_key(h.owner)][:5]
    raise UsageError(
        f"Nobody of this batch is called {visible(word)}.",
        cause=f"perhaps meant: {', '.join(near)}." if near else "a spelling mistake, or another batch.",
        remedy="name the owner as the report shows it, the folder, or a member's id.",
    )
