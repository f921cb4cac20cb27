"""A cluster made of five shell scripts on PATH, for tests of what is shown of one.

`ssh` gives the command to a shell here, and Slurm's commands keep a file a job. All of tlcourse's own code is used:
what it asks, how it reads the answer, and – with `works` – the job itself, which is run as a process. Real Slurm and
real SSH are used in `tests/cluster`.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

SSH = """
for last; do :; done
if [ -e "$FAKE/down" ]; then echo "ssh: connect to host lumi port 22: Connection refused" >&2; exit 255; fi
exec sh -c "$last"
"""
SBATCH = """
for script; do :; done
[ "$1" = --version ] && { echo "slurm 22.05.8"; exit; }
n=$(( $(ls "$FAKE/jobs" | wc -l) + 40 ))
sed -n 's/^#SBATCH --job-name=//p' "$script" >"$FAKE/names/$n"
if [ -e "$FAKE/works" ]; then
    echo "RUNNING|None|n1" >"$FAKE/jobs/$n"
    setsid sh -c "sh '$script' >'$FAKE/log.$n' 2>&1; echo 'COMPLETED|None|n1' >'$FAKE/jobs/$n'" \\
        </dev/null >/dev/null 2>&1 &
    echo $! >"$FAKE/pids/$n"
else echo "PENDING|Resources|" >"$FAKE/jobs/$n"; fi
echo $n
"""
SQUEUE = """
for format; do :; done
case "$*" in *" -n "*)
    for a; do [ "$before" = -n ] && name=$a; before=$a; done
    for n in $(ls "$FAKE/jobs"); do grep -qx "$name" "$FAKE/names/$n" && echo $n; done; exit 0;;
esac
for n in $(ls "$FAKE/jobs"); do
    IFS='|' read -r state reason node <"$FAKE/jobs/$n"
    case "$format" in
        %i*) echo "$n|$n|N/A|$state|$reason|$node|N/A|gpu";;
        *) [ "$state" = PENDING ] && echo "$n|$state|me|(null)|50|$(( $(date +%s) + 2400 ))"
            [ "$state" = RUNNING ] && echo "$n|$state|me|(null)|50|0";;
    esac
done
case "$format" in %F*) cat "$FAKE/others" 2>/dev/null;; esac
exit 0
"""
SCANCEL = """
for n; do
    echo "CANCELLED|None|" >"$FAKE/jobs/$n"
    [ -e "$FAKE/pids/$n" ] && kill -TERM -- "-$(cat "$FAKE/pids/$n")" 2>/dev/null
done
exit 0
"""
SINFO = """
case "$*" in *%R*) echo gpu;; *) echo "1|idle"; echo "3|mixed";; esac
"""
SCRIPTS = {"ssh": SSH, "sbatch": SBATCH, "squeue": SQUEUE, "scancel": SCANCEL, "sinfo": SINFO, "sacct": "exit 1\n"}


class FakeSlurm:
    """The cluster `lumi`, reached over a fake ssh."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("bin", "jobs", "names", "pids", "work"):
            (folder / name).mkdir(parents=True)
        for name, script in SCRIPTS.items():
            path = folder / "bin" / name
            path.write_text(f"#!/bin/sh\nFAKE='{folder}'\n{script}")
            path.chmod(0o755)
        self.config = folder / "config.yaml"
        self.config.write_text(
            f"profiles:\n  lumi:\n    host: lumi\n    partition: gpu\n    places: 16\n    python: {sys.executable}\n"
            f"    work: {folder}/work\n"
        )

    def works(self) -> None:
        """Jobs that are sent from now on are run."""
        (self.folder / "works").touch()

    def goes(self, *, up: bool) -> None:
        """The network breaks, or comes back."""
        (self.folder / "down").unlink(missing_ok=True) if up else (self.folder / "down").touch()

    def says(self, job: str, state: str, reason: str = "None") -> None:
        """Slurm says something else of a job."""
        (self.folder / "jobs" / job).write_text(f"{state}|{reason}|\n")

    def of_others(self, *lines: str) -> None:
        """Jobs of other people: number|state|user|account|priority|start."""
        (self.folder / "others").write_text("".join(line + "\n" for line in lines))

    @property
    def jobs(self) -> dict[str, str]:
        """Number → state."""
        return {path.name: path.read_text().split("|")[0] for path in sorted((self.folder / "jobs").iterdir())}

    def end(self) -> None:
        """No job runs on."""
        for path in (self.folder / "pids").iterdir():
            try:
                os.killpg(int(path.read_text()), signal.SIGKILL)
            except (ProcessLookupError, PermissionError, ValueError):
                continue
