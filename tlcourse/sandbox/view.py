"""What a run sees of this machine's files: Python, its packages, the worker – and that nothing private lies there.

Everything is compared by real paths: a link, or a second name of a folder, shows what it leads to. Of this package a
run sees what its worker imports and the lecture's methods; every copy of the package below a folder that is shown, the
running one included, is covered otherwise.
"""

from __future__ import annotations

import contextlib
import functools
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from tlcourse.errors import UnableError
from tlcourse.paths import gradebook_file, secret_file
from tlcourse.sandbox.interpreter import PACKAGE, library_folders

WORKER_FILES = (
    *("__init__.py", "text.py", "course/__init__.py", "course/spec.py"),
    *(
        "execution/__init__.py",
        "execution/answers.py",
        "execution/arrays.py",
        "execution/events.py",
        "execution/items.py",
        "execution/worker",
    ),
    *("methods", "content/weights"),
)
"""All that a run sees of this package: what its worker imports, and what a solution may."""
_SYSTEM = Path("/usr")
_NOT_FOR_RUNS = ("src", "local/src")
"""Of the system: where containers and administrators put programs of their own, with whatever lies beside them."""
_OTHER_ENVIRONMENTS = ("envs", "pkgs")
"""Of a conda installation."""
_OF_A_COPY = ("__init__.py", "_bundled")
_BESIDE_A_CHECKOUT = ("graders", ".git", "tests")
_SITES = ("site-packages", "dist-packages")
_NO_PACKAGES = frozenset("__pycache__ include doc man locale zoneinfo icons fonts perl perl5 firmware modules".split())
"""Folders in which no environment lies; they are most of a system's."""


class View(Struct, frozen=True):
    """What is shown read-only, and what of it is covered by an empty folder."""

    mounts: tuple[tuple[str, bool], ...]
    """Real paths, outer ones first, and whether each is shown (else covered)."""
    links: Mapping[str, str]
    """Names by which Python knows a folder whose real path is another, and that path."""

    def holder(self, path: Path) -> str:
        """The shown folder in which the real `path` can be read; empty where it cannot."""
        found = ""
        for one, shown in self.mounts:
            if path == Path(one) or Path(one) in path.parents:
                found = one if shown else ""
        return found

    def folders(self) -> list[Path]:
        """What must be reachable on this machine for the rest to be shown."""
        outer: list[Path] = []
        for one, shown in self.mounts:
            if shown and not any(Path(one).is_relative_to(other) for other in (*outer, PACKAGE, _SYSTEM)):
                outer.append(Path(one))
        return [*outer, PACKAGE]


@functools.cache
def machine_view() -> View:
    """That of this interpreter; found once a process, in a tenth of a second."""
    return view_of([Path(sys.base_prefix), Path(sys.prefix)], [Path(one) for one in library_folders()], PACKAGE)


def view_of(prefixes: Sequence[Path], libraries: Sequence[Path], package: Path, system: Path = _SYSTEM) -> View:
    """The view of an interpreter installed at `prefixes`, with packages in `libraries`; `package` is this one.

    The folder that holds `package` is not shown: it may be a checkout, with graders beside it.
    """
    own = package.resolve()
    roots = [system.resolve(), *(one.resolve() for one in (*prefixes, *libraries) if one.resolve() != own.parent)]
    state = dict.fromkeys(_covered(roots, system.resolve()), False) | {own: False}
    state |= dict.fromkeys(roots, True)
    state |= {own / name: True for name in WORKER_FILES}
    mounts: list[tuple[str, bool]] = []
    for path in sorted(state, key=lambda one: (len(one.parts), one)):
        if state[path] != bool(View(tuple(mounts), {}).holder(path)):
            mounts.append((str(path), state[path]))
    return View(tuple(mounts), _links(View(tuple(mounts), {}), [*prefixes, *_hops(Path(sys.executable))]))


def _covered(roots: Iterable[Path], system: Path) -> Iterator[Path]:
    skipped = {system / name for name in _NOT_FOR_RUNS}
    skipped |= {root / name for root in roots if (root / "conda-meta").is_dir() for name in _OTHER_ENVIRONMENTS}
    yield from (folder for folder in skipped if folder.is_dir())
    for root in roots:
        for copy in _copies(root, skipped - {root}):
            yield copy
            if copy.parent.name not in _SITES:
                yield from (folder for name in _BESIDE_A_CHECKOUT if (folder := copy.parent / name).is_dir())


def _copies(root: Path, skipped: set[Path]) -> Iterator[Path]:
    """Folders below `root` that hold a copy of this package, by their real paths."""
    folders = [str(root)]
    while folders:
        current = folders.pop()
        try:
            entries = os.scandir(current)
        except OSError:
            continue
        if os.path.basename(current) in _SITES:  # noqa: PTH119
            entries.close()
            if (copy := Path(current, PACKAGE.name)).is_dir():  # or what an editable install leaves there: graders
                yield copy.resolve()
            continue
        with entries:
            for entry in entries:
                if entry.name in _NO_PACKAGES or not entry.is_dir(follow_symlinks=False):
                    continue
                if entry.name == PACKAGE.name and any(Path(entry.path, one).exists() for one in _OF_A_COPY):
                    yield Path(entry.path)
                elif Path(entry.path) not in skipped:
                    folders.append(entry.path)


def _hops(executable: Path) -> Iterator[Path]:
    """The folders that the chain of links from a virtual environment's Python to the real one leads through."""
    for _ in range(10):
        yield executable.parent
        if not executable.is_symlink():
            return
        executable = executable.parent / executable.readlink()


def _links(view: View, names: Iterable[Path]) -> dict[str, str]:
    links: dict[str, str] = {}
    for named in sorted({Path(os.path.normpath(one)) for one in names}, key=lambda one: len(one.parts)):
        known = view.holder(named) or any(Path(one) in named.parents for one in links)
        if not known and (real := named.resolve()) != named:
            links[str(named)] = str(real)
    return links


def refuse_what_is_private(private: Iterable[tuple[str, Path]] = ()) -> None:
    """Raises UnableError where something private can be read by a run, and says which and in what folder it lies.

    `private` are names and paths besides those of this user: their home, their secret, their gradebook.
    """
    for what, path in (*_own(), *private):
        if folder := machine_view().holder(path.resolve()):
            raise UnableError(
                f"{what}, {path}, lies in {folder}, which every submission can read.",
                cause="Python's environment was made around it, or it was put into a folder of the system.",
                remedy="move it elsewhere, or make the environment in a folder of its own "
                "(python3 -m venv .venv) – for your own code alone, --sandbox none also does.",
            )


def private_in(folder: Path, private: Iterable[tuple[str, Path]] = ()) -> str:
    """What private thing lies in a folder, at any depth, or has the folder in it, with its path; "" where none does.

    `private` as in `refuse_what_is_private`. What lies in one's home folder is not private for that.
    """
    real = folder.resolve()
    for what, path in _own():
        if path.resolve().is_relative_to(real):
            return f"{what}, {path}"
    for what, path in private:
        if path.resolve().is_relative_to(real) or real.is_relative_to(path.resolve()):
            return f"{what}, {path}"
    return ""


def _own() -> Iterator[tuple[str, Path]]:
    try:
        home = Path.home()
        if home.stat().st_uid == os.geteuid():  # a service's user may have /usr/sbin for a home
            yield "Your home folder", home
    except (OSError, RuntimeError):
        pass
    for what, path in (("The secret", secret_file()), ("The gradebook", gradebook_file())):
        with contextlib.suppress(OSError):  # what this user cannot reach is none of theirs
            if path.exists():
                yield what, path
