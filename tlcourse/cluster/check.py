"""Testing a profile, one step after the other: the first step that fails says what to change."""

from __future__ import annotations

import hashlib
import inspect
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import Struct

from tlcourse.cluster.jobs import Pace
from tlcourse.cluster.plan import SETUP_FAILED, in_container, start_lines
from tlcourse.cluster.profile import Profile
from tlcourse.cluster.queue import in_words, queue_load
from tlcourse.cluster.sbatch_errors import partitions
from tlcourse.cluster.shell import ConnectionLostError, Done, Shell, quoted
from tlcourse.cluster.staging import RemoteStore, environment_is_there, in_login_shell, python_for
from tlcourse.cluster.watcher import JobWatcher
from tlcourse.course import packages
from tlcourse.course.model import Exercise
from tlcourse.course.spec import Limits, Output, TaskSpec
from tlcourse.errors import InfraError, TlcourseError, UnableError
from tlcourse.execution.spec import RunSpec
from tlcourse.sandbox import KINDS
from tlcourse.text import harmless

WAIT_S = 600.0
_NEEDS = (
    "import sys; old = sys.version_info < (3, 11); "
    "assert not old, 'Python ' + sys.version.split()[0] + ' is too old: 3.11 is needed'; "
    "import torch, numpy, safetensors, msgspec, psutil; "
    "print('Python', sys.version.split()[0], 'torch', torch.__version__)"
)
_SOLUTION = (
    "import torch\n"
    "class Model(torch.nn.Module):\n    def forward(self, x):\n        return x[:, 0]\n"
    "def fit(task):\n    print('trained on', task.device)\n    return Model()\n"
)


class Step(Struct, frozen=True):
    """One thing that a profile needs, and whether it holds."""

    name: str
    works: bool
    detail: str
    remedy: str = ""
    kind: str = ""
    """Of the step `sandbox`: which it is."""


def check(
    name: str, profile: Profile, shell: Shell, *, wait_s: float = WAIT_S, pace: Pace | None = None
) -> Iterator[Step]:
    """The steps, as they are tried; the last one given is the first that fails."""
    try:
        yield _login(shell)
        slurm = _slurm(name, profile, shell)
        yield slurm
        if not slurm.works:
            return
        store = RemoteStore(shell, profile.work)
        yield Step("work folder", True, f"{store.work}, for you alone")
        if not environment_is_there(store, profile):
            yield Step(
                "environment", True, "is made now in the work folder; with torch it takes 5.4 GB and 25,000 files"
            )
        python = _python(name, profile, store)
        yield python
        if python.works:
            yield from _job(name, profile, shell, wait_s, pace)
    except ConnectionLostError as error:
        host = profile.host or "this machine"
        yield Step("login", False, str(error), f"try it by hand: ssh {host}; the profile's `host` may be misspelt")
    except TlcourseError as error:
        yield Step("work folder", False, " ".join([error.what, error.cause]).strip(), error.remedy)


def _login(shell: Shell) -> Step:
    done = shell.run("id -un; hostname")
    user, host = [*done.text.split(), "?", "?"][:2]
    return Step("login", True, f"{user} at {host}")


def _slurm(name: str, profile: Profile, shell: Shell) -> Step:
    done = shell.run("sbatch --version")
    if done.code != 0:
        said = (done.err.strip().splitlines() or ["sbatch is not found"])[-1]
        remedy = f"`host` must be a login node of the cluster: tlcourse config set {name} host=… – or, for a machine "
        return Step("Slurm", False, said, f"{remedy}without Slurm: tlcourse config set {name} scheduler=none")
    if profile.scheduler != "slurm":
        return Step("queue", True, done.text.strip())
    there = partitions(shell)
    if profile.partition and profile.partition not in there:
        detail = f"there is no partition {profile.partition}; there are: {', '.join(there)}"
        return Step("Slurm", False, detail, f"tlcourse config set {name} partition=NAME")
    found = queue_load(shell, profile)
    crowded = f"; {in_words(found, profile.places)}" if found else ""
    return Step("Slurm", True, f"{done.text.strip()}, partition {profile.partition or 'by default'}{crowded}")


def _python(name: str, profile: Profile, store: RemoteStore) -> Step:
    try:
        python = python_for(store, profile)
    except TlcourseError as error:
        return Step("Python", False, error.what, error.remedy)
    done = _ran_there(profile, store, [python, "-c", _NEEDS])
    if done.code == 0:
        return Step("Python", True, done.text.strip().splitlines()[-1])
    said = (harmless(done.err).strip().splitlines() or [f"exit status {done.code}"])[-1][:300]
    if said.startswith(SETUP_FAILED):
        return Step("Python", False, said.removeprefix("tlcourse: "), f"tlcourse config show {name}, and correct it")
    return Step(
        "Python",
        False,
        said,
        "name a Python that has torch (`python`, `modules`, `container` of the profile), or let `packages` install it",
    )


def _ran_there(profile: Profile, store: RemoteStore, command: list[str]) -> Done:
    """Run the profile's Python, on the login node, as a job would."""
    lines = [*start_lines(profile), in_container(profile, command, (quoted(store.work),))]
    lines.insert(0, f"cd {quoted(store.work)} || exit 3")  # Python before 3.11 imports from where it is started
    return store.shell.run(in_login_shell(profile, "\n".join(lines)), timeout=300)


