"""Watching jobs on a cluster: sent together, polled together, and sent again where the cluster lost them.

One thread does all the talking, so that one question serves every job, however many threads wait for one.
"""

from __future__ import annotations

import contextlib
import logging
import math
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future

from tlcourse.cluster import slurm
from tlcourse.cluster.jobs import ActiveArray, Journal, OnEvent, Pace, PendingJob, RetryState, hand_on, pace_of
from tlcourse.cluster.plan import Packer
from tlcourse.cluster.profile import Profile
from tlcourse.cluster.queue import enough_wait, queue_status
from tlcourse.cluster.results import ResultHandler
from tlcourse.cluster.sbatch_errors import BusyError, LimitError, located, unreachable
from tlcourse.cluster.shell import ConnectionLostError, Shell
from tlcourse.cluster.staging import folder_archive
from tlcourse.cluster.submit import Sender, cancel_arrays, closed_error
from tlcourse.errors import InfraError, TlcourseError
from tlcourse.execution.events import Lines
from tlcourse.execution.spec import RunReport, RunSpec

_log = logging.getLogger(__name__)


class JobWatcher:
    """`add` a job from any thread, and wait for its future. `close` ends the thread, and no job."""

    def __init__(
        self,
        name: str,
        profile: Profile,
        shell: Shell,
        *,
        journal: Journal | None = None,
        chunk: int = 1,
        retry_cancelled: bool = False,
        pace: Pace | None = None,
    ) -> None:
        """`chunk`: submissions that one job takes. `retry_cancelled`: send again what somebody cancelled."""
        self._name = name
        self._shell = shell
        self._journal = journal or Journal()
        self._packer = Packer()
        self._packing = threading.Lock()
        self._sender = Sender(name, profile, shell, self._journal, self._packer)
        self._chunk = chunk
        self._at_once = profile.at_once
        self._pace = pace or pace_of(profile)
        self.arriving: queue.Queue[PendingJob] = queue.Queue()
        self._results = ResultHandler(
            name,
            shell,
            self._sender,
            self._journal,
            pace=self._pace,
            retry_cancelled=retry_cancelled,
            again=self.arriving.put,
        )
        self._live: list[ActiveArray] = []
        self._new: list[PendingJob] = []
        """Arrived, and not yet looked for among what was sent before."""
        self._waiting: list[PendingJob] = []
        """Not sent: Slurm takes no more jobs of ours now, or did not answer."""
        self._old_folders: list[str] = []
        """Of arrays that are over, in which a late result may still be looked for."""
        self._asked_slurm = -math.inf
        self._poll_s = self._pace.poll
        self._blocked: LimitError | None = None
        self._accepted = False
        """Whether Slurm has taken a job of ours: then one that it refuses for their number may be taken later."""
        self._under_way = 0
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._silent_since: float | None = None
        self.expected = 0
        """How many jobs come at first, where that is known: when they are there, none is waited for."""
        self.notes = self._results.notes
        """What was noticed on the way, such as a cluster without accounting."""
        self._thread = threading.Thread(target=self._watch, name="tlcourse-cluster", daemon=True)
        self._thread.start()

    # -- for other threads ---------------------------------------------------------------------------------------

    def add(self, job: RunSpec, on_event: OnEvent | None = None) -> Future[RunReport]:
        """Have a job run on the cluster. One that an earlier process sent is found again and not sent twice."""
        if self._stop.is_set():
            raise closed_error()
        from tlcourse.execution import arrays

        future: Future[RunReport] = Future()
        items = arrays.items_in(job.test_inputs)
        with self._packing:
            task = self._packer.task(job, folder_archive(job.submission))
            self._under_way += 1
            future.add_done_callback(self._ended)
            self.arriving.put(PendingJob(task, items, future, on_event, RetryState(), Lines()))
        self._wake.set()
        return future

    def _ended(self, _: Future[RunReport]) -> None:
        with self._packing:
            self._under_way -= 1
            if not self._under_way:
                self._packer.drop_all_but(())

    @property
    def idle(self) -> bool:
        """Whether nothing is under way."""
        return self._under_way == 0

    def queue_status(self) -> str:
        """`bed: 4 jobs run, 6 wait. It waits for free nodes.`"""
        return queue_status(self._name, list(self._live))

    def cancel(self) -> bool:
        """Stop watching, and cancel every job of ours; False if that did not get through: then they keep running."""
        self._end()
        heard = True
        try:
            cancel_arrays(self._shell, [live.array for live in self._live])
        except (ConnectionLostError, BusyError):
            heard = False
        _log.info("%s: %s arrays cancelled: %s", self._name, len(self._live), "done" if heard else "not heard")
        for live in self._live:
            live.array.over = heard
            self._journal.keep(live.array)
        self._let_go()
        return heard

    def close(self) -> None:
        """Stop watching. Jobs keep running; their arrays stay open in the journal."""
        self._end()
        self._let_go()

    def _end(self) -> None:
        self._stop.set()
        self._wake.set()
        self._thread.join(timeout=90)

    def _let_go(self) -> None:
        for live in self._live:
            live.fail(closed_error())
        for item in [*self._new, *self._waiting, *self._arrived()]:
            item.fail(closed_error())

    def _arrived(self) -> list[PendingJob]:
        found = []
        with contextlib.suppress(queue.Empty):
            while True:
                found.append(self.arriving.get_nowait())
        return found

    # -- the watching thread ------------------------------------------------------------------------------------

    def _watch(self) -> None:
        pause = self._pace.first
        while not self._stop.is_set():
            changed, lost, fail = False, None, self._fail_all
            # who cannot send still collects; and where only the sending is stuck, only what is unsent is given up
            for step, giving_up in ((self._send_arrived, self._fail_unsent), (self._look, self._fail_all)):
                try:
                    changed |= step()
                except (ConnectionLostError, BusyError) as error:
                    lost, fail = (lost, fail) if lost else (error, giving_up)
                except Exception as error:  # whoever waits must not wait for ever
                    _log.debug("%s: internal error while watching", self._name, exc_info=True)
                    changed = True
                    self._fail_all(error)
            if lost is not None:
                self._lost(lost, fail)
            else:
                self._silent_since = None
            followed = any(item.on_event for live in self._live for item in live.all_items())
            slowest = min(self._pace.slowest_followed, self._pace.slowest) if followed else self._pace.slowest
            pause = self._pace.first if changed else min(pause * 1.5, slowest)
            self._wake.wait(None if self.idle else pause)
            self._wake.clear()

    def _send_arrived(self) -> bool:
        """New jobs: into arrays that were sent before, if they are there, the others into new ones."""
        self._new += self._gathered()
        try:
            while self._new:
                if not self._sender.adopt(self._new[0], self._live):
                    self._waiting.append(self._new[0])
                self._new.pop(0)
            sent = self._submit_unsubmitted()
            if self._blocked and self._waiting and not self._on_cluster and not self._sender.limits.room(0):
                raise self._blocked  # nothing of ours is there whose end could be waited for
            while self._waiting and not enough_wait(self._live, self._at_once, self._chunk):
                if not (room := self._sender.limits.room(self._on_cluster)):
                    break
                alone = self._waiting[0].retry.alone
                some = [item for item in self._waiting if item.retry.alone is alone]
                share = math.ceil(len(some) / self._at_once)  # no job has two while another could run
                chunk = 1 if alone else min(share, self._chunk)
                now = some[: room * chunk]
                live = self._sender.send(now, chunk)
                self._live.append(live)
                self._waiting = [item for item in self._waiting if item not in now]
                sent = self._submit_unsubmitted()
        except TlcourseError as error:
            self._fail_unsent(error)
            return True
        return sent

    @property
    def _on_cluster(self) -> int:
        return sum(live.on_cluster for live in self._live)

    def _submit_unsubmitted(self) -> bool:
        """Hand what was staged to Slurm; what it refuses for their number waits, in smaller arrays."""
        unsubmitted = self._unsubmitted()
        for live in unsubmitted:
            elements, there = len(live.array.chunks), self._on_cluster
            try:
                self._sender.submit(live)
                self._accepted, self._blocked = True, None
            except LimitError as error:
                self._live.remove(live)
                items = live.all_items()
                _log.info("%s: %s jobs refused beside %s: %s", self._name, elements, there, error)
                if not self._sender.limits.refused(elements, there, array=error.array) and not self._accepted:
                    refused = located(error.refused, self._name, live.array.settings)
                    for item in items:
                        item.fail(refused)
                    continue
                for item in items:
                    item.retry.sends -= 1
                    item.tell_once(f"{self._shell.name} takes no more jobs of yours now ({error}); it is sent later")
                self._waiting = items + self._waiting
                if not there and elements == 1:
                    self._blocked = error
                    raise
        return bool(unsubmitted)

    def _fail_unsent(self, error: Exception) -> None:
        items = [*self._new, *self._waiting, *(item for live in self._unsubmitted() for item in live.all_items())]
        _log.info("%s: %s jobs not sent: %s", self._name, len(items), error)
        self._live = [live for live in self._live if live.array.job]
        self._new, self._waiting = [], []
        for item in items:
            item.fail(error)

    def _unsubmitted(self) -> list[ActiveArray]:
        return [live for live in self._live if not live.array.job]

    def _gathered(self) -> list[PendingJob]:
        """What arrived, and what arrives just after it; what is sent again has arrived together."""
        found = self._arrived()
        new = any(not item.retry.sends for item in found)
        with contextlib.suppress(queue.Empty):
            while new and self._chunk > 1 and len(found) != self.expected:
                found.append(self.arriving.get(timeout=self._pace.gather))
        self.expected = 0 if found else self.expected
        return found

    def _look(self) -> bool:
        """Ask once for everything, and act on the answer; returns whether something happened."""
        for live in [live for live in self._live if live.over]:
            self._over(live)
        asking = [live for live in self._live if live.items and live.array.job]
        if not asking:
            return False
        follows = {
            (live.array.folder, number): items
            for live in asking
            for number, items in live.items.items()
            if any(item.on_event for item in items)
        }
        asked = [slurm.Follow(folder, number, items[0].offset) for (folder, number), items in follows.items()]
        folders = [slurm.Folder(live.array.folder, live.awaited, live.array.cluster) for live in asking]
        due = time.monotonic() - self._asked_slurm >= self._poll_s or not all(live.asked for live in asking)
        answer = slurm.ask(self._shell, folders, asked, states=due)
        if due:
            self._asked_slurm = time.monotonic()
            self._raise_to(answer.floor)
            for live in asking:
                live.asked = True
        changed = False
        for key, data in answer.events.items():
            changed |= bool(data)
            hand_on(follows[key], data)
        for live in asking:
            changed |= self._results.take(live, answer)
            if live.over:
                self._over(live)
        while self._old_folders and self.idle:
            self._sender.store.forget(self._old_folders.pop())
        return changed

    def _raise_to(self, floor: slurm.Floor | None) -> None:
        """Ask no more often than the site wants, and say so once."""
        self._poll_s = max(self._pace.poll, floor.poll_s if floor else 0.0)
        if floor and self._poll_s > self._pace.poll:
            self._results.note(floor.in_words(self._shell.name, self._pace.poll))

    def _over(self, live: ActiveArray) -> None:
        live.array.over = True
        self._journal.keep(live.array)
        self._live.remove(live)
        if live.sent_again:
            self._old_folders.append(live.array.folder)
        elif live.array.job:
            self._sender.store.forget(live.array.folder)

    # -- when nothing answers ------------------------------------------------------------------------------------

    def _lost(self, error: ConnectionLostError | BusyError, fail: Callable[[Exception], None]) -> None:
        """The connection broke, or Slurm is silent: try again for a while, then `fail`; jobs can be found later."""
        moment = time.monotonic()
        if self._silent_since is None:
            self._silent_since = moment
            _log.info("%s: no answer (%s); trying again for %.0f s", self._name, error, self._pace.patience)
            for item in (item for live in self._live for item in live.all_items()):
                item.tell(f"{self._shell.name} does not answer ({error}); what was sent keeps running there")
            for item in self._waiting:
                item.tell_once(f"{self._shell.name}: {error}. Nothing of it was sent yet; it is tried again")
        if moment - self._silent_since < self._pace.patience:
            return
        self._silent_since = None
        if isinstance(error, ConnectionLostError):
            self._fail_all(unreachable(self._shell, error))
        elif isinstance(error, LimitError):
            fail(error.refused)
        else:
            patience = self._pace.patience
            minutes = f"{patience / 60:.0f} min" if patience >= 60 else f"{patience:.0f} s"
            said = InfraError(
                f"Slurm on {self._shell.name} did not do what it was asked for {minutes}: {error}.",
                cause="its controller is down or overloaded.",
                remedy=f"try again later; what was sent keeps running: tlcourse jobs list. "
                f"tlcourse config check {self._name} says whether it answers.",
            )
            fail(said)

    def _fail_all(self, error: Exception) -> None:
        _log.info("%s: no longer watching %s arrays: %s", self._name, len(self._live), error)
        for live in self._live:
            live.fail(error)
        self._live.clear()
        for item in self._arrived():
            item.fail(error)
        self._fail_unsent(error)
