"""How a Python of ours is started in a sandbox: what it imports from, its command, its environment, who can reach it.

For root, another user may have to reach folders that lie below a home which only its owner may enter. In a mount
namespace of its own the closed folder is then covered by an empty open one, in which the wanted folders are shown where
they were (`opened`). Nothing of it is seen outside, and nothing else of the closed folder inside.
"""

from __future__ import annotations

import functools
import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn

PACKAGE = Path(__file__).resolve().parent.parent
WORKER = "tlcourse.execution.worker.process"
"""The module whose `leave` runs beside student code."""
_SPEAKERS = (
    "sbatch srun salloc sattach sbcast squeue scancel scontrol scrontab sacct sacctmgr sinfo sstat strigger "
    "munge unmunge remunge ssh scp sftp ssh-add ssh-agent"
).split()

# `-I` shuts out PYTHONPATH, the working folder and user sites, so that no file of a hand-in can stand in for a module;
# the folders that are meant follow as arguments. `-B`, since `-I` shuts out the variable of that meaning as well.
_BOOTSTRAP = (
    "import sys; n = int(sys.argv[1]); sys.path += [p for p in sys.argv[2:2+n] if p not in sys.path]; "
    "from {module} import {function}; sys.exit({function}(sys.argv[2+n:]))"
)


def library_folders(own: Path = PACKAGE.parent) -> list[str]:
    """Where Python's packages and this one are imported from, by real paths; `own` is where this package is found.

    By name, not by what `site` lists: a `.pth` file may add the packages of another environment. The other entries of
    the path (a checkout, a working folder) may hold graders or anything else.
    """
    named = [Path(p) for p in sys.path if Path(p).name in ("site-packages", "dist-packages") and Path(p).is_dir()]
    return list(dict.fromkeys(str(path.resolve()) for path in (*named, own)))


def python() -> str:
    """This interpreter by the real path of its folder: by what links lead there cannot be seen in a sandbox.

    Its own name, often a link itself, is kept: from it, Python finds the virtual environment that it belongs to.
    """
    return str(Path(sys.executable).parent.resolve() / Path(sys.executable).name)


def worker_command(arguments: list[str], own: Path = PACKAGE.parent) -> list[str]:
    """The command line of a worker."""
    return isolated_command(WORKER, "leave", arguments, own)


def isolated_command(module: str, function: str, arguments: list[str], own: Path = PACKAGE.parent) -> list[str]:
    """The command line of a Python that calls `function(arguments)` of one of this package's modules.

    `own`: another folder in which this package is found, for a sandbox behind which its usual one cannot be listed.
    """
    libraries = library_folders(own)
    bootstrap = _BOOTSTRAP.format(module=module, function=function)
    return [python(), "-I", "-B", "-c", bootstrap, str(len(libraries)), *libraries, *arguments]


@functools.cache
def hidden_programs() -> list[str]:
    """What lies in /usr/bin and speaks for the user elsewhere: Slurm, munge, ssh. Their sockets are not bound either.

    A link is followed: what it leads to is covered.
    """
    found = (Path(folder, name) for folder in ("/usr/bin", "/usr/local/bin") for name in _SPEAKERS)
    return sorted({str(path.resolve()) for path in found if path.is_file() and Path("/usr") in path.resolve().parents})


def worker_environment(threads: int) -> dict[str, str]:
    """All that the worker's environment holds: an allow-list, nothing inherited."""
    return {
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "HOME": "/tmp",  # noqa: S108 - inside the sandbox, where /tmp is its own
        "USER": "student",
        "TMPDIR": "/tmp",  # noqa: S108
        **thread_environment(threads),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        "PIP_NO_INDEX": "1",  # there is no network: `pip install` says so at once
    }


def thread_environment(threads: int) -> dict[str, str]:
    """The variables that say how many threads libraries start, and that a thread which waits for another one sleeps.

    By default it spins: on a busy machine, where the other one waits for a core, it burnt four times the CPU seconds
    that the same training takes (docs/decisions/280).
    """
    return {
        "OMP_NUM_THREADS": str(threads),
        "MKL_NUM_THREADS": str(threads),
        "OPENBLAS_NUM_THREADS": str(threads),
        "OMP_WAIT_POLICY": "PASSIVE",
        "KMP_BLOCKTIME": "0",
    }


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
        *isolated_command("tlcourse.sandbox.interpreter", "cover_and_show", [plan]),
    ]


def cover_and_show(argv: list[str]) -> NoReturn:
    """`PLAN COMMAND…`, as root in a mount namespace of its own: cover, show, and become the command."""
    plan, command = json.loads(argv[0]), argv[1:]
    held = [(folder, os.open(folder, os.O_PATH | os.O_CLOEXEC)) for folder in plan["folders"]]
    usual = os.umask(0o022)  # what is made here is for every user, whatever root's is
    for cover in plan["covers"]:
        _mount("none", cover, "tmpfs", _NOSUID | _NODEV, "mode=755,size=1m")
    for folder, descriptor in held:
        Path(folder).mkdir(parents=True, exist_ok=True)
        _mount(f"/proc/self/fd/{descriptor}", folder, None, _BIND | _REC, None)
    os.umask(usual)
    os.execv(command[0], command)  # noqa: S606


def _mount(source: str, target: str, kind: str | None, flags: int, data: str | None) -> None:
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    texts = [None if text is None else os.fsencode(text) for text in (source, target, kind, data)]
    if libc.mount(*texts[:3], ctypes.c_ulong(flags), texts[3]) < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{source} cannot be shown at {target}: {os.strerror(number)}")
