"""How a Python process of ours is started: the one place that writes such a command.

Who grades stands in folders that students filled. `python -m` and `python -c` import from the folder in which they are
started before anything else: a `numpy.py` there would be run by whoever starts us beside it. Therefore:

- Python gets `-P` (not from the folder of the start) and `-E` (no variable that changes what is imported, or run). The
  folders of PYTHONPATH are taken over by name, because a cluster's modules put torch there; but those that depend on
  where one stands (`.`, an empty or relative entry, this very folder) are not.
- The process imports this copy of tlcourse, not another one that the environment may hold.
- The staff's secret is taken out of the environment before any process is started, and handed to none but our own that
  ask for it.

What trains gives way to all else (`give_way`).

This file is also the program that such a command starts, and imports nothing of ours.
"""

from __future__ import annotations

import os
import sys

PROGRAM = os.path.abspath(__file__)  # noqa: PTH100 - every process of ours would import pathlib for this
SECRET = "TLCOURSE_SECRET"  # noqa: S105 - a name
NICE = 10
"""Of a process that gives way: a tenth of a core beside another one that wants it, all of it on an idle machine."""
SESSION = 5
"""Of a session: a quarter. A key finds the core free enough, and on a busy machine a lab still gets on."""
taken: dict[str, str] = {}
"""What stood in the environment and must not be inherited: name → value."""


def take_secret() -> str:
    """The staff's secret as the environment gave it to us, empty where it did not; from now on it is only here."""
    if SECRET in os.environ:
        taken[SECRET] = os.environ.pop(SECRET)
    return taken.get(SECRET, "")


def own_command(module: str, *arguments: str) -> list[str]:
    """The command line of `python -m MODULE ARGUMENTS`, for a module of this package."""
    return [*_python(), PROGRAM, module, *arguments]


def code_command(code: str) -> list[str]:
    """The command line of `python -c CODE`."""
    return [*_python(), PROGRAM, "-c", code]


def give_way(pid: int, *, session: bool = False) -> None:
    """Let a process that was just started, and what it starts, give way: what trains shall not keep a key waiting.

    Linux weighs sessions first and processes within one only then (`sched_autogroup_enabled`, on in most
    distributions): the nice value of a process means nothing to the terminal's next tab. `session`: the process leads
    one, which shall give way as a whole. Windows knows neither; there nothing changes.
    """
    from contextlib import suppress

    with suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, pid, max(NICE, os.getpriority(os.PRIO_PROCESS, pid)))
    if session:
        with suppress(OSError), open(f"/proc/{pid}/autogroup", "w", encoding="ascii") as file:  # noqa: PTH123
            file.write(str(SESSION))


def leave_working_folder() -> None:
    """Import no longer from what PYTHONPATH says of the folder in which this process was started."""
    if left := set(_entries()) - set(_lasting()):
        try:
            here = os.getcwd()  # noqa: PTH109
        except OSError:  # the folder is gone, and nothing can be imported from it
            return
        dropped = {os.path.join(here, entry) for entry in left}  # noqa: PTH118
        dropped |= {os.path.normpath(entry) for entry in dropped}
        sys.path[:] = [entry for entry in sys.path if entry not in dropped]


def _entries() -> list[str]:
    """What PYTHONPATH names."""
    value = os.environ.get("PYTHONPATH")
    return value.split(os.pathsep) if value and not sys.flags.isolated else []


def _lasting() -> list[str]:
    """What PYTHONPATH names wherever one stands."""
    here = os.path.realpath(os.curdir) if (entries := _entries()) else ""
    return [entry for entry in entries if os.path.isabs(entry) and os.path.realpath(entry) != here]  # noqa: PTH117


def _python() -> list[str]:
    """The interpreter, told what this one was told of warnings, kept bytecode, encodings and the user's packages."""
    flags = sys.flags
    isolated = ["-I"] if flags.isolated else ["-P", "-E", *(["-s"] if flags.no_user_site else [])]
    kept = [*(["-B"] if flags.dont_write_bytecode else []), *(["-X", "utf8"] if flags.utf8_mode else [])]
    return [sys.executable, *isolated, *kept, *(f"-W{said}" for said in sys.warnoptions)]


def _run(module: str, *arguments: str) -> None:
    """What the started process does."""
    from importlib import import_module
    from runpy import run_module

    sys.path[:0] = [entry for entry in _lasting() if entry not in sys.path]
    if module == "-c":
        sys.argv[:] = ["-c", *arguments[1:]]
        exec(compile(arguments[0], "<string>", "exec"), {"__name__": "__main__"})  # noqa: S102 - our own text
        return
    sys.path.insert(0, os.path.dirname(os.path.dirname(PROGRAM)))  # noqa: PTH120
    import_module("tlcourse")  # which imports nothing itself; its modules are found in its own folder from here on
    del sys.path[0]
    sys.argv[1:] = arguments
    run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _run(*sys.argv[1:])
