"""Reading and loading a student's `solution.py`, and telling them what went wrong in their own lines. No torch here."""

from __future__ import annotations
import __future__

import ast
import difflib
import re
import sys
import traceback
import types
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tlcourse.execution.worker import stand_ins

FILENAME, NOTEBOOK = "solution.py", "solution.ipynb"
CELLS = "# -*- coding: utf-8 -*- the code cells of a notebook begin at lines:"  # the first cell may name an encoding
"""How a `solution.py` begins that was made of a notebook; the numbers of those lines follow."""
_CELL = re.compile(rf"{re.escape(NOTEBOOK)}, cell \d+")
_FUTURES = sum(getattr(__future__, name).compiler_flag for name in __future__.all_feature_names)
_HIDDEN_DEFINITIONS = {"exec", "globals", "locals", "vars", "setattr", "__import__", "run_path", "run_module"}
_CONFLICT = re.compile(rb"^(<{7}|={7}|>{7})( |$)", re.MULTILINE)


class SolutionError(Exception):
    """The solution cannot be used; `kind` is one of the kinds of `spec.Problem`."""

    def __init__(self, kind: str, message: str, trace: str = "") -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.trace = trace


class Source(NamedTuple):
    """A solution that Python can read: its code, piece by piece, and the file that its author knows."""

    codes: Sequence[types.CodeType]
    functions: Sequence[str]
    """Names of the functions that it defines, those in classes as `Trainer.fit`."""
    name: str
    defined: Sequence[str] = ()
    """Names of the functions and classes at its top level."""


def read_source(folder: Path, needed: Sequence[str] = ("fit",)) -> Source:
    """`folder/solution.py`, compiled; raises SolutionError where that fails, or where it cannot define all `needed`.

    Where nothing is needed, a cell of a notebook that is no Python raises its SyntaxError once it is run.
    """
    data = (folder / FILENAME).read_bytes()
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in data:
        raise SolutionError(
            "syntax",
            f"{FILENAME} is not saved as UTF-8, or is not text. Save it as UTF-8, which is one of the encodings that "
            "the editor offers when it saves under a name",
        )
    pieces = _pieces(data)
    if not needed and len(pieces) > 1:
        pieces = [(name, _or_its_error(name, text)) for name, text in pieces]
    try:
        trees = [ast.parse(text, name) for name, text in pieces]
        codes = _compiled(pieces)
    except SyntaxError as error:
        also = ". The marks of a merge conflict are still in it" if _CONFLICT.search(data) else ""
        raise SolutionError("syntax", describe_syntax_error(error) + also) from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise SolutionError("syntax", f"{FILENAME} is not Python source: {error}") from None
    functions = list(_functions(trees))
    named = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    defined = [node.name for tree in trees for node in tree.body if isinstance(node, named)]
    source = Source(codes, functions, NOTEBOOK if len(pieces) > 1 else FILENAME, defined)
    for name in needed:
        if not _may_define(name, trees):
            raise not_defined(name, source)
    return source


def _pieces(data: bytes) -> list[tuple[str, str | bytes]]:
    """The file name that tracebacks show, and the text: a piece a cell where it was made of a notebook."""
    _remember_source(FILENAME, data.decode("utf-8", errors="replace"))
    first = data.split(b"\n", 1)[0].decode("utf-8", errors="replace")
    if not first.startswith(CELLS):
        return [(FILENAME, data)]
    lines = data.decode("utf-8", errors="replace").split("\n")
    begins = [int(word) for word in first.removeprefix(CELLS).split() if word.isdecimal()]
    if not begins or begins != sorted(set(begins)) or begins[0] < 1 or begins[-1] > len(lines):
        return [(FILENAME, data)]
    pieces: list[tuple[str, str | bytes]] = [(FILENAME, "\n".join(lines[: begins[0]]) + "\n")]
    for number, (begin, end) in enumerate(zip(begins, [*begins[1:], len(lines)], strict=True), start=1):
        name, text = f"{NOTEBOOK}, cell {number}", "\n".join(lines[begin:end]) + "\n"
        _remember_source(name, text)
        pieces.append((name, text))
    return pieces


def _or_its_error(name: str, text: str | bytes) -> str | bytes:
    try:
        ast.parse(text, name)
    except SyntaxError as error:
        return f"raise SyntaxError({f'{error.msg} ({name}, line {error.lineno})'!r})"
    except (ValueError, RecursionError, MemoryError):
        pass  # told below, as of any solution
    return text


def _compiled(pieces: Iterable[tuple[str, str | bytes]]) -> list[types.CodeType]:
    """What `from __future__ import …` says in the first piece holds in all of them."""
    codes: list[types.CodeType] = []
    for name, text in pieces:
        flags = codes[0].co_flags & _FUTURES if codes else 0
        codes.append(compile(text, name, "exec", flags=flags, dont_inherit=True))
    return codes


def _functions(trees: Iterable[ast.Module]) -> Iterable[str]:
    for tree in trees:
        for node in tree.body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node.name
            elif isinstance(node, ast.ClassDef):
                yield from (f"{node.name}.{one.name}" for one in node.body if isinstance(one, ast.FunctionDef))


