"""Hostile files of predictions: each is refused in words, allocates no more than it brought, and earns nothing."""

from __future__ import annotations

import io
import os
import random
import re
import resource
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from tlcourse.course.loader import load_course
from tlcourse.course.parts import PredictionsPart
from tlcourse.errors import SubmissionError
from tlcourse.grading.grade import Options, grade
from tlcourse.grading.parts.predictions import FileError, read

COURSE = Path(__file__).parents[1] / "assignments_course"
TRUTH = {"id": np.array([f"p{i}" for i in range(20)]), "label": np.arange(20) % 2}
CSV = PredictionsPart(id="table", file="predictions.csv", columns=("id", "label"))
NPY = PredictionsPart(id="table", file="p.npy", shape=(2,))
TENSORS = PredictionsPart(id="table", file="p.safetensors", columns=("y",))
TABLE = "".join(f"p{i},{i % 2}\n" for i in range(20))
RIGHT = f"id,label\n{TABLE}".encode()


class Opened:
    """Unpickled, it leaves a file."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ("/tmp/a-pickle-of-predictions-was-opened",)


def npy(array: np.ndarray, **how: bool) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, **how)
    return stream.getvalue()


def headed(text: str, data: bytes = b"", version: bytes = b"\x01\x00") -> bytes:
    """A `.npy` with a header of one's own."""
    size = struct.pack("<H" if version == b"\x01\x00" else "<I", len(text))
    return b"\x93NUMPY" + version + size + text.encode("latin-1") + data


