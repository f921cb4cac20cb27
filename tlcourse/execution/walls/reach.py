"""Letting another user reach folders that lie below a home which only its owner may enter. For root.

In a mount namespace of its own the closed folder is covered by an empty open one, in which the wanted folders are shown
where they were. Nothing of it is seen outside, and nothing else of the closed folder inside.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

# Runs as root: pairs of (folder, staging folder), `--`, the closed folders, `--`, then what to become.
_SCRIPT = """
n=0
while [ "$1" != -- ]; do
    mount --bind "$1" "$2" || exit 125
    n=$((n + 1)); eval "folder$n=\\$1 stage$n=\\$2"; shift 2
done
shift
while [ "$1" != -- ]; do mount -t tmpfs -o mode=755,size=1m none "$1" || exit 125; shift; done
shift
i=1
while [ $i -le $n ]; do
    eval "folder=\\$folder$i stage=\\$stage$i"
    mkdir -p "$folder" && mount --bind "$stage" "$folder" || exit 125
    i=$((i + 1))
done
exec "$@"
"""


def closed_above(folder: Path) -> Path | None:
    """The topmost folder above `folder` that others may not pass; None where all may."""
    for parent in reversed(folder.parents):
        if not parent.stat().st_mode & 0o001:
            return parent
    return None


def opened(folders: Iterable[Path], base: Path, unshare: str) -> list[str]:
    """A command prefix, for root, behind which every user can reach `folders`; empty where every user can already.

    `base` is an empty folder to stage them in; `unshare` the absolute path of that tool.
    """
    closed = {folder: above for folder in folders if (above := closed_above(folder)) is not None}
    if not closed:
        return []
    pairs: list[str] = []
    for number, folder in enumerate(closed):
        point = base / f"reach-{number}"
        point.mkdir()
        pairs += [str(folder), str(point)]
    covers = sorted({str(above) for above in closed.values()})
    return [
        unshare,
        "-m",
        "--propagation",
        "private",
        "--",
        "/bin/sh",
        "-c",
        _SCRIPT,
        "sh",
        *pairs,
        "--",
        *covers,
        "--",
    ]
