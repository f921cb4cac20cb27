"""What lies beside a file that is handed in by its name, and belongs to it: what it imports, and the files it opens.

For one's own folder alone. In a class's folder the files beside are those of others.
"""

from __future__ import annotations

import ast
import stat
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from tlcourse.grading.intake.copy import StagedCopy, read_file
from tlcourse.grading.intake.names import is_junk, shown, why_not
from tlcourse.text import counted

_FILES = 100


def take_along(copy: StagedCopy, folder: Path) -> None:
    """Copy beside `folder/solution.py` what it needs of the files beside its origin, and tell that it was copied."""
    here, taken, waiting = copy.origin.parent, set[str](), ["solution.py"]
    room = copy.limits.bytes - (folder / "solution.py").stat().st_size
    while waiting and len(taken) < _FILES:
        name = waiting.pop()
        for wanted in _needs(folder / name, here):
            parts, size = PurePosixPath(wanted).parts, _size(here / wanted)
            if wanted in taken or size is None or (folder / wanted).exists():
                continue
            if len(taken) >= _FILES or len(parts) > copy.limits.depth:
                continue
            if size > room:
                copy.notices.append(f"{shown(wanted)} lies beside it and was not taken along: it is too large.")
                continue
            copy.announce(parts)
            copy.add(parts, read_file(here / wanted))
            room -= size
            taken.add(wanted)
            if wanted.endswith(".py"):
                waiting.append(wanted)
    if taken:
        names = sorted(taken)
        said = shown(", ".join(names[:5])) + (f" and {counted(len(names) - 5, 'further file')}" if names[5:] else "")
        copy.notices.append(
            f"{said} {'lies' if len(names) == 1 else 'lie'} beside {shown(copy.origin.name)} and "
            f"{'was' if len(names) == 1 else 'were'} taken along: hand {'it' if len(names) == 1 else 'them'} in, too."
        )


def imported(folder: Path) -> set[str]:
    """Top-level names that a solution and its own modules import, without those of files that lie beside it."""
    found, seen, waiting = set[str](), {"solution.py"}, ["solution.py"]
    while waiting and len(seen) < _FILES:
        for name in _imports(_tree(folder / waiting.pop())):
            own = [one for one in _module(name, folder) if _size(folder / one) is not None]
            waiting += [one for one in own if one not in seen]
            seen.update(own)
            if not own:
                found.add(name.split(".")[0])
    return found


def _size(path: Path) -> int | None:
    """Bytes of a regular file; None where it is none, or a link."""
    try:
        info = path.lstat()
    except (OSError, ValueError):
        return None
    return info.st_size if stat.S_ISREG(info.st_mode) else None


def _needs(source: Path, here: Path) -> Iterator[str]:
    """Names, below the folder `here`, of the files that a Python file speaks of; it need not be Python."""
    tree = _tree(source)
    for name in _imports(tree):
        yield from _module(name, here)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "." in node.value[:200]:
            name = node.value.removeprefix("./")
            if len(name) <= 200 and not why_not(name) and not name.startswith("solution."):
                yield name


def _tree(source: Path) -> ast.Module:
    try:
        return ast.parse(source.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return ast.Module(body=[], type_ignores=[])


def _imports(tree: ast.Module) -> Iterator[str]:
    """Names of modules that are imported; those without a name before their dot by what is taken from them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from [node.module] if node.module else [alias.name for alias in node.names]


def _module(name: str, here: Path) -> Iterator[str]:
    top = name.split(".")[0]
    if top == "solution":
        return
    yield f"{top}.py"
    package = here / top
    if package.is_dir() and not package.is_symlink():
        for path in sorted(package.rglob("*.py")):
            parts = path.relative_to(here).parts
            if not is_junk(parts):
                yield "/".join(parts)
