"""`--on PROFILE`: a solution run or graded on a cluster, seen from here while it runs."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tlcourse.cli import out
from tlcourse.errors import TlcourseError

if TYPE_CHECKING:
    from tlcourse.course.model import LoadedExercise
    from tlcourse.grading.grade import Options
    from tlcourse.grading.remote_grading import RunStore, SavedRun
    from tlcourse.grading.result import Result

Show = Callable[[dict[str, Any]], None]


def run_store() -> RunStore:
    """This user's runs on clusters."""
    from tlcourse.grading.remote_grading import RunStore
    from tlcourse.paths import jobs_folder

    return RunStore(jobs_folder())


def carry_out(
    exercise: LoadedExercise, course: Path | None, path: Path, options: Options, show: Show, *, scored: bool
) -> Result:
    """Send a solution to the profile `options.where`, and wait for it."""
    from tlcourse.cluster.profile import find_profile

    profile = find_profile(options.where)
    kept = run_store()
    one = kept.new(exercise, course, path, (options.where, profile), options, scored=scored)
    out.note(f"Run {one.id} on {options.where}; closing this loses nothing: tlcourse jobs list finds it again.")
    show({"v": 1, "type": "sent", "run": one.id, "on": options.where})
    with kept.watched(one):
        return attend(kept, one, exercise, show)


def attend(kept: RunStore, one: SavedRun, exercise: LoadedExercise, show: Show, *, asks: bool = True) -> Result:
    """Wait for a run on a cluster. ctrl-c asks what becomes of it; a lost terminal leaves it running.

    Without `asks` it is left running in any case.
    """
    leaving = _Leaving()
    leaving.listen()
    try:
        return kept.carry_out(one, exercise, show, cancel=leaving.cancels if asks else lambda: False)
    except KeyboardInterrupt:
        if one.state == "cancelled":
            word = "was cancelled"
        elif leaving.wanted:
            word = f"could not be cancelled, since {one.profile} does not answer: tlcourse jobs cancel {one.id}"
        else:
            word = f"keeps running: tlcourse jobs tail {one.id}"
        out.note(f"Run {one.id} {word}.")
        raise
    except TlcourseError as error:
        kept.fail_unless_sent(one, error)
        raise


class _Leaving:
    """Why a run is left, and whether its jobs are then cancelled."""

    def __init__(self) -> None:
        self._signal = signal.SIGINT
        self.wanted = False
        """Whether the jobs were to be cancelled."""

    def listen(self) -> None:
        """SIGTERM means stop; SIGHUP is a lost terminal or a closed laptop: what runs there keeps running."""
        for name in ("SIGTERM", "SIGHUP"):
            if number := getattr(signal, name, None):
                signal.signal(number, self._take)

    def _take(self, number: int, frame: Any) -> None:
        self._signal = signal.Signals(number)
        raise KeyboardInterrupt

    def cancels(self) -> bool:
        """Decide, and ask where a person can answer."""
        self.wanted = self._decided()
        return self.wanted

    def _decided(self) -> bool:
        if self._signal == getattr(signal, "SIGHUP", None):
            return False
        if self._signal == signal.SIGINT and sys.stdin.isatty() and sys.stderr.isatty():
            sys.stderr.write("\nCancel the job on the cluster? [y: cancel it, enter: let it run] ")
            sys.stderr.flush()
            try:
                return sys.stdin.readline().strip().lower() in ("y", "yes")
            except KeyboardInterrupt:
                return True
        return True
