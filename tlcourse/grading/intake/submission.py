"""Reading what was handed in: copied once, within limits, hashed, and from then on only the copy is used."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Collection, Iterable
from pathlib import Path

from msgspec import Struct

from tlcourse.course.exercise import naming_course
from tlcourse.course.model import Exercise
from tlcourse.errors import SubmissionError
from tlcourse.grading.intake.archive import unpack
from tlcourse.grading.intake.beside import take_along
from tlcourse.grading.intake.copy import SUBMISSION, IntakeLimits, StagedCopy, copy_folder, read_file, unreadable
from tlcourse.grading.intake.names import is_junk, parts_of, shown
from tlcourse.grading.intake.notebook import read_notebook
from tlcourse.sandbox.choose import refuse_windows

SOLUTION, NOTEBOOK = "solution.py", "solution.ipynb"
_NESTED = 2
"""How many ZIPs in one another are opened."""
OTHER_ARCHIVES = {
    **dict.fromkeys((".tar.gz", ".tgz", ".tar", ".tar.xz", ".tar.bz2"), "a tar archive"),
    ".rar": "a RAR archive",
    ".7z": "a 7z archive",
    ".gz": "packed by gzip",
}
"""What is not opened, by the ending of its name, the longest first."""


class Submission(Struct, frozen=True):
    """A hand-in in a folder of our own, with `solution.py` at its top where something is run."""

    origin: Path
    folder: Path
    sha256: str
    notices: list[str] = []


def collect(
    origin: Path,
    into: Path,
    limits: IntakeLimits = SUBMISSION,
    *,
    starter: Path | None = None,
    own: bool = False,
    private: Iterable[tuple[str, Path]] = (),
    about: Exercise | None = None,
) -> Submission:
    """Copy a `.py`, a `.ipynb`, a ZIP, or a folder of these, into the empty folder `into`.

    Raises SubmissionError, and on Windows UnableError.

    Whatever else was handed in beside the solution is kept beside it. The submission's folder is `into`, or the one
    folder in it that everything was wrapped into. `starter`: the file that a solution begins as; unchanged, it gives
    way to a notebook. `own`: what a file that is named needs of those beside it is its author's, and comes along, if it
    has the solution's name and nothing private lies there: this user's own, or of the names and paths `private`.
    `about`: its parts name files that are a hand-in without a solution, such as predictions or a report.
    """
    refuse_windows()
    copy = StagedCopy(origin, into, limits)
    alone = frozenset(name.lower() for name in about.files_alone) if about else frozenset[str]()
    try:
        mode = origin.stat().st_mode
        archive = _lone_archive(origin, alone) if stat.S_ISDIR(mode) else None
    except FileNotFoundError:
        raise SubmissionError(
            f"{shown(origin)}: no such file or folder.",
            cause="the path is misspelt, or the solution is not made yet.",
            remedy=f"tlcourse init {about.id if about else 'EXERCISE'} makes a solution.py to start from.",
        ) from None
    except (OSError, ValueError) as error:
        raise unreadable(origin, error if isinstance(error, OSError) else OSError(0, str(error))) from None
    if archive is not None:
        copy.notices.append(f"{shown(archive)} was taken as the hand-in.")
        unpack(read_file(origin / archive), copy)
    elif stat.S_ISDIR(mode):
        copy_folder(copy)
    elif stat.S_ISREG(mode):
        _take_file(copy, alone)
    else:
        raise SubmissionError(
            f"{shown(origin)} is neither a file nor a folder.", remedy="name a .py, a .ipynb, a ZIP or a folder."
        )
    folder, copy = _found_in(copy, alone)
    _bring(alone, into, folder, copy)
    nothing_is_run = about is not None and not about.is_run
    _settle_solution(folder, copy, starter, origin.parent if own else None, alone, nothing_is_run=nothing_is_run)
    if own and stat.S_ISREG(mode) and _suffix(origin.name) in (".py", ".ipynb"):
        take_along(copy, folder, private)
    return Submission(origin, folder, hash_folder(folder), copy.notices)


def hash_folder(folder: Path) -> str:
    """SHA-256 over the names, lengths and bytes of all files, in sorted order."""
    digest = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        name = os.fsencode(path.relative_to(folder))
        data = path.read_bytes()
        digest.update(len(name).to_bytes(8, "little") + name + len(data).to_bytes(8, "little") + data)
    return digest.hexdigest()


def _lone_archive(folder: Path, alone: Collection[str]) -> str | None:
    """The ZIP of a folder that holds one, and no solution: so files arrive that were handed in over the web.

    Not where a file of `alone` lies beside it, which would be left behind.
    """
    names = [entry.name for entry in os.scandir(folder) if not is_junk((entry.name,))]
    archives = [name for name in names if _suffix(name) == ".zip"]
    if len(archives) != 1 or any(_suffix(name) in (".py", ".ipynb") or name.lower() in alone for name in names):
        return None
    return archives[0] if stat.S_ISREG((folder / archives[0]).lstat().st_mode) else None


def _take_file(copy: StagedCopy, alone: Collection[str]) -> None:
    suffix = _suffix(copy.origin.name)
    if suffix == ".zip" and copy.origin.name.lower() not in alone:
        unpack(read_file(copy.origin), copy)
    elif suffix in (".py", ".ipynb") or copy.origin.name.lower() in alone:
        name = (copy.origin.name if copy.origin.name.lower() in alone else f"solution{suffix}",)
        copy.announce(name)
        copy.add(name, read_file(copy.origin))
    else:
        raise SubmissionError(
            f"{shown(copy.origin)} is neither a .py, nor a .ipynb, nor a ZIP.",
            cause=_what_else(copy.origin.name),
            remedy="name solution.py, solution.ipynb, the folder that holds one of them, or a ZIP of that folder.",
        )


def _unwrapped(folder: Path) -> Path:
    """The folder, or what is in it when that is one folder and nothing else: programs pack a folder so."""
    while True:
        inside = list(folder.iterdir())
        if len(inside) != 1 or not inside[0].is_dir():
            return folder
        folder = inside[0]


def _found_in(copy: StagedCopy, alone: Collection[str]) -> tuple[Path, StagedCopy]:
    """The folder of the solution, and the copy that knows its names.

    It is the top one, the only one below it that holds one, or what a lone ZIP holds.
    """
    folder = copy.into
    for left in range(_NESTED, -1, -1):
        folder = _unwrapped(folder)
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        sources = [path for path in files if _suffix(path.name) in (".py", ".ipynb")]
        if any(path.parent == folder for path in sources):
            return folder, copy
        named = [path for path in sources if path.name.lower() in (SOLUTION, NOTEBOOK)]
        homes = {path.parent for path in named or sources}
        if len(homes) == 1:
            home = homes.pop()
            copy.notices.append(f"The solution lies in the folder {shown(home.relative_to(folder))}.")
            return home, copy
        archives = [path for path in files if _suffix(path.name) == ".zip" and path.name.lower() not in alone]
        if sources or len(archives) != 1 or not left:
            return folder, copy
        copy.notices.append(f"{shown(archives[0].relative_to(folder))} was unpacked: it lay in the hand-in.")
        data = archives[0].read_bytes()
        archives[0].unlink()
        folder = Path(tempfile.mkdtemp(dir=archives[0].parent))
        copy = copy.within(folder)
        unpack([data], copy)
    return folder, copy


def _bring(alone: Collection[str], top: Path, folder: Path, copy: StagedCopy) -> None:
    """Put the files of `alone` beside the solution: a report often lies above the code, or beside a ZIP of it."""
    there = {path.name.lower() for path in folder.iterdir()}
    for path in sorted(top.rglob("*"), key=lambda path: (len(path.parts), path)):
        name = path.name.lower()
        if name in alone and name not in there and path.is_file():
            above = copy.into if path.is_relative_to(copy.into) else top
            copy.notices.append(f"{shown(path.relative_to(above))} was taken along.")
            shutil.copyfile(path, folder / path.name)  # code may open it where it lies
            there.add(name)


def _settle_solution(
    folder: Path,
    copy: StagedCopy,
    starter: Path | None,
    beside: Path | None,
    alone: Collection[str],
    *,
    nothing_is_run: bool,
) -> None:
    """See that `solution.py` is there: as it is, made from `solution.ipynb`, else from the only file of its kind.

    Beside a file of `alone` it may be missing: people mark that file, or it is measured, and a report is not lost
    because its authors forgot their code.
    """
    files = sorted(path.name for path in folder.iterdir() if path.is_file())
    there = {*files, *(path.name for path in beside.glob("*.py"))} if beside else files
    if SOLUTION in files:
        if NOTEBOOK in files and starter is not None and _is_unchanged(folder / SOLUTION, starter):
            _make_solution(folder / NOTEBOOK, copy, there)
            copy.notices.append(f"{NOTEBOOK} was run: {SOLUTION} beside it is the starter as it was.")
            return
        if NOTEBOOK in files:
            copy.notices.append(f"{SOLUTION} was run; {NOTEBOOK} lies beside it and was not looked at.")
        return
    has_other = any(name.lower() in alone for name in files)
    if has_other and nothing_is_run:
        return
    sources = [name for name in files if _suffix(name) in (".ipynb", ".py")]
    own = [name for name in sources if name.lower() not in alone or name.lower() in (SOLUTION, NOTEBOOK)]
    for suffix in (".ipynb", ".py"):
        ours = [name for name in own or sources if _suffix(name) == suffix]
        named = [name for name in ours if name.lower() == f"solution{suffix}"]
        if len(found := named or ours) == 1:
            try:
                _make_solution(folder / found[0], copy, there)
            except SubmissionError as error:
                if not has_other:
                    raise
                copy.notices.append(f"None of its code is run: {error.what} {error.cause}".rstrip())
                return
            if found[0] != f"solution{suffix}":
                copy.notices.append(f"{shown(found[0])} was taken as the solution.")
            return
    why = _why_none(folder, copy)
    if has_other:
        copy.notices.extend([f"None of its code is run: {why}"] if why else [])
        return
    raise SubmissionError(
        f"{shown(copy.origin)} holds no solution.py and no solution.ipynb.",
        cause=why or "another folder was named, or the file has another name.",
        remedy="rename the solution to solution.py, or name its file.",
    )


def _is_unchanged(path: Path, starter: Path) -> bool:
    """Whether a file says what the starter says; white space does not count, nor which folder the course lies in."""
    if not starter.is_file():
        return False
    first, other = (naming_course(one.read_bytes().decode("utf-8", "replace"), None).split() for one in (path, starter))
    return first == other


def _make_solution(path: Path, copy: StagedCopy, beside: Collection[str]) -> None:
    above = path.parent.relative_to(copy.into).parts
    if path.suffix.lower() == ".py":
        copy.rename((*above, path.name), (*above, SOLUTION))
        return
    notebook = read_notebook(path.read_bytes(), copy.origin, beside)
    copy.put((*above, SOLUTION), [notebook.code.encode()])
    copy.notices.extend(notebook.notices)
    for name, text in notebook.files.items():  # at home, too, a cell would have written over what was there
        copy.put((*above, *parts_of(name, copy.origin)), [text.encode()])


def _why_none(folder: Path, copy: StagedCopy) -> str:
    """Why there is no solution; "" where nothing says so."""
    files = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    if sum(_suffix(path.name) in (".py", ".ipynb") for path in files) > 1:
        return "several files could be meant, and none is named so, or more than one is."
    if inner := next((path for path in files if _suffix(path.name) == ".zip"), None):
        return f"it may be in {shown(inner)}: one of several ZIPs, or in too many others, is not opened."
    for path in files:
        if kind := _other_archive(path.name):
            return f"it may be in {shown(path)}, which is {kind} and is not opened."
        if _goes_on(path.name):
            return f"it may be {shown(path)}, whose name goes on after .py or .ipynb."
    return next((notice for notice in copy.notices if "left out" in notice), "")


def _what_else(name: str) -> str:
    if kind := _other_archive(name):
        return f"it is {kind}, which is not opened."
    return "its name goes on after .py or .ipynb." if _goes_on(name) else "another file was named."


def _other_archive(name: str) -> str:
    return next((kind for ending, kind in OTHER_ARCHIVES.items() if name.lower().endswith(ending)), "")


def _goes_on(name: str) -> bool:
    """Whether it is called `solution.py.txt`: Windows shows it as `solution.py`."""
    return name.lower().startswith((f"{SOLUTION}.", f"{NOTEBOOK}."))


def _suffix(name: str) -> str:
    return Path(name).suffix.lower()
