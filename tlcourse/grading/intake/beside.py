"""What lies beside a file that is handed in by its name, and belongs to it: what it imports, and the files it opens.

For one's own folder alone, which has the solution under the name that an exercise gives it. Beside a jane.py lie the
files of others, and beside what is private nothing is taken for a part of a hand-in.
"""

from __future__ import annotations

import ast
import errno
import os
import stat
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path

from tlcourse.errors import SubmissionError
from tlcourse.execution.worker.solution import FILENAME, NOTEBOOK
from tlcourse.grading.gradebook.file import is_gradebook
from tlcourse.grading.intake.copy import StagedCopy, checked_parts, folder_below, not_taken, read_file
from tlcourse.grading.intake.names import is_junk, shown, split, why_not
from tlcourse.sandbox.view import private_in
from tlcourse.text import counted

MAX_SOURCE = 2**20
"""Bytes of a Python file that is looked into: what is larger was not written by hand."""
_FILES = 100
_ENTRIES = 2000  # of a folder that is imported


def take_along(copy: StagedCopy, folder: Path, private: Iterable[tuple[str, Path]] = ()) -> None:
    """Copy beside `folder/solution.py` what it needs of the files beside its origin; tell what was copied, and not.

    `private`: names and paths of what a folder must not hold that anything is taken from, besides this user's own.
    """
    here, tried, waiting = copy.origin.parent, set[str](), [FILENAME]
    why_none = _why_none(copy.origin, private)
    taken: list[str] = []
    left: dict[str, list[str]] = {}
    while waiting and len(tried) < _FILES:
        for wanted in _needs(folder / waiting.pop(), here):
            if wanted in tried or not _is_file(here / wanted) or (folder / wanted).exists():
                continue
            if len(tried) >= _FILES:
                break
            tried.add(wanted)
            if why := why_none or _take(copy, wanted):
                left.setdefault(why, []).append(wanted)
                continue
            taken.append(wanted)
            if wanted.endswith(".py"):
                waiting.append(wanted)
    for why, names in left.items():
        copy.notices.append(f"{_lying(names, copy.origin)} not taken along: {why}.")
    if taken:
        copy.notices.append(f"{_lying(taken, copy.origin)} taken along: hand {'them' if taken[1:] else 'it'} in, too.")


def _why_none(origin: Path, private: Iterable[tuple[str, Path]]) -> str:
    """Why nothing that lies beside a file is its author's; "" where it is."""
    if origin.name.lower() not in (FILENAME, NOTEBOOK):
        return f"only beside a {FILENAME} or {NOTEBOOK} is what it needs taken for its own. Give it that name"
    here = origin.parent
    what = private_in(here, private)
    if not what and (here / "graders").is_dir():
        what = f"A folder of graders, {here / 'graders'}"
    if not what and (book := next((path for path in here.glob("*.sqlite*") if is_gradebook(path)), None)):
        what = f"A gradebook, {book}"
    return f"its folder holds what is private ({shown(what)}). Move it to a folder of its own" if what else ""


def _lying(names: list[str], origin: Path) -> str:
    said = ", ".join(map(shown, sorted(names)[:5]))
    said += f" and {counted(len(names) - 5, 'further file')}" if names[5:] else ""
    return f"{said} {'lie' if names[1:] else 'lies'} beside {shown(origin.name)} and {'were' if names[1:] else 'was'}"


def _take(copy: StagedCopy, wanted: str) -> str:
    """Take one file along; returns why it was not. Never through a link, which may lead to what is not handed in."""
    here, parts = copy.origin.parent, split(wanted)
    try:
        with folder_below(here, parts[:-1]) as folder:
            info = os.stat(parts[-1], dir_fd=folder, follow_symlinks=False)
            if what := not_taken(info, here.stat().st_uid):
                return f"it is {what}"
            if is_gradebook(here / wanted):
                return "it is a gradebook"
            if info.st_size > copy.room:
                return "it is too large"
            copy.put(checked_parts(copy, parts), read_file(here / wanted, parts[-1], folder))
    except SubmissionError as error:
        return error.what.removesuffix(".")
    except OSError as error:
        return "a link leads to it" if error.errno in (errno.ELOOP, errno.ENOTDIR) else f"{error.strerror}"
    return ""


def imported(folder: Path) -> set[str]:
    """Top-level names that a solution and its own modules import, without those of files that lie beside it."""
    found, seen, waiting = set[str](), {FILENAME}, [FILENAME]
    while waiting and len(seen) < _FILES:
        for top in _imports(_tree(folder / waiting.pop())):
            own = [one for one in _module(top, folder) if _is_file(folder / one)]
            waiting += [one for one in own if one not in seen]
            seen.update(own)
            if not own:
                found.add(top)
    return found


def _is_file(path: Path) -> bool:
    """Whether a file is there, or a link to one."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except (OSError, ValueError):
        return False


def _needs(source: Path, here: Path) -> Iterator[str]:
    """Names, below the folder `here`, of the files that a Python file speaks of; it need not be Python."""
    tree = _tree(source)
    for top in _imports(tree):
        yield from _module(top, here)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _could_name(node.value):
            parts = split(node.value)
            if not is_junk(parts) and not parts[0].startswith("solution."):
                yield "/".join(parts)


def _could_name(text: str) -> bool:
    return len(text) <= 200 and "." in text and not why_not(text)


def _tree(source: Path) -> ast.Module:
    nothing = ast.Module(body=[], type_ignores=[])
    try:
        with source.open("rb") as stream:
            text = stream.read(MAX_SOURCE + 1)
        with warnings.catch_warnings(action="ignore"):  # of the author's strings: they are told when they run it
            return ast.parse(text) if len(text) <= MAX_SOURCE else nothing
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return nothing


def _imports(tree: ast.Module) -> Iterable[str]:
    """Top-level names of what is imported; without a name before the dot, of what is taken from there."""
    found: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found += [node.module] if node.module else [alias.name for alias in node.names]
    return dict.fromkeys(name.split(".")[0] for name in found)


def _module(top: str, here: Path) -> Iterator[str]:
    """Names of the Python files that a module may be made of: its own, and those of its folder as far as one looks."""
    if top == "solution":
        return
    yield f"{top}.py"
    if (here / top).is_symlink():
        return
    seen = files = 0
    for current, folders, names in os.walk(here / top):
        above = Path(current).relative_to(here).parts
        folders[:] = sorted(name for name in folders if not is_junk((*above, name)))
        for name in sorted(names):
            if name.endswith(".py") and not is_junk((*above, name)):
                files += 1
                yield "/".join((*above, name))
        seen += len(folders) + len(names)
        if files >= _FILES or seen >= _ENTRIES:
            return
