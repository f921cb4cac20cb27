"""Test cells of a notebook as cases of a part `functions`: each runs among the names that were handed in.

A cell's text goes into the sandbox, what it prints and gives comes back, and the staff side compares that with what is
expected. A test that only asserts, or of which True is expected, tells nothing but that it passed: student code that
looks for it could say so, too. Such a check is self-reported, as probes are. What is expected of other tests never
leaves the staff side.

The files are Python, a cell behind each line `# %% {"check": …}`, whose JSON has the fields of `NotebookTest`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from tlcourse.course.spec import CELL
from tlcourse.errors import ContentError
from tlcourse.execution.answers import Raised
from tlcourse.grading.scoring.calls import Call, Case
from tlcourse.grading.scoring.measurement import Measurement, exact
from tlcourse.text import counted

PUBLIC, HIDDEN = "data/tests.py", "data/hidden.py"
"""Below `exercises/NAME`, which students have, and below `graders/NAME`, which they have not."""
_HEAD = re.compile(r"^# %% (\{.*\})[ \t]*$", re.MULTILINE)
_SCALAR = re.compile(r"\bnp\.(?:(True_|False_)|(?:u?int|float|str)\d*_?\(([^()]*)\))")
_GUESSED = {"", "True", "False", "None"}


class NotebookTest(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A test: of which check, in which cell it stood, what it gives, and its text."""

    check: str
    cell: int
    points: float
    expects: str | None = None
    """What it prints and gives where it passes; None: it passes where nothing is raised."""
    partial: bool = False
    """Whether a number that its last line gives is the points that are earned."""
    failed: str = ""
    kept: bool = False
    """In the file of public tests: staff alone have this one, and nothing of it is here but that it is there."""
    source: str = ""


class CellCase(Case, frozen=True):
    """A test cell as a case."""

    test: NotebookTest = NotebookTest("", 0, 0.0)


def to_text(tests: Iterable[NotebookTest], what: str) -> str:
    """A file of test cells."""
    blocks = [f'"""{what}"""']
    for test in tests:
        head = msgspec.json.encode(msgspec.structs.replace(test, source="")).decode()
        blocks.append(f"# %% {head}\n{test.source.rstrip()}")
    return "\n\n".join(blocks) + "\n"


def from_text(text: str, path: Path) -> list[NotebookTest]:
    """The test cells of a file; raises ContentError with the line of a head that is none."""
    heads = list(_HEAD.finditer(text))
    ends = [*(head.start() for head in heads[1:]), len(text)]
    found = []
    for head, end in zip(heads, ends, strict=False):  # of a file without tests there is an end, and no head
        source = text[head.end() : end].strip("\n")
        try:
            found.append(msgspec.structs.replace(msgspec.json.decode(head[1], type=NotebookTest), source=source))
        except msgspec.MsgspecError as error:
            line = text.count("\n", 0, head.start()) + 1
            raise ContentError([f"{path}:{line}: {error}, expected the fields of a test cell"]) from None
    return found


def cells_of(grader: str) -> list[Case]:
    """The cases of the grader in that file (its `__file__`): hidden tests where they are, and the public ones.

    A test of which students have a part is taken whole where staff have it whole.
    """
    path = Path(grader)
    public = path.parent.parent / "exercises" / path.stem / PUBLIC
    hidden = path.parent / path.stem / HIDDEN
    found: dict[tuple[str, int], CellCase] = {}
    for file, is_public in ((public, True), (hidden, False)):
        if file.is_file():
            for test in from_text(file.read_text(encoding="utf-8"), file):
                found[test.check, test.cell] = _case(test, is_public=is_public)
    return [found[key] for key in sorted(found, key=lambda key: key[1])]


def _case(test: NotebookTest, *, is_public: bool) -> CellCase:
    def judge(answer: Any) -> bool | str:
        earned = share_of(test, answer)
        if earned == 1 or test.kept:
            return True
        return test.failed or ("it gave something else" if earned == 0 else f"it gave {earned:.0%} of its points")

    call = Call(f"{CELL} {test.cell}", (test.source,))
    return CellCase((call,), check=test.check, judge=judge, public=is_public, test=test)


def share_of(test: NotebookTest, answer: Any) -> float:
    """What a test earned, from 0 to 1. `answer` is what it printed and gave, and the number that it gave, or None."""
    if isinstance(answer, Raised) or not isinstance(answer, list) or len(answer) != 2:
        return 0.0
    text, number = answer
    if test.expects is not None:
        return float(isinstance(text, str) and _plain(text) == _plain(test.expects))
    if not test.partial or not isinstance(number, int | float) or isinstance(number, bool):
        return 1.0
    if not 0 <= number < math.inf:
        return 0.0
    return 1.0 if number >= test.points else number / test.points


def _plain(text: str) -> str:
    """Without what differs between versions of NumPy, and spaces at the ends of lines."""
    text = _SCALAR.sub(lambda found: found[1].rstrip("_") if found[1] else found[2], text)
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def is_forgeable(test: NotebookTest) -> bool:
    """Whether student code could say that it passed without knowing more than everybody does."""
    return test.expects is None or _plain(test.expects) in _GUESSED


def measure_cells(cases: Sequence[Case], answers: Sequence[Any]) -> dict[str, Measurement]:
    """The share of its points that the tests of each check earned."""
    by_check: dict[str, list[tuple[NotebookTest, float]]] = {}
    for one, answer in zip(cases, answers, strict=True):
        if isinstance(one, CellCase):
            by_check.setdefault(one.check, []).append((one.test, share_of(one.test, answer)))
    return {name: _measured(found) for name, found in by_check.items()}


def _measured(everything: Sequence[tuple[NotebookTest, float]]) -> Measurement:
    """Where staff keep some of the tests, as in a copy for students, what the others earned of their own points."""
    found = [(test, share) for test, share in everything if not test.kept]
    kept = len(everything) - len(found)
    total = sum(test.points for test, _ in found)
    earned = sum(test.points * share for test, share in found) / total if total else 0.0
    passed = sum(share == 1 for _, share in found)
    value = 1.0 if passed == len(found) > 0 else min(earned, 1.0)
    said = f"{passed} of {len(found)} tests passed." if found else "Nothing of it can be checked here."
    said += f" Your course's staff have {counted(kept, 'test')} more." if kept else ""
    return exact(value, len(everything), said, self_reported=any(is_forgeable(test) for test, _ in everything))
