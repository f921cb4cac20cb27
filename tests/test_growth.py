"""Text that others wrote costs time in proportion to its length: steps are counted, never seconds.

What is pure Python is traced, one step an opcode. Of regular expressions the steps are those of a matcher of our own
that backtracks as `re` does; their attacks are made of what each of them nearly matches.
"""

from __future__ import annotations

import ast
import contextlib
import io
import json
import random
import re
import sys
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from regex_steps import MOST, Steps, samples

import tlcourse
from tlcourse.course.markdown import headings, sections
from tlcourse.course.spec import Output
from tlcourse.errors import TlcourseError
from tlcourse.execution.arrays import BadArraysError, pack, read_predictions
from tlcourse.execution.events import Lines, decode
from tlcourse.grading.intake.copy import IntakeLimits
from tlcourse.grading.intake.names import folded, shown, why_not
from tlcourse.grading.intake.notebook import read_notebook, without_magics
from tlcourse.grading.intake.submission import collect
from tlcourse.grading.lms.download_listing import download_listing
from tlcourse.grading.lms.platforms import parse_blackboard, parse_brightspace, parse_canvas, parse_moodle
from tlcourse.grading.lms.table import cell, read_table
from tlcourse.grading.similarity import fingerprints, similar_pairs
from tlcourse.presenting.report.pseudonyms import Names
from tlcourse.quiz.exchange import aiken, brightspace, gift, markup
from tlcourse.quiz.exchange.common import Given
from tlcourse.text import LogTail, harmless, line, markdown, markdown_block, without_paths

pytestmark = pytest.mark.slow  # together some twenty seconds of a core

PACKAGE = Path(tlcourse.__file__).parent
USES = {"match", "fullmatch", "search", "sub", "subn", "split", "findall", "finditer"}


