"""What the gradebook holds, as plain types; and which hand-in a word of the staff means."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from tlcourse.errors import UsageError
from tlcourse.grading.lms.roster import same_key, visible


class BatchRecord(Struct, frozen=True):
    """One class handed in for one exercise."""

    id: int
    exercise: str
    variant: str
    source: str
    """Where the hand-ins were found; a path of this machine, for staff alone."""
    platform: str
    max_points: float
    seed_source: str
    """`secret`, `given` or `public`."""
    salt: str
    fingerprint: str
    grader_sha256: str
    settings: dict[str, Any]
    notices: dict[str, Any]
    """What was said before the batch began: notices, unmatched, missing."""
    who: str
    at: str


class HandInRecord(Struct, frozen=True):
    """One person's or group's newest attempt."""

    id: int
    batch: int
    key: str
    owner: str
    kind: str
    members: list[str]
    folder_name: str
    path: str
    submitted_at: str
    twins: list[str] = []
    """Other folders of the download with the same attempt: feedback goes there too."""
    problem: str = ""
    """Why it could not be unpacked; empty for nearly all."""


class Verdict(Struct, frozen=True):
    """A recorded result without its document. `round` is 0 for the batch itself, else the number of a regrade."""

    id: int
    handin: int
    round: int
    outcome: str
    points: float
    max_points: float
    cause: str
    sha256: str
    wall_time_s: float
    cpu_s: float
    at: str
    readable: bool = True
    """False where its document is damaged: then it is given as a grader fault, whatever it said."""


class Override(Struct, frozen=True):
    """What a person of the staff decided; `points` None withdraws what was decided before."""

    id: int
    exercise: str
    target: str
    """The key of a hand-in, or `person:` and the identifier of one member."""
    points: float | None
    why: str
    who: str
    at: str


class Regrade(Struct, frozen=True):
    """A second look at some hand-ins of a batch."""

    id: int
    batch: int
    selection: str
    why: str
    who: str
    at: str


class GradeStatus(Struct, frozen=True):
    """Where a hand-in stands: its verdict that counts, and what the staff decided about it."""

    handin: HandInRecord
    verdict: Verdict | None
    override: Override | None = None
    overrides_of_members: dict[str, Override] = {}

    @property
    def points(self) -> float | None:
        """Points of the hand-in: overridden, else graded; None where nothing is final yet."""
        if self.override is not None:
            return self.override.points
        return None if self.verdict is None or self.verdict.outcome == "infra" else self.verdict.points

    @property
    def outcome(self) -> str:
        """The outcome of the verdict that counts; `waiting` before there is one."""
        return self.verdict.outcome if self.verdict else "waiting"

    def points_of(self, person: str) -> float | None:
        """Points of one member: their own override, else what the hand-in has."""
        own = self.overrides_of_members.get(person)
        return own.points if own is not None else self.points


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
