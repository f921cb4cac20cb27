"""Prompts are Markdown: what is marked has its look, and no mark is shown."""

from __future__ import annotations

import pytest

from tlcourse.presenting.prompt import in_runs, in_words


@pytest.mark.parametrize(
    ("prompt", "shown"),
    [
        ("What does `fit(x)` give?", "What does fit(x) give?"),
        (r"Is $\frac{1}{2}$ *less* than **one**?", "Is 1/2 less than one?"),
        ("P(y | x) * P(x) = 3 * 4", "P(y | x) * P(x) = 3 * 4"),
        ("w* and w*", "w* and w*"),
        ("It costs $5 and $6.", "It costs $5 and $6."),
        (r"$\frac{1}$ is none", r"$\frac{1}$ is none"),
        ("a_b and b_c", "a_b and b_c"),
        ("Two\n\nparagraphs", "Two\n\nparagraphs"),
    ],
)
def test_marks_become_looks_and_what_is_no_mark_stays(prompt, shown):
    assert in_words(prompt) == shown


def test_code_and_formulas_look_otherwise_than_words():
    assert [(run.text, run.style) for run in in_runs("A `b` *c* **d** $e$")] == [
        ("A ", ""), ("b", "$live"), (" ", ""), ("c", "italic"), (" ", ""), ("d", "bold"), (" ", ""), ("e", "$live"),
    ]  # fmt: skip
