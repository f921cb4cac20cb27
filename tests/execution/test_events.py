"""Events of a worker that may be hostile: bounded, checked, and never an exception of ours."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tlcourse.execution.events import FIELDS, MAX_LINE, MAX_TOTAL, Lines, decode, encode


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
        b'{"v": 1, "type": "probe", "values": {"shared_share": NaN}}',
        b'{"v": 1, "type": "probe", "values": {"' + b"x" * 101 + b'": 1}}',
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


@given(
    st.lists(st.sampled_from([encode("phase", name="fit"), b"x\n", b"\n", encode("log", text="ü")])), st.integers(1, 9)
)
def test_lines_that_come_in_pieces_are_the_same_lines(sent, size):
    data = b"".join(sent)
    whole, pieces = Lines(), Lines()
    events = [event for at in range(0, len(data), size) for event in pieces.feed(data[at : at + size])]
    assert events == whole.feed(data)
    assert pieces.dropped == whole.dropped


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


NUMBERS = st.one_of(st.integers(), st.floats(), st.booleans(), st.sampled_from(["nan", "inf", 10**400, -(2**63)]))
VALUES = st.recursive(
    st.one_of(st.none(), NUMBERS, st.text(max_size=20)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)),
    max_leaves=8,
)
FORGED = st.fixed_dictionaries(
    {"v": st.one_of(st.just(1), VALUES), "type": st.one_of(st.sampled_from(sorted(FIELDS)), VALUES)},
    optional=dict.fromkeys(("step", "values", "name", "kind", "message", "trace", "device", "text"), VALUES),
)


@pytest.mark.slow
@pytest.mark.parametrize("examples", [200, pytest.param(1000, marks=pytest.mark.nightly)])
def test_whatever_a_worker_forges_is_dropped_or_can_be_shown_and_stored(examples):
    forged = st.lists(st.one_of(FORGED, st.binary(max_size=60)), max_size=4)
    settings(max_examples=examples, deadline=None)(given(forged)(is_dropped_or_can_be_shown_and_stored))()


def is_dropped_or_can_be_shown_and_stored(forged):
    lines = Lines()
    for one in forged:
        for event in lines.feed((one if isinstance(one, bytes) else json.dumps(one).encode()) + b"\n"):
            kind = event["type"]
            assert set(event) == {"v", "type", *FIELDS[kind]}
            msgspec.json.encode(event)
            assert not set(str(event)) & {"\x1b", "\x07", "\r", "\x9b", "\u202e"}
            if kind in ("metric", "probe"):
                [float(value) for value in event["values"].values()]


def test_text_of_an_event_is_harmless_when_it_arrives():
    event = decode(encode("problem", kind="exception", message="\x1b[2Jred", trace="a\rb\u202e").rstrip())
    assert event == {"v": 1, "type": "problem", "kind": "exception", "message": "red", "trace": "a\nb"}


def test_a_step_that_no_reader_of_json_can_hold_is_dropped():
    for step in (2**60, 10**400, True, 1.5):
        assert decode(json.dumps({"v": 1, "type": "metric", "step": step, "values": {"a": 1}}).encode()) is None
    assert decode(json.dumps({"v": 1, "type": "probe", "values": {"a": 10**400}}).encode()) is None


def test_a_probe_has_a_name_of_a_words_length_and_a_number_that_every_reader_holds():
    assert decode(encode("probe", values={"n" * 40: 2.0**53}).rstrip()) is not None
    for values in ({"n" * 41: 1}, {"n" * 40000: 1}, {"a\tb": 1}, {"a": 1e300}, {"a": -(2**53) - 1}):
        assert decode(encode("probe", values=values).rstrip()) is None, values
