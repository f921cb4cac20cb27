"""Events of a worker that may be hostile: bounded, checked, and never an exception of ours."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlcourse.execution.events import MAX_LINE, MAX_TOTAL, Lines, decode, encode


def test_an_event_survives_its_journey_however_it_is_cut():
    data = encode("metric", step=1, values={"loss": 0.5}) + encode("phase", name="fit")
    lines = Lines()
    found = [event for byte in data for event in lines.feed(bytes([byte]))]
    assert [event["type"] for event in found] == ["metric", "phase"]
    assert lines.dropped == 0


@pytest.mark.parametrize(
    "line",
    [
        b"not json",
        b"[]",
        b"{}",
        b'{"v": 2, "type": "log"}',
        b'{"v": 1, "type": "verdict", "outcome": "pass"}',
        b'{"v": 1, "type": "metric", "step": "1", "values": {}}',
        b'{"v": 1, "type": "metric", "step": 1, "values": {"loss": "0"}}',
        b'{"v": 1, "type": "metric", "step": 1, "values": {"loss": true}}',
        b'{"v": 1, "type": "phase", "name": "passed"}',
        b'{"v": 1, "type": "evidence", "values": {"shared_share": NaN}}',
        b'{"v": 1, "type": "problem", "kind": 3, "message": "", "trace": ""}',
        b'{"v": 1, "type": "started", "device": "cpu"}',
        b"[" * 10_000,
        b'{"v": 1, "type": "log", "text": "' + b"x" * MAX_LINE + b'"}',
        json.dumps({"v": 1, "type": "metric", "step": 1, "values": {str(i): 0 for i in range(100)}}).encode(),
    ],
)
def test_a_line_that_is_none_of_ours_is_dropped(line):
    lines = Lines()
    assert lines.feed(line + b"\n") == []
    assert lines.dropped >= 1


def test_a_loss_that_became_nan_arrives():
    event = decode(encode("metric", step=3, values={"loss": "nan"}).rstrip())
    assert event is not None
    assert event["values"] == {"loss": "nan"}


def test_more_than_any_honest_worker_sends_overflows():
    lines = Lines()
    for _ in range(MAX_TOTAL // 60_000 + 2):
        lines.feed(b"x" * 60_000)
    assert lines.overflowed
    assert lines.feed(encode("phase", name="fit")) == []


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_no_bytes_raise(chunks):
    lines = Lines()
    for chunk in chunks:
        for event in lines.feed(chunk):
            assert event["v"] == 1