def expressions() -> Iterator[tuple[str, re.Pattern[str], frozenset[str]]]:
    """Every regular expression of the package, and how it is used: named ones, and those in a call of `re`."""
    for path in sorted(PACKAGE.rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        if not re.search(r"\bre\.", source):  # each test process reads the package here: a syntax tree takes longer
            continue
        for node in ast.walk(ast.parse(source)):
            name, call, uses = "", node, set[str]()
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
                name, call = ast.unparse(node.targets[0]), node.value
            if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
                continue
            how, module = call.func.attr, call.func.value
            if not (isinstance(module, ast.Name) and module.id == "re"):
                continue
            if how == "compile" and name:
                uses = USES & set(re.findall(rf"\b{name}\.(\w+)\(", source)) or {"finditer"}  # unknown: the hardest use
            elif how in USES and not name:
                uses = {how}
            if uses and isinstance(pattern := _literal(call.args[0]), str | bytes):
                flags = [one for one in map(_flags, [*call.args[1:], *(k.value for k in call.keywords)]) if one]
                text = pattern if isinstance(pattern, str) else pattern.decode("latin-1")
                where = f"{path.relative_to(PACKAGE)}:{call.lineno}"
                yield where, re.compile(text, flags[0] if flags else 0), frozenset(uses)


def _literal(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except ValueError:
        return None


def _flags(node: ast.expr) -> int:
    names = re.findall(r"re\.([A-Z]+)\b", ast.unparse(node))
    return sum(getattr(re, name) for name in names)


def regex_steps(pattern: re.Pattern[str], uses: frozenset[str], text: str) -> int:
    steps = Steps(pattern, text)
    try:
        if uses <= {"match", "fullmatch"}:
            steps.match(to_the_end="fullmatch" in uses)
        else:
            steps.everywhere()
    except OverflowError:
        pass
    return steps.count


def worst_growth(pattern: re.Pattern[str], uses: frozenset[str], attacks: int) -> tuple[float, str]:
    """How much more the second half of an attack costs than the first, and the attack: 1 is linear, 3 the square."""
    rng = random.Random(0)
    matched = [text for text in dict.fromkeys(samples(pattern, rng, 12)) if text] or ["a"]
    worst = (0.0, "")
    for _ in range(attacks):
        whole = rng.choice(matched)
        start = rng.randrange(len(whole))
        unit = whole[start : start + rng.randint(1, 8 if rng.random() < 0.7 else 40)]
        before, behind = rng.choice(["", whole[:start], whole]), rng.choice(["", "!", "\0", "\n", "a"])
        steps = partial(regex_steps, pattern, uses)
        small, middle, large = (before + unit * (size // len(unit)) + behind for size in (80, 160, 320))
        if (most := steps(large)) >= MOST:
            return float("inf"), f"{before}|{unit}|{behind}"
        if most > 8 * 320:  # below, nothing was looked at often
            less = steps(middle)
            growth = (most - less) / max(less - steps(small), 1) / 2
            worst = max(worst, (growth, f"{before}|{unit}|{behind}"))
    return worst


EXPRESSIONS = list(expressions())


@pytest.mark.slow
def test_every_regular_expression_is_linear_in_what_it_is_given():
    assert len(EXPRESSIONS) > 75
    found = {where: worst_growth(pattern, uses, 16) for where, pattern, uses in EXPRESSIONS}
    assert {where: worst for where, worst in found.items() if worst[0] > 1.4} == {}


@pytest.mark.parametrize(
    ("pattern", "use"),
    [
        (r"\s+-\s+", "finditer"),
        (r"<[^>]+>", "sub"),
        (r"(a+)+b", "match"),
        (r"#(.+?)\s*#*$", "match"),
        (r"x(.*?)y(.*?)z", "search"),
    ],
)
def test_an_expression_that_is_not_linear_is_found_out(pattern, use):
    assert worst_growth(re.compile(pattern), frozenset({use}), 40)[0] > 1.4


@pytest.mark.parametrize(("where", "pattern", "uses"), EXPRESSIONS, ids=[where for where, _, _ in EXPRESSIONS])
def test_the_matcher_that_counts_agrees_with_re(where, pattern, uses):
    rng = random.Random(1)
    for text in samples(pattern, rng, 30):
        for one in (text, text[:-1], text[1:], text + "!", text.replace("a", "\n")):
            found = pattern.match(one)
            assert Steps(pattern, one).match() == (found and found.end()), one


def opcodes(call: Callable[[], object]) -> int:
    """Opcodes of our own modules that a call runs."""
    count = 0

    def trace(frame: Any, event: str, _: object) -> Any:
        nonlocal count
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        count += event == "opcode"
        return trace

    def enter(frame: Any, event: str, argument: object) -> Any:
        return trace(frame, event, argument) if frame.f_code.co_filename.startswith(str(PACKAGE)) else None

    before = sys.gettrace()
    sys.settrace(enter)
    try:
        call()
    except (TlcourseError, BadArraysError):
        pass
    finally:
        sys.settrace(before)
    return count


def notebook(*cells: str) -> bytes:
    return json.dumps({"nbformat": 4, "cells": [{"cell_type": "code", "source": cell} for cell in cells]}).encode()


def fed(reader: Any, data: bytes, size: int) -> None:
    for at in range(0, len(data), size):
        reader.feed(data[at : at + size])


TEXTS = {
    "spaces": lambda n: "match" + " " * n + "x",
    "operators": lambda n: "x+(" * n,
    "quotes": lambda n: '"' * n + "'" * n,
    "backslashes": lambda n: '"' + "\\" * n,
    "lines": lambda n: "(\n" * n,
    "escapes": lambda n: "\x1b]\x1b[" * n,
    "paths": lambda n: "/a" * n + "//" * n,
    "joiners": lambda n: "ü\u200d\u200c" * n,
    "marks": lambda n: "## [`* | " * n,
    "bangs": lambda n: "!x\\\n%%y\n" * n,
    "dashes": lambda n: " - 1 - _1_" * n,
    "table": lambda n: 'a,"b""",\n' * n,
    "tags": lambda n: "<p><b <a href='" * n + ">",
    "comments": lambda n: "<!--" * n + "<pre>" * n,
    "answers": lambda n: "::a::[html]b{=%50%c#d -> e ~\\" * n + "}",
    "options": lambda n: "A. a\n" * n + "\n" * n,
    "columns": lambda n: "a," * n + "\n" + "1," * n,
}
PARSERS: dict[str, Callable[[str], object]] = {
    "similar code": lambda text: similar_pairs(
        {"a": text, "b": text}, dict.fromkeys("abc", ""), [text[:100]], {"it": text}, earlier={"c": text}
    ),
    "code without names": Names(b"", frozenset({"match"})).code,
    "fingerprints": fingerprints,
    "notebook": lambda text: read_notebook(notebook(text), Path("n.ipynb")),
    "notebook of many cells": lambda text: read_notebook(notebook(*text[::5]), Path("n.ipynb")),
    "a notebook that is none": lambda text: read_notebook(b'"outputs":[' + text.encode(), Path("n.ipynb")),
    "magics": without_magics,
    "event": lambda text: decode(json.dumps({"v": 1, "type": "log", "text": text}).encode()),
    "events byte by byte": lambda text: fed(Lines(), text.encode(), 1),
    "log byte by byte": lambda text: fed(LogTail(100), text.encode(), 1),
    "text": lambda text: [do(text) for do in (harmless, line, markdown, markdown_block, without_paths)],
    "Markdown": lambda text: (headings(text), sections(text)),
    "name": lambda text: (why_not(text), shown(text), folded(tuple(text.split("/")))),
    "cell": cell,
    "folders of platforms": lambda text: [
        parse(before + text + behind)
        for parse in (parse_brightspace, parse_moodle, parse_canvas, parse_blackboard)
        for before, behind in (
            ("", ""),
            ("1-1 - ", " - Oct 3, 2025 1107 AM"),
            ("a", "_12_assignsubmission_file_"),
            ("a_LATE_1_2_", "-1.py"),
            ("x_a", "_attempt_2025-10-03-11-07-00_solution.py"),
        )
    ],
    "HTML": lambda text: (markup.is_html(text), markup.shown(text).whole(), markup.shown(text, keep_lines=True)),
    "questions": lambda text: [read(form, text) for form in (gift, aiken, brightspace)],
}


def read(form: Any, text: str) -> None:
    with contextlib.suppress(TlcourseError):
        form.read(text, Given())


@pytest.mark.parametrize("parser", PARSERS)
def test_a_parser_takes_steps_in_proportion_to_what_it_is_given(parser):
    for name, made in TEXTS.items():
        small, middle, large = (opcodes(partial(PARSERS[parser], made(size))) for size in (48, 96, 192))
        assert large - middle <= 2 * 1.3 * (middle - small) + 400, (name, small, middle, large)


@pytest.mark.slow
def test_tables_archives_and_arrays_take_steps_in_proportion_to_their_rows_entries_and_names(tmp_path):
    def table(n: int) -> object:
        (tmp_path / "t.csv").write_text("id,name\n" + "".join(f'{i},"=a"\n' for i in range(n)))
        return opcodes(lambda: read_table(tmp_path / "t.csv"))

    def columns(n: int) -> object:
        (tmp_path / "t.csv").write_text("a," * n + "\n" + "1," * n)
        return opcodes(lambda: read_table(tmp_path / "t.csv"))

    def archive(n: int) -> object:
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as packed:
            for i in range(n):
                packed.writestr(f"a/{i}.txt", "x")
        (tmp_path / "h.zip").write_bytes(stream.getvalue())
        into = tmp_path / f"into{n}"
        into.mkdir()
        return opcodes(lambda: collect(tmp_path / "h.zip", into, IntakeLimits(files=1000)))

    def arrays(n: int) -> object:
        data = pack({f"a{i}": np.zeros(1, np.float32) for i in range(n)})
        outputs = tuple(Output(f"a{i}", ()) for i in range(n))
        return opcodes(lambda: read_predictions(data, 1, outputs))

    def listed(name: str) -> Callable[[int], object]:
        def listing(n: int) -> object:
            folder = tmp_path / f"{name} {n}".replace("%", "n")
            folder.mkdir()
            for i in range(n):
                (folder / (name % i)).write_text("Name: Jane Doe (u)")
            about = "".join(f"submission_{i}:\n  :submitters:\n  - :name: Jane {i}\n" for i in range(n))
            if name.startswith("submission"):
                (folder / "submission_metadata.yml").write_text(about)
            return opcodes(lambda: download_listing(folder, tmp_path / "into"))

        return listing

    platforms = (
        "doejane_5_%d_solution-1.py",  # handed in again and again by one
        "jane%d_5_7_solution-1.py",
        "x_u_attempt_2025-10-03-11-07-00_%d.py",
        "x_u%d_attempt_2025-10-03-11-07-00.txt",
        "submission_%d",
        "a-b-%d_12_assignsubmission_file_",
        "1-%d - Jane Doe - Oct 3, 2025 1107 AM",
        "Jane Doe %d.py",
    )
    for counted in (table, columns, archive, arrays, *map(listed, platforms)):
        small, middle, large = (counted(n) for n in (40, 80, 160))
        assert large - middle <= 2 * 1.3 * (middle - small) + 400, (counted, small, middle, large)
