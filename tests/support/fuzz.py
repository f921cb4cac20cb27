"""What a fuzzer feeds: every parser of text that a student, a platform, a worker or a grader wrote.

Each target takes bytes and an empty folder. It ends, or raises an error that says what, why and what to do
(TlcourseError, or the error of its own that its docstring names); anything else is a crash.
"""

from __future__ import annotations

import functools
import io
import json
import math
import random
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st
from zipforge import Member, forge

from tlcourse.course.loader import load_course
from tlcourse.course.model import Course, Exercise, LoadedExercise, Quiz
from tlcourse.course.spec import Output
from tlcourse.errors import TlcourseError
from tlcourse.execution.arrays import BadArraysError, pack, read_predictions
from tlcourse.execution.events import FIELDS, Lines, encode
from tlcourse.grading.grader import Grader
from tlcourse.grading.intake.archive import bounded, unpack_each
from tlcourse.grading.intake.copy import IntakeLimits
from tlcourse.grading.intake.names import folded, shown, why_not
from tlcourse.grading.intake.notebook import read_notebook
from tlcourse.grading.intake.submission import collect
from tlcourse.grading.lms.dates import is_ambiguous, parse_date
from tlcourse.grading.lms.groups import check_groups, read_groups
from tlcourse.grading.lms.marks import read_template
from tlcourse.grading.lms.platforms import parse_brightspace, parse_brightspace_file, parse_moodle
from tlcourse.grading.lms.roster import read_roster
from tlcourse.grading.lms.table import cell, header_key
from tlcourse.grading.result import read_result
from tlcourse.grading.scoring.measurement import Measurement, exact, mean, proportion
from tlcourse.grading.similarity import similar_pairs
from tlcourse.located import decode
from tlcourse.quiz.exchange import aiken, brightspace, documents, gift, markup, qti
from tlcourse.quiz.exchange.common import Given
from tlcourse.quiz.kinds.formula import evaluate
from tlcourse.text import LogTail, harmless, line, markdown, markdown_block, without_paths

Target = Callable[[bytes, Path], None]
CHECKOUT = Path(__file__).parents[2]
EXAMPLE = CHECKOUT / "tests" / "example_course"
ALLOWED = (TlcourseError, BadArraysError, msgspec.MsgspecError)
"""Predictions and kept documents have errors of their own, which their readers' docstrings name."""
LIMITS = IntakeLimits(files=12, bytes=200_000, depth=3, entries=40, ratio=50)
OUTPUTS = (Output("a", ()), Output("b", (2,)))
ORIGIN = Path("hand-in")


def archive(data: bytes, folder: Path) -> None:
    (folder / "hand-in.zip").write_bytes(data)
    (folder / "into").mkdir()
    collect(folder / "hand-in.zip", folder / "into", LIMITS)


def download(data: bytes, folder: Path) -> None:
    for _ in bounded([data], ORIGIN, LIMITS):
        pass
    unpack_each(io.BytesIO(data), ORIGIN, folder, lambda name: "-" in name, LIMITS)


def notebook(data: bytes, _: Path) -> None:
    read_notebook(data, ORIGIN, ["helper.py"]).code.encode()


def events(data: bytes, _: Path) -> None:
    lines, log = Lines(), LogTail(64)
    for at in range(0, len(data), 7):
        for event in lines.feed(data[at : at + 7]):
            json.dumps(event, allow_nan=False)
        log.feed(data[at : at + 7])
    assert log.text() == harmless(log.text())


def predictions(data: bytes, _: Path) -> None:
    for array in read_predictions(data, 3, OUTPUTS).values():
        assert np.isfinite(array).all()


def result_document(data: bytes, _: Path) -> None:
    msgspec.json.encode(read_result(data))


