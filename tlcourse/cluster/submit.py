"""Submitting jobs once, asking first whether Slurm would take them, and cancelling them by number or by name."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterable

import msgspec
from msgspec import Struct

from tlcourse.cluster.jobs import ActiveArray, ArrayJob, Journal, PendingJob, new_name
from tlcourse.cluster.plan import SCHEMA, SUBMISSIONS, Packer, Plan, header, job_minutes, job_script
from tlcourse.cluster.profile import Profile
from tlcourse.cluster.sbatch_errors import BusyError, LimitError, RefusedError, located, refusal, unreachable
from tlcourse.cluster.shell import LOCK, ConnectionLostError, Done, Shell, quoted
from tlcourse.cluster.slurm import on_cluster, submit
from tlcourse.cluster.staging import RemoteStore, archive_of, python_for
from tlcourse.course.spec import Limits
from tlcourse.errors import InfraError, TlcourseError
from tlcourse.execution.events import Lines

_log = logging.getLogger(__name__)


class Sender:
    """Sends arrays of jobs to one cluster; takes over those that an earlier process sent."""

    def __init__(self, name: str, profile: Profile, shell: Shell, journal: Journal, packer: Packer) -> None:
        self._name = name
        self._profile = profile
        self._shell = shell
        self._journal = journal
        self._packer = packer
        self._orphans = journal.open
        """Rounds of an earlier process, whose jobs are taken over when they are asked for again."""
        self._store: RemoteStore | None = None
        self._started: tuple[str, str] | None = None
        self._was_reached = False
        self._limits: Limit | None = None

    @property
    def store(self) -> RemoteStore:
        """The work folder. Raises UnableError where the cluster was never reached, else ConnectionLostError."""
        if self._store is None:
            try:
                self._store = RemoteStore(self._shell, self._profile.work)
            except ConnectionLostError as error:
                if self._was_reached:
                    raise
                raise unreachable(self._shell, error) from None
            self._was_reached = True
        return self._store

    @property
    def limits(self) -> Limit:
        """How many jobs may be sent; raises ConnectionLostError when it is asked for first."""
        if self._limits is None:
            _ = self.store  # who was never reached is told so at once
            self._limits = Limit(*ask_limits(self._shell, self._profile))
            _log.debug("%s: %s", self._name, self._limits)
        return self._limits

    def adopt(self, item: PendingJob, live: list[ActiveArray]) -> bool:
        """Let an item wait for a job that is on the cluster already, now or since an earlier process."""
        key = item.task.key
        for each in live:
            if key in each.array.keys and (number := each.array.keys.index(key)) in each.items:
                each.items[number].append(item)
                return True
        for one in self._orphans:
            if key not in one.keys or one.over:
                continue
            if not one.job and not self._finish_sending(one):
                continue  # it goes into a new one
            found = next((each for each in live if each.array is one), None)
            if found is None:
                found = ActiveArray(one, {}, adopted=True)
                live.append(found)
            found.items[one.keys.index(key)] = [item]
            _log.info("%s: job %s of an earlier process is watched again", self._name, one.job)
            item.retry.sends += 1
            return True
        return False

    def _finish_sending(self, one: ArrayJob) -> bool:
        """An earlier process ended between writing an array down and hearing Slurm's number of it."""
        there = self._shell.run(f"[ -f '{one.folder}/script.sh' ]").code == 0
        if not there:  # then it was never submitted
            one.over = True
        else:
            try:
                self._number(one)
            except LimitError:
                there, one.over = False, True
        self._journal.keep(one)
        return there

    def _number(self, one: ArrayJob) -> None:
        clusters = clusters_of(one.settings)
        one.job, one.cluster = submit(self._shell, one.folder, one.name, clusters)

    def send(self, items: list[PendingJob], chunk: int) -> ActiveArray:
        """A new array, staged and written down, not yet submitted; identical jobs are sent once."""
        by_key: dict[str, list[PendingJob]] = {}
        for item in items:
            by_key.setdefault(item.task.key, []).append(item)
        keys = list(by_key)
        numbers = list(range(len(keys)))
        chunks = [numbers[i : i + chunk] for i in range(0, len(numbers), chunk)]
        one = ArrayJob(new_name(), self._name, self._profile, keys, chunks, time.time())
        live = ActiveArray(one, {number: by_key[key] for number, key in enumerate(keys)})
        self._stage(one, [same[0] for same in by_key.values()])
        for item in items:
            item.retry.sends += 1
            item.offset, item.lines = 0, Lines()
        return live

    def _stage(self, one: ArrayJob, items: list[PendingJob]) -> None:
        """Everything but the job itself: data, code, Python, the folder."""
        store = self.store
        blobs = {digest: data for item in items for digest, data in self._packer.blobs(item.task).items()}
        # hand-ins are of use to these jobs alone, and go with them; what others train on, too, stays
        submissions = {item.task.submission: blobs[item.task.submission] for item in items}
        store.send_blobs({digest: data for digest, data in blobs.items() if digest not in submissions})
        if self._started is None:
            self._started = (store.send_code(), python_for(store, self._profile))
        code, python = self._started
        tasks = [item.task for item in items]
        one.folder = f"{store.work}/jobs/{one.name}"
        chunks = [[tasks[number] for number in chunk] for chunk in one.chunks]
        script = job_script(self._profile, one.name, one.folder, code, python, chunks)
        plan = Plan(SCHEMA, tasks, one.chunks, list(self._profile.environment))
        self._journal.keep(one)
        files = {"plan.json": msgspec.json.encode(plan), "script.sh": script.encode()}
        files[SUBMISSIONS] = archive_of(submissions, ())
        store.send_folder(one.name, files, ("events", "results", "log"))

    def submit(self, live: ActiveArray) -> None:
        """Hand an array to Slurm; a second try after a lost connection finds the first one's job.

        Raises ConnectionLostError and BusyError, worth another try, and LimitError, after which the array is gone;
        any other error is told to those who wait.
        """
        one = live.array
        try:
            self._number(one)
        except LimitError:
            one.over = True
            self._journal.keep(one)
            self.store.forget(one.folder)
            raise
        except TlcourseError as error:
            one.over = True
            self._journal.keep(one)
            _log.info("%s: array %s refused: %s", self._name, one.name, error.what)
            live.fail(located(error, self._name, self._profile))
            return
        self._journal.keep(one)
        tasks, elements = len(one.keys), len(one.chunks)
        _log.info(
            "%s: array %s submitted as job %s: tasks %s, elements %s", self._name, one.name, one.job, tasks, elements
        )
        for item in live.all_items():
            taker = "Slurm" if self._profile.scheduler == "slurm" else "the queue"
            item.tell(f"job {one.job} was handed to {taker} on {self._shell.name}")


