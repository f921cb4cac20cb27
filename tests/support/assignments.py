"""Notebooks of our own writing in the formats of other graders."""

from __future__ import annotations

import json
from typing import Any


def code(source: str, gives: str = "", prints: str = "", **nbgrader: Any) -> dict[str, Any]:
    """A code cell, what it gives and prints, and what nbgrader keeps of it."""
    outputs: list[dict[str, Any]] = []
    if prints:
        outputs.append({"output_type": "stream", "name": "stdout", "text": prints.splitlines(keepends=True)})
    if gives:
        outputs.append({"output_type": "execute_result", "data": {"text/plain": gives}, "metadata": {}})
    return _cell("code", source, nbgrader) | {"outputs": outputs, "execution_count": None}


def text(source: str, **nbgrader: Any) -> dict[str, Any]:
    """A text cell."""
    return _cell("markdown", source, nbgrader)


def raw(source: str) -> dict[str, Any]:
    """A raw cell."""
    return _cell("raw", source, {})


def _cell(kind: str, source: str, nbgrader: dict[str, Any]) -> dict[str, Any]:
    about = {"schema_version": 3, "grade": False, "solution": False, "locked": False, "task": False} | nbgrader
    metadata = {"nbgrader": about} if nbgrader else {}
    return {"cell_type": kind, "metadata": metadata, "source": source.splitlines(keepends=True)}


def notebook(*cells: dict[str, Any]) -> str:
    """The JSON of a notebook."""
    return json.dumps({"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


OTTER = notebook(
    raw("# ASSIGNMENT CONFIG\nname: softmax\nrequirements: [numpy]\nseed: {variable: rng_seed}"),
    text("# Softmax, piece by piece"),
    code("import numpy as np"),
    raw("# BEGIN QUESTION\nname: q1\npoints: 4"),
    text("**Question 1.** Write the softmax of the rows."),
    raw("# BEGIN SOLUTION"),
    code(
        "def softmax(z):\n"
        '    """(n, k) to (n, k)."""\n'
        "    e = np.exp(z - z.max(1, keepdims=True)) # SOLUTION NO PROMPT\n"
        "    return e / e.sum(1, keepdims=True) # SOLUTION\n"
    ),
    raw("# END SOLUTION"),
    raw("# BEGIN TESTS"),
    code("softmax(np.zeros((1, 2))).tolist()", gives="[[0.5, 0.5]]"),
    code("# HIDDEN\nnp.isclose(softmax(np.array([[0.0, 1000.0]]))[0, 1], 1)", gives="True"),
    raw("# END TESTS"),
    raw("# END QUESTION"),
    raw("# BEGIN QUESTION\nname: q2\npoints: [1, 0.5, 1.5]\nall_or_nothing: true"),
    text("Compute nine, and print it."),
    raw("# BEGIN SOLUTION"),
    code("nine = 3 * 3 # SOLUTION"),
    raw("# END SOLUTION"),
    raw("# BEGIN TESTS"),
    code("nine", gives="9"),
    code("print(nine)", prints="9\n"),
    code(
        '""" # BEGIN TEST CONFIG\nhidden: true\nfailure_message: nine is not odd\n""" # END TEST CONFIG\n'
        "assert nine % 2 == 1"
    ),
    raw("# END TESTS"),
    raw("# END QUESTION"),
    raw("# BEGIN QUESTION\nname: q3\nmanual: true\npoints: 3"),
    text("Why is the largest logit subtracted?"),
    raw("# BEGIN SOLUTION"),
    text("So that the exponential stays finite."),
    raw("# END SOLUTION"),
    raw("# END QUESTION"),
)  # fmt: skip
"""10 points: 7 by tests, 3 by people."""

NBGRADER = notebook(
    text("# Sums"),
    code("import numpy as np", grade_id="imports", locked=True),
    text("## Squares"),
    code(
        'def squares(n):\n    """A list."""\n    ### BEGIN SOLUTION\n    return [i**2 for i in range(1, n + 1)]\n'
        "    ### END SOLUTION",
        grade_id="squares",
        solution=True,
    ),
    code(
        "from math import isclose\nassert squares(2) == [1, 4]\n### BEGIN HIDDEN TESTS\nassert squares(0) == []\n"
        "### END HIDDEN TESTS",
        grade_id="test-squares",
        grade=True,
        locked=True,
        points=2,
    ),
    code("# a value\nmean = float(np.mean(squares(3)))", grade_id="mean", solution=True),
    code(
        "assert isclose(mean, 14 / 3)\n0.5 if mean < 0 else 3",
        grade_id="test-mean",
        grade=True,
        locked=True,
        points=3,
    ),
    text("## In words"),
    text("Because they grow.", grade_id="why", grade=True, solution=True, points=1.5),
    text(
        "Draw a picture.\n### BEGIN MARK SCHEME\n1 point for axes.\n### END MARK SCHEME",
        grade_id="draw",
        task=True,
        points=2.5,
        locked=True,
    ),
)
"""9 points: 5 by tests, 4 by people."""
