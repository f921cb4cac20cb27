"""How a worker's Python is started, from which folders it imports, and in what environment."""

from __future__ import annotations

import functools
import sys
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent
WORKER = "tlcourse.execution.worker.process"
"""The module whose `leave` runs beside student code."""
_SPEAKERS = (
    "sbatch srun salloc sattach sbcast squeue scancel scontrol scrontab sacct sacctmgr sinfo sstat strigger "
    "munge unmunge remunge ssh scp sftp ssh-add ssh-agent"
).split()

# `-I` shuts out PYTHONPATH, the working folder and user sites, so that no file of a hand-in can stand in for a module;
# the folders that are meant follow as arguments.
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
    return [python(), "-I", "-c", bootstrap, str(len(libraries)), *libraries, *arguments]


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
