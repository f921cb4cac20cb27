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
from concurrent.futures import Future

from tlcourse.cluster import slurm
from tlcourse.cluster.jobs import ActiveArray, Journal, OnEvent, Pace, PendingJob, RetryState, hand_on, pace_of
from tlcourse.cluster.plan import Packer
from tlcourse.cluster.profile import Profile
from tlcourse.cluster.queue import queue_status
from tlcourse.cluster.results import ResultHandler
from tlcourse.cluster.sbatch_errors import BusyError, unreachable
from tlcourse.cluster.shell import ConnectionLostError, Shell
from tlcourse.cluster.staging import folder_archive
from tlcourse.cluster.submit import Sender, cancel_arrays, closed_error
from tlcourse.errors import TlcourseError
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
            grace=self._pace.grace,
            retry_cancelled=retry_cancelled,
            again=self.arriving.put,
        )
        self._live: list[ActiveArray] = []
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
        future: Future[RunReport] = Future()
        items = len(job.test_inputs["x"]) if job.test_inputs is not None else 0
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
        """`bed: 4 jobs run, 6 wait. It waits for free nodes.`; empty where nothing is there."""
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
        for item in self._arrived():
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
            try:
                changed = self._send_arrived()
                changed |= self._look()
                self._silent_since = None
            except (ConnectionLostError, BusyError) as error:
                changed = False
                self._lost(error)
            except Exception as error:  # whoever waits must not wait for ever
                _log.debug("%s: internal error while watching", self._name, exc_info=True)
                changed = True
                self._fail_all(error)
            followed = any(item.on_event for live in self._live for item in live.all_items())
            slowest = self._pace.slowest_followed if followed else self._pace.slowest
            pause = self._pace.first if changed else min(pause * 1.5, slowest)
            self._wake.wait(None if self.idle else pause)
            self._wake.clear()

    def _send_arrived(self) -> bool:
        """New jobs: into arrays that were sent before, if they are there, the others into new ones."""
        arrived = self._gathered()
        try:
            while arrived:
                some = [item for item in arrived if item.retry.alone is arrived[0].retry.alone]
                new = [item for item in some if not self._sender.adopt(item, self._live)]
                if new:
                    share = math.ceil(len(new) / self._at_once)  # no job has two while another could run
                    live = self._sender.send(new, 1 if new[0].retry.alone else min(share, self._chunk))
                    self._live.append(live)
                arrived = [item for item in arrived if item not in some]
        except (ConnectionLostError, BusyError):
            self._put_back(arrived)
            raise
        except TlcourseError as error:
            _log.info("%s: %s jobs not sent: %s", self._name, len(arrived), error.what)
            for item in arrived:
                item.fail(error)
        unsubmitted = [live for live in self._live if not live.array.job]
        for live in unsubmitted:
            self._sender.submit(live)
        return bool(unsubmitted)

    def _put_back(self, items: list[PendingJob]) -> None:
        placed = [item for live in self._live for item in live.all_items()]
        for item in items:
            if item not in placed:
                self.arriving.put(item)

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
        asking = [live for live in self._live if live.items]
        if not asking:
            return False
        follows = {
            (live.array.folder, number): items
            for live in asking
            for number, items in live.items.items()
            if any(item.on_event for item in items)
        }
        asked = [slurm.Follow(folder, number, items[0].offset) for (folder, number), items in follows.items()]
        answer = slurm.ask(self._shell, [live.array.folder for live in asking], asked)
        changed = False
        for key, data in answer.events.items():
            changed |= bool(data)
            hand_on(follows[key], data)
        for live in asking:
            changed |= self._results.take(live, answer)
            if live.over:
                self._over(live)
        return changed

    def _over(self, live: ActiveArray) -> None:
        live.array.over = True
        self._journal.keep(live.array)
        self._live.remove(live)
        if live.array.job:
            self._sender.store.forget(live.array.folder)

    # -- when nothing answers ------------------------------------------------------------------------------------

    def _lost(self, error: Exception) -> None:
        """The connection broke, or Slurm is silent: try again for a while, then let the jobs be found later."""
        moment = time.monotonic()
        if self._silent_since is None:
            self._silent_since = moment
            patience = self._pace.patience
            _log.info("%s: no answer (%s); trying again for %.0f s", self._name, error, patience)
            for item in (item for live in self._live for item in live.all_items()):
                item.tell(f"{self._shell.name} does not answer ({error}); what was sent keeps running there")
        if moment - self._silent_since >= self._pace.patience:
            self._silent_since = None
            self._fail_all(unreachable(self._shell, error))

    def _fail_all(self, error: Exception) -> None:
        _log.info("%s: no longer watching %s arrays: %s", self._name, len(self._live), error)
        for live in self._live:
            live.fail(error)
        self._live.clear()
        for item in self._arrived():
            item.fail(error)
