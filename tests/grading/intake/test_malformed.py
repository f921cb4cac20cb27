"""Ten thousand malformed hand-ins: each is read, or refused in words; nothing else may happen.

By default a hundred of each kind are tried, in the slow tests a fifth of all; all of them nightly.
"""

from __future__ import annotations

import errno
import functools
import itertools
import json
import os
import shutil
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from zipforge import BLOCK, ENCRYPTED, FIFO, REGULAR, SYMLINK, UTF8, Member, deflated, forge

from tlcourse.errors import SubmissionError
from tlcourse.grading.intake.copy import IntakeLimits
from tlcourse.grading.intake.names import shown
from tlcourse.grading.intake.notebook import without_magics
from tlcourse.grading.intake.submission import collect

LIMITS = IntakeLimits(files=12, bytes=200_000, depth=3, entries=40, ratio=50)
FEW = 100
ESCAPED = "tlcourse-escaped"
tried: dict[str, int] = {}
taken_in: dict[str, int] = {}


def collected(folder: Path, name: str, make: Callable[[Path], None]) -> None:
    """Hand in what `make` makes: the only error is a SubmissionError that can be printed, and nothing gets out."""
    origin, into = folder / name, folder / "a" / "b" / "into"
    into.mkdir(parents=True)
    make(origin)
    before = outside(folder, into)
    try:
        submission = collect(origin, into, LIMITS)
        assert (submission.folder / "solution.py").is_file()
        assert not any(path.read_bytes() == b"42" for path in submission.folder.rglob("*") if path.is_file())
        taken_in[name] = taken_in.get(name, 0) + 1
        assert into == submission.folder or into in submission.folder.parents
        printable = "\n".join(submission.notices)
    except SubmissionError as error:
        printable = str(error)
    assert all(letter.isprintable() or letter == "\n" for letter in printable), printable
    assert outside(folder, into) == before
    assert not Path("/tmp", ESCAPED).exists()
    copied = [path for path in into.rglob("*") if not path.is_dir() or path.is_symlink()]
    assert all(stat.S_ISREG(path.lstat().st_mode) for path in copied)
    assert len(copied) <= LIMITS.files + 1
    assert sum(path.stat().st_size for path in copied) <= 3 * LIMITS.bytes  # a notebook is kept beside its code


def outside(folder: Path, into: Path) -> set[tuple[str, int]]:
    found = os.walk(folder)
    names = ((current, name) for current, folders, files in found for name in (*folders, *files))
    return {
        (str(Path(current, name)), os.lstat(Path(current, name)).st_size if name.startswith("hand") else 0)
        for current, name in names
        if not str(Path(current, name)).startswith(str(into))
    }


numbers = itertools.count()


def holds(example: Callable[[Path, Any], None], strategy: st.SearchStrategy[Any], examples: int, box: Path) -> None:
    """Try `example` on as many draws of `strategy`, each in a new folder; the same ones each time."""
    ran = 0

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def every(drawn: Any) -> None:
        nonlocal ran
        ran += 1
        folder = box / f"{next(numbers)}"
        folder.mkdir()
        try:
            example(folder, drawn)
        finally:
            shutil.rmtree(folder)

    every()
    assert ran >= examples
    tried[example.__name__] = max(ran, tried.get(example.__name__, 0))


