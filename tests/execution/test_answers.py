"""Plain values across the sandbox's border: what comes back is what went in, or nothing."""

from __future__ import annotations

import json
import struct
from collections import OrderedDict, defaultdict, namedtuple
from enum import IntEnum

import msgspec
import numpy as np
import pytest

from tlcourse.execution.answers import DEPTH, AnswerError, Raised, Ref, frame, from_bytes, read_frames, to_bytes
from tlcourse.execution.arrays import pack

POINT = namedtuple("POINT", "x y")


class Liar(float):
    """Says that it equals everything."""

    __hash__ = None

    def __eq__(self, other):
        return True

    def __float__(self):
        return 1.0


class Echo(str):
    """A text that lies about what it is."""

    __slots__ = ()

    def __str__(self):
        return "right"

    def encode(self, *_):
        return b"right"


class Colour(IntEnum):
    RED = 3


def there_and_back(value):
    return from_bytes(to_bytes(value))


@pytest.mark.parametrize(
    "value",
    [
        *(
            None,
            True,
            False,
            0,
            -7,
            2**60,
            -(2**4000),
            0.1,
            -0.0,
            float("inf"),
            "",
            "ä\n\x00",
            b"",
            b"\xff\x00",
            [],
            (),
            {},
        ),
        [1, [2.0, (3, "x")], {"a": None, 1: 2, (1, "t"): [True]}],
        {"l": 1, "__class__": "x", "d": {"f": "nan"}},  # names that our own form uses, or Python
    ],
)
def test_plain_values_come_back_with_their_types(value):
    found = there_and_back(value)
    assert found == value
    assert repr(found) == repr(value)


def test_nan_and_arrays_come_back():
    found = there_and_back([float("nan"), np.arange(6, dtype=np.int16).reshape(2, 3), np.float32(0.5), np.bool_(True)])
    assert found[0] != found[0]
    assert found[1].dtype == np.int16
    assert found[1].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert found[2:] == [0.5, True]
    assert type(found[3]) is bool
    assert there_and_back(np.zeros((0, 3))).shape == (0, 3)
    assert there_and_back(np.array(2.5)).shape == ()
    assert there_and_back(np.arange(3)[::-1]).tolist() == [2, 1, 0]
    assert there_and_back(np.array(["a", "b"])) == ["a", "b"]


def test_subclasses_are_taken_as_what_they_are_below_without_asking_them():
    found = there_and_back([Liar(2.0), Echo("wrong"), Colour.RED, POINT(1, 2), OrderedDict(a=1), defaultdict(int, b=2)])
    assert found == [2.0, "wrong", 3, (1, 2), {"a": 1}, {"b": 2}]
    assert [type(one) for one in found] == [float, str, int, tuple, dict, dict]


def endless():
    while True:
        yield 1


def nested(levels):
    value = []
    for _ in range(levels):
        value = [value]
    return value


def itself():
    value = []
    value.append(value)
    return value


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (object(), "an object of type object"),
        ({1, 2}, "of type set; return a sorted list"),
        (memoryview(b"x"), "of type memoryview"),
        (1j, "of type complex"),
        (np.zeros(2, complex), "dtype complex128"),
        (np.array([object()]), "dtype object"),
        (np.datetime64("2020-01-01"), "datetime64"),
        (endless(), "an iterator that gives more than 10000 values"),
        (nested(DEPTH + 1), f"more than {DEPTH} levels"),
        (itself(), f"more than {DEPTH} levels"),
        ([0] * 100_001, "more than 100000 values"),
        (2**5000, "more than 4096 bits"),
        ([np.zeros(1)] * 201, "more than 200 arrays"),
        (dict.fromkeys(range(10_001)), "a table of more than 10000 keys"),
        (dict.fromkeys((i, 0) for i in range(501)), "a table of more than 500 keys that are tuples"),
    ],
)
def test_what_cannot_travel_is_said(value, said):
    with pytest.raises(AnswerError, match=said):
        to_bytes(value)


