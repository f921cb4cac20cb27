"""Letting another user reach folders that lie below a home which only its owner may enter. For root.

In a mount namespace of its own the closed folder is covered by an empty open one, in which the wanted folders are shown
where they were. Nothing of it is seen outside, and nothing else of the closed folder inside.
"""

from __future__ import annotations

import ctypes
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn

from tlcourse.sandbox.interpreter import isolated_command

_BIND, _REC, _NOSUID, _NODEV = 4096, 16384, 2, 4


def closed_above(folder: Path) -> Path | None:
    """The topmost folder above `folder` that others may not pass; None where all may."""
    for parent in reversed(folder.parents):
        if not parent.stat().st_mode & 0o001:
            return parent
    return None


def opened(folders: Iterable[Path], unshare: str) -> list[str]:
    """A command prefix, for root, behind which every user can reach `folders`; empty where every user can already.

    `unshare` is the absolute path of that tool.
    """
    closed = {str(folder): str(above) for folder in folders if (above := closed_above(folder)) is not None}
    if not closed:
        return []
    plan = json.dumps({"covers": sorted(set(closed.values())), "folders": sorted(closed)})
    return [
        *(unshare, "-m", "--propagation", "private", "--"),
        *isolated_command("tlcourse.sandbox.bind_mounts", "main", [plan]),
    ]


def main(argv: list[str]) -> NoReturn:
    """`reach PLAN COMMAND…`, as root in a mount namespace of its own: cover, show, and become the command."""
    plan, command = json.loads(argv[0]), argv[1:]
    held = [(folder, os.open(folder, os.O_PATH | os.O_CLOEXEC)) for folder in plan["folders"]]
    for cover in plan["covers"]:
        _mount("none", cover, "tmpfs", _NOSUID | _NODEV, "mode=755,size=1m")
    for folder, descriptor in held:
        Path(folder).mkdir(parents=True, exist_ok=True)
        _mount(f"/proc/self/fd/{descriptor}", folder, None, _BIND | _REC, None)
    os.execv(command[0], command)  # noqa: S606


def _mount(source: str, target: str, kind: str | None, flags: int, data: str | None) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    texts = [None if text is None else os.fsencode(text) for text in (source, target, kind, data)]
    if libc.mount(*texts[:3], ctypes.c_ulong(flags), texts[3]) < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{source} cannot be shown at {target}: {os.strerror(number)}")
