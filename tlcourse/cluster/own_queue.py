"""Machines without Slurm, which answer Slurm's commands all the same: from a queue of one's own, or another scheduler.

Outcomes come from result files, so all that a scheduler must do is start a job, list those that live, and cancel one. A
script on the other side (`own_queue.sh`) answers `sbatch`, `squeue` and `scancel` so; all else is as on a cluster.
"""

from __future__ import annotations

from pathlib import Path

from tlcourse.cluster.profile import Commands, Profile
from tlcourse.cluster.shell import TIMEOUT_S, Done, Shell, expanded_path, quoted
from tlcourse.errors import UnableError

_SCRIPT = Path(__file__).with_name("own_queue.sh")
_CALLED = ("sbatch", "sbatch-run", "squeue", "scancel", "sinfo", "sacct", "scontrol")
_INSTALL = """
umask 077
for needed in flock setsid timeout pkill; do
    command -v $needed >/dev/null || {{ echo "$needed is not installed" >&2; exit 3; }}
done
mkdir -p {folder} && cd {folder} || exit 3
cat >queue.$$ && chmod 700 queue.$$ && mv queue.$$ queue || exit 3  # two may do so at once
for name in {names}; do ln -sf queue $name; done
"""


class OwnQueueShell:
    """Commands on a machine without Slurm, where those of Slurm are answered."""

    def __init__(self, inner: Shell, profile: Profile) -> None:
        self.name, self.profile = inner.name, inner.profile
        self._inner = inner
        self._bin = expanded_path(f"{profile.work}/bin")
        self._settings = f"PATH={self._bin}:$PATH; export PATH {_settings(profile)}"
        self._ready = False

    def run(self, command: str, stdin: bytes = b"", timeout: float = TIMEOUT_S) -> Done:
        """As the shell below; raises UnableError too where the machine lacks what a queue needs."""
        if not self._ready:
            install = _INSTALL.format(folder=self._bin, names=" ".join(_CALLED))
            done = self._inner.run(install, _SCRIPT.read_bytes())
            if done.code != 0:
                raise UnableError(
                    f"No queue could be made on {self.name}: {(done.err.strip().splitlines() or ['no reason'])[-1]}",
                    cause="it needs Linux with util-linux and procps, and a folder of yours.",
                    remedy=f"tlcourse config set {self.profile} work=FOLDER, or install what is missing.",
                )
            self._ready = True
        return self._inner.run(f"{self._settings}\n{command}", stdin, timeout)

    def log_in(self) -> bool:
        """As the shell below."""
        return self._inner.log_in()

    def close(self) -> None:
        """Let go of the connection below."""
        self._inner.close()


def _settings(profile: Profile) -> str:
    """For the script, as variables: two profiles may share a machine and a work folder."""
    asked = profile.scheduler if isinstance(profile.scheduler, Commands) else Commands("", "", "")
    values = {
        "places": str(profile.at_once),
        "gpus": str(profile.gpus),
        "login": "-l" if profile.login_shell else "",
        "submit": asked.submit,
        "list": asked.list,
        "cancel": asked.cancel,
    }
    return " ".join(f"tlcourse_{name}={quoted(value)}" for name, value in values.items())
