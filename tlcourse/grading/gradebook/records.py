"""What the gradebook holds, as plain types."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from tlcourse.grading.gradebook.by_hand import ByHand
from tlcourse.grading.lateness import Late

DERIVATION = 2
"""How data and seeds are derived from a secret: another number draws other data. 2: HMAC-SHA256 throughout."""


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

    @property
    def can_go_on(self) -> bool:
        """Whether its data can still be drawn: batches of older versions are read, and never graded any further."""
        return self.settings.get("derivation") == DERIVATION


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
    attempt: int = 1
    """Counted are those that came into the batch."""
    round: int = 0
    """The one in which this attempt is graded: 0 in the batch itself."""
    alone: str = ""
    """Whose alone it was when it came in: what is decided about it is about that person."""
    given_over: bool = False
    """Whether the staff said later whose it is."""
    left_behind: bool = False
    """Whether it had members, and none is left: each has another hand-in's mark; or staff said that it is nobody's."""

    @property
    def target(self) -> str:
        """What a decision about it is about: the person whose alone it is, else the hand-in."""
        return f"person:{self.alone}" if self.members == [self.alone] else self.key

    def marked(self, *, class_known: bool) -> list[str]:
        """Those whose marks come from it. Only where the batch knows no people at all, its owner's name is somebody."""
        return self.members if self.members or self.left_behind or class_known else [self.owner]


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
    """What a person of the staff decided; `points` None withdraws what was decided before, or excuses."""

    id: int
    exercise: str
    target: str
    """The key of a hand-in, or `person:` and the identifier of one member."""
    points: float | None
    why: str
    who: str
    at: str
    excused: int = 0
    """1: there is no mark to give, and none is missing."""
    shown: int = 0
    """1: the reason is told to whom it concerns."""
    team: str = ""
    """Of one person, and decided for all of a group that had no hand-in: which group, as `same_key` has it."""


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
    hand: ByHand = ByHand((), {})
    """What assistants set by hand for all who handed in."""
    hands_of_members: dict[str, ByHand] = {}
    """The same of a member, where something was set for that one."""
    late: Late | None = None
    """How late it is, for most of those without an extension of their own; None where there is no deadline."""
    lates_of_members: dict[str, Late] = {}
    """The same of a member for whom it is another."""

    @property
    def points(self) -> float | None:
        """Points of the hand-in: overridden, else graded with those set by hand, less what being late costs.

        None where it is not final yet. What was set as an override is not lowered again.
        """
        if self.override is not None:
            return self.override.points
        return self._left(self._together(self.hand), self.late)

    @property
    def graded(self) -> bool:
        """Whether the checks have a verdict that counts."""
        return self.verdict is not None and self.verdict.outcome != "infra"

    def _together(self, hand: ByHand) -> float | None:
        if self.verdict is None or not self.graded or hand.points is None:
            return None
        return self.verdict.points + hand.points

    @property
    def outcome(self) -> str:
        """The outcome of the verdict that counts; `waiting` before there is one."""
        return self.verdict.outcome if self.verdict else "waiting"

    @property
    def regrade(self) -> int:
        """The regrade whose verdict counts; 0 where that is the first one of the attempt."""
        return self.verdict.round if self.verdict and self.verdict.round != self.handin.round else 0

    def points_of(self, person: str) -> float | None:
        """Points of one member: their own override, else what the hand-in has."""
        own = self.overrides_of_members.get(person) or self.override
        return own.points if own is not None else self._left(self.points_before(person), self.late_of(person))

    def points_before(self, person: str = "") -> float | None:
        """Points of one member, or of the hand-in, before anything is taken off for being late."""
        return self._together(self.hand_of(person))

    def late_of(self, person: str = "") -> Late | None:
        """How late it is for one member: by their own deadline, else as for the others."""
        return self.lates_of_members.get(person, self.late)

    def late_alone(self, person: str) -> bool:
        """Whether a deadline of one's own gives a member other points than the hand-in: else it is nobody's matter."""
        decided = self.overrides_of_members.get(person) or self.override
        mine, others = self.lates_of_members.get(person), self.late
        before = self.points_before(person)
        return mine is not None and decided is None and self._left(before, mine) != self._left(before, others)

    def lowered(self, person: str = "") -> bool:
        """Whether being late took something off."""
        own = self.overrides_of_members.get(person) or self.override
        return own is None and self.points_of(person) != self.points_before(person)

    def _left(self, points: float | None, late: Late | None) -> float | None:
        """What is left of points: the one place where being late lowers a mark."""
        if points is None or late is None or self.verdict is None:
            return points
        return late.after(points, self.verdict.max_points + sum(i.max_points for i in self.hand.items if not i.bonus))

    def hand_of(self, person: str) -> ByHand:
        """What was set by hand for one member: for that one, else for all."""
        return self.hands_of_members.get(person, self.hand)

    def to_mark(self, person: str) -> list[str]:
        """The items that a member's mark waits for, where nothing else decides it."""
        own = self.overrides_of_members.get(person) or self.override
        return [] if own is not None or not self.graded else self.hand_of(person).unset


OUTCOMES = ("pass", "fail", "crash", "timeout", "memory", "output", "invalid", "infra")
