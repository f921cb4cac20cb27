"""What was read of a course and found sound, kept as bytes: reading YAML takes longer than many a command.

Nothing depends on it: without it, or after any change of a file's time or size, the files are read.
"""

from __future__ import annotations

import contextlib
import os
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from tlcourse import paths
from tlcourse.quiz import kinds
from tlcourse.storage import write_atomically

T = TypeVar("T")
_CODE = (Path(__file__).resolve().parent, Path(kinds.__file__).resolve().parent)
"""What reads a course, and what a question is made of."""


def kept(
    name: str,
    kind: type[T],
    content: Path,
    folders: Iterable[Path],
    read: Callable[[], T],
    *,
    given: Iterable[str] = (),
) -> T:
    """What `read` gives for the course in `content`: as kept under this name, while nothing in `folders` has changed.

    `given`: what it depends on besides. What `read` raises is raised, and nothing kept then.
    """
    path = paths.cache_folder() / f"{name}-{zlib.crc32(os.fsencode(content)):08x}"  # the stamp names the folder, too
    stamp = _stamp(folders, given)
    try:
        data = path.read_bytes()
        if data.startswith(stamp):
            return msgspec.msgpack.decode(memoryview(data)[len(stamp) :], type=kind, dec_hook=_from_text)
    except (OSError, ValueError, msgspec.DecodeError):
        pass
    made = read()
    with contextlib.suppress(OSError):  # a folder that cannot be written to is not an error
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, stamp + msgspec.msgpack.encode(made, enc_hook=str), durable=False)
    return made


def _stamp(folders: Iterable[Path], given: Iterable[str]) -> bytes:
    """Every file there and of the code that reads it, with its time and size: changes when one of them does."""
    lines = [f"{one}\n".encode() for one in given]
    lines += [
        f"{path}\0{info.st_mtime_ns}\0{info.st_size}\n".encode(errors="surrogateescape")
        for folder in (*_CODE, *folders)
        for path, info in _files(str(folder))
    ]
    return b"".join(lines) + b"\n"


def _files(folder: str) -> Iterator[tuple[str, os.stat_result]]:
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            if entry.name.startswith((".", "__pycache__")):
                continue
            if entry.is_dir():
                yield from _files(entry.path)
            else:
                yield entry.path, entry.stat()


def _from_text(kind: type, value: Any) -> Any:
    return kind(value)
