"""What becomes of each job when the cluster has answered: its result is taken, or its state is acted upon.

Here a result file becomes a report, a pending job's reason is told, and what left no result is sent again or given up.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

import msgspec

from tlcourse.cluster import slurm
from tlcourse.cluster.jobs import ActiveArray, Journal, Pace, PendingJob, hand_on, retry_decision
from tlcourse.cluster.plan import TaskResult, result_cap
from tlcourse.cluster.sbatch_errors import explain, would_wait
from tlcourse.cluster.shell import Shell
from tlcourse.cluster.slurm import JobState
from tlcourse.cluster.staging import full_error
from tlcourse.cluster.submit import Sender, cancel
from tlcourse.execution.spec import RunReport, Usage

_log = logging.getLogger(__name__)
_OF_ONE_PREEMPTED = ("CANCELLED", "FAILED", "")  # by Slurm's version and the site's settings, besides PREEMPTED


class ResultHandler:
    """Acts on what the cluster answered. For the watching thread alone."""

    def __init__(
        self,
        name: str,
        shell: Shell,
        sender: Sender,
        journal: Journal,
        *,
        pace: Pace,
        retry_cancelled: bool,
        again: Callable[[PendingJob], None],
    ) -> None:
        """`again`: takes what is to be sent again."""
        self._name = name
        self._shell = shell
        self._sender = sender
        self._journal = journal
        self._pace = pace
        self._retry_cancelled = retry_cancelled
        self._again = again
        self._accounting = True
        self.notes: list[str] = []
        """What was noticed on the way, such as a cluster without accounting."""

    def take(self, live: ActiveArray, answer: slurm.Answer) -> bool:
        """Results first, then the states of what left none; returns whether something happened."""
        changed = self._take_results(live, answer)
        return self._take_states(live, answer) or changed

    # -- results -------------------------------------------------------------------------------------------------

    def _take_results(self, live: ActiveArray, answer: slurm.Answer) -> bool:
        there = answer.results.get(live.array.folder, set()) & set(live.items)
        if not there:
            return False
        self._take_last_events(live, there)
        caps = {number: result_cap(live.items[number][0].task, live.items[number][0].items) for number in there}
        for number, data in slurm.fetch(self._shell, live.array.folder, caps).items():
            items = live.items[number]
            report = self._report(items[0], data, caps[number])
            if report is None:
                _log.debug("%s: result %s of job %s is damaged", self._name, number, live.array.job)
                state = JobState(live.array.job, "FAILED", "its result file is damaged")
                self._again_or_over(live, number, state, was_running=True, alone=True)
            elif report.status == "infra" and items[0].retry.faults == 0:
                items[0].retry.faults += 1  # a node that lacks something: once more, maybe on another
                said = (self._name, number, live.array.job, report.message)
                _log.info("%s: task %s of job %s is sent again: %s", *said)
                self._send_again(live, number)
            else:
                said = (self._name, number, live.array.job, report.status)
                _log.info("%s: task %s of job %s collected: %s", *said)
                for item in live.take(number):
                    item.done(report)
        return True

    def _take_last_events(self, live: ActiveArray, numbers: set[int]) -> None:
        """What was written between the last look and the end."""
        followed = {n: live.items[n] for n in numbers if any(item.on_event for item in live.items[n])}
        if followed:
            asked = [slurm.Follow(live.array.folder, n, items[0].offset) for n, items in followed.items()]
            for (_, number), data in slurm.ask(self._shell, [], asked).events.items():
                hand_on(followed[number], data)

    def _report(self, item: PendingJob, data: bytes, cap: int) -> RunReport | None:
        """The report of a result file, or None where the file is none of this task."""
        try:
            result = msgspec.json.decode(data, type=TaskResult) if len(data) <= cap else None
        except (msgspec.MsgspecError, ValueError, RecursionError):  # not UTF-8, or nested too deeply, are its own
            return None
        if result is None or result.key != item.task.key:
            return None
        if result.notice:
            self.note(result.notice)
        return msgspec.structs.replace(result.report, where=f"{self._name}: {result.node} (job {result.job})")

    def note(self, text: str) -> None:
        """Keep what was noticed on the way, once."""
        if text not in self.notes:
            self.notes.append(text)

    # -- states --------------------------------------------------------------------------------------------------

    def _take_states(self, live: ActiveArray, answer: slurm.Answer) -> bool:
        """Which elements of the array have ended, and what becomes of those that left no result."""
        live.started |= answer.started.get(live.array.folder, set())
        states = answer.states.get(live.array.cluster)
        if states is None:
            return False
        states = self._with_accounts(live, states)
        changed = False
        for index, chunk in enumerate(live.array.chunks):
            left = [number for number in chunk if number in live.items]
            if not left:
                continue
            name = live.array.element(index)
            state = states.get(name) or JobState(name, "")
            if live.states.get(index) != state:
                changed = True
                seen = (self._name, state.id, state.state or "unknown to Slurm", state.reason, state.node)
                _log.debug("%s: job %s is %s (reason: %s, node: %s)", *seen)
            live.states[index] = state
            if state.live:
                live.ended.pop(index, None)
                if not self._tell_state(live, state, left):
                    return True
                continue
            grace = self._pace.grace_of(state, began=bool(live.started & set(left)))
            if index not in live.ended:
                changed = True
                live.ended[index] = time.monotonic()
                gone = (self._name, state.id, state.state or "unknown to Slurm", left, grace)
                _log.info("%s: job %s is %s, results of tasks %s are missing; waiting %.0f s for them", *gone)
            if time.monotonic() - live.ended[index] >= grace:
                changed = True
                self._without_result(live, chunk, left, state)
        return changed

    def _with_accounts(self, live: ActiveArray, states: dict[str, JobState]) -> dict[str, JobState]:
        """Slurm's answer, and where that has forgotten a job of ours already, what accounting says of the array."""
        wanted = set(live.items)
        missing = [
            index
            for index, chunk in enumerate(live.array.chunks)
            if wanted & set(chunk) and live.array.element(index) not in states
        ]
        if not missing or not self._accounting:
            return states
        known = slurm.accounting(self._shell, live.array.job, live.array.cluster)
        if known is None:
            self._accounting = False
            self.note("This cluster keeps no accounts of jobs; their result files are looked at instead.")
        return {**(known or {}), **states}

    def _tell_state(self, live: ActiveArray, state: JobState, left: list[int]) -> bool:
        """Say what a job waits for, once each; False where that is for ever: then the array was cancelled."""
        sentence = explain(state.state, state.reason, partition=state.partition, job=live.array.job)
        if state.state != "PENDING" or not sentence.never:
            for item in (item for number in left for item in live.items[number]):
                item.tell_once(f"job {state.id}: {sentence.text}")
            return True
        _log.info("%s: job %s cancelled, it would wait for ever: %s", self._name, live.array.job, state.reason)
        cancel(self._shell, [(live.array.job, live.array.cluster)])
        live.fail(would_wait(self._name, live.array.settings, state.reason, sentence.text))
        return False

    def _without_result(self, live: ActiveArray, chunk: list[int], left: list[int], state: JobState) -> None:
        if not state.state:  # Slurm knows nothing of it: it must not run beside what is sent in its place
            cancel(self._shell, [(state.id, live.array.cluster)])
        store = self._sender.store
        if store.full():
            _log.info("%s: job %s given up: the work folder is full", self._name, live.array.job)
            for item in (item for number in left for item in live.take(number)):
                item.fail(full_error(store.work, self._shell))
            return
        if state.state in _OF_ONE_PREEMPTED and slurm.was_preempted(
            self._shell, live.array.folder, state, live.array.cluster
        ):
            _log.info("%s: job %s was preempted, which Slurm calls %s", self._name, state.id, state.state)
            state = msgspec.structs.replace(state, state="PREEMPTED")
        for number in left:
            self._again_or_over(live, number, state, was_running=number in live.started, alone=len(chunk) == 1)

    def _again_or_over(
        self, live: ActiveArray, number: int, state: JobState, *, was_running: bool, alone: bool
    ) -> None:
        items = live.items[number]
        if (report := self._late(items[0])) is not None:
            _log.info(
                "%s: task %s of job %s: a late result of an earlier job counts", self._name, number, live.array.job
            )
            for item in live.take(number):
                item.done(report)
            return
        decision = retry_decision(
            state, items[0].retry, was_running=was_running, alone=alone, retry_cancelled=self._retry_cancelled
        )
        if decision.again:
            what = explain(state.state, state.reason).text if state.state else "Slurm has forgotten it."
            job = state.id or live.array.job
            counts = (items[0].retry.sends, items[0].retry.faults)
            _log.info(
                "%s: task %s of job %s is sent again (sent %s, faults %s): %s", self._name, number, job, *counts, what
            )
            for item in items:
                item.tell(f"job {job}: {what} It is sent again.")
            self._send_again(live, number)
            return
        where = f"{self._name}: {state.node or 'no node'} (job {state.id or live.array.job})"
        _log.info("%s: task %s of job %s given up: %s", self._name, number, live.array.job, decision.message)
        log = self._sender.store.job_log(live.array.folder)
        for item in live.take(number):
            item.done(RunReport(decision.status, decision.message, "", Usage(), log=log, where=where))

    def _late(self, item: PendingJob) -> RunReport | None:
        """A result that a job of an earlier round left after it had been given up."""
        cap = result_cap(item.task, item.items)
        for folder, number in item.retry.before:
            data = slurm.fetch(self._shell, folder, {number: cap}).get(number)
            report = self._report(item, data, cap) if data is not None else None
            if report is not None and report.status != "infra":
                return report
        return None

    def _send_again(self, live: ActiveArray, number: int) -> None:
        """Into a further array. Its key leaves this one, so that it is not found there again."""
        items = live.take(number)
        items[0].retry.before.append((live.array.folder, number))
        live.sent_again = True
        live.array.keys[number] = ""
        self._journal.keep(live.array)
        for item in items:
            item.retry = items[0].retry
            self._again(item)
