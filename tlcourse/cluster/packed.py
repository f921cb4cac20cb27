"""A folder that somebody else's scheduler serves: runs are written into it, and their results read from it later.

    run.sh            runs one task, `sh run.sh 3`, or all that have no result: `sh run.sh`
    packages          what the exercise promises: where it is missing, run.sh runs nothing and ends with 3
    code.tar, blobs/  this package without graders, and data under their hash
    round/1/          plan.json, and the results of its tasks, as on a cluster

Labels, graders and the secret are in none of it. A task whose result is there is not run again.
"""

from __future__ import annotations

import contextlib
import shutil
import threading
from collections.abc import Sequence
from pathlib import Path

import msgspec

from tlcourse.cluster.plan import SCHEMA, Packer, Plan, Task, TaskResult, result_cap, unpacked
from tlcourse.cluster.staging import folder_archive, package_archive
from tlcourse.errors import InfraError, UsageError
from tlcourse.execution import arrays
from tlcourse.execution.spec import RunReport, RunSpec, Usage
from tlcourse.storage import write_atomically

RUN = """\
#!/bin/sh
# One task: sh run.sh NUMBER. All that have no result yet: sh run.sh. PYTHON names a Python 3.11 or later with torch,
# numpy, safetensors, msgspec and psutil.
cd "$(dirname "$0")" || exit 1
UNPACKED
export PYTHONPATH="$code" PYTHONNOUSERSITE=1 PYTHONSAFEPATH=1
unset TLCOURSE_SECRET
lacking=$("${PYTHON:-python3}" -m tlcourse.course.packages $(cat packages)) || exit 3
if [ -n "$lacking" ]; then
    echo "What is run here may import packages that this Python does not have:" $lacking >&2
    echo "Install what provides them, or name another Python: PYTHON=/path/to/python sh run.sh" >&2
    exit 3
fi
number=0
for plan in round/*/plan.json; do
    folder=$(dirname "$plan")
    for task in $(cat "$folder/tasks"); do
        number=$((number + 1))
        [ -z "$1" ] || [ "$1" = "$number" ] || continue
        [ -e "$folder/results/$task.json" ] && continue
        SLURM_ARRAY_TASK_ID=$task "${PYTHON:-python3}" -m tlcourse.cluster.worker_node "$PWD/$folder" ||
            echo "task $number failed" >&2
    done
done
""".replace("UNPACKED", "\n".join(unpacked("code.tar")))


class NotRunYetError(InfraError):
    """A run lies in a folder and has no result there yet: nothing is wrong, and nothing is recorded."""


class PackedFolder:
    """Takes runs from many threads; `close` writes down what is new."""

    def __init__(self, folder: Path, sandbox_kind: str, packages: Sequence[str] = ()) -> None:
        """`packages`: what runs may import. Raises UsageError where the folder cannot be read or made."""
        self.folder = folder
        self._packages = {one.replace(" ", "") for one in packages}
        self._sandbox_kind = sandbox_kind
        self._packer = Packer()
        self._lock = threading.Lock()
        self._new: dict[str, Task] = {}
        self._known: dict[str, list[Path]] = {}
        """Where the results of a task are or will be; several, where a run ended as a fault of where it ran."""
        try:
            for name in ("blobs", "round"):
                (folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
            for path in sorted(folder.glob("round/*/plan.json")):
                plan = msgspec.json.decode(path.read_bytes(), type=Plan)
                for number, task in enumerate(plan.tasks):
                    self._known.setdefault(task.key, []).append(path.parent / "results" / f"{number}.json")
        except (OSError, msgspec.MsgspecError, ValueError) as error:
            raise _unusable(folder, error) from None

    def run(self, job: RunSpec) -> RunReport:
        """The report of a run whose result is there; raises NotRunYetError where it is to be run, InfraError."""
        job = msgspec.structs.replace(job, sandbox_kind=self._sandbox_kind)
        items = arrays.items_in(job.test_inputs)
        with self._lock:
            task = self._packer.task(job, folder_archive(job.submission))
        results = self._known.get(task.key, [])
        reports = [report for path in results if (report := self._report(path, task, items)) is not None]
        if good := next((report for report in reports if report.status != "infra"), None):
            return good
        if len(reports) == len(results):  # it was never there, or wherever it ran something was lacking: once more
            with self._lock:
                self._new[task.key] = task
        why = f": {reports[-1].message}" if reports else ""
        raise NotRunYetError(f"It lies in {self.folder} and has no result yet{why}.")

    def _report(self, path: Path, task: Task, items: int) -> RunReport | None:
        """What a result file says; None where there is none. One that is damaged is a fault of where it ran."""
        cap = result_cap(task, items)
        try:
            with path.open("rb") as stream:
                data = stream.read(cap + 1)
        except OSError:
            return None
        with contextlib.suppress(msgspec.MsgspecError, ValueError, RecursionError):
            result = msgspec.json.decode(data, type=TaskResult) if len(data) <= cap else None
            if result is not None and result.key == task.key:
                return msgspec.structs.replace(result.report, where=f"{self.folder.name}: {result.node}")
        return RunReport("infra", f"{path.name} is damaged", "", Usage())

    def close(self) -> None:
        """Write the new tasks down, as a further round; raises InfraError where that cannot be done."""
        if not self._new:
            return
        tasks = list(self._new.values())
        place = self.folder / "round" / str(1 + max((int(one.name) for one in self.folder.glob("round/*")), default=0))
        try:
            for digest, data in {d: b for task in tasks for d, b in self._packer.blobs(task).items()}.items():
                if not (self.folder / "blobs" / digest).exists():
                    write_atomically(self.folder / "blobs" / digest, data)
            write_atomically(self.folder / "code.tar", package_archive()[1])
            known = self.folder / "packages"
            promised = self._packages | set(known.read_text(encoding="utf-8").split() if known.exists() else ())
            write_atomically(known, "".join(f"{one}\n" for one in sorted(promised)).encode())
            write_atomically(self.folder / "run.sh", RUN.encode())
            for name in ("results", "events"):
                (place / name).mkdir(mode=0o700, parents=True, exist_ok=True)
            write_atomically(place / "tasks", " ".join(map(str, range(len(tasks)))).encode() + b"\n")
            plan = Plan(SCHEMA, tasks, [[number] for number in range(len(tasks))])
            write_atomically(place / "plan.json", msgspec.json.encode(plan))
        except OSError as error:
            shutil.rmtree(place, ignore_errors=True)
            raise InfraError(
                f"{self.folder} cannot be written: {error.strerror}.", remedy="make room there, or name another folder."
            ) from error


def _unusable(folder: Path, error: Exception) -> UsageError:
    why = error.strerror if isinstance(error, OSError) else "it does not hold what `tlcourse pack` writes"
    return UsageError(
        f"{folder} cannot be used: {why}.",
        cause="another folder was named, or it came back damaged.",
        remedy="name the folder that tlcourse pack made; results that came back go into round/NUMBER/results there.",
    )
