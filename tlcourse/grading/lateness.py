"""How late a hand-in is by the deadline that holds for a person, and what is left of its points.

What has no known time is never late. Where a clock was changed and a time means two moments, the earlier one counts.
"""

from __future__ import annotations

import datetime
import itertools
import math
from functools import lru_cache
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from tlcourse.course.deadline import Deadline, LateRule, moments, read_due, zone_of
from tlcourse.errors import UsageError

_HOUR = datetime.timedelta(hours=1)
_CENTS = 100
_NEVER = 100_000
"""Days: more than any hand-in is late."""

Whose = Literal["class", "group", "own"]


class Until(Struct, frozen=True):
    """An extension: until a moment, such as `2026-11-25 12:00`, or so many days more. Never less than the deadline."""

    until: str = ""
    days: int = 0

    def local(self, deadline: Deadline) -> datetime.datetime:
        """The new deadline; raises UsageError, UnableError where it cannot be read."""
        if self.until:
            return max(deadline.local, read_due(self.until, deadline.zone, deadline.late).local)
        return deadline.local + datetime.timedelta(days=self.days)


class Late(Struct, frozen=True):
    """How late a hand-in is for one person, and by which deadline; all zeros: in time."""

    due: str
    """The deadline that holds for them, local, such as `2026-11-20T23:59:00`."""
    zone: str
    rule: LateRule
    whose: Whose = "class"
    """Whose deadline it is: the class's, or extended for the group or for the person."""
    known: bool = True
    """False: nothing says when it was handed in."""
    days: int = 0
    """Days that have begun since the deadline."""
    charged: int = 0
    """Days or hours of these, as the rule counts, that cost something."""
    free: int = 0
    """Free days that were used."""
    cut: bool = False
    """So late that it counts for nothing."""
    doubt: bool = False
    """The time may mean a later moment, too, by which it would be later."""

    def after(self, points: float, most: float) -> float:
        """What is left of points, of `most` that there are; rounded to hundredths where something was taken."""
        if self.cut:
            return 0.0
        share, floor = self.charged * self.rule.penalty / 100, self.rule.floor / 100
        if self.rule.of == "earned":
            left = points * max(1 - share, floor)
        else:
            left = max(points - share * most, min(points, floor * most))
        return points if left >= points else max(0.0, math.floor(left * _CENTS + 0.5 + 1e-9) / _CENTS)


@lru_cache(maxsize=4096)  # a screen asks again every second
def judged(
    submitted_at: str, deadline: Deadline, until: Until | None = None, *, whose: Whose = "class", free_left: int = 0
) -> Late:
    """How late something is that was handed in at `submitted_at` (ISO 8601, local or with an offset; "": not known).

    Args:
        until: the extension that holds, and `whose` it is.
        free_left: free days that the person has left.
    """
    due = until.local(deadline) if until else deadline.local
    late = Late(due.isoformat(), deadline.zone, deadline.late, whose, known=bool(submitted_at))
    if not submitted_at:
        return late
    early, latest = moments(datetime.datetime.fromisoformat(submitted_at), deadline.zone)
    found = _counted(early, due, late, free_left)
    if latest == early:
        return found
    other = _counted(latest, due, late, free_left)
    return replace(found, doubt=(found.days, found.charged) != (other.days, other.charged))


def _counted(moment: datetime.datetime, due: datetime.datetime, late: Late, free_left: int) -> Late:
    grace = datetime.timedelta(minutes=late.rule.grace_minutes)

    def ends(days: int) -> datetime.datetime:
        """When so many days after the deadline are over: at the same time by the clock."""
        return moments(due + datetime.timedelta(days=days), late.zone)[1] + grace

    try:
        here = moment.astimezone(zone_of(late.zone)).replace(tzinfo=None)
        near = max(0, (here - due).days - 2)  # never above the number looked for
        days = next(n for n in itertools.count(near) if moment < ends(n))
    except OverflowError:  # dates end in the year 9999
        days = _NEVER
    if days == 0:
        return late
    cut = late.rule.cut_off_days is not None and days > late.rule.cut_off_days
    free = 0 if cut else min(days, free_left)
    if late.rule.per == "day":
        charged = days - free
    else:
        over = moment - ends(free)
        charged = 0 if days == free else max(0, math.floor(over / _HOUR) + 1)
    return replace(late, days=days, charged=charged, free=free, cut=cut)


def refuse_earlier(until: Until, deadline: Deadline | None) -> None:
    """Raise UsageError where an extension would end before the deadline, or is no date."""
    if not until.until:
        return
    if deadline is None:
        read_due(until.until, "UTC", LateRule())
    elif read_due(until.until, deadline.zone, deadline.late).local < deadline.local:
        raise UsageError(
            f"{until.until} is before the deadline, {deadline.due} ({deadline.zone}).",
            cause="a mistake in the date: an extension never takes time away.",
            remedy="--until a later date, or --days 3",
        )