def share(every: int) -> pytest.MarkDecorator:
    """A few by default, a fifth in the slow tests, and `every` one nightly."""
    nightly = [pytest.mark.slow, pytest.mark.nightly]
    fifth = pytest.param(every // 5, marks=pytest.mark.slow)
    return pytest.mark.parametrize("examples", [FEW, fifth, pytest.param(every, marks=nightly)])


# -- ZIPs --------------------------------------------------------------------------------------------------------------

usual = st.sampled_from(["solution.py", "solution.ipynb", "a", "b", "data", "x.bin", "__MACOSX", ".DS_Store", "é"])
odd = st.sampled_from(
    [
        "A",
        "e\u0301",
        "ß",
        "ﬁ",
        "..",
        ".",
        "",
        "C:",
        "\u202e",
        "\x1b[2J",
        "\0",
        "\n",
        "\udcff",
        "\\",
        "..\\..",
        "w" * 200,
    ]
)
words = st.one_of(usual, usual, usual, odd)
names = st.one_of(
    st.just(b"solution.py"),
    st.lists(words, min_size=1, max_size=5).map(lambda parts: "/".join(parts).encode("utf-8", "surrogateescape")),
    st.sampled_from([f"/tmp/{ESCAPED}", f"../../{ESCAPED}", f"..\\{ESCAPED}", f"a/../../../{ESCAPED}"]).map(str.encode),
    st.binary(max_size=12),
    st.text(max_size=12).map(lambda text: text.encode("utf-8", "surrogatepass")),
)
contents = st.one_of(
    st.just(b"def fit(task): ...\n"),
    st.binary(max_size=200),
    st.integers(0, 90_000).map(bytes),
    st.just(forge(Member(b"inner.py", b"x"))),
)
lies = st.one_of(st.none(), st.none(), st.none(), st.integers(0, 300), st.integers(0, 2**32 - 1))


@st.composite
def members(draw: Any) -> Member:
    data = draw(contents)
    honest = draw(st.booleans())
    if honest:
        return Member(draw(names), data, method=draw(st.sampled_from([0, 8])))
    return Member(
        draw(names),
        data,
        method=draw(st.sampled_from([0, 8, 8, 8, 12, 14, 97])),
        flags=draw(st.sampled_from([UTF8, UTF8, 0, ENCRYPTED, 8, 0x20, 0xFFFF])),
        mode=draw(st.sampled_from([REGULAR, REGULAR, 0, SYMLINK, FIFO, BLOCK, 0o040755, 0o177777])),
        extra=draw(st.sampled_from([b"", b"\x0d\x00\x10\x00/etc/passwd1234"]) | st.binary(max_size=30)),
        packed=draw(st.one_of(st.none(), st.none(), st.binary(max_size=60), contents.map(deflated))),
        crc=draw(lies),
        size=draw(lies),
        packed_size=draw(lies),
        local_name=draw(st.one_of(st.none(), st.none(), names)),
        offset=draw(lies),
        hidden=draw(st.booleans()),
    )


directories = st.fixed_dictionaries(
    {},
    optional={"count": lies, "directory_size": lies, "directory_offset": lies, "comment": st.binary(max_size=30)},
)


def a_zip(folder: Path, drawn: tuple[list[Member], dict[str, Any]]) -> None:
    inside, directory = drawn
    data = forge(*inside, **{name: value for name, value in directory.items() if value is not None})
    collected(folder, "hand-in.zip", lambda origin: origin.write_bytes(data) and None)


@pytest.mark.slow
@share(2000)
def test_zips_with_hostile_entries_and_directories(tmp_path, examples):
    holds(a_zip, st.tuples(st.lists(members(), max_size=5), directories), examples, tmp_path)


sound = forge(
    Member(b"hand/solution.py", b"def fit(task): ...\n" * 20),
    Member(b"hand/data/w.bin", bytes(range(256)), method=0),
    Member("hand/Übung.txt".encode(), b"x" * 300),
)
edits = st.lists(st.tuples(st.integers(0, len(sound) - 1), st.integers(0, 255)), min_size=1, max_size=12)


def a_mutated_zip(folder: Path, drawn: tuple[list[tuple[int, int]], int | None, bytes]) -> None:
    changes, cut, added = drawn
    data = bytearray(sound)
    for place, value in changes:
        data[place] = value
    if cut is not None:
        data[cut : cut + len(added)] = added if len(added) % 2 else b""
    collected(folder, "hand-in.zip", lambda origin: origin.write_bytes(data) and None)


@share(3500)
def test_zips_with_changed_missing_and_added_bytes(tmp_path, examples):
    cuts = st.one_of(st.none(), st.integers(0, len(sound)))
    holds(a_mutated_zip, st.tuples(edits, cuts, st.binary(max_size=60)), examples, tmp_path)


# -- notebooks ---------------------------------------------------------------------------------------------------------

pieces = st.one_of(
    st.sampled_from(
        ["%%bash\n", "%%time\n", "!rm -rf /\n", "%pip x \\\n", "files = !ls\n", "get_ipython().", "display(x)\n"]
    ),
    st.sampled_from(["x = '''\n", "f(\n", ")\n", "\0", "from __future__ import annotations\n", "def fit(task): ...\n"]),
)
code = st.one_of(
    st.text(max_size=60),
    st.lists(pieces | st.text(alphabet="'\"()[]{}#\\\n%!?=a \ud800", max_size=12), max_size=8).map("".join),
)
leaves = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), code)
junk = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)
cells = st.fixed_dictionaries(
    {},
    optional={
        "cell_type": st.sampled_from(["code", "code", "markdown", "raw"]) | junk,
        "source": code | st.lists(code, max_size=3) | junk,
        "input": code,
        "outputs": junk,
        "metadata": junk,
        "id": junk,
    },
)
code_cells = st.fixed_dictionaries(
    {"cell_type": st.just("code"), "source": code | st.lists(code, max_size=3)}, optional={"outputs": junk}
)
usual_documents = st.fixed_dictionaries({"nbformat": st.just(4), "cells": st.lists(code_cells, min_size=1, max_size=5)})
documents = st.fixed_dictionaries(
    {},
    optional={
        "nbformat": st.sampled_from([4, 4, 4, 4, 3, 2, 1]) | junk,
        "nbformat_minor": st.integers(0, 6) | junk,
        "cells": st.lists(cells, max_size=4) | junk,
        "worksheets": st.lists(st.fixed_dictionaries({"cells": st.lists(cells, max_size=3)}), max_size=2) | junk,
        "metadata": st.just({"kernelspec": {"language": "python"}}) | junk,
    },
)


