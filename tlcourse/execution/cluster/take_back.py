"""Taking back what was sent: by a job's number, or by its name where the number was never heard."""

from __future__ import annotations

from collections.abc import Iterable

from tlcourse.execution.cluster.journal import Round
from tlcourse.execution.cluster.refusal import BusyError
from tlcourse.execution.cluster.shell import Done, Shell, quoted

# What scancel says of jobs for which there is nothing left to do; older ones say nothing, and newer ones fail.
_NO_MATTER = ("invalid job id", "already complet")
# A submission whose connection broke may still be under way on the login node (see `submit`): it holds the lock, or
# comes after us and finds no script.
_BY_NAME = """
cd {folder} 2>/dev/null || exit 0
exec 9>submit.lock
if command -v flock >/dev/null 2>&1; then flock -w 40 9 || exit 4; fi
rm -f script.sh
scancel --name={name}
"""


def cancel(shell: Shell, jobs: list[str]) -> None:
    """Cancel jobs; ended and unknown ones are no error. Raises ConnectionLostError, and BusyError where they go on."""
    if jobs:
        _heard(shell.run(f"scancel {quoted(*jobs)}"))


def take_back(shell: Shell, rounds: Iterable[Round]) -> None:
    """Cancel all jobs of rounds, those too that Slurm has and whose number a killed process never heard.

    Raises ConnectionLostError, and BusyError where Slurm did not hear it: then they may go on.
    """
    rounds = list(rounds)
    cancel(shell, [one.job for one in rounds if one.job])
    for one in rounds:
        if not one.job and one.folder:
            line = _BY_NAME.format(folder=quoted(one.folder), name=quoted(one.name))
            _heard(shell.run(line, timeout=90))


def _heard(done: Done) -> None:
    words = done.err.strip()
    if done.code == 0 or any(harmless in words.lower() for harmless in _NO_MATTER):
        return
    last = words.splitlines()[-1] if words else f"exit status {done.code}"
    raise BusyError(f"Slurm did not hear that the jobs are to end: {last}")
