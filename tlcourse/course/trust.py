"""A course is code: its graders run as whoever grades, outside every sandbox. So a person agrees to it, once.

What was agreed to is kept by the course's path, together with those who own its programs: where somebody else has put
programs of their own there since, it is asked again. A course that was begun here (`author new`) is one's own; one
without graders and generators holds no program and is never asked about.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path

import msgspec

from tlcourse import paths
from tlcourse.errors import UnableError, UsageError
from tlcourse.storage import write_atomically
from tlcourse.text import line

_IMPORTED = (".py", ".pyc", ".so", ".pyd")


class _Agreed(msgspec.Struct, frozen=True):
    course: str
    owners: list[str]


def owners(course: Path) -> list[str]:
    """Who owns the programs of a course, and the folders that they lie in; nobody where it holds none.

    A grader imports from folders beside it, too. A folder that cannot be listed may hold programs all the same. Beside
    an exercise.yaml lie programs of ours, such as a generator; its starter runs in sandboxes alone.
    """
    graders = paths.graders_folder(course)
    refused: list[OSError] = []
    users, programs, seen = set[int](), False, set[str]()
    for folder, below, names in os.walk(graders, onerror=refused.append, followlinks=True):
        if (real := os.path.realpath(folder)) in seen:  # a link to a folder above it
            below.clear()
            continue
        seen.add(real)
        found = [name for name in names if name.endswith(_IMPORTED)]
        programs = programs or bool(found)
        for path in (folder, *(os.path.join(folder, name) for name in found)):  # noqa: PTH118
            with contextlib.suppress(OSError):  # a link that leads nowhere
                users.add(os.stat(path).st_uid)  # noqa: PTH116
    for beside in paths.exercises_folder(course).glob("*/*"):
        if beside.name.endswith(_IMPORTED) and beside.name != "starter.py":
            programs = True
            with contextlib.suppress(OSError):
                users |= {beside.stat().st_uid, beside.parent.stat().st_uid}
    programs = programs or any(not isinstance(error, FileNotFoundError | NotADirectoryError) for error in refused)
    if programs:
        for above in (graders.parent, graders):
            with contextlib.suppress(OSError):
                users.add(above.stat().st_uid)
    return sorted(map(_name, users)) if programs else []


def is_agreed(course: Path) -> bool:
    """Whether its programs may run; a course that holds none needs no agreement."""
    if not (found := owners(course)):
        return True
    try:
        kept = msgspec.json.decode(_file(course).read_bytes(), type=_Agreed)
    except (OSError, msgspec.DecodeError):
        return False
    return kept.course == str(_resolved(course)) and set(found) <= set(kept.owners)


def agree(course: Path) -> None:
    """Remember that its programs may run. Raises UnableError where that cannot be written down."""
    file = _file(course)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        kept = _Agreed(str(_resolved(course)), owners(course))
        write_atomically(file, msgspec.json.encode(kept), durable=False)  # lost, it is asked again
    except OSError as error:
        raise UnableError(
            f"{file} cannot be written: {error.strerror}.",
            cause="it is kept there that you agreed to run this course's programs.",
            remedy="add --trust-course, or name another folder for your data: export TLCOURSE_HOME=FOLDER",
        ) from None


def agree_if_kept(course: Path) -> None:
    """The same, of a course that was made just now; where it cannot be written down, it is asked about as any other."""
    with contextlib.suppress(UnableError):
        agree(course)


def question(course: Path) -> str:
    """What a person is told before they agree."""
    named, whose = line(str(_resolved(course))), " and ".join(owners(course))
    return (
        f"{named} is a course with graders of its own, owned by {whose}. A course is code: its graders run as you, "
        "outside every sandbox, and can read and change whatever you can."
    )


def not_agreed(course: Path) -> UsageError:
    """What is said where nobody agreed, and nobody can be asked."""
    return UsageError(
        question(course),
        cause="it was not agreed to yet, or somebody else has put programs there since.",
        remedy="if you trust who wrote it, add --trust-course once, or give the command in a terminal, where you are "
        "asked. In scripts: export TLCOURSE_TRUST_COURSE=1",
    )


def _resolved(course: Path) -> Path:
    return course.expanduser().resolve()


def _file(course: Path) -> Path:
    digest = hashlib.sha256(os.fsencode(_resolved(course))).hexdigest()
    return paths.agreed_folder() / f"{digest[:16]}.json"


def _name(user: int) -> str:
    try:
        import pwd

        return pwd.getpwuid(user).pw_name
    except (ImportError, KeyError):
        return f"user {user}"
