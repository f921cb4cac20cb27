"""How a worker's Python is started, and which folders it needs to see."""

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
    """Where Python's packages and this one are imported from; `own` is the folder that this package is found in.

    By name, not by what `site` lists: a `.pth` file may add the packages of another environment. The other entries of
    the path (a checkout, a working folder) may hold graders or anything else.
    """
    named = [p for p in sys.path if Path(p).name in ("site-packages", "dist-packages") and Path(p).is_dir()]
    return [*named, str(own)]


def worker_command(arguments: list[str], own: Path = PACKAGE.parent) -> list[str]:
    """The command line of a worker."""
    return isolated_command(WORKER, "leave", arguments, own)


def isolated_command(module: str, function: str, arguments: list[str], own: Path = PACKAGE.parent) -> list[str]:
    """The command line of a Python that calls `function(arguments)` of one of this package's modules.

    `own`: another folder in which this package is found, for a sandbox behind which its usual one cannot be listed.
    """
    libraries = library_folders(own)
    bootstrap = _BOOTSTRAP.format(module=module, function=function)
    return [sys.executable, "-I", "-c", bootstrap, str(len(libraries)), *libraries, *arguments]


def visible_folders() -> list[Path]:
    """What must be bound, read-only, for the worker to start: interpreter, environment, packages, this package.

    The checkout's root is not among them: graders lie there.
    """
    wanted = [Path(sys.base_prefix), Path(sys.prefix)]
    wanted += [Path(folder) for folder in library_folders() if Path(folder) != PACKAGE.parent]
    wanted.append(PACKAGE)
    kept: list[Path] = []
    for folder in wanted:
        inside = any(folder == other or other in folder.parents for other in kept)
        if not inside and Path("/usr") not in (folder, *folder.parents):
            kept.append(folder)
    return kept


def hidden_folders() -> list[Path]:
    """What lies in a visible folder and must not be seen: the graders that a wheel carries."""
    graders = PACKAGE / "_bundled" / "graders"
    return [graders] if graders.is_dir() else []


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
        "OMP_NUM_THREADS": str(threads),
        "MKL_NUM_THREADS": str(threads),
        "OPENBLAS_NUM_THREADS": str(threads),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
