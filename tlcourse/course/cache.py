"""A course that was read and found sound, kept as bytes: reading its YAML takes longer than many a command.

Nothing depends on it: without it, or after any change of a file's time or size, the course is read from its files.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from tlcourse import paths
from tlcourse.course.model import LoadedCourse
from tlcourse.quiz import kinds
from tlcourse.storage import write_atomically

_CODE = (Path(__file__).resolve().parent, Path(kinds.__file__).resolve().parent)
"""What reads a course, and what a question is made of."""


def stamp(folders: Iterable[Path]) -> str:
    """Changes when a file of the course does, or the code that reads it."""
    digest = hashlib.sha256()
    for folder in (*_CODE, *folders):
        for path, info in _files(str(folder)):
            digest.update(f"{path}\0{info.st_mtime_ns}\0{info.st_size}\n".encode(errors="surrogateescape"))
    return digest.hexdigest()


def _files(folder: str) -> Iterator[tuple[str, os.stat_result]]:
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            if entry.name.startswith((".", "__pycache__")):
                continue
            if entry.is_dir():
                yield from _files(entry.path)
            else:
                yield entry.path, entry.stat()


def recall(content: Path, wanted: str) -> LoadedCourse | None:
    """The course kept under that stamp, or None."""
    try:
        data = _file(content).read_bytes()
        if data[:64].decode("ascii") != wanted:
            return None
        return msgspec.msgpack.decode(data[64:], type=LoadedCourse, dec_hook=_from_text)
    except (OSError, ValueError, msgspec.DecodeError):
        return None


def keep(content: Path, course: LoadedCourse, wanted: str) -> None:
    """Keep a course; a folder that cannot be written to is no error."""
    path = _file(content)
    data = wanted.encode("ascii") + msgspec.msgpack.encode(course, enc_hook=str)
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, data, durable=False)


def _file(content: Path) -> Path:
    name = "course-" + hashlib.sha256(os.fsencode(content)).hexdigest()[:16]
    return paths.cache_folder() / name
    import platformdirs

    return Path(platformdirs.user_cache_dir("tlcourse", appauthor=False), name)


def _from_text(kind: type, value: Any) -> Any:
    return kind(value)
