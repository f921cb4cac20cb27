"""The starter of an exercise as a notebook, made from `starter.py`, so that the two never differ."""

from __future__ import annotations

import ast
import itertools
from pathlib import Path

NAME = "starter.ipynb"


def starter_notebook(exercise: str, title: str, source: str) -> str:
    """`starter.py` as the JSON of a notebook (format 4.5): one cell for each top-level block, in order.

    The grader reads the code cells in order and drops the installing line, so the notebook can be handed in as it is.
    """
    docstring, blocks = _blocks(source)
    intro = (
        f"# {title}\n\n{docstring}\n\n"
        f"Write `fit(task)`; the last cell trains it here. Hand in this notebook, or grade it where tlcourse is "
        f"installed: `tlcourse grade {exercise} solution.ipynb`."
    )
    from nbformat import v4, writes

    notebook = v4.new_notebook(
        cells=[
            v4.new_markdown_cell(intro, id="intro"),
            v4.new_code_cell("%pip install -q tlcourse  # in Colab; the grader leaves this line out", id="install"),
            *(v4.new_code_cell(block, id=f"cell-{number}") for number, block in enumerate(blocks, start=1)),
        ],
        metadata={
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
    )
    return f"{writes(notebook, version=4)}\n"


def write_starter_notebook(exercise: str, title: str, folder: Path) -> Path:
    """Write `starter.ipynb` beside the `starter.py` of an exercise's folder."""
    path = folder / NAME
    source = (folder / "starter.py").read_text(encoding="utf-8")
    path.write_text(starter_notebook(exercise, title, source), encoding="utf-8")
    return path


def _blocks(source: str) -> tuple[str, list[str]]:
    """The docstring, and the source cut before each top-level `def`, `class` and `if` with its comment."""
    tree = ast.parse(source)
    lines = source.splitlines()
    body = tree.body
    docstring = ast.get_docstring(tree) or ""
    first = 0
    if docstring and body:
        first = body[0].end_lineno or 0
        body = body[1:]
    cuts = [first]
    previous_end = first
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.If):
            start = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))]) - 1
            while start > previous_end and lines[start - 1].startswith("#"):
                start -= 1
            cuts.append(start)
        previous_end = node.end_lineno or previous_end
    cuts.append(len(lines))
    pieces = ["\n".join(lines[a:b]).strip("\n") for a, b in itertools.pairwise(cuts)]
    return docstring, [piece for piece in pieces if piece.strip()]
