"""Who is late, by how much, and what is left of the points: each row computed by hand."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlcourse.course.deadline import Deadline, LateRule, read_due
from tlcourse.errors import UsageError
from tlcourse.grading.gradebook.deadlines import of_found
from tlcourse.grading.lateness import Until, judged, refuse_earlier
from tlcourse.grading.lms.handins import HandIns
from tlcourse.grading.lms.newest_attempt import HandIn
from tlcourse.presenting.report.late_words import called_late, found_late
from tlcourse.presenting.words import late_rule, lateness, taken_off

CPH = "Europe/Copenhagen"
DUE = "2026-11-20 23:59"
TEN = LateRule(penalty=10)
FIRM = LateRule(penalty=10, cut_off_days=5)
OF_MAX = LateRule(penalty=10, of="maximum")
HOURLY = LateRule(penalty=5, per="hour")


def deadline(due: str = DUE, rule: LateRule = TEN, zone: str = CPH) -> Deadline:
    return read_due(due, zone, rule)


@pytest.mark.parametrize(
    ("submitted", "rule", "until", "points", "left", "said"),
    [
        # of 10 points
        ("2026-11-20T23:59", TEN, None, 8, 8, ""),
        ("2026-11-20T23:59:59", TEN, None, 8, 8, ""),  # the deadline's minute is in time
        ("2026-11-21T00:00", TEN, None, 8, 7.2, "1 day late, 10 % a day"),
        ("2026-11-21T23:59:30", TEN, None, 8, 7.2, "1 day late, 10 % a day"),
        ("2026-11-22T00:00", TEN, None, 8, 6.4, "2 days late, 10 % a day"),
        ("2026-12-20T00:00", TEN, None, 8, 0, "30 days late, 10 % a day"),  # never less than nothing
        ("", TEN, None, 8, 8, ""),  # no known time: never late
        ("2026-11-22T00:00", OF_MAX, None, 8, 6, "2 days late, 10 % of the maximum a day"),
        ("2026-11-22T00:00", OF_MAX, None, 1.5, 0, "2 days late, 10 % of the maximum a day"),
        ("2026-11-25T23:59", FIRM, None, 8, 4, "5 days late, 10 % a day"),
        ("2026-11-26T00:00", FIRM, None, 8, 0, "6 days late, nothing counts after 5 days"),
        ("2026-11-21T00:00", LateRule(cut_off_days=0), None, 8, 0, "1 day late, nothing late counts"),
        ("2026-11-24T00:00", LateRule(penalty=20, floor=50), None, 8, 4, "4 days late, 20 % a day, down to 50 %"),
        (
            *("2026-11-24T00:00", LateRule(penalty=20, floor=50, of="maximum"), None, 8, 5),
            "4 days late, 20 % of the maximum a day, down to 50 %",
        ),
        (
            *("2026-11-24T00:00", LateRule(penalty=20, floor=50, of="maximum"), None, 4, 4),
            "4 days late, 20 % of the maximum a day, down to 50 %",
        ),
        ("2026-11-21T02:30", HOURLY, None, 8, 6.8, "3 hours late, 5 % an hour"),
        ("2026-11-21T00:00", HOURLY, None, 8, 7.6, "1 hour late, 5 % an hour"),
        ("2026-11-21T00:10", LateRule(penalty=10, grace_minutes=15), None, 8, 8, ""),
        ("2026-11-21T00:14", LateRule(penalty=10, grace_minutes=15), None, 8, 7.2, "1 day late, 10 % a day"),
        ("2026-11-22T00:00", LateRule(), None, 8, 8, "2 days late"),  # shown, and costs nothing
        ("2026-11-21T00:00", LateRule(penalty=33.3), None, 1, 0.67, "1 day late, 33.3 % a day"),
        # extended
        ("2026-11-23T12:00", TEN, Until(days=3), 8, 8, ""),
        (
            *("2026-11-24T00:00", TEN, Until(days=3), 8, 7.2),
            f"1 day late, 10 % a day, extended to 2026-11-23 23:59 ({CPH})",
        ),
        ("2026-11-22T12:00:59", TEN, Until("2026-11-22 12:00"), 8, 8, ""),
        ("2026-11-22T12:01", FIRM, Until("2026-11-22 12:00"), 8, 7.2, None),
        ("2026-11-27T12:00", FIRM, Until("2026-11-22 12:00"), 8, 4, None),  # the cut-off moves along
        ("2026-11-21T00:00", TEN, Until("2026-11-19"), 8, 7.2, None),  # an extension takes no time away
        # a time with an offset of its own, as Gradescope gives them
        ("2026-11-20T22:59:59+00:00", TEN, None, 8, 8, ""),
        ("2026-11-20T23:00:00+00:00", TEN, None, 8, 7.2, "1 day late, 10 % a day"),
        ("2026-11-21T12:59:59+14:00", TEN, None, 8, 8.0, ""),
    ],
)  # fmt: skip
def test_what_is_left_of_points(submitted, rule, until, points, left, said):
    late = judged(submitted, deadline(rule=rule), until, whose="own" if until else "class")
    assert late.after(points, 10) == left
    assert late.doubt is False
    if said is not None:
        assert lateness(late) == said


@pytest.mark.parametrize(
    ("days", "free_left", "rule", "left", "said"),
    [
        (2, 3, TEN, 8, "2 days late, 2 free"),
        (3, 2, TEN, 7.2, "3 days late, 2 free, 10 % a day"),
        (6, 3, FIRM, 0, "6 days late, nothing counts after 5 days"),  # free days do not move the cut-off
        (2, 1, HOURLY, 7.6, "2 days late, 1 free, then 1 h, 5 % an hour"),
    ],
)
def test_free_days_come_first(days, free_left, rule, left, said):
    late = judged(f"2026-11-{20 + days}T00:00", deadline(rule=rule), free_left=free_left)
    assert (late.after(8, 10), lateness(late)) == (left, said)
    assert late.free == (0 if late.cut else min(days, free_left))


@pytest.mark.parametrize(
    ("due", "submitted", "days", "doubt"),
    [
        # put back: 25 October 2026 has 25 hours, and a day is over at the time of the deadline all the same
        ("2026-10-24 23:59", "2026-10-25T23:59", 1, False),
        ("2026-10-24 23:59", "2026-10-26T00:00", 2, False),
        ("2026-10-25 02:30", "2026-10-25T02:45", 0, True),  # due at the second 02:30; perhaps handed in after it
        ("2026-10-25 02:30", "2026-10-25T02:15", 0, False),
        ("2026-10-25 02:30", "2026-10-25T02:45+02:00", 0, False),  # the first of the two
        ("2026-10-25 02:30", "2026-10-25T02:45+01:00", 1, False),  # the second
        ("2026-10-25 01:59", "2026-10-25T02:30", 1, False),
        ("2026-10-24 02:30", "2026-10-25T02:45", 1, True),
        # put forward: 29 March 2026 has 23 hours, and none is called 02:30
        ("2026-03-28 23:59", "2026-03-29T23:59", 1, False),
        ("2026-03-28 23:59", "2026-03-30T00:00", 2, False),
        ("2026-03-29 02:30", "2026-03-29T03:30", 0, False),
        ("2026-03-29 02:30", "2026-03-29T03:31", 1, False),
    ],
)
def test_changes_of_the_clock_are_counted_in_favour_of_who_handed_in(due, submitted, days, doubt):
    late = judged(submitted, deadline(due))
    assert (late.days, late.doubt) == (days, doubt)
    assert lateness(late).endswith("at the earlier of two hours that its time may mean") == (doubt and days > 0)


@pytest.mark.parametrize(
    ("text", "zone", "due", "kept"),
    [
        ("2026-11-20", CPH, "2026-11-20T23:59:00", CPH),
        ("2026-11-20 12:00:30", CPH, "2026-11-20T12:00:30", CPH),
        ("2026-11-20T12:00 Europe/London", "", "2026-11-20T12:00:00", "Europe/London"),
        ("2026-11-20T12:00 Europe/London", CPH, "2026-11-20T13:00:00", CPH),
        ("2026-11-20T12:00Z", CPH, "2026-11-20T13:00:00", CPH),
        ("2026-11-20T12:00-0500", "", "2026-11-20T12:00:00", "-0500"),
    ],
)
def test_a_deadline_has_a_zone_its_own_or_the_courses(text, zone, due, kept):
    assert read_due(text, zone, TEN) == Deadline(due, kept, TEN)


@pytest.mark.parametrize(
    ("text", "zone", "words"),
    [
        ("2026-11-20 23:59", "", "has no zone"),
        ("20.11.2026", CPH, "is not a date"),
        ("2026-11-31", CPH, "is not a date"),
        ("2026-11-20 24:00", CPH, "is not a date"),
        ("2026-11-20 23:59 Copenhagen", "", "is not a time zone"),
        ("2026-11-20 23:59 ../../etc/passwd", "", "is not a date"),
        ("2026-11-20 23:59", "+25:00", "is not a time zone"),
    ],
)
def test_what_is_no_deadline_is_refused(text, zone, words):
    with pytest.raises(UsageError, match=words):
        read_due(text, zone, TEN)


def test_an_extension_to_an_earlier_day_is_refused():
    with pytest.raises(UsageError, match="before the deadline"):
        refuse_earlier(Until("2026-11-19"), deadline())
    refuse_earlier(Until("2026-11-21"), deadline())
    refuse_earlier(Until(days=2), None)


def test_the_rule_is_said_to_those_who_hand_in():
    rule = LateRule(penalty=10, cut_off_days=5, free_days=2)
    assert late_rule(rule) == (
        "10 % of the points earned for each day begun; what comes more than 5 days late counts for nothing; "
        "2 days cost nothing in the whole course"
    )
    assert late_rule(LateRule(penalty=2.5, per="hour", of="maximum", floor=40, cut_off_days=0, grace_minutes=15)) == (
        "2.5 % of the maximum for each hour begun, down to 40 %; what comes late counts for nothing; "
        "the first 15 minutes are in time"
    )
    assert late_rule(LateRule()) == "nothing is taken off"
    assert taken_off(8, 6.4, judged("2026-11-22T00:00", deadline())) == "8 → 6.4: 2 days late, 10 % a day"


def test_a_hand_in_of_the_year_9999_is_late_and_no_error():
    assert judged("9999-12-31T23:59", deadline()).after(8, 10) == 0


def test_where_a_platform_calls_late_what_is_not_and_where_a_time_is_in_doubt_it_is_said():
    """Of four hand-ins: called late and in time, late and not called so, of no known time, and in the hour twice."""
    times = ("2026-10-24T12:00", "2026-10-26T12:00", "", "2026-10-25T02:30")
    called = (True, False, True, False)
    found = [
        HandIn(name, name, "person", (name,), Path(name), name, at, called_late=late)
        for name, at, late in zip("ABCD", times, called, strict=True)
    ]
    handins = HandIns(found, [], [], [], "canvas")
    by = deadline("2026-10-25 02:00")
    late, _ = of_found(by, [], found, (), {})
    assert list(called_late(handins, late)) == [
        "called late by Canvas, which says no time, so that nothing is taken off: C",
        "called late by Canvas, and in time by the deadline here: A",
        "late by the deadline here, and not called so by Canvas: B",
    ]
    assert list(found_late(handins, by, late, [])) == [
        "Due 2026-10-25 02:00 (Europe/Copenhagen); when late: 10 % of the points earned for each day begun",
        "  late: B: 2 days late, 10 % a day (handed in 2026-10-26 12:00)",
        "  late: D: in time at the earlier of two hours that its time may mean (handed in 2026-10-25 02:30)",
        "  note: nothing says when 1 of 4 hand-ins came: what has no time is not late",
    ]


RULES = st.builds(
    LateRule,
    penalty=st.integers(0, 100).map(float),
    per=st.sampled_from(("day", "hour")),
    of=st.sampled_from(("earned", "maximum")),
    floor=st.integers(0, 100).map(float),
    cut_off_days=st.none() | st.integers(0, 5),
)
TIMES = st.datetimes(datetime.datetime(2026, 10, 20), datetime.datetime(2026, 11, 2))


@given(TIMES, TIMES, RULES, st.integers(0, 8), st.integers(0, 4), st.integers(0, 3))
def test_who_is_later_or_has_less_time_never_gets_more_and_nobody_more_than_was_earned(
    one, other, rule, points, days, free_left
):
    early, late = (when.isoformat() for when in sorted((one, other)))
    by = deadline("2026-10-24 02:30", rule)  # the clock is put back in the night after

    def left(when, more=0, free=0):
        return judged(when, by, Until(days=more), free_left=free).after(points, 8)

    assert 0 <= left(late) <= left(early) <= points
    assert left(late) <= left(late, more=days)
    assert left(late) <= left(late, free=free_left)
