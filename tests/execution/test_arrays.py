"""Predictions that come out of a sandbox: exactly what was asked for, or one sentence that says what is wrong."""

from __future__ import annotations

import json
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tlcourse.course.spec import Output
from tlcourse.execution.arrays import BadArraysError, pack, read_predictions, require_rows

SPECS = [Output("logits", (3,)), Output("radius")]
GOOD = {"logits": np.zeros((5, 3), np.float32), "radius": np.ones(5, np.float32)}


def test_what_was_packed_is_read_back():
    found = read_predictions(pack(GOOD), 5, SPECS)
    assert {name: array.shape for name, array in found.items()} == {"logits": (5, 3), "radius": (5,)}
    assert found["radius"].tolist() == [1.0] * 5


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"logits": np.zeros((5, 3), np.float64)}, "dtype float64, expected float32"),
        ({"logits": np.zeros((5, 3), np.int32)}, "dtype int32, expected float32"),
        ({"logits": np.zeros((4, 3), np.float32)}, r"shape \(4, 3\), expected \(5, 3\)"),
        ({"logits": np.zeros((1, 3), np.float32)}, r"shape \(1, 3\), expected \(5, 3\)"),
        ({"radius": np.ones((5, 1), np.float32)}, r"shape \(5, 1\), expected \(5,\)"),
        ({"radius": np.full(5, np.nan, np.float32)}, "5 values that are NaN or infinite"),
        ({"radius": np.full(5, np.inf, np.float32)}, "5 values that are NaN or infinite"),
        ({"score": np.ones(1, np.float32)}, r"hold \['logits', 'radius', 'score'\], expected exactly"),
        ({"logits": np.zeros((99_999, 3), np.float32)}, "bytes, at most"),
    ],
)
def test_anything_else_is_refused_in_words(change, said):
    with pytest.raises(BadArraysError, match=said):
        read_predictions(pack({**GOOD, **change}), 5, SPECS)


def test_a_missing_array_is_refused():
    with pytest.raises(BadArraysError, match="expected exactly"):
        read_predictions(pack({"logits": GOOD["logits"]}), 5, SPECS)


@given(st.binary(max_size=400))
def test_bytes_that_are_no_document_are_refused(data):
    with pytest.raises(BadArraysError):
        read_predictions(data, 5, SPECS)


@given(st.integers(0, 300), st.binary(min_size=1, max_size=8))
def test_a_damaged_document_is_refused_or_still_holds_what_was_asked_for(at, damage):
    data = bytearray(pack(GOOD))
    data[at : at + len(damage)] = damage
    try:
        found = read_predictions(bytes(data), 5, SPECS)
    except BadArraysError:
        return
    assert found["logits"].shape == (5, 3)
    assert np.isfinite(found["radius"]).all()


@pytest.mark.parametrize("length", [2**63, 2**64 - 1, 2**31, 10**6])
def test_a_header_that_claims_to_be_huge_allocates_nothing(length):
    with pytest.raises(BadArraysError, match="header is too long"):
        read_predictions(struct.pack("<Q", length) + b"{}" * 100, 5, SPECS)


def test_a_header_with_offsets_outside_the_data_is_refused():
    header = json.dumps(
        {
            "logits": {"dtype": "F32", "shape": [5, 3], "data_offsets": [0, 60]},
            "radius": {"dtype": "F32", "shape": [5], "data_offsets": [60, 10**12]},
        }
    ).encode()
    with pytest.raises(BadArraysError):
        read_predictions(struct.pack("<Q", len(header)) + header + b"\0" * 80, 5, SPECS)


OFFSETS = st.one_of(st.integers(-10, 200), st.sampled_from([2**31, 2**63, 2**64, 10**30]), st.none(), st.floats())
ENTRY = st.one_of(
    st.fixed_dictionaries(
        {
            "dtype": st.one_of(
                st.sampled_from(["F32", "F64", "F16", "BF16", "I8", "BOOL", "F8_E5M2"]), st.text(max_size=4)
            ),
            "shape": st.lists(st.one_of(st.integers(-3, 20), st.just(2**62), st.floats()), max_size=4),
            "data_offsets": st.lists(OFFSETS, max_size=3),
        }
    ),
    st.none(),
    st.text(max_size=4),
)
NAMES = st.one_of(st.sampled_from(["logits", "radius", "__metadata__"]), st.text(max_size=5))


