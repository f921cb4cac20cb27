"""When an exercise is due, and what it costs to be late: as course.yaml, exercise.yaml and `batch --due` say it.

A deadline given to the minute lasts until that minute ends. Where a clock is put back or forward, a local time may mean
two moments: `moments` gives both, and what follows is decided in favour of whoever handed in.
"""

import datetime
import re
from functools import cache
from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta, Struct

from tlcourse.errors import UnableError, UsageError

if TYPE_CHECKING:
    from tlcourse.course.model import Course, Exercise

_DUE = r"(\d{4}-\d\d-\d\d)(?:[T ]+(\d\d:\d\d(?::\d\d)?))?\s*(Z|[+-]\d\d:?\d\d|[A-Za-z][\w+/-]*)?"
_OFFSET = r"(?P<sign>[+-])(?P<hours>\d\d):?(?P<minutes>\d\d)"
_LAST_MINUTE = "23:59"
_SUCH_AS = "such as 2026-11-20 23:59 Europe/Copenhagen"


class LateRule(Struct, frozen=True, forbid_unknown_fields=True):
    """What a late hand-in loses; students read it. Without one lateness is shown, and costs nothing."""

    penalty: Annotated[float, Meta(ge=0, le=100)] = 0.0
    """Percent for each day or hour that has begun after the deadline."""
    per: Literal["day", "hour"] = "day"
    """A day ends at the time of the deadline, whether a clock was changed in it or not."""
    of: Literal["earned", "maximum"] = "earned"
    """Percent of the points that were earned, or of the exercise's maximum."""
    floor: Annotated[float, Meta(ge=0, le=100)] = 0.0
    """Percent of the same that no penalty takes."""
    cut_off_days: Annotated[int, Meta(ge=0, le=1000)] | None = None
    """So many days after the deadline a hand-in counts for nothing; 0: as soon as it is late."""
    free_days: Annotated[int, Meta(ge=0, le=1000)] = 0
    """Days that cost a person nothing; they are used as they are needed, and do not move the cut-off."""
    free_days_for: Literal["course", "exercise"] = "course"
    """Whether the free days are for the whole course, or for each exercise anew."""
    grace_minutes: Annotated[float, Meta(ge=1, le=1440)] = 1.0
    """After the deadline, and after each day or hour; 1 is the deadline's own minute, as platforms show no seconds."""

    @property
    def costs(self) -> bool:
        """Whether a late hand-in can lose anything."""
        return self.penalty > 0 or self.cut_off_days is not None


class Deadline(Struct, frozen=True):
    """By what the hand-ins of an exercise are judged."""

    due: str
    """Local time, such as `2026-11-20T23:59:00`."""
    zone: str
    """`Europe/Copenhagen`, or an offset: in it times of platforms are read that carry none."""
    late: LateRule = LateRule()

    @property
    def local(self) -> datetime.datetime:
        """The same as a time without zone."""
        return datetime.datetime.fromisoformat(self.due)


def deadline_of(course: "Course", exercise: "Exercise", due: str = "") -> Deadline | None:
    """The deadline of an exercise, or `due` in its place; None where there is none. Raises UsageError, UnableError."""
    rule = exercise.late or course.late or LateRule()
    return read_due(due or exercise.due, course.zone, rule) if due or exercise.due else None


def read_due(text: str, zone: str, rule: LateRule) -> Deadline:
    """`2026-11-20 23:59`, also with a zone or an offset behind it, or without the time: the end of that day then.

    Args:
        zone: that of the course; "" where it has none, and then the text needs one.

    Raises:
        UsageError: it is no such moment, or has no zone.
        UnableError: this machine has no list of zones.
    """
    match = re.fullmatch(_DUE, text.strip(), re.ASCII)
    try:
        local = match and datetime.datetime.fromisoformat(f"{match[1]}T{match[2] or _LAST_MINUTE}")
    except ValueError:
        local = None
    if match is None or local is None:
        raise UsageError(f"{text!r} is not a date and time.", remedy=f"write it {_SUCH_AS}")
    own = match[3] or zone
    if not own:
        raise UsageError(
            f"{text!r} has no zone, and neither has the course.",
            cause="platforms write local times, which mean nothing without a zone.",
            remedy=f"zone: in course.yaml, or behind the time, {_SUCH_AS}",
        )
    if zone and own != zone:
        local = moments(local, own)[1].astimezone(zone_of(zone)).replace(tzinfo=None, fold=0)
    zone_of(zone or own)
    return Deadline(local.isoformat(), zone or own, rule)


def moments(local: datetime.datetime, zone: str) -> tuple[datetime.datetime, datetime.datetime]:
    """The earliest and the latest moment, in UTC, that a time may mean: two where a clock was put back or forward.

    A time that has a zone or an offset of its own means one.
    """
    if local.tzinfo is not None:
        both = [local.astimezone(datetime.UTC)]
    else:
        both = [local.replace(tzinfo=zone_of(zone), fold=fold).astimezone(datetime.UTC) for fold in (0, 1)]
    return min(both), max(both)


@cache
def zone_of(name: str) -> datetime.tzinfo:
    """The zone of that name, or with that offset; raises UsageError, or UnableError where this machine has none."""
    if name == "Z":
        return datetime.UTC
    if match := re.fullmatch(_OFFSET, name, re.ASCII):
        hours, minutes = int(match["hours"]), int(match["minutes"])
        if hours <= 14 and minutes < 60:
            ahead = datetime.timedelta(hours=hours, minutes=minutes)
            return datetime.timezone(ahead if match["sign"] == "+" else -ahead)
    import zoneinfo  # only those who have a deadline need it

    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        if not zoneinfo.available_timezones():
            raise UnableError(
                "This machine has no list of time zones.", remedy="python3 -m pip install tzdata"
            ) from None
        raise UsageError(
            f"{name!r} is not a time zone.",
            cause="a spelling mistake, or an abbreviation such as CET.",
            remedy="write it as a city, such as Europe/Copenhagen, or an offset, such as +01:00",
        ) from None
