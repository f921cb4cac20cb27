"""Assignments in nbgrader's format: what a cell is stands in its metadata, and marks in comments cut out regions of it.

What each field and mark means stands in nbgrader's documents, "JSON Metadata Format" and "Creating and grading
assignments". A test that gives a number gives that many of its points, as there.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from msgspec import Struct

from tlcourse.grading.assignments.assignment import (
    Assignment,
    Cell,
    Piece,
    Question,
    Test,
    loads,
    stores,
    title_of,
    tree_of,
)

_CODE_STUB = ("# YOUR CODE HERE", "raise NotImplementedError()")
_TEXT_STUB = ("*Write your answer here.*",)
_AUTOTEST = re.compile(r"^[ \t]*#+[ \t]*(?:HASHED[ \t]+)?AUTOTEST\b", re.MULTILINE)
SOLUTION, HIDDEN, SCHEME = "SOLUTION", "HIDDEN TESTS", "MARK SCHEME"


def is_one(cells: Sequence[Cell]) -> bool:
    """Whether any cell has nbgrader's metadata."""
    return any(cell.nbgrader for cell in cells)


class _Role(Struct, frozen=True):
    """What a cell is."""

    name: str
    points: float
    tests: bool
    by_hand: bool
    answer: bool
    locked: bool


def _role(cell: Cell, found: Assignment) -> _Role:
    about = cell.nbgrader
    task = about.get("task") is True
    grade, solution = about.get("grade") is True or task, about.get("solution") is True
    points = _points(about.get("points"))
    if grade and points is None:
        found.note(cell.number, f"points is `{about.get('points')}`, which is not a number", "set them by hand")
    by_hand = grade and (solution or task or cell.kind == "markdown")
    return _Role(
        name=str(about.get("grade_id") or ""),
        points=points if grade and points is not None else 0.0,
        tests=grade and not by_hand and cell.kind == "code",
        by_hand=by_hand,
        answer=solution,
        locked=about.get("locked") is True,
    )


def _points(given: object) -> float | None:
    """Older notebooks hold them as text."""
    try:
        points = float(given) if isinstance(given, int | float | str) and not isinstance(given, bool) else -1.0
    except ValueError:
        return None
    return points if 0 <= points < 1e6 else None


def read(cells: Sequence[Cell], name: str) -> Assignment:
    """The assignment; what is wrong with its metadata is noted, and read as was probably meant."""
    found = Assignment("nbgrader", name)
    earlier: list[ast.stmt] = []
    heading = ""
    for cell in cells:
        if not cell.source.strip() and not cell.nbgrader:
            continue
        role = _role(cell, found)
        if cell.kind == "markdown" and not role.by_hand:
            heading = title_of(cell.source) or heading
        if role.tests:
            _test(cell, role, found, earlier, heading)
        elif role.by_hand:
            _by_hand(cell, role, found, heading)
        elif cell.kind != "raw":
            _cell(cell, role, found)
    _told_of_order(found, cells)
    return found


def _cell(cell: Cell, role: _Role, found: Assignment) -> None:
    """A cell that nobody marks: an answer that tests look at, or what is given."""
    stub = _CODE_STUB if cell.kind == "code" else _TEXT_STUB
    student, reference, regions = without(cell.source, SOLUTION, stub)
    for what in regions.problems:
        found.note(cell.number, what, "check what students get of this cell")
    if role.answer and not regions.count:
        student = "\n".join(stub)
    if regions.count and not role.answer:
        remedy = "students get the cell without it; mark the cell as an answer"
        found.note(cell.number, "a solution in a cell that is not marked as an answer", remedy)
    if role.locked and not role.answer and cell.kind == "code":
        remedy = "a hand-in is run as it is: what tests need belongs into them"
        found.note(cell.number, "a locked cell, which students can change here", remedy)
    assert cell.kind != "raw"
    found.pieces.append(Piece(cell.number, cell.kind, student, reference))


def _by_hand(cell: Cell, role: _Role, found: Assignment, heading: str) -> None:
    stub = _CODE_STUB if cell.kind == "code" else _TEXT_STUB
    text, scheme = cell.source, ""
    cut, _, regions = without(text, SCHEME, ())
    if regions.count:
        scheme, text = "\n".join(regions.inside).strip(), cut
    student, reference, solutions = without(text, SOLUTION, stub)
    for what in (*regions.problems, *solutions.problems):
        found.note(cell.number, what, "check what students get of this cell")
    is_task = cell.nbgrader.get("task") is True
    if not solutions.count and not is_task:
        student = "\n".join(stub)
    own = found.identifier(role.name, cell.number)
    title = title_of(student) if is_task else _titled(found, heading, role.name)
    title = title or role.name or own
    if not role.points:
        found.note(cell.number, f"`{role.name}` gives no points", "nothing is marked; give it points if it shall count")
    found.questions.append(Question(own, title, cell.number, role.points, manual=True, scheme=scheme))
    assert cell.kind != "raw"
    found.pieces.append(Piece(cell.number, cell.kind, student, text if is_task else reference, own))


