"""Reading a description of a figure, and what is wrong with one that the types of `figure.py` cannot say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tlcourse.course.figure import DecisionTree, Figure, Flow, Matrices, Matrix, Node, Picture, Points, Stack, stops
from tlcourse.errors import ContentError
from tlcourse.located import decode

_ALT = re.compile(r"^alt:\s*(?:>-?\s*)?(.*?)(?=^\S|\Z)", re.MULTILINE | re.DOTALL)
_LARGEST = 100_000
_DEEPEST = 5


def read(text: str, path: Path = Path("figure"), first_line: int = 1) -> Figure:
    """The description of a fence; raises ContentError with `file:line: what, and what was expected`."""
    figure: Figure = decode(text, Figure, path, first_line)  # type: ignore[arg-type]
    problems = list(_problems(figure))
    if problems:
        lines = text.splitlines()
        raise ContentError([f"{path}:{first_line + _line(lines, word)}: {said}" for word, said in problems])
    return figure


def alt_of(text: str) -> str:
    """The words of a description, also of one that does not hold; empty where there are none."""
    found = _ALT.search(text)
    return " ".join(found[1].split()).strip("\"'") if found else ""


def _line(lines: list[str], word: str) -> int:
    return next((number for number, line in enumerate(lines) if word in line), 0)


def _problems(figure: Figure) -> Iterator[tuple[str, str]]:
    """A word of the line, and what is wrong with it, of what the types cannot say."""
    if isinstance(figure, Flow):
        yield from _flow_problems(figure)
    elif isinstance(figure, Stack):
        for layer in figure.layers:
            if len(layer.states) != len(figure.steps):
                yield (
                    layer.name,
                    f"layer `{layer.name}` has {len(layer.states)} states, expected {len(figure.steps)}: one a step",
                )
        if figure.notes and len(figure.notes) != len(figure.steps):
            yield "notes", f"{len(figure.notes)} notes, expected {len(figure.steps)}: one a step"
    elif isinstance(figure, Matrices):
        yield from _matrix_problems(figure)
    elif isinstance(figure, DecisionTree):
        yield from _tree_problems(figure.answers, figure.ask)
    elif isinstance(figure, Picture):
        signs = {sign for panel in figure.panels for row in panel.rows for sign in row}
        for sign in sorted(signs - figure.legend.keys() - {" "}):
            yield "panels", f"`{sign}` is in no legend, expected one of: {' '.join(figure.legend)}"
    elif isinstance(figure, Points) and (figure.x[0] >= figure.x[1] or figure.y[0] >= figure.y[1]):
        yield "x:", "a range that is empty, expected [low, high]"


def _flow_problems(figure: Flow) -> Iterator[tuple[str, str]]:
    placed = [name for row in figure.rows for name in row if name != "."]
    for name in sorted({name for name in placed if placed.count(name) > 1}):
        yield "rows", f"`{name}` stands twice, expected names that differ"
    for name in figure.boxes:
        if name not in placed:
            yield f"{name}:", f"box `{name}` is in no row, expected it in rows"
    for arrow in figure.arrows:
        names = stops(arrow)[0]
        if len(names) < 2:
            yield arrow, f"`{arrow}` is no arrow, expected `a -> b`"
        for name in names:
            if name not in placed:
                yield arrow, f"`{name}` is in no row, expected one of: {', '.join(placed)}"
    for way in figure.backward:
        for name in way.path:
            if name not in placed:
                yield "backward", f"`{name}` is in no row, expected one of: {', '.join(placed)}"


def _matrix_problems(figure: Matrices) -> Iterator[tuple[str, str]]:
    slider = figure.slider
    if slider and slider.start not in slider.values:
        yield "start", f"start is {slider.start}, expected one of the values"
    for matrix in figure.parts:
        for size in (matrix.rows, matrix.columns) if isinstance(matrix, Matrix) else ():
            if isinstance(size, str) and not (slider and size == slider.name):
                yield f"{size}", f"a size of {matrix.name} is `{size}`, expected a number or the slider's name"  # type: ignore[union-attr]
            if isinstance(size, int) and not 0 < size <= _LARGEST:
                yield f"{size}", f"a size is {size}, expected 1 to {_LARGEST}"


def _tree_problems(nodes: list[Node], above: str, depth: int = 1) -> Iterator[tuple[str, str]]:
    if depth > _DEEPEST:
        yield above, f"questions more than {_DEEPEST} deep, expected a smaller tree"
        return
    for node in nodes:
        if not node.answer:
            yield node.ask or node.say or above, "an answer has no `when`, expected the word that leads to it"
        if bool(node.ask) == bool(node.say):
            yield above, f"the answer `{node.answer}` has {'both' if node.ask else 'neither'}, expected ask or say"
        if node.ask and len(node.answers) < 2:
            yield node.ask, f"`{node.ask}` has {len(node.answers)} answers, expected two or more"
        yield from _tree_problems(node.answers, node.ask or above, depth + 1)