def class_list(data: bytes, folder: Path) -> None:
    path = folder / "class.csv"
    path.write_bytes(data)
    try:
        roster = read_roster(path)
    except TlcourseError:
        roster = None
    readers: list[Callable[[], object]] = [
        lambda: check_groups(read_groups(path, roster), roster),
        lambda: read_groups(path, category="a"),
        lambda: read_template(path),
    ]
    for reader in readers:
        try:
            reader()
        except TlcourseError as error:
            assert str(error)


def names(data: bytes, _: Path) -> None:
    text = data.decode("utf-8", "surrogateescape")
    parse_brightspace(text), parse_brightspace_file(text), parse_moodle(text)
    parse_date(text), parse_date(text, day_first=False), is_ambiguous(text)
    why_not(text), folded(tuple(text.split("/"))), header_key(text)
    assert shown(text).isprintable()


def text(data: bytes, _: Path) -> None:
    try:
        given_ = data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        given_ = data.decode("latin-1")
    for made in (harmless(given_), line(given_), markdown(given_), markdown_block(given_), without_paths(line(given_))):
        made.encode()
        assert made == harmless(made)
    assert not cell(given_).startswith(("=", "+", "-", "@", "\t", "\r"))


def source(data: bytes, _: Path) -> None:
    code = data.decode("utf-8", "replace")
    similar_pairs({"a": code, "b": code[::-1]}, {"a": "A", "b": "B"}, [code[:50]], {"it": code})


def course_file(data: bytes, folder: Path) -> None:
    for kind in (Exercise, Course, Quiz):
        try:
            decode(data.decode("utf-8", "replace"), kind, folder / "file.yaml")
        except TlcourseError as error:
            assert str(error)


def question_file(data: bytes, _: Path) -> None:
    given_ = data.decode("utf-8", "replace")
    markup.is_html(given_), markup.shown(given_).whole(), markup.shown(given_, keep_lines=True)
    try:
        qti.read({"quiz.xml": data}, Given())
    except TlcourseError as error:
        assert str(error)
    for form in (gift, aiken, brightspace, documents):
        try:
            form.read(given_, Given())
        except TlcourseError as error:
            assert str(error)


_GRADER = """
def make(sizes, seed, variant):
    raise NotImplementedError

def measure(test, predictions, probes):
    found = test["found"]
    if isinstance(found, Exception):
        raise found
    return found
"""
_VALUES = {"Measurement": Measurement, "proportion": proportion, "exact": exact, "mean": mean, "np": np}
_VALUES |= {"nan": float("nan"), "inf": float("inf"), "__builtins__": {}}


@functools.cache
def _line() -> LoadedExercise:
    return load_course(EXAMPLE).exercises["line"]


def measurement(data: bytes, folder: Path) -> None:
    """What a grader may return, as a Python expression that we made."""
    (folder / "line.py").write_text(_GRADER)
    grader = Grader(msgspec.structs.replace(_line(), grader=folder / "line.py"))
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = eval(data.decode(), dict(_VALUES))
    except Exception as error:  # the grader's own mistake
        found = error
    for one in grader.measure({"found": found}, {}, {}).values():  # type: ignore[dict-item]
        msgspec.json.decode(msgspec.json.encode(one), type=Measurement)


# -- what is fed -------------------------------------------------------------------------------------------------------


def spoiled(*seeds: bytes) -> st.SearchStrategy[bytes]:
    """One of the seeds with a few bytes changed, repeated, dropped, or taken from another."""
    return st.builds(_spoil, st.sampled_from(seeds), st.sampled_from(seeds), st.integers(0, 2**32))


_TOKENS = [b"\0", b"\xff", b"\xed\xa0\x80", b"\xe2\x80\x8b", b"\n", b"\r", b'"', b"'", b"\\", b"{", b"[", b"]", b"}"]
_TOKENS += [
    b"NaN",
    b"1e999",
    b"-1",
    b"9" * 40,
    b"null",
    b"=",
    b",",
    b";",
    b"\t",
    b"- ",
    b"&a *a",
    b"!!python/x",
    b"../",
]
_TOKENS += [
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"%%bash\n",
    b"%run a",
    b"\x1b[2J",
    b"PK\x01\x02",
    b"PK\x05\x06",
    b"_1_",
    b"~",
]