def zipped(data: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("predictions.npy", data)
    return stream.getvalue()


def tensors(header: str, data: bytes = b"") -> bytes:
    return struct.pack("<Q", len(header)) + header.encode() + data


FORTRAN = "{'descr': '<f8', 'fortran_order': %s, 'shape': %s, }\n"
HOSTILE = {
    NPY: [
        npy(np.array([Opened()] * 40, object).reshape(20, 2), allow_pickle=True),
        zipped(npy(np.ones((20, 2)))),
        zipped(bytes(2**24)),
        npy(np.zeros((20, 2), [("a", "f8"), ("b", "O")]), allow_pickle=True),
        npy(np.zeros((20, 2), "V8")),
        npy(np.full((20, 2), "1e0")),
        npy(np.zeros((20, 2), "M8[s]")),
        npy(np.zeros((20, 2), "c16")),
        npy(np.full((20, 2), np.inf)),
        npy(np.zeros((2, 20)).T[:, :1]),
        headed(FORTRAN % (False, "(1000000000000,)")),
        headed(FORTRAN % (False, "(20, 2)")),
        headed(FORTRAN % (True, "(20, -2)"), bytes(320)),
        headed(FORTRAN % ("1", "(20, 2.0)"), bytes(320)),
        headed(FORTRAN % (False, "(20, True)"), bytes(320)),
        headed("{'descr': '|O', 'fortran_order': False, 'shape': (20, 2)}", b"cposix\nsystem\n(S'true'\ntR."),
        headed("__import__('os').mkdir('/tmp/a-pickle-of-predictions-was-opened')"),
        headed("{'descr': [('x', '<f8')] * 100000, 'fortran_order': False, 'shape': (20, 2)}"),
        headed("-" * 60000 + "1"),
        headed("{" * 60000),
        headed("9" * 65535, version=b"\x01\x00"),
        headed(" " * 10, version=b"\x02\x00"),
        b"\x93NUMPY\x03\x00\xff\xff\xff\xff" + bytes(40),
        b"\x93NUMPY\x09\x09" + bytes(64),
    ],
    TENSORS: [
        tensors('{"y":{"dtype":"F32","shape":[1000000000000],"data_offsets":[0,4000000000000]}}'),
        tensors('{"y":{"dtype":"F32","shape":[20],"data_offsets":[0,80]}}', bytes(8)),
        tensors('{"y":{"dtype":"F32","shape":[20],"data_offsets":[80,0]}}', bytes(80)),
        tensors('{"y":{"dtype":"F8","shape":[20],"data_offsets":[0,20]}}', bytes(20)),
        struct.pack("<Q", 2**63) + b"{}",
        tensors("[" * 10**5),
        save({"y": np.full(20, np.nan, np.float32)}),
        save({"y": np.zeros((20, 1), np.float32)}),
        save({"y": np.zeros(20, np.float32), "label": np.zeros(20, np.float32)}),
        save({"Y": np.zeros(20, np.float32)}),
    ],
    CSV: [
        b"id,label\n" + b"," * 10**6,
        b",".join(b"label" for _ in range(10**5)) + b"\n" + b"1," * 10**5,
        b"id,label,label\n" + TABLE.replace("\n", ",1\n").encode(),
        b'id,label\n"' + b"p0,1\n" * 10**4,
        RIGHT.replace(b"p7,", b'"p7,1\np8",'),
        f"id,label\n{TABLE}".encode("utf-16"),
        f"id,label\n{TABLE}\u00e9".encode("latin-1"),
        RIGHT.replace(b"p3", b"p\x003"),
        RIGHT.replace(b"p3", b"9" * 10**5),
        RIGHT.replace(b"p3", b"p4"),
        RIGHT.replace(b"p3", b"p3 or p4"),
        RIGHT.replace(b"p3", b"P3"),
        RIGHT.replace(b"p3,1", b"p3,nan"),
        RIGHT.replace(b"p3,1", b"p3,-inf"),
        RIGHT.replace(b"p3,1", b"p3,1e400"),
        RIGHT.replace(b"p3,1", b"p3,=1+1"),
        RIGHT.replace(b"p3,1", b"p3,\x1b[2J"),
        RIGHT.replace(b"p3,1", b"p3,0x1"),
        RIGHT + b"p0,1\n",
        RIGHT + b"p20,1\n",
        b"\x00" * 1000,
    ],
}


@pytest.mark.parametrize("part", HOSTILE, ids=["npy", "safetensors", "csv"])
def test_each_is_refused_in_words_and_takes_no_memory(part):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number, data in enumerate(HOSTILE[part]):
        with pytest.raises(FileError) as refused:
            raise FileError(f"number {number} was taken: {read(data, part, TRUTH)}")
        said = str(refused.value)
        assert "was taken" not in said, said
        assert len(said) < 600
        assert not re.search(r"[\x00-\x1f\x7f]", said), said
    assert not Path("/tmp/a-pickle-of-predictions-was-opened").exists()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2**18  # KiB


def test_an_array_in_another_order_is_read_as_what_it_says():
    given = np.arange(40.0).reshape(20, 2)
    for array in (np.asfortranarray(given), given[::-1][::-1], given.astype(">f4"), given.astype(np.uint8)):
        assert (read(npy(array), NPY, TRUTH)["predictions"] == given).all()


def test_two_thousand_spoiled_files_are_taken_or_refused():
    """Bytes changed, cut, doubled and put in: what is taken is finite, and of the right shape."""
    draw = random.Random(1)
    begin = {
        NPY: [npy(np.ones((20, 2))), npy(np.asfortranarray(np.ones((20, 2), np.float32)))],
        TENSORS: [save({"y": np.ones(20, np.float32)})],
        CSV: [RIGHT, RIGHT.replace(b",", b";").replace(b"\n", b"\r\n")],
    }
    inside = [b"\x00", b"\xff\xfe", b'"', b",", b";", b"\n", b"nan", b"1e999", b"(", b"'", b"-", b"O", b"9" * 20, b"\r"]
    counts = {True: 0, False: 0}
    for _ in range(2000):
        part = draw.choice(list(begin))
        data = bytearray(draw.choice(begin[part]))
        for _ in range(draw.choice([1, 1, 1, 2, 4])):
            at = draw.randrange(len(data) + 1)
            how = draw.randrange(4)
            if how == 0 and at < len(data):
                data[at] ^= 1 << draw.randrange(8)
            elif how == 1:
                data[at:at] = draw.choice(inside)
            elif how == 2:
                del data[at : at + draw.choice([1, 1, 8, 200])]
            else:
                data[at:at] = data[at : at + draw.choice([1, 5, 40])]
        try:
            found = read(bytes(data), part, TRUTH)
        except FileError:
            counts[False] += 1
            continue
        counts[True] += 1
        for array in found.values():
            assert array.shape == ((20, 2) if part is NPY else (20,))
            assert np.isfinite(array).all()
    assert min(counts.values()) > 100, counts


def test_what_is_no_plain_file_is_not_handed_in(tmp_path):
    exercise = load_course(COURSE).exercise("answers")
    labels = COURSE / "graders" / "answers" / "data" / "answers.csv"
    for number, make in enumerate(
        (
            lambda path: path.symlink_to(labels),
            lambda path: path.symlink_to("/dev/zero"),
            os.mkfifo,
            lambda path: path.mkdir(),
            lambda path: path.symlink_to(path.name),
        )
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        make(folder / "predictions.csv")
        try:
            result = grade(exercise, folder, Options())
        except SubmissionError:
            continue
        assert (result.outcome, result.points) == ("invalid", 0.0), number
