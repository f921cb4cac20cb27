"""The copy of a course that students get: what travels, and the proof that it holds nothing of the hidden side."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec import Struct

from tlcourse import paths
from tlcourse.course.author import write_starter_notebooks
from tlcourse.course.loader import load_course
from tlcourse.errors import UsageError
from tlcourse.storage import sha256_of_file

FOLDERS = ("lessons", "quizzes", "exercises", "write", "labs", "images", "figures", "pictures", "assets")
"""Of a course, what students get whole."""
_FILES = ("course.yaml", "coverage.yaml")
_TEXTS = (".md", ".txt")
_LARGEST = 1 << 28
_ITEM = 16
"""Bytes of an item below which two are the same by chance."""
_BY_CHANCE = 0.01


class HandedOut(Struct, frozen=True):
    """What was written, by its path in the copy, and what of the course's folder students do not get."""

    written: list[str]
    left_out: list[str]


def travelling(folder: Path) -> dict[str, Path]:
    """The files of a course that students get, by their path in it, sorted: nothing of another person's, or hidden."""
    found = [
        path for path in folder.iterdir() if path.name in _FILES or path.suffix in _TEXTS or "LICENSE" in path.name
    ]
    found += [path for name in FOLDERS for path in (folder / name).rglob("*")]
    found += (folder / "graders").glob("*.py")
    inside = folder.resolve()
    files = {path.relative_to(folder): path for path in found if path.is_file()}
    return {
        name.as_posix(): path
        for name, path in sorted(files.items())
        if path.resolve().is_relative_to(inside)
        and not any(part.startswith(".") or part == "__pycache__" for part in name.parts)
        and not (name.parts[0] == "exercises" and name.stem == "solution")
    }


def hand_out(folder: Path, into: Path) -> HandedOut:
    """Write the students' copy of the course in `folder` into `into`, which is made or empty; with notebooks.

    Raises UsageError where that folder holds something or lies in the course, ContentError for a course with mistakes.
    """
    folder, into = folder.expanduser().resolve(), into.expanduser().resolve()
    load_course(folder)
    if into.is_relative_to(folder) or (into.exists() and (not into.is_dir() or any(into.iterdir()))):
        raise UsageError(
            f"{into} holds something already, or lies in the course; it was left as it is.",
            remedy="name a folder that does not exist yet: tlcourse author hand-out DIR OUT",
        )
    files = travelling(folder)
    for name, path in files.items():
        (into / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, into / name)
    write_starter_notebooks(load_course(into))
    written = sorted(path.relative_to(into).as_posix() for path in into.rglob("*") if path.is_file())
    tops = {Path(name).parts[0] for name in files}
    left = sorted(path.name for path in folder.iterdir() if path.name not in tops)
    left += sorted(
        f"graders/{path.name}" for path in (folder / "graders").glob("*") if f"graders/{path.name}" not in files
    )
    return HandedOut(written, [name for name in left if "__pycache__" not in name])


def leaks(folder: Path, files: Mapping[str, Path]) -> Iterator[str]:
    """What of the hidden side of the course in `folder` is in `files`, by their path in a copy; each in words."""
    hidden = _hidden(folder)
    digests = {sha256_of_file(path): name for name, path in hidden.items() if path.stat().st_size}
    programs = {
        name: text for name, path in hidden.items() if path.suffix == ".py" and (text := path.read_bytes().strip())
    }
    secret = paths.secret_file()
    secrets = [secret.read_bytes().strip()] if secret.is_file() else []
    for name, path in files.items():
        if _is_staffs(name):
            yield f"{name} is the staff's, expected that it stays with them"
        elif (same := digests.get(sha256_of_file(path))) is not None:
            yield f"{name} is the same file as {same}"
        elif path.stat().st_size <= _LARGEST:
            data = path.read_bytes()
            for inner, text in programs.items():
                if text in data:
                    yield f"{name} holds the whole of {inner}"
            if any(one and one in data for one in secrets):
                yield f"{name} holds your secret, from which hidden data are drawn"
    yield from _items_in_both(hidden, files)


def _hidden(folder: Path) -> dict[str, Path]:
    graders = folder / "graders"
    roots = [graders / "references", graders / "wrong", graders / "write", *graders.glob("*/data")]
    found = [path for root in roots for path in root.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    return {path.relative_to(folder).as_posix(): path for path in sorted(found)}


def _is_staffs(name: str) -> bool:
    parts = Path(name).parts
    deep = parts[0] == "graders" and len(parts) > 2
    return deep or ".sqlite" in parts[-1] or parts[-1] == paths.secret_file().name


def _items_in_both(hidden: Mapping[str, Path], files: Mapping[str, Path]) -> Iterator[str]:
    """Items of hidden data that lie in public files as well, more than chance explains: pictures, rows, lines."""
    public = {name: _items(path) for name, path in files.items() if Path(name).parts[0] != "graders"}
    for name, path in hidden.items():
        if not (items := _items(path)):
            continue
        for other, there in public.items():
            if (both := len(items & there)) > _BY_CHANCE * len(items):
                yield f"{other} holds {both} of {len(items)} different items of {name}"


def _items(path: Path) -> set[bytes]:
    """The items of a data file, hashed: rows of arrays, lines of a table. None where it is of another kind."""
    import numpy as np

    if path.stat().st_size > _LARGEST:
        return set()
    if path.suffix in (".csv", ".tsv", ".txt", ".jsonl"):
        lines = [line.strip() for line in path.read_bytes().splitlines()[1:]]
        return {hashlib.sha256(line).digest() for line in lines if len(line) >= _ITEM}
    if path.suffix not in (".npy", ".npz"):
        return set()
    try:
        loaded = np.load(path, allow_pickle=False)
        arrays = [loaded] if isinstance(loaded, np.ndarray) else [loaded[name] for name in loaded.files]
    except (OSError, ValueError, EOFError):
        return set()
    rows = [row for array in arrays if array.ndim for row in array if row.nbytes >= _ITEM]
    return {hashlib.sha256(np.ascontiguousarray(row).tobytes()).digest() for row in rows}
