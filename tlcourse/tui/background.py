"""What runs behind the app: gradings and checks, the processes that stand by for the next ones, and their end."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from pathlib import Path

from tlcourse.tui.child_process import ChildProcess, LabStandBy
from tlcourse.tui.runs import Run, made_folder, start_child

_QUIT_S = 0.05


class Background:
    """The processes of one visit.

    Args:
        course_folder: The folder that `--course` named, for the commands that are started; None: the bundled one.
        stands_by: Have processes ready, with torch imported, for the next run of an exercise or a lab.
    """

    def __init__(self, course_folder: Path | None, *, stands_by: bool) -> None:
        self.runs: dict[str, Run] = {}
        """The last run of each exercise, by its name."""
        self.labs = LabStandBy()
        """What the next run of a lab is started in."""
        self.prewarmed: ChildProcess | None = None
        """The process that is ready for the next run, or importing torch for it."""
        self._course_folder = course_folder
        self._stands_by = stands_by
        self._prewarm_again = False
        self._retired: list[Run] = []
        self._left: list[ChildProcess] = []

    def find(self, exercises: Iterable[str]) -> None:
        """Find runs that an earlier visit left."""
        self.runs |= {name: run for name in exercises if (run := Run.find(name)) is not None}

    @property
    def going(self) -> list[Run]:
        """What has not ended, here or on a cluster."""
        return [run for run in self.runs.values() if run.going]

    @property
    def going_here(self) -> list[Run]:
        """What has not ended on this machine."""
        return [run for run in self.going if not run.remote]

    def start_run(self, exercise: str, path: Path, *, scored: bool, backend: str = "local") -> Run:
        """Grade (or only train) a solution, here or on a cluster. Raises OSError."""
        if (before := self.runs.get(exercise)) is not None:
            self._retired.append(before)  # it has said its verdict, and may still be ending
        prewarmed = self.prewarmed if backend == "local" else None
        run = self.runs[exercise] = Run.start(
            exercise, path, scored=scored, course=self._course_folder, prewarmed=prewarmed, on=backend
        )
        if not run.remote:
            self.prewarmed = None
            self._prewarm_again = True
        return run

    def start_check(self, name: str, path: Path) -> ChildProcess:
        """Check a method that was written; `prewarm` again when it has ended. Raises OSError."""
        prewarmed, self.prewarmed = self.prewarmed, None
        course = ["--course", str(self._course_folder)] if self._course_folder else []
        arguments = ["write", "check", name, str(path), "--events", *course]
        return start_child(arguments, made_folder() / f"write-{name}.jsonl", prewarmed)

    def prewarm(self) -> None:
        """Have a process ready for the next run; none while a run needs the machine, which calls this at its end."""
        if not self._stands_by or (self.prewarmed and self.prewarmed.alive) or self._machine_is_used():
            return
        with contextlib.suppress(OSError):  # without it a run starts a few seconds later
            self.prewarmed = ChildProcess.start("prewarm", takes_input=True)

    def get_lab_ready(self) -> None:
        """Have a process ready for the next run of a lab."""
        if self._stands_by:
            self.labs.get_ready()

    def _machine_is_used(self) -> bool:
        return any(run.alive and not run.remote for run in self.runs.values())

    def poll(self) -> list[Run]:
        """Hear what runs have said, and which of them have ended since."""
        self._retired = [run for run in self._retired if run.alive]
        ended = [run for run in self.runs.values() if not run.state.ended and run.poll() and run.state.ended]
        if self._prewarm_again and not self._machine_is_used():
            self._prewarm_again = False
            self.prewarm()
        return ended

    def leave(self, child: ChildProcess) -> None:
        """Nobody waits for `child` any more; what it was asked to do it still does, and survives the app."""
        self._left = [*(left for left in self._left if left.alive), child]

    def wait_for_left(self, seconds: float) -> None:
        """Without an event loop: until those have ended, but no longer than this each."""
        for child in self._left:
            child.wait(seconds)

    def stop_all(self) -> None:
        """Ask every run to end; they do so while the screen is put back, and `let_go` sees to it."""
        for run in self.going_here:
            run.ask_to_stop()

    def let_go(self, wait_s: float = 0.0) -> None:
        """The app has ended: what was asked to stop is gone, by force if need be, and nothing stays ready."""
        for run in self.runs.values():
            if run.stopped and not run.remote and not run.child.wait(_QUIT_S):
                run.child.kill()
        self.labs.end()
        if self.prewarmed is not None:
            self.prewarmed.ask_to_end()
            self.prewarmed.wait(wait_s)
