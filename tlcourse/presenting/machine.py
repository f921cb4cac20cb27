"""What this machine can do for the course: each thing is tried, not guessed."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from tlcourse import paths
from tlcourse.course.model import LoadedCourse
from tlcourse.course.packages import missing as missing_packages
from tlcourse.data.real import sets
from tlcourse.errors import TlcourseError
from tlcourse.execution.speed import kept
from tlcourse.own_process import code_command
from tlcourse.sandbox import cgroup
from tlcourse.sandbox.choose import findings as sandboxes
from tlcourse.torch_install import PUBLISHED, command, fitting_command, has_nvidia, missing

# In a process of its own: importing torch takes seconds and memory, and may fail in ways that end a process.
_TORCH = (
    "import json, torch, torchvision\n"
    "cuda = torch.cuda.is_available()\n"
    "print(json.dumps({'torch': torch.__version__, 'torchvision': torchvision.__version__, 'cuda': cuda,\n"
    "  'name': torch.cuda.get_device_name() if cuda else '', 'mps': torch.backends.mps.is_available()}))"
)
_TORCH_TIMEOUT_S = 120


class MachineFinding(Struct, frozen=True):
    """One thing, whether it works, and what would mend it. `needed`: nothing is graded without it."""

    name: str
    works: bool
    detail: str
    remedy: str = ""
    needed: bool = False


def examine(course: LoadedCourse | None = None) -> list[MachineFinding]:
    """Python, torch, GPU, sandboxes, memory, cores, data, cluster and editor of this machine; packages of a course."""
    promised = _packages(course) if course else ()
    return [_python(), *_torch(), *promised, *_sandboxes(), _memory(), _cores(), _data(), _cluster(), _editor()]


def _packages(course: LoadedCourse) -> Iterator[MachineFinding]:
    """What each exercise promises; without it, none of its hand-ins is graded here."""
    for name, exercise in course.exercises.items():
        if wanted := exercise.about.packages:
            lacking = missing_packages(wanted)
            detail = f"not installed: {', '.join(lacking)}" if lacking else ", ".join(wanted)
            remedy = "install what provides them into the environment of tlcourse"
            yield MachineFinding(f"packages of {name}", not lacking, detail, remedy, needed=True)


def _python() -> MachineFinding:
    return MachineFinding("Python", True, f"{platform.python_version()} at {sys.executable}", needed=True)


def _torch() -> Iterator[MachineFinding]:
    remedy = _remedy()
    if said := missing():
        detail = f"{said} not installed; reading, quizzes, authoring, marks and runs on a cluster need no torch"
        yield MachineFinding("torch", False, detail, remedy, needed=True)
        return
    try:
        done = subprocess.run(
            code_command(_TORCH), capture_output=True, text=True, timeout=_TORCH_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        yield MachineFinding("torch", False, f"could not be tried: {error}", remedy, needed=True)
        return
    if done.returncode != 0:
        said = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        yield MachineFinding("torch", False, said[:300], remedy, needed=True)
        return
    found = json.loads(done.stdout.strip().splitlines()[-1])
    yield MachineFinding("torch", True, f"{found['torch']}, torchvision {found['torchvision']}", needed=True)
    if found["cuda"] or found["mps"]:
        yield MachineFinding("GPU", True, found["name"] or "Apple GPU (mps)")
    else:
        yield _no_gpu()


def _remedy() -> str:
    """What installs torch here; where a smaller build or AMD's fits better, that one first."""
    if not (fitting := fitting_command()):
        return command()
    return f"{fitting} – or, with NVIDIA's libraries ({PUBLISHED}): {command()}"


def _no_gpu() -> MachineFinding:
    if has_nvidia():
        remedy = f"nvidia-smi shows the driver; then: {command('--force-reinstall')}"
        return MachineFinding("GPU", False, "there may be one, which torch cannot use", remedy)
    detail = "none that torch can use; every mini exercise trains on the CPU"
    return MachineFinding("GPU", False, detail, "tlcourse config show --ready (clusters that have some)")


def _sandboxes() -> Iterator[MachineFinding]:
    for sandbox in sandboxes():
        instead = "tlcourse grade ex2 PATH --sandbox none (no sandbox: for your own code only)"
        yield MachineFinding(
            sandbox.name, sandbox.available, sandbox.detail, sandbox.remedy or ("" if sandbox.available else instead)
        )


def _memory() -> MachineFinding:
    return MachineFinding("memory limit", True, cgroup.in_words())


def _cores() -> MachineFinding:
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    known = [(threads, found.speed) for threads in (1, 2) if (found := kept(threads))]
    speeds = "".join(
        f", {speed:.2g} × the reference with {threads} thread{'s'[: threads - 1]}" for threads, speed in known
    )
    return MachineFinding("CPU", True, f"{count} cores, {platform.machine()}, {platform.system()}{speeds}")


def _data() -> MachineFinding:
    folder = os.environ.get(paths.DATA)
    if folder and not Path(folder).is_dir():
        detail = f"TLCOURSE_DATA is {folder}, which is not a folder; the mini exercises need none"
        return MachineFinding("real data", False, detail, "export TLCOURSE_DATA=FOLDER")
    if here := [f"{one.name} in {one.where}" for one in sets.listed() if one.where]:
        return MachineFinding("real data", True, "; ".join(here))
    return MachineFinding("real data", False, "none here; the mini exercises need none", "tlcourse data list")


def _cluster() -> MachineFinding:
    from tlcourse.cluster.profile import load_profiles

    try:
        profiles = load_profiles()
    except TlcourseError as error:
        return MachineFinding("clusters", False, error.what, error.remedy)
    here = [f"sbatch at {sbatch} (--on slurm)"] if (sbatch := shutil.which("sbatch")) else []
    if here or profiles:
        return MachineFinding("clusters", True, ", ".join([*here, *profiles]))
    return MachineFinding("clusters", False, "no sbatch here, and no profile", "tlcourse config set cluster host=NAME")


def _editor() -> MachineFinding:
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if editor:
        return MachineFinding("editor", True, editor)
    return MachineFinding("editor", False, "neither VISUAL nor EDITOR is set", "export EDITOR=nano")