def _spoil(data: bytes, other: bytes, seed: int) -> bytes:
    rng = random.Random(seed)
    made = bytearray(data)
    for _ in range(rng.randint(0, 5)):
        at, size = rng.randrange(len(made) + 1), rng.choice((1, 1, 2, 4, 8, 64))
        how = rng.randrange(6)
        if how == 0:
            made[at : at + size] = rng.randbytes(size)
        elif how == 1:
            del made[at : at + size]
        elif how == 2:
            made[at:at] = made[at : at + size] * rng.randint(1, 5)
        elif how == 3:
            made[at:at] = rng.choice(_TOKENS)
        elif how == 4:
            begin = rng.randrange(len(other) + 1)
            made[at:at] = other[begin : begin + 4 * size]
        elif made:
            made[at % len(made)] ^= 1 << rng.randrange(8)
    return bytes(made[:20_000])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=8), inner, max_size=5),
    max_leaves=12,
)


@st.composite
def changed(draw: st.DrawFn, valid: Any) -> bytes:
    """A JSON document of which a few parts, at whatever depth, are something else."""
    made = json.loads(json.dumps(valid))
    for _ in range(draw(st.integers(0, 3))):
        part: Any = made
        while isinstance(part, dict | list) and part:
            key = draw(st.sampled_from(sorted(part) if isinstance(part, dict) else range(len(part))))
            if not isinstance(part[key], dict | list) or not part[key] or draw(st.integers(0, 3)) == 0:
                part[key] = draw(JSON | st.text(max_size=40))
                break
            part = part[key]
    return json.dumps(made).encode()