def _titled(found: Assignment, heading: str, name: str) -> str:
    """The heading above a question, with its name where another question stands below the same."""
    taken = any(question.title == heading for question in found.questions)
    return f"{heading} ({name})" if heading and taken else heading


def _test(cell: Cell, role: _Role, found: Assignment, earlier: list[ast.stmt], heading: str) -> None:
    own = found.identifier(role.name, cell.number)
    public, whole, regions = without(cell.source, HIDDEN, ())
    for what in regions.problems:
        found.note(cell.number, what, "check which tests are hidden")
    if _AUTOTEST.search(whole):
        remedy = "write what it generates as asserts"
        found.note(cell.number, f"`{role.name}` has AUTOTEST, which nbgrader makes tests of", remedy)
    tree = tree_of(whole)
    if tree is None:
        found.note(cell.number, f"the test `{role.name}` is not Python", "left out; it may hold magics")
    elif not tree.body:
        found.note(cell.number, f"the test `{role.name}` tests nothing", "everybody passes it; write an assert")
    if not role.points:
        found.note(cell.number, f"the test `{role.name}` gives no points", "it is left out; give it points")
    tests = []
    if tree is not None and role.points:
        before = definitions(tree, earlier, _defined(found))
        needed = "\n".join([*before, whole])
        visible = tree_of(public) if regions.count else tree
        shown = "" if visible is None or not visible.body else "\n".join([*before, public]) if regions.count else needed
        partial = bool(tree.body) and isinstance(tree.body[-1], ast.Expr)
        tests = [Test(cell.number, needed, role.points, shown, None, partial)]
    earlier += tree.body if tree is not None else []
    points = role.points if tests else 0.0
    if role.points and not tests:
        found.note(cell.number, f"{role.points:g} points of `{role.name}` are lost", "write a test in its place")
    title = _titled(found, heading, role.name) or role.name or own
    found.questions.append(Question(own, title, cell.number, points, tests))
    if public.strip() and tree_of(public) is None and tree is not None:
        found.note(
            cell.number, f"`{role.name}` without its hidden tests is not Python", "the whole test is hidden here"
        )


def _defined(found: Assignment) -> set[str]:
    """What the cells so far define that are no tests."""
    trees = [tree_of(piece.reference) for piece in found.pieces if piece.kind == "code" and piece.reference]
    return {name for tree in trees if tree is not None for name in stores(tree.body)}


def definitions(test: ast.Module, earlier: Sequence[ast.stmt], given: set[str]) -> list[str]:
    """What earlier tests define and this one uses: tests of one notebook see each other, and here each runs alone.

    What is `given` is what was handed in, whatever a test put in its place.
    """
    own = set(stores(test.body)) | given
    needed = loads(test) - own
    kept: list[str] = []
    for node in reversed(earlier):
        made = set(stores([node]))
        if made & needed and isinstance(
            node, ast.FunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom | ast.Assign | ast.AnnAssign
        ):
            kept.insert(0, ast.unparse(node))
            needed = (needed - made) | loads(node)
    return kept


def _told_of_order(found: Assignment, cells: Sequence[Cell]) -> None:
    """Tests run after all cells here: names that are given another value further down are told."""
    changed: dict[str, list[int]] = {}
    tests = {test.cell for question in found.questions for test in question.tests}
    for cell in cells:
        tree = tree_of(cell.source) if cell.kind == "code" and cell.number not in tests else None
        for name in stores(tree.body) if tree is not None else ():
            changed.setdefault(name, []).append(cell.number)
    for question in found.questions:
        for test in question.tests:
            tree = tree_of(test.source)
            read = loads(tree) - set(stores(tree.body)) if tree is not None else set()
            for name in sorted(read):
                places = changed.get(name, [])
                later = [one for one in places if one > test.cell]
                if later and min(places) < test.cell:
                    what = f"the test `{question.id}` reads `{name}`, which cell {later[0]} changes"
                    found.note(test.cell, what, "tests run after all cells here: use two names")


class Regions(Struct):
    """What was found between the marks of a cell."""

    count: int
    inside: list[str]
    problems: list[str]


def without(source: str, kind: str, stub: Sequence[str]) -> tuple[str, str, Regions]:
    """A cell with `stub` in the place of each region of that kind; the cell without marks; and what was found."""
    kept: list[str] = []
    whole: list[str] = []
    regions = Regions(0, [], [])
    is_inside = False
    for line in source.split("\n"):
        begins, ends = f"BEGIN {kind}" in line, f"END {kind}" in line
        if begins:
            if is_inside:
                regions.problems.append(f"BEGIN {kind} within another one")
            else:
                indent = line[: len(line) - len(line.lstrip())]
                kept += [indent + one for one in stub]
            regions.count += not is_inside
            is_inside = True
        elif ends:
            if not is_inside:
                regions.problems.append(f"END {kind} without a BEGIN")
            is_inside = False
        else:
            whole.append(line)
            (regions.inside if is_inside else kept).append(line)
    if is_inside:
        regions.problems.append(f"BEGIN {kind} has no END")
    return "\n".join(kept), "\n".join(whole), regions
