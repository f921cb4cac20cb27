"""Packages that a solution may import beside Python's own library, and which of them a machine lacks.

An exercise names a package as `import` does (`sklearn`) or as it is installed, with versions where they matter
(`scikit-learn>=1.4`). This file needs nothing but Python: its text is also run by the Python of a cluster, as a program
whose arguments are such requirements, and which prints what is missing, one a line.
"""

from __future__ import annotations

import importlib.util
import operator
import re
import sys
from collections.abc import Callable, Iterable

_REQUIREMENT = re.compile(r"([A-Za-z0-9_][\w.-]*?) *((?:[<>=!~]=?) *[\w.]+(?: *, *[<>=!~]=? *[\w.]+)*)?")
_CLAUSE = re.compile(r"([<>=!~]=?) *([\w.]+)")
_IMPORTED_AS = {
    "beautifulsoup4": "bs4",
    "opencv-python": "cv2",
    "pillow": "PIL",
    "pyyaml": "yaml",
    "scikit-image": "skimage",
    "scikit-learn": "sklearn",
}
_COMPARED: dict[str, Callable[[tuple[int, ...], tuple[int, ...]], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}


def parsed(requirement: str) -> tuple[str, list[tuple[str, str]]]:
    """`scikit-learn>=1.4,<2` as its name and clauses; raises ValueError for anything else."""
    match = _REQUIREMENT.fullmatch(requirement.strip())
    clauses = [(sign, version) for sign, version in _CLAUSE.findall(match[2] or "")] if match else []
    if match is None or any(sign not in (*_COMPARED, "~=") or not release(version) for sign, version in clauses):
        raise ValueError(f"`{requirement}` is not a package with versions, expected such as scikit-learn>=1.4")
    return match[1], clauses


def imported_as(requirement: str) -> str:
    """The name that `import` uses."""
    name = parsed(requirement)[0]
    if importlib.util.find_spec(name) if name.isidentifier() else None:
        return name
    from importlib import metadata  # here: it takes as long as the smallest of our commands

    for imported, installed in metadata.packages_distributions().items():
        if any(_same(name, one) for one in installed) and not imported.startswith("_"):
            return imported
    return _IMPORTED_AS.get(name.lower().replace("_", "-"), name.replace("-", "_"))


def missing(requirements: Iterable[str]) -> list[str]:
    """Those that are not installed here, or in another version, each in words."""
    return [said for requirement in requirements if (said := _missing(requirement))]


def release(version: str) -> tuple[int, ...]:
    """The numbers of a version, without zeros at its end: 1.4.0rc1 is (1, 4)."""
    match = re.match(r"\d+(?:\.\d+)*", version)
    numbers = [int(part) for part in match[0].split(".")] if match else []
    while len(numbers) > 1 and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def _missing(requirement: str) -> str:
    name, clauses = parsed(requirement)
    have = _version(name)
    if have is None:
        return requirement
    if clauses and have == "":
        return f"{requirement} (its version is not known)"
    if all(_holds(release(have), sign, wanted) for sign, wanted in clauses):
        return ""
    return f"{requirement} ({have} is installed)"


def _version(name: str) -> str | None:
    """The installed version of a package by either of its names; "" where it has none, None where it is not here."""
    from importlib import metadata

    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        pass
    if not name.isidentifier() or importlib.util.find_spec(name) is None:
        return None
    installed = metadata.packages_distributions().get(name)
    return metadata.version(installed[0]) if installed else ""


def _holds(have: tuple[int, ...], sign: str, wanted: str) -> bool:
    if sign == "~=":
        base = tuple(int(part) for part in re.findall(r"\d+", wanted))
        return have >= release(wanted) and have[: len(base) - 1] == base[:-1]
    return _COMPARED[sign](have, release(wanted))


def _same(one: str, other: str) -> bool:
    return re.sub(r"[-_.]+", "-", one).lower() == re.sub(r"[-_.]+", "-", other).lower()


if __name__ == "__main__":
    print(*missing(sys.argv[1:]), sep="\n")