def require_packages_there(name: str, profile: Profile, shell: Shell, about: Exercise) -> None:
    """As `course.exercise.require_packages`, of the Python that jobs of the profile `name` start.

    Raises UnableError where packages are missing or that Python does not start, InfraError, ConnectionLostError.
    """
    if not about.packages:
        return
    store = RemoteStore(shell, profile.work)
    program = inspect.getsource(packages)
    done = _ran_there(profile, store, [python_for(store, profile), "-c", program, *about.packages])
    if done.code == 0 and not (missing := harmless(done.text).strip().splitlines()):
        return
    if done.code == 0:
        what = f"{about.id} promises packages that Python on {name} does not have: {', '.join(missing)}."
    else:
        said = (done.err.strip().splitlines() or [f"exit status {done.code}"])[-1][:300]
        what = f"Python on {name} could not be asked for the packages that {about.id} promises: {said}"
    raise UnableError(
        what,
        cause="its exercise.yaml names them under `packages`, and solutions may import them.",
        remedy=f"name what provides them under `packages` of the profile, a Python or a container that has them; "
        f"then: tlcourse config check {name}",
    )


SANDBOX_DAYS = 7


def sandbox_on_nodes(name: str, profile: Profile, shell: Shell, tell: Callable[[str], None]) -> str:
    """The strongest sandbox that a node of the profile built within the last week; else a small job tries it now.

    Raises UnableError and UsageError as any run there, InfraError where the small job failed.
    """
    store = RemoteStore(shell, profile.work)
    note = quoted(_sandbox_note(store, profile))
    done = shell.run(f"find {note} -mtime -{SANDBOX_DAYS} -exec cat {{}} + 2>/dev/null")
    if (kept := done.text.strip()) in KINDS:
        return kept
    tell(f"A small job asks a node of {name} which sandbox it builds: once a week.")
    steps = list(_job(name, profile, shell, WAIT_S, None))
    if not steps[0].works:
        raise InfraError(
            f"A node of {name} could not be asked which sandbox it builds: {steps[0].detail}",
            remedy=steps[0].remedy or f"tlcourse config check {name}",
        )
    return steps[-1].kind


def _sandbox_note(store: RemoteStore, profile: Profile) -> str:
    where = "\0".join(
        [profile.partition or "", *(profile.sbatch), profile.container.image if profile.container else ""]
    )
    return f"{store.work}/sandbox-{hashlib.sha256(where.encode()).hexdigest()[:12]}"


def _job(name: str, profile: Profile, shell: Shell, wait_s: float, pace: Pace | None) -> Iterator[Step]:
    """A small run, in a job of a minute or two: a compute node has Python, torch, the work folder, a sandbox."""
    watcher, said = JobWatcher(name, profile, shell, pace=pace), [""]

    def hear(event: dict[str, Any]) -> None:
        """Keep what is ours, such as `[job 17: It waits …]`: why a job waits is worth more than that it does."""
        text = str(event.get("text", "")).strip()
        if text.startswith("[") and text.endswith("]"):
            said[0] = f": {text[1:-1]}"

    begin = time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix="tlcourse-check-") as folder:
            Path(folder, "solution.py").write_text(_SOLUTION, encoding="utf-8")
            future = watcher.add(_small_job(Path(folder), gpu=profile.gpus > 0), hear)
        report = future.result(timeout=wait_s)
    except TimeoutError:
        watcher.cancel()
        yield Step("job", False, f"it did not end within {wait_s:.0f} s{said[0]}", f"on {shell.name}: squeue -u $USER")
        return
    except TlcourseError as error:
        yield Step("job", False, " ".join([error.what, error.cause]).strip(), error.remedy)
        return
    finally:
        watcher.close()
    if report.status != "done":
        last = (report.log.strip().splitlines() or [""])[-1]
        yield Step("job", False, f"{report.message} {last}".strip(), "the job's own words say why")
        return
    yield Step("job", True, f"{report.where} on {report.device}, {time.monotonic() - begin:.0f} s from here and back")
    sandbox = {
        "none": "none on the compute nodes: for your own code only",
        "landlock": "landlock on the node: for your own code; a batch needs --sandbox landlock",
        "bubblewrap": "bubblewrap and seccomp on the node",
    }
    store = RemoteStore(shell, profile.work)
    shell.run(f"umask 077; cat >{quoted(_sandbox_note(store, profile))}", report.sandbox.encode())
    kind = report.sandbox
    yield Step("sandbox", kind != "none", sandbox.get(kind, kind), "" if kind in STRONG else _WITHOUT, kind)


STRONG = ("bubblewrap", "fork-server")
_WITHOUT = "a batch needs bubblewrap and user namespaces on the nodes, or somebody's decision: --sandbox landlock"


def _small_job(folder: Path, *, gpu: bool) -> RunSpec:
    points = np.arange(16, dtype=np.float32).reshape(8, 2)
    data = {"x": points, "y": points.sum(1)}
    task_spec = TaskSpec("check", "mini", ("y",), (Output("y"),), 1, 30.0, "cuda" if gpu else "cpu", 1)
    limits = Limits(wall_time_s=60.0, memory_mb=2048)
    return RunSpec(task_spec, folder, data, data, {"x": points}, limits)