class Limit(Struct):
    """How many jobs one may have: what the cluster says of itself, and what its refusals teach."""

    array: int = 1000
    """Elements of one array."""
    jobs: int | None = None
    """Elements that may wait or run at a time; None where nothing is known."""
    learnt_at: float = 0.0

    def room(self, on_cluster: int) -> int:
        """How many elements may be sent now, beside those of ours that are there."""
        if self.jobs is None:
            return self.array
        # others of the same person may have ended since: once in a while one more than was refused is tried
        more = int((time.monotonic() - self.learnt_at) / TRY_MORE_S) if self.learnt_at else 0
        return max(min(self.array, self.jobs + more - on_cluster), 0)

    def refused(self, elements: int, on_cluster: int, *, array: bool) -> bool:
        """Learn from a refusal; returns whether fewer, or later, may be taken."""
        if elements > 1:
            half = max(elements // 2, 1)
            if array:
                self.array = half
            else:
                self.jobs, self.learnt_at = on_cluster + half, time.monotonic()
            return True
        self.jobs, self.learnt_at = on_cluster, time.monotonic()
        return on_cluster > 0 and not array


TRY_MORE_S = 60.0
_LIMITS = """
scontrol show config 2>/dev/null | sed -n 's/^MaxArraySize *= */array /p'
{{ echo {qos}; scontrol -o show partition {partition} 2>/dev/null | sed -n 's/.* QoS=\\([^ ]*\\).*/\\1/p'; }} |
    while read -r q; do
        [ -n "$q" ] && [ "$q" != N/A ] || continue
        timeout 10 sacctmgr -nP show qos where name="$q" format=MaxSubmitJobsPerUser 2>/dev/null | sed 's/^/jobs /'
    done
true
"""


def ask_limits(shell: Shell, profile: Profile) -> tuple[int, int | None]:
    """What the cluster says itself: elements of an array, and jobs of one person by its QOS and its partition's."""
    text = shell.run(_LIMITS.format(qos=quoted(profile.qos or ""), partition=quoted(profile.partition or ""))).text
    said = [words for words in map(str.split, text.splitlines()) if len(words) == 2 and words[1].isdigit()]
    # an index is below MaxArraySize
    array = min((int(number) - 1 for kind, number in said if kind == "array" and int(number) > 1), default=1000)
    jobs = [int(number) for kind, number in said if kind == "jobs" and int(number) > 0]
    return min(array, 1000), min(jobs, default=None)


def clusters_of(profile: Profile) -> str:
    """The clusters that a profile's options of sbatch name, where several share a login."""
    for option in reversed(profile.sbatch):
        name, _, value = option.partition("=")
        if name == "--clusters" and value:
            return value
        if option.startswith("-M") and option[2:].lstrip("="):
            return option[2:].lstrip("=")
    return ""


def closed_error() -> InfraError:
    """What is said to those who wait when this process stops watching."""
    return InfraError("This process no longer watches the cluster.")


_NOW = "not available now"  # a partition that is closed at the moment: its jobs wait


def sbatch_test_only(name: str, profile: Profile, shell: Shell, hand_ins: int, limits: Limits, threads: int) -> None:
    """Have sbatch look at an array for so many hand-ins, and submit nothing.

    Raises UsageError where Slurm refuses what the profile asks for, UnableError where the cluster is not reached.
    """
    chunk = min(math.ceil(hand_ins / profile.at_once), profile.chunk)
    minutes = job_minutes(profile, [[limits.wall_time_s] * chunk])
    elements = math.ceil(hand_ins / chunk)
    lines = header(profile, "tlcourse-trial", "/dev/null", elements, minutes, threads, limits.memory_mb)
    try:
        done = shell.run("sbatch --test-only", "\n".join([*lines, "true", ""]).encode())
        if done.code == 0 or _NOW in done.err:
            return
        error = refusal(shell, done)
    except ConnectionLostError as lost:
        raise unreachable(shell, lost) from None
    if isinstance(error, RefusedError):  # whatever else it says is met again when a job is submitted
        raise located(error, name, profile)


# What scancel says of jobs for which there is nothing left to do; older ones say nothing, and newer ones fail.
_NO_MATTER = ("invalid job id", "already complet")
# A submission whose connection broke may still be under way on the login node (see `submit`): it holds the lock, or
# comes after us and finds no script.
_BY_NAME = """
cd {folder} 2>/dev/null || exit 0
{lock}
lock submit 40 3 || exit 4
rm -f script.sh
scancel{clusters} --name={name}
"""


def cancel(shell: Shell, jobs: Iterable[tuple[str, str]]) -> None:
    """Cancel jobs, each with its cluster; ended and unknown ones are no error.

    Raises ConnectionLostError, and BusyError if jobs may still run.
    """
    by_cluster: dict[str, list[str]] = {}
    for job, cluster in jobs:
        by_cluster.setdefault(cluster, []).append(job)
    for cluster, numbers in by_cluster.items():
        _heard(shell.run(f"scancel{on_cluster(cluster)} {quoted(*numbers)}"))


def cancel_arrays(shell: Shell, arrays: Iterable[ArrayJob]) -> None:
    """Cancel all jobs of arrays, those too that Slurm has and whose number a killed process never heard.

    Raises ConnectionLostError, and BusyError where Slurm did not hear it: then they may keep running.
    """
    arrays = list(arrays)
    cancel(shell, [(one.job, one.cluster) for one in arrays if one.job])
    for one in arrays:
        if not one.job and one.folder:
            clusters = on_cluster(clusters_of(one.settings))
            line = _BY_NAME.format(folder=quoted(one.folder), name=quoted(one.name), lock=LOCK, clusters=clusters)
            _heard(shell.run(line, timeout=90))


def cancel_open(shell: Shell, journal: Journal) -> None:
    """Cancel everything of a run that may still be on its cluster, and write down that nothing more is to come.

    Raises UnableError where the cluster is not reached, and BusyError where Slurm did not hear it.
    """
    try:
        cancel_arrays(shell, journal.open)
    except ConnectionLostError as error:
        raise unreachable(shell, error) from None
    for array in journal.open:
        array.over = True
        journal.keep(array)


def _heard(done: Done) -> None:
    words = done.err.strip()
    if done.code == 0 or any(harmless in words.lower() for harmless in _NO_MATTER):
        return
    last = words.splitlines()[-1] if words else f"exit status {done.code}"
    raise BusyError(f"Slurm did not hear that the jobs are to end: {last}")
