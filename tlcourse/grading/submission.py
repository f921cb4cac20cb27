"""Reading what was handed in: copied once, within caps, hashed, and from then on only the copy is used."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from pathlib import Path

from msgspec import Struct

from tlcourse.errors import SubmissionError

SOLUTION = "solution.py"
MAX_FILES = 200
MAX_BYTES = 100 * 2**20
MAX_DEPTH = 6
_SKIPPED = {".git", ".venv", "venv", "__pycache__", ".ipynb_checkpoints", ".mypy_cache", "node_modules"}


class Submission(Struct, frozen=True):
    """A hand-in in a folder of our own, with `solution.py` at its top."""

    origin: Path
    folder: Path
    sha256: str
    notices: list[str] = []


def collect(origin: Path, into: Path) -> Submission:
    """Copy a `.py`, a `.ipynb` or a folder into the empty folder `into`; raises SubmissionError."""
    try:
        mode = origin.stat().st_mode
    except FileNotFoundError:
        raise SubmissionError(
            f"{origin}: no such file or folder.",
            cause="the path is misspelt, or the solution is not made yet.",
            remedy="tlcourse init EXERCISE makes a solution.py to start from.",
        ) from None
    except OSError as error:
        raise _unreadable(origin, error) from None
    notices: list[str] = []
    if stat.S_ISDIR(mode):
        _copy_folder(origin, into, notices)
        _settle_solution(origin, into, notices)
    elif stat.S_ISREG(mode):
        _take_file(origin, into, notices)
    else:
        raise SubmissionError(f"{origin} is neither a file nor a folder.", remedy="name a .py, .ipynb or a folder.")
    return Submission(origin, into, hash_folder(into), notices)


def _take_file(origin: Path, into: Path, notices: list[str]) -> None:
    suffix = origin.suffix.lower()
    if suffix == ".py":
        (into / SOLUTION).write_bytes(_read(origin))
    elif suffix == ".ipynb":
        source, dropped = notebook_source(_read(origin), origin)
        (into / SOLUTION).write_text(source, encoding="utf-8")
        notices.extend(dropped)
    else:
        raise SubmissionError(
            f"{origin} is neither a .py nor a .ipynb.",
            cause="another file was named.",
            remedy="name solution.py, solution.ipynb, or the folder that holds one of them.",
        )


def _copy_folder(origin: Path, into: Path, notices: list[str]) -> None:
    """Regular files alone: links lead elsewhere, and devices and pipes are no hand-in."""
    files = size = 0
    for current, folders, names in os.walk(origin, followlinks=False):
        folders[:] = sorted(name for name in folders if name not in _SKIPPED)
        relative = Path(current).relative_to(origin)
        if len(relative.parts) > MAX_DEPTH:
            raise SubmissionError(f"{origin}: folders more than {MAX_DEPTH} deep.", remedy="hand in a flat folder.")
        for name in sorted(names):
            path = Path(current, name)
            info = path.lstat()
            if not stat.S_ISREG(info.st_mode):
                notices.append(f"{relative / name} was left out: it is a link or a special file.")
                continue
            files += 1
            size += info.st_size
            if files > MAX_FILES or size > MAX_BYTES:
                raise SubmissionError(
                    f"{origin} holds more than {MAX_FILES} files or {MAX_BYTES >> 20} MB.",
                    cause="data, a virtual environment or checkpoints lie in it.",
                    remedy="name the solution's file, or a folder that holds only what is handed in.",
                )
            target = into / relative / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(_read(path))


def _settle_solution(origin: Path, into: Path, notices: list[str]) -> None:
    """`solution.py`, else `solution.ipynb`, else the only one of its kind."""
    if (into / SOLUTION).is_file():
        return
    for suffix in (".ipynb", ".py"):
        named = into / f"solution{suffix}"
        found = [named] if named.is_file() else sorted(into.glob(f"*{suffix}"))
        if len(found) == 1:
            _take_file(found[0], into, notices)
            if found[0].name != f"solution{suffix}":
                notices.append(f"{found[0].name} was taken as the solution.")
            return
    raise SubmissionError(
        f"{origin} holds no solution.py and no solution.ipynb.",
        cause="another folder was named, or the file has another name.",
        remedy="rename the solution to solution.py, or name its file.",
    )


def notebook_source(data: bytes, origin: Path) -> tuple[str, list[str]]:
    """The code cells of a notebook in order, shell escapes and magics dropped; with a notice for each kind dropped."""
    import nbformat

    try:
        if not isinstance(json.loads(data), dict):
            raise ValueError("not an object")
        notebook = nbformat.reads(data.decode("utf-8"), as_version=4)
        sources = [str(cell.source) for cell in notebook.cells if cell.get("cell_type") == "code"]
    except RecursionError:
        raise SubmissionError(f"{origin} is nested too deeply for a notebook.") from None
    except Exception as error:  # nbformat raises many kinds for malformed notebooks
        raise SubmissionError(
            f"{origin} cannot be read as a notebook ({type(error).__name__}).",
            cause="the file is damaged, or is no notebook.",
            remedy="open and save it in Jupyter, or hand in a solution.py.",
        ) from None
    notices: list[str] = []
    kept = []
    for number, source in enumerate(sources, start=1):
        text, dropped = _without_magics(source)
        if dropped:
            notices.append(f"cell {number}: {dropped} line(s) with shell escapes or magics were dropped.")
        kept.append(f"# cell {number}\n{text}")
    return "\n\n".join(kept) + "\n", notices


def _without_magics(source: str) -> tuple[str, int]:
    """A line becomes a comment of its own, so that line numbers stay true; `pass` keeps an indented block whole."""
    lines = source.splitlines()
    first = next((line.strip() for line in lines if line.strip()), "")
    if first.startswith("%%"):
        return "\n".join(f"# {line}" for line in lines), len(lines)
    dropped = 0
    for i, line in enumerate(lines):
        stripped = line.lstrip()
        if stripped.startswith(("!", "%")):
            lines[i] = line[: len(line) - len(stripped)] + "pass  # dropped: " + stripped
            dropped += 1
    return "\n".join(lines), dropped


def hash_folder(folder: Path) -> str:
    """SHA-256 over the names, lengths and bytes of all files, in sorted order."""
    digest = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        name = os.fsencode(path.relative_to(folder))
        data = path.read_bytes()
        digest.update(len(name).to_bytes(8, "little") + name + len(data).to_bytes(8, "little") + data)
    return digest.hexdigest()


def _read(path: Path) -> bytes:
    """The bytes of a regular file, without following a link and never waiting on a pipe."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(descriptor, "rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise _unreadable(path, error) from None
    if len(data) > MAX_BYTES:
        raise SubmissionError(f"{path} is larger than {MAX_BYTES >> 20} MB.", remedy="hand in the code alone.")
    return data


def _unreadable(path: Path, error: OSError) -> SubmissionError:
    return SubmissionError(
        f"{path} cannot be read: {error.strerror}.", cause="missing permissions.", remedy=f"chmod u+r '{path}'"
    )