@pytest.mark.slow
@settings(max_examples=1000, deadline=None)
@given(st.dictionaries(NAMES, ENTRY, max_size=4), st.binary(max_size=100), st.integers(-2, 2))
def test_a_forged_header_is_refused_in_words(header, data, off):
    text = json.dumps(header).encode()
    document = struct.pack("<q", max(0, len(text) + off)) + text + data
    try:
        found = read_predictions(document, 5, SPECS)
    except BadArraysError as error:
        assert str(error)
        return
    assert {name: array.shape for name, array in found.items()} == {"logits": (5, 3), "radius": (5,)}


# -- outputs of other forms --------------------------------------------------------------------------------------------

FORMS = [
    Output("tags", (2,), dtype="int64", rows=3, rows_of="x"),
    Output("said", dtype="bytes", rows=4),
    Output("yes", dtype="bool"),
]
ROWS = {"tags": np.arange(6).reshape(3, 2), "tags/lengths": np.array([1, 0, 2])}
SAID = {"said": np.frombuffer(b"abcde", np.uint8), "said/bytes": np.array([4, 1, 0])}
FORMED = {**ROWS, **SAID, "yes": np.array([True, False, True])}


def test_predictions_of_other_forms_are_read_back_as_lists_and_texts():
    found = read_predictions(pack(FORMED), 3, FORMS)
    assert [one.tolist() for one in found["tags"]] == [[[0, 1]], [], [[2, 3], [4, 5]]]
    assert (found["said"], found["yes"].tolist()) == ([b"abcd", b"e", b""], [True, False, True])
    require_rows(found, [np.zeros(1), np.zeros(0), np.zeros(2)], FORMS)
    with pytest.raises(BadArraysError, match="`tags`: item 2 has 2 rows, expected 1, as many as its `x` has"):
        require_rows(found, [np.zeros(1), np.zeros(0), np.zeros(1)], FORMS)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"tags/lengths": np.array([1, 0, 4])}, "`tags`: item 2 has 4 rows, expected at most 3"),
        ({"tags/lengths": np.array([4, 0, -1])}, "`tags`: item 0 has 4 rows, expected at most 3"),
        ({"tags/lengths": np.array([-1, 2, 2])}, "`tags`: item 0 has -1 rows, expected at most 3"),
        ({"tags/lengths": np.array([2**62, 2**62, 2**63 - 1])}, "rows, expected at most 3"),
        ({"tags/lengths": np.array([1, 0, 1])}, r"`tags` has shape \(3, 2\), expected \(2, 2\), as its lengths say"),
        ({"tags/lengths": np.array([1.0, 0, 2])}, r"lengths of float64 \(3,\), expected one of int64 for each of 3"),
        ({"tags/lengths": np.array([3])}, r"lengths of int64 \(1,\), expected one of int64 for each of 3 items"),
        ({"tags": np.zeros((3, 2), np.float32)}, "`tags` has dtype float32, expected int64"),
        ({"said": np.zeros(5, np.int8)}, "`said` has dtype int8, expected uint8"),
        ({"yes": np.array([0, 1, 2], np.uint8)}, "`yes` has dtype uint8, expected bool"),
        ({"yes": np.zeros(9999, bool), "tags": np.zeros((9999, 2))}, "bytes, at most"),
        ({"said/lengths": np.array([1, 0, 2])}, "expected exactly"),
    ],
)
def test_lengths_and_types_that_are_none_are_refused_before_anything_is_made_of_them(change, said):
    with pytest.raises(BadArraysError, match=said):
        read_predictions(pack({**FORMED, **change}), 3, FORMS)


def test_a_bool_that_is_neither_is_refused():
    data = bytearray(pack({"yes": np.zeros(3, bool)}))
    data[-1] = 2
    with pytest.raises(BadArraysError, match="neither False nor True"):
        read_predictions(bytes(data), 3, FORMS[2:])