def document(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[bytes]:
    """A JSON object with some of these fields, and others."""
    made = st.fixed_dictionaries({}, optional=fields | {"x": JSON})
    return made.map(lambda value: json.dumps(value).encode())


def _zips() -> list[bytes]:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("1-2 - Eve/solution.py", "def fit(task): ...\n" * 9)
        packed.writestr("1-2 - Eve/data/w.bin", b"\0" * 500)
    stored = forge(Member(b"solution.py", b"x = 1\n", method=0), Member("ü.txt".encode(), b"2"), comment=b"c")
    notebook_ = forge(Member(b"a/solution.ipynb", _NOTEBOOKS[0]), Member(b"a/b/c/d.py", b""))
    return [stream.getvalue(), bytes(stored), bytes(notebook_), bytes(forge())]


_CELLS = [
    "import torch\n!pip install x\nx = !ls",
    "%%bash\nls",
    "def f():\n  '''a\n  !b'''\n",
    "%%writefile a.py\nb",
    "%run helper.py",
]
_NOTEBOOKS = [
    json.dumps(
        {"cells": [{"cell_type": "code", "source": c, "outputs": [{"a": "]"}]} for c in _CELLS], "nbformat": 4}
    ).encode(),
    json.dumps(
        {"worksheets": [{"cells": [{"cell_type": "code", "input": "x", "outputs": []}]}], "nbformat": 3}
    ).encode(),
]
_RESULTS = [
    b'{"exercise": "e", "variant": "mini", "submission": {"path": "p", "sha256": ""}, "outcome": "fail", '
    b'"points": 0.5, "max_points": 1, '
    b'"checks": [{"id": "c", "title": "t", "passed": false, "value": 1, "interval": [0, 1], '
    b'"threshold": 0.5, "accepted": 0.4, "n": 9, "points": 0, "max_points": 1}], "runs": [], "messages": [], '
    b'"provenance": {"tlcourse": "", "torch": "", "grader_sha256": "", "data_sha256": ""}, "started_at": "", '
    b'"finished_at": "", "metrics": [{"step": 1}]}',
    b'{"schema": 1, "runs": [{"isolation": "cold", "wall_s": 1}], "checks": [{"standing": "clear"}]}',
]
_EVENTS = [encode(kind, **dict.fromkeys(fields, "x")) for kind, fields in FIELDS.items()]
_EVENTS += [encode("metric", step=1, values={"loss": 0.5, "a": "nan"}), encode("probe", values={"a": 1})]
_ARRAYS = [pack({"a": np.zeros(3, np.float32), "b": np.ones((3, 2), np.float32)}), pack({"a": np.zeros(3, np.float64)})]
_TABLES = [
    b'id,name,group\n1,Jane Doe,A\n2,"O\'Hara, Zo\xc3\xab",A\n',
    b"OrgDefinedId;Username;Last Name;First Name;GroupName;End-of-Line Indicator\n#1;#j;Doe;Jane;G 1;#\n",
    b'Student,ID,SIS User ID,Section,Ex 2 (77)\n    Points Possible,,,,10\n"Doe, Jane",5,x,s,\n',
    "Identifier\tFull name\tEmail address\tGroup\nParticipant 7\tJane\tj@x\tB\n".encode("utf-16"),
    b"group,member 1,member 2,exception\nA,1,2,\nB,3,,ill\n",
]


def formula(data: bytes, _: Path) -> None:
    """A number that is finite, or a ValueError with words."""
    try:
        assert math.isfinite(evaluate(data.decode("utf-8", "replace"), {"a": 2.0, "b": -0.5, "n": 8.0}))
    except ValueError as error:
        assert str(error)


_FORMULAS = [b"a * (n + b)", b"max(a, n) ** -b % 3", b"sqrt(n / a) - log(exp(b)) + 1e3", b"round(((a))) // n"]
_NAMES = [
    b"123-456 - Jane Doe - 5 maj 2026 0812 AM", b"Jane Doe_12345_assignsubmission_file_solution.py",
    b"doejane_LATE_5_6_s.py", b"Monday, 5 May 2026, 8:12 PM", b"12/13/2026 24:00", b"a/../b\\c",
    "Group-Jane Döe - 1.2.2026".encode(),
]  # fmt: skip
_SOURCES = [
    (EXAMPLE / "graders/references/line.py").read_bytes(),
    b'x = """a',
    b"f'{a!r:>{w}}' \\\n",
    b"match x:\n case 1: pass",
]
_YAMLS = [
    (EXAMPLE / "course.yaml").read_bytes(),
    (EXAMPLE / "exercises/line/exercise.yaml").read_bytes(),
    (EXAMPLE / "quizzes/lines.yaml").read_bytes(),
]
_QUESTIONS = [
    b"::Q1:: What? {=right#why ~%-50%wrong#no}\n\n", b"// [note]\n::n:: 2+2? {#4:0.1}\n\n",
    b"Match {=a -> b =c -> d}\n\n{T}",
    b"NewQuestion,MC,\nTitle,a,\nQuestionText,<p>what</p>,HTML\nOption,100,yes,,\nOption,0,no,,\n",
    b'{"quizzes": [{"id": "a", "title": "b", "questions": [{"type": "single", "id": "q", "prompt": "?"}]}]}',
]  # fmt: skip
_NUMBER = st.one_of(
    st.floats().map(lambda x: repr(x)),
    st.integers(-5, 5).map(repr),
    st.sampled_from(
        ["1e308*10", "np.float32(0.5)", "np.float64(nan)", "np.int64(3)", "'x'", "None", "True", "[]", "10**400"]
    ),
    st.sampled_from(["np.zeros(2)", "np.bool_(1)", "1j", "-0.0", "2**63", "np.array(0.5)", "np.float16(6e4)"]),
)
_MESSAGE = st.text(max_size=9).map(repr) | _NUMBER
_ONE = st.one_of(
    st.builds("proportion({}, {}, {})".format, _NUMBER, _NUMBER, _MESSAGE),
    st.builds("exact({}, {}, {})".format, _NUMBER, _NUMBER, _MESSAGE),
    st.builds("mean(np.array([{}, {}]), {})".format, _NUMBER, _NUMBER, _MESSAGE),
    st.builds("Measurement({}, {}, ({}, {}), {}, 'mean')".format, _NUMBER, _NUMBER, _NUMBER, _NUMBER, _MESSAGE),
    _NUMBER,
)
_SOUND = st.sampled_from(["proportion(3, 9)", "exact(np.float32(0.5), 3, 'a')", "mean(np.array([1.0, 2.0]))"])
_KEY = st.sampled_from(["'z_error'"] * 9 + ["'y'", "1", "None"])
_FOUND = st.builds(
    "{{'y_error': {}, {}: {}}}".format, _SOUND, _KEY, st.booleans().flatmap(lambda sound: _SOUND if sound else _ONE)
)
_RETURNED = st.integers(0, 9).flatmap(lambda n: _FOUND if n else _ONE | JSON.map(repr))

TARGETS: dict[str, tuple[Target, st.SearchStrategy[bytes]]] = {
    "archive": (archive, spoiled(*_zips())),
    "download": (download, spoiled(*_zips())),
    "notebook": (
        notebook,
        spoiled(*_NOTEBOOKS) | changed(json.loads(_NOTEBOOKS[0])) | changed(json.loads(_NOTEBOOKS[1])),
    ),
    "events": (
        events,
        spoiled(*_EVENTS, b"".join(_EVENTS))
        | document(
            v=st.just(1), type=st.sampled_from(list(FIELDS)), values=JSON, step=JSON, text=JSON, name=JSON, kind=JSON
        ),
    ),
    "predictions": (predictions, spoiled(*_ARRAYS)),
    "result document": (
        result_document,
        spoiled(*_RESULTS) | changed(json.loads(_RESULTS[0])) | changed(json.loads(_RESULTS[1])),
    ),
    "class list": (class_list, spoiled(*_TABLES)),
    "names": (names, spoiled(*_NAMES) | st.text(max_size=60).map(lambda t: t.encode("utf-8", "surrogatepass"))),
    "text": (text, spoiled(*_NAMES, *_EVENTS) | st.text(max_size=60).map(lambda t: t.encode("utf-8", "surrogatepass"))),
    "source": (source, spoiled(*_SOURCES)),
    "course file": (course_file, spoiled(*_YAMLS)),
    "formula": (formula, spoiled(*_FORMULAS)),
    "question file": (question_file, spoiled(*_QUESTIONS)),
    "measurement": (measurement, _RETURNED.map(lambda made: made.encode("utf-8", "replace"))),
}


class Crash(Exception):  # noqa: N818 - what a fuzzer calls it
    """An input that ended in neither success nor an error in words."""

    def __init__(self, target: str, data: bytes, error: BaseException) -> None:
        super().__init__(f"{target}: {type(error).__name__}: {error}: {data!r}")
        self.target, self.data, self.error = target, data, error


def tried(target: str, data: bytes, folder: Path) -> bool:
    """Feed one input; whether it was taken, which is false where it was refused in words. Raises Crash."""
    try:
        TARGETS[target][0](data, folder)
    except ALLOWED as error:
        if not str(error):
            raise Crash(target, data, error) from error
        return False
    except Exception as error:
        raise Crash(target, data, error) from error
    return True


def fuzzed(target: str, inputs: int, box: Path, seed: int = 0, *, shrink: bool = True) -> tuple[int, int]:
    """Feed as many inputs, the same for the same seed; how many were taken, and how many refused. Raises Crash."""
    counts = [0, 0]
    place = (box / str(number) for number in range(10**9))

    @settings(
        max_examples=inputs,
        deadline=None,
        database=None,
        report_multiple_bugs=False,
        phases=[Phase.generate, *([Phase.shrink] if shrink else [])],
        suppress_health_check=list(HealthCheck),
    )
    @given(TARGETS[target][1])
    def one(data: bytes) -> None:
        folder = next(place)
        folder.mkdir()
        counts[not tried(target, data, folder)] += 1

    seeded(seed)(one)()
    return counts[0], counts[1]