def a_notebook(folder: Path, drawn: tuple[Any, str, int | None]) -> None:
    document, encoding, cut = drawn
    data = json.dumps(document).encode(encoding, "replace")[:cut]
    collected(folder, "hand-in.ipynb", lambda origin: origin.write_bytes(data) and None)


@share(2500)
def test_notebooks_with_missing_and_foreign_parts(tmp_path, examples):
    encodings = st.sampled_from(["utf-8"] * 8 + ["utf-16", "utf-8-sig"])
    cut = st.one_of(st.none(), st.none(), st.none(), st.integers(0, 400))
    holds(a_notebook, st.tuples(usual_documents | documents | junk, encodings, cut), examples, tmp_path)


def a_cell(folder: Path, source: str) -> None:
    """What is Python already stays as it is, line by line; what is not keeps its number of lines."""
    text, dropped = without_magics(source)
    lines = source.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    assert len(text.split("\n")) == len(lines)
    assert dropped or text.split("\n") == lines
    assert shown(source).isprintable()


@pytest.mark.slow
def test_cells_keep_their_lines(tmp_path):
    holds(a_cell, code, 500, tmp_path)


# -- folders -----------------------------------------------------------------------------------------------------------

file_names = st.one_of(
    st.sampled_from(["solution.py", "solution.py", "data", "x.zip", "w.bin", "a"]),
    st.sampled_from(["Solution.py", "solution.ipynb", "é", "e\u0301", ".git", "._a", "a\\b", "\x1b[2J"]),
    st.one_of(st.text(max_size=8), st.binary(max_size=8).map(os.fsdecode)).filter(
        lambda name: not {"/", "\0"} & set(name) and name not in ("", ".", "..")
    ),
)
things = st.lists(
    st.tuples(
        st.lists(file_names, min_size=1, max_size=5),
        st.sampled_from(["file", "file", "file", "link", "pipe", "folder", "hole", "locked"]),
        contents,
    ),
    max_size=10,
)


def make_folder(origin: Path, drawn: list[tuple[list[str], str, bytes]]) -> None:
    """Everything is made anew, and no path leads through a link: what is drawn must not reach out of the test."""
    origin.mkdir()
    (origin.parent / "secret").write_text("42")
    for parts, kind, data in drawn:
        path = origin.joinpath(*parts)
        way = [origin.joinpath(*parts[:length]) for length in range(1, len(parts))]
        if any(folder.is_symlink() or (folder.exists() and not folder.is_dir()) for folder in way):
            continue
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            make_thing(path, kind, data, origin.parent / "secret")
        except (FileExistsError, UnicodeEncodeError):
            continue
        except OSError as error:
            assert error.errno == errno.ENAMETOOLONG


def make_thing(path: Path, kind: str, data: bytes, secret: Path) -> None:
    if kind == "link":
        path.symlink_to(secret)
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        with path.open("xb") as stream:  # never through a link, never into a pipe
            stream.write(data)
            if kind == "hole":
                stream.truncate(300_000)
            if kind == "locked":
                os.fchmod(stream.fileno(), 0)


def a_folder(folder: Path, drawn: list[tuple[list[str], str, bytes]]) -> None:
    collected(folder, "hand-in", functools.partial(make_folder, drawn=drawn))


@share(2000)
def test_folders_with_odd_entries(tmp_path, examples):
    holds(a_folder, things, examples, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("whole", [2_000, pytest.param(10_000, marks=pytest.mark.nightly)])
def test_as_many_as_said_were_tried(whole):
    """Runs last in this file: the count of all that went before."""
    if len(tried) < 5 or min(tried.values()) <= FEW:
        pytest.skip("counts when all the slow tests of this file run")
    sys.stderr.write(f"\nhand-ins tried: {tried}; good enough to be taken in: {taken_in}\n")
    assert sum(number for name, number in tried.items() if name != "a_cell") >= whole
    assert all(number > whole / 200 for number in taken_in.values())  # what is always refused at once tries nothing