def test_an_answer_has_a_size():
    with pytest.raises(AnswerError, match="takes more than the 1000 bytes"):
        to_bytes(np.zeros(1000), 1000)
    with pytest.raises(AnswerError, match="takes more than the 1000 bytes"):
        to_bytes("x" * 2000, 1000)
    assert from_bytes(to_bytes("x" * 1000, 1000), 1000) == "x" * 1000
    assert there_and_back(bytearray(b"x")) == b"x"
    with pytest.raises(AnswerError, match="takes more than the 1000 bytes"):
        to_bytes(b"x" * 800, 1000)


def test_an_iterator_is_a_list():
    assert there_and_back(x * x for x in range(3)) == [0, 1, 4]


def document(tree, arrays=b""):
    """As a hostile worker writes it."""
    text = tree if isinstance(tree, bytes) else json.dumps(tree).encode()
    return struct.pack("<I", len(text)) + text + arrays


FORGED = {
    "a key that is NaN": document({"d": [[{"f": "nan"}, 1]]}),
    "a key twice": document({"d": [["a", 1], ["a", 2]]}),
    "one key, two types": document({"d": [[1, 1], [True, 2], [1.0, 3]]}),
    "a list as a key": document({"d": [[{"l": []}, 1]]}),
    "keys that meet each other": document({"d": [[i * (2**61 - 1), 0] for i in range(3)]}),
    "too many keys": document({"d": [[i, 0] for i in range(10_001)]}),
    "too many keys that may have one hash": document({"d": [[{"t": [i, 0]}, 0] for i in range(501)]}),
    "two kinds in one": document({"l": [], "t": []}),
    "an unknown kind": document({"x": []}),
    "a plain list": document([1]),
    "a reference": document({"r": "os"}),
    "NaN as no JSON": document(b"NaN"),
    "infinity as no JSON": document(b"[1e999]"),
    "a number in words": document({"f": "1e5"}),
    "bytes in no base64": document({"b": "YQ="}),
    "bytes in letters beyond ASCII": document({"b": "ä"}),
    "bytes that are a number": document({"b": 3}),
    "a huge int": document({"i": "f" * 5000}),
    "an int with underscores": document({"i": " 1_0"}),
    "digits without end": document(b"1" * 5000),
    "deep": document(b'{"l":[' * 50 + b"]}" * 50),
    "very deep": document(b'{"l":[' * 100_000),
    "an array that is not there": document({"a": 0}),
    "an array twice": document({"l": [{"a": 0}, {"a": 0}]}, pack({"0": np.zeros(2)})),
    "an array for nothing": document(1, pack({"0": np.zeros(2)})),
    "half a document": document({"l": []})[:6],
    "nothing": b"",
    "a header without end": document({"a": 0}, struct.pack("<Q", 2**40) + b"{}"),
    "a length beyond the end": struct.pack("<I", 2**31) + b"{}",
    "not UTF-8": document(b'"\xff"'),
    "a table of a list": document({"d": [1]}),
}


@pytest.mark.parametrize("data", FORGED.values(), ids=FORGED)
def test_a_forged_document_is_no_answer(data):
    with pytest.raises(AnswerError):
        from_bytes(data)


def test_references_go_in_and_never_come_out():
    data = to_bytes([Ref("model"), 1])
    assert from_bytes(data, refs=True) == [Ref("model"), 1]
    with pytest.raises(AnswerError):
        from_bytes(data)


def test_frames_are_read_as_far_as_they_are_whole():
    stream = frame(0, to_bytes(1)) + frame(1, b"", Raised("slow")) + frame(2, document({"f": "x"}))
    found = list(read_frames(stream + frame(3, to_bytes([2]))[:-3], 64))
    assert found[:2] == [(0, 1), (1, Raised("slow"))]
    assert found[2][1].kind == "answer"
    assert len(found) == 3
    assert list(read_frames(struct.pack("<II", 2**31, 2**31) + b"x" * 100, 64)) == []
    wrong = msgspec.json.encode({"case": "0"})
    assert list(read_frames(struct.pack("<II", len(wrong), 0) + wrong, 64)) == []
