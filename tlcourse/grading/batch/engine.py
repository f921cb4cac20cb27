"""The threads of a batch: one collects, one for each worker trains and scores, and the caller's own records.

Whatever ends this process, the gradebook holds exactly what was recorded; the rest is graded when the batch is resumed.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from tlcourse.cluster.packed import NotRunYetError
from tlcourse.course.model import LoadedExercise
from tlcourse.errors import InfraError, SubmissionError, TlcourseError, UnableError
from tlcourse.grading.batch.open_backend import RETRIES, BackendLostError, BackendRefusedError
from tlcourse.grading.grade import Grading
from tlcourse.grading.gradebook.gradebook import Gradebook
from tlcourse.grading.gradebook.records import HandInRecord
from tlcourse.grading.gradebook.submission_store import SubmissionStore
from tlcourse.grading.intake.names import shown
from tlcourse.grading.intake.submission import Submission
from tlcourse.grading.result import Result, cause_of, stored, without_run
from tlcourse.storage import now

_FULL = (errno.ENOSPC, errno.EDQUOT)
_TICK_S = 0.5
_TELL_S = 1.0
_log = logging.getLogger(__name__)


class Work(Struct, frozen=True):
    """One hand-in to grade: what lies at `path` now, or with `sha256` its kept copy of that hash."""

    handin: HandInRecord
    path: Path
    sha256: str = ""
    refused: str = ""
    """Why it was `invalid`, so that no copy was kept: it is so again, where nothing lies at `path` any more."""


class Underway(Struct, frozen=True):
    """What the engine knows beyond the gradebook: for the live display."""

    running: list[tuple[str, float]]
    """Owner, and for how many seconds."""
    graded: int
    """Final results since this process began."""
    seconds: float
    left: int


class _Collected(Struct, frozen=True):
    work: Work
    submission: Submission | None = None
    result: Result | None = None
    """Where it cannot be run: what is recorded instead."""


class _Graded(Struct, frozen=True):
    work: Work
    result: Result | None
    fatal: TlcourseError | None = None


class Engine:
    """Grades the hand-ins of one round of a batch; `run` returns when each has a final result or no try is left."""

    def __init__(
        self,
        book: Gradebook,
        batch: int,
        exercise: LoadedExercise,
        grading: Grading,
        store: SubmissionStore,
        *,
        jobs: int,
        secret: bool,
        variant: str = "mini",
        round_: int = 0,
        retries: int = RETRIES,
        stop_runs: Callable[[], None] = lambda: None,
        queue_words: Callable[[], str] = lambda: "",
        show: Callable[[], None] = lambda: None,
    ) -> None:
        """`show` is called in the caller's thread after every result and about twice a second.

        `queue_words` is the state of a cluster's queue, in words, told in the gradebook.
        """
        self._book = book
        self._batch = batch
        self._exercise = exercise
        self._grading = grading
        self._store = store
        self._jobs = jobs
        self._secret = secret
        self._variant = variant
        self._round = round_
        self._retries = retries
        self._stop_runs = stop_runs
        self._show = show
        self._queue_words = queue_words
        self._waiting: deque[Work] = deque()
        self._more = threading.Semaphore(0)
        self._stop = threading.Event()
        self._collected: queue.Queue[_Collected | None] = queue.Queue(maxsize=jobs)
        self._graded: queue.Queue[_Graded] = queue.Queue()
        self._running: dict[int, tuple[str, float]] = {}
        self._begin = time.monotonic()
        self._done = 0
        self._left = 0
        self._told = 0.0

    @property
    def underway(self) -> Underway:
        """What is under way."""
        moment = time.monotonic()
        running = [(owner, moment - since) for owner, since in list(self._running.values())]
        return Underway(running, self._done, moment - self._begin, self._left)

    def run(self, work: Sequence[Work]) -> None:
        """Grade; raises InfraError or UnableError where continuing is pointless, and lets KeyboardInterrupt through."""
        tries = dict.fromkeys((one.handin.id for one in work), 0)
        self._left = len(work)
        _log.debug("batch %s, round %s: %s to grade, %s at a time", self._batch, self._round, len(work), self._jobs)
        self._waiting.extend(work)
        self._more.release(len(work))
        threads = [threading.Thread(target=self._collect, name="tlcourse-collect", daemon=True)]
        threads += [
            threading.Thread(target=self._grade, name=f"tlcourse-grade-{number}", daemon=True)
            for number in range(self._jobs)
        ]
        for thread in threads:
            thread.start()
        try:
            while self._left:
                self._tell()
                self._show()
                with contextlib.suppress(queue.Empty):
                    self._take(self._graded.get(timeout=_TICK_S), tries)
        finally:
            self._end(threads)
        self._show()

    def _take(self, graded: _Graded, tries: dict[int, int]) -> None:
        """Record a result; an internal error is tried again, after all others, as long as the budget lasts."""
        if graded.fatal is not None:
            _log.debug("the batch stops: %s", graded.fatal.what)
            raise graded.fatal
        result = graded.result
        if result is None:  # its runs lie in a folder, and it stays open
            self._left -= 1
            return
        handin = graded.work.handin
        kept = stored(result, secret=self._secret)
        self._book.record(handin.id, self._round or handin.round, kept, cause_of(kept))
        what = result.outcome, "; ".join(result.messages)
        _log.debug("hand-in %s of %s: %s: %s", handin.id, handin.owner, *what)
        if result.outcome == "infra" and tries[handin.id] < self._retries:
            tries[handin.id] += 1
            _log.debug("hand-in %s: tried again, %s of %s", handin.id, tries[handin.id], self._retries)
            self._waiting.append(graded.work)
            self._more.release()
            return
        self._left -= 1
        self._done += result.outcome != "infra"

    def _tell(self, *, over: bool = False) -> None:
        """Say in the gradebook what is under way, about once a second."""
        if not over and time.monotonic() - self._told < _TELL_S:
            return
        self._told = time.monotonic()
        state = self.underway
        self._book.tell(
            self._batch,
            {
                "process": os.getpid(),
                "round": self._round,
                "over": over,
                "running": [] if over else state.running,
                "graded": state.graded,
                "seconds": state.seconds,
                "left": state.left,
                "queue": "" if over else self._queue_words(),
                "beat": time.time(),
            },
        )

    def _end(self, threads: list[threading.Thread]) -> None:
        """No further work; runs under way are ended, and whatever they gave is dropped."""
        self._stop.set()
        self._more.release()
        if self._left:
            self._stop_runs()
        for _ in range(self._jobs):
            with contextlib.suppress(queue.Full):
                self._collected.put_nowait(None)
        for thread in threads:
            thread.join(timeout=10)
        with contextlib.suppress(InfraError):  # the disk may be full: then that was said already
            self._tell(over=True)

    # -- the collecting thread -----------------------------------------------------------------------------------

    def _collect(self) -> None:
        while True:
            self._more.acquire()
            if self._stop.is_set():
                return
            self._hand_over(self._collected_one(self._waiting.popleft()))

    def _hand_over(self, one: _Collected) -> None:
        while not self._stop.is_set():
            with contextlib.suppress(queue.Full):
                self._collected.put(one, timeout=_TICK_S)
                return

    def _collected_one(self, work: Work) -> _Collected:
        path = work.path
        if work.handin.problem and not work.sha256:
            return self._without(work, "invalid", work.handin.problem)
        try:
            if work.sha256:
                return _Collected(work, self._store.again(work.sha256, path))
            starter = self._exercise.folder / "starter.py"
            return _Collected(work, self._store.take(path, starter, self._exercise.about))
        except SubmissionError as error:
            if not path.exists() and work.refused:
                return self._without(work, "invalid", work.refused)
            if not path.exists():
                return self._without(work, "infra", "The hand-in disappeared after it was found. Bring it back.")
            return self._without(work, "invalid", _said_of(error, path))
        except InfraError as error:
            if (full := _full_disk_behind(error)) is not None:
                self._graded.put(_Graded(work, None, _full(full)))
            return self._without(work, "infra", error.what)
        except OSError as error:
            if error.errno in _FULL:
                self._graded.put(_Graded(work, None, _full(error)))
            return self._without(work, "infra", f"The hand-in could not be collected: {error.strerror}.")
        except Exception as error:  # an error of ours with one hand-in must not end the batch
            return self._without(work, "infra", f"The hand-in could not be collected: {type(error).__name__}: {error}")

    def _without(self, work: Work, outcome: str, message: str) -> _Collected:
        result = without_run(
            self._exercise,
            outcome="infra" if outcome == "infra" else "invalid",
            message=message,
            path=str(work.path),
            variant=self._variant,
            started=now(),
        )
        return _Collected(work, result=result)

    # -- the grading threads -------------------------------------------------------------------------------------

    def _grade(self) -> None:
        me = threading.get_ident()
        while not self._stop.is_set():
            try:
                one = self._collected.get(timeout=_TICK_S)
            except queue.Empty:
                continue
            if one is None:
                return
            self._running[me] = (one.work.handin.owner, time.monotonic())
            try:
                graded = self._graded_one(one)
            finally:
                self._running.pop(me, None)
            if not self._stop.is_set():  # a run that was stopped says nothing about its hand-in
                self._graded.put(graded)

    def _graded_one(self, one: _Collected) -> _Graded:
        if one.result is not None or one.submission is None:
            return _Graded(one.work, one.result)
        started = now()
        try:
            return _Graded(
                one.work,
                self._grading.result(one.submission, lambda _: None, started=started, whose=one.work.handin.key),
            )
        except NotRunYetError as error:
            _log.debug("hand-in %s: %s", one.work.handin.id, error.what)
            return _Graded(one.work, None)
        except (UnableError, BackendLostError, BackendRefusedError) as error:  # a missing device: so for the next one
            return _Graded(one.work, None, error)
        except InfraError as error:
            if (full := _full_disk_behind(error)) is not None:
                return _Graded(one.work, None, _full(full))
            message = error.what
        except OSError as error:
            if error.errno in _FULL:
                return _Graded(one.work, None, _full(error))
            message = f"{type(error).__name__}: {error.strerror}"
        except Exception as error:  # a grader that stumbles over one hand-in must not end the batch of all others
            message = f"The grader failed: {type(error).__name__}: {error}"
        return _Graded(
            one.work,
            without_run(
                self._exercise,
                outcome="infra",
                message=message,
                path=str(one.work.path),
                variant=self._variant,
                started=started,
                sha256=one.submission.sha256,
            ),
        )


def _said_of(error: SubmissionError, path: Path) -> str:
    """What is wrong with a hand-in, why, and what mends it, without the folder of ours in which it lies."""
    cause = error.cause[:1].upper() + error.cause[1:]
    said = " ".join(part for part in (error.what, cause, f"Fix: {error.remedy}") if part)
    return said.replace(shown(path), "The hand-in").replace(str(path), "The hand-in")


@contextlib.contextmanager
def full_disk_explained() -> Iterator[None]:
    """A full disk as one message, wherever it is met."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise _full(error) from error
        raise


def _full_disk_behind(error: BaseException | None) -> OSError | None:
    """The full disk that an error of ours came from, if it did."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in _FULL:
            return error
        error = error.__cause__
    return None


def _full(error: OSError) -> InfraError:
    return InfraError(
        f"The disk is full ({error.filename or 'a temporary folder'}); the batch stopped.",
        cause="hand-ins, or the runs' temporary folders, filled it. What was recorded is safe.",
        remedy="make room, or set TMPDIR to a larger disk, and give the command again with --resume.",
    )
