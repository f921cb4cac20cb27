"""Hostile functions: what they give is no point more than a wrong answer, and carries nothing of a hidden case out."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest

from tlcourse.course.loader import load_course
from tlcourse.grading.grade import Options, grade

COURSE = Path(__file__).parents[1] / "assignments_course"
NAMES = ("sigmoid", "loss", "gradient", "batches", "report")

TAKE_THE_WORKER_APART = """
import builtins
def sigmoid(z):
    for name in ("len", "isinstance", "type", "issubclass", "repr", "list", "enumerate", "BaseException"):
        setattr(builtins, name, lambda *_: True)
    return 0.5
"""
FORGE_FRAMES = """
import os, struct
def sigmoid(z):
    status = b'{"case":%d,"raised":null}'
    for fd in range(3, 64):
        for case in range(49):
            value = struct.pack("<I", 3) + b"0.5"
            said = status % case
            try:
                os.write(fd, struct.pack("<II", len(said), len(value)) + said + value)
            except OSError:
                pass
    os._exit(0)
"""
GIGABYTES_ON_EVERY_CHANNEL = """
import os
def sigmoid(z):
    while True:
        for fd in range(3, 64):
            try:
                os.write(fd, b"x" * 2**20)
            except OSError:
                pass
"""
TELL_BY_EXCEPTIONS = """
import os, sys
def tell(*given):
    said = "".join(c for c in repr(given) if c.isalnum())[:60]
    print("seen", said)
    source = "\\n" * 4242 + f"def leak(): raise type('E{said}', (Exception,), {{}})('E{said}')"
    scope = {}
    exec(compile(source, "solution.py", "exec"), scope)
    scope["leak"]()
sigmoid = loss = gradient = batches = report = tell
"""
TELL_BY_ANSWERS = """
def tell(*given, **more):
    return {repr(given): repr(more)}
sigmoid = loss = gradient = batches = report = tell
"""
LIE_ABOUT_EQUALITY = """
import numpy as np
class Meta(type):
    def __instancecheck__(cls, other): return True
    def __subclasscheck__(cls, other): return True
    def __eq__(cls, other): return True
    __hash__ = type.__hash__
class Any(metaclass=Meta):
    __class__ = float
    shape, dtype, ndim, size = (6,), np.dtype(float), 1, 6
    __array_priority__ = 1e9
    def __eq__(self, other): return True
    def __getattr__(self, name): return Any()
    def __call__(self, *_, **__): return Any()
    def __iter__(self): return self
    def __next__(self): return Any()
    def __len__(self): return 6
    def __float__(self): return 0.5
    def __array__(self, *_, **__): raise SystemExit
    def __bool__(self): return True
class Number(int):
    def __eq__(self, other): return True
    def __int__(self): return 1
    __index__ = __float__ = __int__
class Rows(np.ndarray):
    def __array_function__(self, *_, **__): return True
    def __eq__(self, other): return True
def sigmoid(z): return Any()
def loss(w, X, t): return Number(7)
def gradient(w, X, t): return np.zeros(3).view(Rows)
def batches(n, size): return [Any()] * 3
def report(losses): return {float("nan"): Number(3), "__eq__": Any()}
Standardiser = Any()
"""
DEEP_AND_LARGE = """
import numpy as np
def sigmoid(z):
    value = []
    for _ in range(100_000):
        value = [value]
    return value
def loss(w, X, t): return [[0] * 1000] * 1000
def gradient(w, X, t): return np.zeros((2000, 2000))
def batches(n, size):
    while True:
        yield from iter(int, 1)
def report(losses): return {"best": 10 ** 10000, "text": "x" * 10**8}
def __getattr__(name): return lambda *_: None
"""
ATTACKS = {
    name.lower().replace("_", "-"): text for name, text in globals().items() if name.isupper() and "def " in str(text)
}


@pytest.fixture(scope="module")
def logistic():
    return load_course(COURSE).exercises["logistic"]


@pytest.mark.parametrize("text", ATTACKS.values(), ids=ATTACKS)
def test_it_earns_nothing_and_tells_nothing(logistic, tmp_path, quick_sandbox, text):
    path = tmp_path / "solution.py"
    path.write_text(textwrap.dedent(text))
    options = Options(sandbox_kind=quick_sandbox, threads=1, seed=4242, seed_source="secret")
    result = grade(logistic, path, options)
    assert result.outcome in ("fail", "crash", "invalid", "output", "timeout")
    assert result.points == 0
    said = "\n".join(
        re.sub(r"^\w+: \w+\(.*?\)(?=:| raised| gave| took)", "", line) for line in result.messages
    )  # public
    assert not re.search(r"\d{3}|raised (?!an exception|TypeError|ValueError)|tell|seen", said), said
