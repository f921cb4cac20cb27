"""Text of submissions made harmless for Markdown and HTML, and without paths of the machine that graded."""

from __future__ import annotations

import html
import re

from tlcourse.execution.log import harmless

_PATH = re.compile(r"(?<![\w./])(?:/[\w.+@~-]+)+/([\w.+@~-]+)")
_MARKDOWN = re.compile(r"([\\`*_\[\]#!|~>])")


def without_paths(text: str) -> str:
    """`/opt/venv/lib/torch/nn/linear.py` becomes `…/linear.py`: where we grade is nobody's business."""
    return _PATH.sub(r"…/\1", text)


def line(text: str, most: int = 500) -> str:
    """One harmless line."""
    text = " ".join(harmless(text).split())
    return text if len(text) <= most else text[: most - 1] + "…"


def markdown(text: str, most: int = 500) -> str:
    """One line whose every character means itself in Markdown."""
    return _MARKDOWN.sub(r"\\\1", line(text, most)).replace("<", "&lt;")


def markdown_block(text: str) -> str:
    """Lines as they are: indented, because no text can end an indented block as it can end a fenced one."""
    return "\n".join("    " + one for one in harmless(text).splitlines())


def markup(text: str, most: int = 500) -> str:
    """One line for HTML, in attributes too."""
    return html.escape(line(text, most), quote=True)


def markup_block(text: str) -> str:
    """Lines for HTML's `pre`."""
    return html.escape(harmless(text), quote=True)