def _may_define(wanted: str, trees: Iterable[ast.Module]) -> bool:
    """False only where nothing that is written there can make a `wanted` at the top level."""
    for tree in trees:
        in_classes = {
            id(one) for node in ast.walk(tree) if isinstance(node, ast.ClassDef) for one in node.body
        }  # methods are no functions of the module
        for node in ast.walk(tree):
            match node:
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) if (
                    name == wanted and id(node) not in in_classes
                ):
                    return True
                case ast.ClassDef(name=name) | ast.Name(id=name, ctx=ast.Store()) if name == wanted:
                    return True
                case ast.Name(id=name) | ast.Attribute(attr=name) if name in _HIDDEN_DEFINITIONS:
                    return True
                case ast.alias(name=name, asname=other) if name == "*" or (other or name) == wanted:
                    return True
    return False


def not_defined(name: str, source: Source) -> SolutionError:
    """That `name` is missing, and what may have been meant."""
    if name == "fit":
        return _no_fit(source)
    near = difflib.get_close_matches(name.lower(), [one.lower() for one in source.defined], 1)
    meant = next((one for one in source.defined if near and one.lower() == near[0]), "")
    hint = f" Did you mean `{meant}`?" if meant else ""
    return SolutionError(
        "no_fit", f"{source.name} defines no `{name}`. It must define it at the top level, by this name.{hint}"
    )


def _no_fit(source: Source) -> SolutionError:
    meant = [name for name in source.functions if name.split(".")[-1].lower() in ("fit", "train", "train_model")]
    meant = meant or [name for name in source.functions if "fit" in name.lower() or "train" in name.lower()]
    hint = ""
    if meant and "." in meant[0]:
        hint = f" `{meant[0]}` belongs to a class: call it in such a function, and return the network"
    elif meant:
        hint = f" Did you mean `{meant[0]}`?"
    return SolutionError(
        "no_fit", f"{source.name} defines no function `fit`. It must define `def fit(task): …` at the top level.{hint}"
    )


def load_fit(folder: Path, source: Source) -> Callable[[Any], Any]:
    """The `fit` that a solution defines; raises SolutionError."""
    fit: Callable[[Any], Any] = load_names(folder, source, ("fit",)).__dict__["fit"]
    return fit


def load_names(
    folder: Path, source: Source, needed: Iterable[str], on_error: Callable[[Exception], object] | None = None
) -> types.ModuleType:
    """A solution, run as the module `solution` of `folder`; raises SolutionError where it has not all of `needed`.

    `on_error` is told what a piece raised, and the next cell of a notebook is run, as Jupyter does it.
    """
    module = types.ModuleType("solution")
    module.__file__ = str(folder / FILENAME)
    sys.modules["solution"] = module
    sys.path.insert(0, str(folder))  # only now: a `random.py` of theirs is for them
    _answer_as_main(module)
    stand_ins.install()
    for code in source.codes:
        try:
            exec(code, module.__dict__)  # noqa: S102 - running the hand-in is what this process is sandboxed in for
        except Exception as error:
            if on_error is None:
                raise
            on_error(error)
    for name in needed:
        if not callable(module.__dict__.get(name)):
            raise not_defined(name, source)
    return module


def _answer_as_main(module: types.ModuleType) -> None:
    """What `python solution.py` pickled as `__main__.Net` is found here, too."""

    def answer(name: str) -> Any:
        if name.startswith("__") or name not in module.__dict__:
            raise AttributeError(f"module '__main__' has no attribute {name!r}")
        return module.__dict__[name]

    sys.modules["__main__"].__dict__["__getattr__"] = answer


def describe_syntax_error(error: SyntaxError) -> str:
    """File, line, the source line and a caret, as Python prints it."""
    return "".join(traceback.format_exception_only(error)).rstrip()


def student_trace(error: BaseException, folder: Path) -> str:
    """The traceback with the student's lines alone: what the grader, Python and torch do between them helps nobody."""
    lines = traceback.format_exception_only(error)
    kept = _own_frames(traceback.extract_tb(error.__traceback__), folder)
    if kept:
        lines = ["Traceback (most recent call last):\n", *traceback.format_list(kept), *lines]
    return "".join(lines).replace(f"{folder}/", "").rstrip()


def place_in(frame: types.FrameType | None, folder: Path) -> tuple[str, str]:
    """Where in the student's code a frame is – `solution.py, line 34, in fit`, or "" – and the lines that led there."""
    kept = _own_frames(traceback.extract_stack(frame), folder)
    return place(kept), "".join(traceback.format_list(kept)).rstrip()


def place_of(error: BaseException, folder: Path) -> str:
    """The innermost line of the student's that an error came through; "" where there is none."""
    return place(_own_frames(traceback.extract_tb(error.__traceback__), folder))


def place(frames: Sequence[traceback.FrameSummary]) -> str:
    """The last of some frames in words."""
    if not frames:
        return ""
    inside = "" if frames[-1].name == "<module>" else f", in {frames[-1].name}"
    return f"{frames[-1].filename}, line {frames[-1].lineno}{inside}"


def _own_frames(frames: Iterable[traceback.FrameSummary], folder: Path) -> list[traceback.FrameSummary]:
    """Those of files that were handed in, by their names beside the solution."""
    kept, own = [], f"{folder}/"
    for frame in frames:
        if frame.filename == FILENAME or _CELL.fullmatch(frame.filename) or frame.filename.startswith(own):
            _ = frame.line  # read before its file has a name that cannot be opened from elsewhere
            frame.filename = frame.filename.removeprefix(own)
            kept.append(frame)
    return kept


def _remember_source(name: str, text: str) -> None:
    """Let tracebacks show the student's source lines: these are not paths that can be opened from everywhere."""
    import linecache

    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
