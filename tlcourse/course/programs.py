"""Programs of a course, graders and generators, as modules; and the data files that they are given.

A grader imports files beside it, and those of its exercise, by a dot: `from . import shared` is `graders/shared.py` or
`exercises/NAME/shared.py`. Each is loaded as a package of its own, so files of the same name in two courses never meet,
none takes the place of an installed package, and the folder in which tlcourse was started is not looked into.
"""

from __future__ import annotations

import importlib.util
import inspect
import itertools
import sys
from collections.abc import Callable
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, NamedTuple

_numbers = itertools.count(1)


class _FromSource(SourceFileLoader):
    """Compiles what stands in the file now: Python's cache misses a change of one second that keeps the size."""

    def get_code(self, fullname: str) -> CodeType:
        """The code of the file."""
        return self.source_to_code(self.get_data(self.path), self.path)


class DataFolders(NamedTuple):
    """Files of an exercise: what `make(sizes, seed, variant, data)` of a grader is given last."""

    public: Path | None
    """`exercises/NAME/data`, which students have; None where there is no such folder."""
    hidden: Path | None
    """`graders/NAME/data`, which the staff alone have; None in a copy for students."""


def load(path: Path, *beside: Path) -> ModuleType:
    """The program `path`, which may import from its folder and from the folders `beside`, in this order.

    Raises ImportError, and whatever the program raises.
    """
    package = ModuleType(f"tlcourse_course_{next(_numbers)}")
    package.__path__ = [str(path.parent), *map(str, beside)]
    name = f"{package.__name__}.{path.stem.replace('.', '_')}"
    if path.suffix != ".py":
        raise ImportError(f"{path.name} is not a Python file")
    loader = _FromSource(name, str(path))
    spec = importlib.util.spec_from_file_location(name, path, loader=loader)
    assert spec is not None  # there is a loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[package.__name__] = package
    sys.modules[name] = module
    try:
        loader.exec_module(module)
    except ModuleNotFoundError as error:
        if error.name and any((folder / f"{error.name}.py").is_file() for folder in (path.parent, *beside)):
            raise ImportError(f"{error.name}.py lies beside it: write `from . import {error.name}`") from error
        raise
    return module


def sources(module: ModuleType) -> list[Path]:
    """The files that a loaded program consists of: its own first, then what it imported by a dot, by name."""
    package = module.__name__.rpartition(".")[0] + "."
    files = (getattr(one, "__file__", None) for name, one in sorted(sys.modules.items()) if name.startswith(package))
    own = Path(str(module.__file__))
    return [own, *(path for file in files if file and (path := Path(file)) != own)]


def sha256_of(module: ModuleType) -> str:
    """The hash of a program; of one that imported files beside it, of all of them."""
    import hashlib  # OpenSSL: what shows a course needs none

    first, *others = (path.read_bytes() for path in sources(module))
    digest = hashlib.sha256(first)
    for data in others:
        digest.update(hashlib.sha256(data).digest())
    return digest.hexdigest()


def call(function: Callable[..., Any], *arguments: Any) -> Any:
    """What a function of a program gives; one that takes no data folders, the last argument, is called without."""
    if arguments and isinstance(arguments[-1], DataFolders):
        try:
            inspect.signature(function).bind(*arguments)
        except (TypeError, ValueError):
            arguments = arguments[:-1]
    return function(*arguments)


def files_in(folder: Path | None) -> dict[str, Path]:
    """The files of a data folder by their path in it, sorted; none that is hidden, compiled or a link out of it."""
    if folder is None:
        return {}
    inside = folder.resolve()
    found = {path.relative_to(folder): path for path in folder.rglob("*") if path.is_file()}
    return {
        name.as_posix(): path
        for name, path in sorted(found.items())
        if path.resolve().is_relative_to(inside)
        and not any(part.startswith(".") or part == "__pycache__" for part in name.parts)
    }


def sha256_of_files(folder: Path | None) -> str:
    """The hash of a data folder: names and contents; "" where there is none."""
    if folder is None:
        return ""
    import hashlib

    digest = hashlib.sha256()
    for name, path in files_in(folder).items():
        with path.open("rb") as stream:
            content = hashlib.file_digest(stream, "sha256").hexdigest()
        digest.update(f"{name}\0{content}\n".encode(errors="surrogateescape"))
    return digest.hexdigest()
