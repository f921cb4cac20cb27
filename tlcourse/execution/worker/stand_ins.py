"""Packages of notebooks that a grading does without: where they are not installed, what is called in them does nothing.

`drive.mount('/content/drive')`, `display(model)`, `grader.check('q1')`, plots and progress bars are no part of a
solution, and no reason to fail one.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import sys
import types
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

_PACKAGES = ("google.colab", "IPython", "matplotlib", "otter", "seaborn", "tqdm", "wandb")

_EVERYWHERE = ("otter",)
"""Also where they are installed: what these do with a notebook beside a grading is no matter of that grading."""

TOP_LEVEL = {name.split(".")[0] for name in _PACKAGES}


class Nothing:
    """Can be called, entered, indexed and asked for anything, and gives more of itself."""

    def __call__(self, *_: Any, **__: Any) -> Nothing:
        return self

    def __getattr__(self, name: str) -> Nothing:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __getitem__(self, _: Any) -> Nothing:
        return self

    def __enter__(self) -> Nothing:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def __len__(self) -> int:
        return 0

    def __bool__(self) -> bool:
        return False


class Progress:
    """`tqdm` without a bar: what it goes through, and the calls that would change what is shown."""

    def __init__(self, iterable: Any = (), *_: Any, total: Any = None, **__: Any) -> None:
        self._iterable = iterable if iterable is not None else ()
        self.total = total
        self.n = 0

    def __iter__(self) -> Iterator[Any]:
        return iter(self._iterable)

    def __len__(self) -> int:
        return len(self._iterable)

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def __getattr__(self, name: str) -> Nothing:
        if name.startswith("__"):
            raise AttributeError(name)
        return Nothing()

    @staticmethod
    def write(text: Any, *_: Any, **__: Any) -> None:
        """Print a line, as a bar would above itself."""
        sys.stdout.write(f"{text}\n")


def _progress_range(*bounds: int, **_: Any) -> Progress:
    return Progress(range(*bounds))


def _show(*things: Any, **_: Any) -> None:
    for thing in things:
        sys.stdout.write(f"{thing}\n")


def _subplots(rows: int = 1, columns: int = 1, *_: Any, **options: Any) -> tuple[Nothing, Any]:
    """A figure and its axes, which are taken apart by their number."""
    import numpy as np

    axes = np.empty((options.get("nrows", rows), options.get("ncols", columns)), dtype=object)
    axes.fill(Nothing())
    return Nothing(), axes.squeeze() if axes.size > 1 else axes[0, 0]


_KNOWN: dict[str, Any] = {
    "tqdm": Progress,
    "trange": _progress_range,
    "display": _show,
    "get_ipython": lambda: None,
    "subplots": _subplots,
}


class _Module(types.ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _KNOWN.get(name, Nothing())


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Comes last: a package that is installed, or a file beside the solution, goes before; one comes first."""

    def __init__(self, packages: Sequence[str]) -> None:
        self.packages = packages

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        inside = any(fullname == one or fullname.startswith(f"{one}.") for one in self.packages)
        if fullname in _EVERYWHERE and (Path(sys.path[0]) / f"{fullname}.py").is_file():
            return None  # a file beside the solution that happens to be called so
        if inside or (fullname == "google" and "google.colab" in self.packages):
            return importlib.util.spec_from_loader(fullname, self, is_package=True)
        return None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        return _Module(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        if module.__name__ in _PACKAGES:
            why = "has no part in a grading" if module.__name__ in _EVERYWHERE else "is not installed"
            sys.stderr.write(f"Notice: {module.__name__} {why}; what is called in it does nothing here.\n")


def install() -> None:
    """Stand in for those packages from now on."""
    sys.meta_path.insert(0, _Finder(_EVERYWHERE))
    sys.meta_path.append(_Finder(_PACKAGES))
