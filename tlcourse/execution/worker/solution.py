"""Loading a student's `solution.py`, and telling them what went wrong in their own lines."""

from __future__ import annotations

import sys
import traceback
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

FILENAME = "solution.py"


class SolutionError(Exception):
    """The solution cannot be used; `kind` is one of the kinds of `job.Problem`."""

    def __init__(self, kind: str, message: str, trace: str = "") -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.trace = trace


def load_fit(folder: Path) -> Callable[[Any], Any]:
    """The `fit` of `folder/solution.py`; raises SolutionError."""
    path = folder / FILENAME
    source = path.read_bytes()
    try:
        code = compile(source, FILENAME, "exec", dont_inherit=True)
    except SyntaxError as error:
        raise SolutionError("syntax", describe_syntax_error(error)) from None
    except ValueError as error:  # a NUL byte
        raise SolutionError("syntax", f"{FILENAME} is not Python source: {error}") from None
    module = types.ModuleType("solution")
    module.__file__ = str(path)
    sys.modules["solution"] = module
    sys.path.insert(0, str(folder))
    _remember_source(source)
    exec(code, module.__dict__)  # noqa: S102 - running the hand-in is what this process is sandboxed in for
    fit = module.__dict__.get("fit")
    if not callable(fit):
        raise SolutionError(
            "no_fit",
            f"{FILENAME} defines no function `fit`. It must define `def fit(task): …` at the top level.",
        )
    return fit


def describe_syntax_error(error: SyntaxError) -> str:
    """File, line, the source line and a caret, as Python prints it."""
    return "".join(traceback.format_exception_only(error)).rstrip()


def student_trace(error: BaseException) -> str:
    """The traceback from the student's first line on: our own frames above it say nothing to them."""
    frames = traceback.extract_tb(error.__traceback__)
    first = next((i for i, frame in enumerate(frames) if frame.filename == FILENAME), len(frames))
    kept = [frame for frame in frames[first:] if _is_readable(frame)]
    lines = traceback.format_list(kept) + traceback.format_exception_only(error)
    return "".join(["Traceback (most recent call last):\n", *lines] if kept else lines).rstrip()


def _is_readable(frame: traceback.FrameSummary) -> bool:
    """Their lines, and only the library line that raised would help; torch's inner frames would not."""
    return frame.filename == FILENAME or "site-packages" not in frame.filename


def _remember_source(source: bytes) -> None:
    """Let tracebacks show the student's source lines: `solution.py` is not a path that can be opened from here."""
    import linecache

    text = source.decode("utf-8", errors="replace")
    linecache.cache[FILENAME] = (len(text), None, text.splitlines(keepends=True), FILENAME)
