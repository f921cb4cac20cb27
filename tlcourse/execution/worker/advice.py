"""What most likely lies behind an error of a submission, and what to do: a sentence, where the error says neither.

An error decides how a run ended; what is added here is for its author to read, and decides nothing.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

_NETWORK = re.compile(
    r"temporary failure in name resolution|name or service not known|nodename nor servname|no internet connection"
    r"|network is unreachable|urlopen error|max retries exceeded|failed to establish a new connection|getaddrinfo"
    r"|no address associated with hostname|couldn't connect to|cannot connect to"
)
_PIP = re.compile(r"\b(pip3?|conda|mamba|uv|apt(-get)?)\b.*\binstall\b|\bensurepip\b", re.DOTALL)
_NO_DIRECTORY = re.compile(r"parent directory \S+ does not exist|no such file or directory")
_SHARED_MEMORY = re.compile(r"unable to open shared memory|shm_open|torch_shm_manager|/dev/shm")
NO_NETWORK = (
    "A grading has no network: task.pretrained(name) gives pretrained networks – here `tlcourse data get pretrained "
    "NAME` brings their weights once – and other files are to be handed in beside the solution"
)
NO_INSTALLING = "A grading has no network and installs nothing: `tlcourse exercise show` lists the packages that it has"
NO_KEYBOARD = "A grading has no keyboard: write the value into the code, and take breakpoints out"
NO_PROCESSES = (
    "This run was in the landlock sandbox, where processes have no sockets and no named memory in common: use "
    "num_workers=0, and in place of a manager's objects queues, threads or a loop"
)
OWN_FILES = (
    "A grading sees the files that are handed in, by their names beside the solution, and the data in task.train and "
    "task.val; it has no other folders of your machine"
)
READ_ONLY = "Only the working folder can be written to: save under a name without a folder"
NOT_ALLOWED = f"{OWN_FILES}. {READ_ONLY}"
NO_GPU = "Train on task.device, which is not always a GPU, and make tensors in `forward` on the device of its input"


def first_line(error: BaseException) -> str:
    """The first line of what an error says."""
    try:
        return str(error).splitlines()[0][:300]
    except Exception:  # an empty message, or a hostile __str__
        return "(no message)"


def of_exit(error: SystemExit, where: str, place: str) -> str:
    """That the solution ended its process, at which line, and what to do."""
    at = f" ({place})" if place else ""
    fix = (
        "Return the network where `fit` shall end"
        if where == "in fit"
        else 'Put what only `python solution.py` shall do below `if __name__ == "__main__":`'
    )
    return f"the solution called sys.exit({error.code!r:.80}) {where}{at}. {fix}"


def of_error(error: BaseException, folder: Path) -> str:
    """A sentence without its full stop; "" where the error says enough. `folder`: that of the solution."""
    try:
        return next((fix for one in _chain(error) if (fix := _of_one(one, folder))), "")
    except Exception:  # a hostile exception
        return ""


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error, and those that led to it."""
    seen: list[BaseException] = []
    following: BaseException | None = error
    while following is not None and following not in seen and len(seen) < 10:
        seen.append(following)
        yield following
        following = following.__cause__ or following.__context__


def _of_one(error: BaseException, folder: Path) -> str:
    said, kind = str(error)[:4000].lower(), type(error).__name__
    if isinstance(error, ImportError):
        return _of_import(error, said)
    if kind == "BdbQuit" or (isinstance(error, EOFError) and ("reading a line" in said or "breakpoint()" in said)):
        return NO_KEYBOARD
    if kind == "CalledProcessError" and _PIP.search(said):
        return NO_INSTALLING
    if kind in ("URLError", "gaierror") or _NETWORK.search(said):
        return NO_NETWORK
    if _SHARED_MEMORY.search(said) or (isinstance(error, PermissionError) and _is_of_processes(error)):
        return NO_PROCESSES
    if "read-only file system" in said:
        return READ_ONLY
    if isinstance(error, PermissionError) and error.filename:  # it does not say for what the file was opened
        return NOT_ALLOWED
    if isinstance(error, FileNotFoundError) or _NO_DIRECTORY.search(said):
        return _of_missing_file(error, folder)
    if "nvidia driver" in said or "not compiled with cuda" in said or "no cuda gpus" in said:
        return NO_GPU
    if "can't get attribute" in said or "weights only load failed" in said:
        return "Save the weights alone, with torch.save(model.state_dict(), …), and load them into a new network"
    return ""


def _of_import(error: ImportError, said: str) -> str:
    if "attempted relative import" in said:
        return "Import files beside the solution without the dot: `from utils import …`"
    if not isinstance(error, ModuleNotFoundError) or not error.name:
        return ""
    top = error.name.split(".")[0]
    if error.name in ("torch", "torchvision"):
        return f"This needs {top}, which is not installed here: `tlcourse doctor` names the command that installs it"
    if top == "tlcourse":
        return "Of tlcourse a solution has `Task` and `tlcourse.methods`; the rest is not in a grading"
    return (
        f"`tlcourse exercise show` lists the packages that a grading has; if {top} is a file of yours, hand it in "
        "beside the solution"
    )


def _of_missing_file(error: BaseException, folder: Path) -> str:
    named = os.fspath(getattr(error, "filename", None) or "")
    name = Path(named if isinstance(named, str) else os.fsdecode(named)).name
    found = next((path for path in sorted(folder.rglob(name)) if path.is_file()), None) if name else None
    if found is not None:
        return f"It was handed in as {found.relative_to(folder)}: open it by that name"
    return OWN_FILES


def _is_of_processes(error: BaseException) -> bool:
    """Whether it was raised in what Python or torch needs for several processes."""
    trace = error.__traceback__
    while trace is not None:
        if "multiprocessing" in trace.tb_frame.f_code.co_filename:
            return True
        trace = trace.tb_next
    return False
