"""Where jobs stand: how busy a cluster is, their place in its queue, and their state in words."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from tlcourse.cluster import slurm
from tlcourse.cluster.jobs import ActiveArray, ArrayJob
from tlcourse.cluster.profile import Profile
from tlcourse.cluster.sbatch_errors import explain, unreachable
from tlcourse.cluster.shell import ConnectionLostError, Shell, quoted

_MARK = "::nodes"


class QueueLoad(Struct, frozen=True):
    """What a partition looks like now."""

    running: int
    """Jobs that run; of everybody."""
    waiting: int
    groups: int
    """Accounts with running jobs, or users where the cluster has no accounts."""
    idle_nodes: int
    nodes: int
    position: int | None = None
    """Our first waiting job's place in the queue, from 1."""
    minutes: float | None = None
    """Until Slurm thinks that it starts."""


def queue_load(shell: Shell, profile: Profile, jobs: frozenset[str] = frozenset()) -> QueueLoad | None:
    """Ask Slurm; None where it does not answer. `jobs`: numbers of ours."""
    where = f"-p {quoted(profile.partition)}" if profile.partition else ""
    done = shell.run(
        f"{slurm.PLAIN}; SLURM_TIME_FORMAT=%s squeue -h -r {where} -t PD,R -o '%F|%T|%u|%a|%Q|%S' && echo {_MARK} && "
        f"sinfo -h {where} -o '%D|%T' && date +%s"
    )
    if done.code != 0:
        return None
    queue, _, rest = done.text.partition(_MARK + "\n")
    *nodes, clock = rest.split()
    return read_queue_load(queue.splitlines(), nodes, jobs, float(clock))


def read_queue_load(queue: list[str], nodes: list[str], jobs: frozenset[str], now: float) -> QueueLoad:
    """Slurm's answer, counted. Waiting jobs are ordered as Slurm does: by priority, then by number."""
    rows = [row for row in (line.strip().split("|") for line in queue) if len(row) == 6]
    running = [row for row in rows if row[1] == "RUNNING"]
    waiting = sorted((row for row in rows if row[1] == "PENDING"), key=lambda row: (-_number(row[4]), _number(row[0])))
    ours = next((place for place, row in enumerate(waiting) if row[0] in jobs), None)
    start = _number(waiting[ours][5]) if ours is not None else 0.0
    counts = [(int(count), state.rstrip("*~#$@+-^!%")) for count, _, state in (one.partition("|") for one in nodes)]
    return QueueLoad(
        running=len(running),
        waiting=len(waiting),
        groups=len({row[2] if row[3] in ("", "(null)") else row[3] for row in running}),
        idle_nodes=sum(count for count, state in counts if state == "idle"),
        nodes=sum(count for count, _ in counts),
        position=None if ours is None else ours + 1,
        minutes=max(start - now, 0.0) / 60 if start > 0 else None,
    )


def in_words(found: QueueLoad, places: int | None) -> str:
    """One line for people."""
    if places:
        parts = [f"{found.groups} of {places} places taken"]
    else:
        parts = [f"{found.running} jobs run, {found.waiting} wait, {found.idle_nodes} of {found.nodes} nodes are idle"]
    if found.position is not None:
        parts.append(f"yours is number {found.position} in the queue")
    if found.minutes is not None:
        parts.append("it starts at any moment" if found.minutes < 1 else f"about {found.minutes:.0f} min")
    return ", ".join(parts)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def queue_status(name: str, arrays: Sequence[ActiveArray]) -> str:
    """`bed: 4 jobs run, 6 wait. REASON`; empty where no job of ours is there."""
    run, wait, said = 0, 0, ""
    for live in arrays:
        left = set(live.items)
        for index, chunk in enumerate(live.array.chunks):
            if not left & set(chunk):
                continue
            state = live.states.get(index)
            began = bool(live.started & set(chunk))  # files say so before Slurm is asked again
            if began or (state is not None and state.state in ("RUNNING", "COMPLETING")):
                run += 1
                continue
            wait += 1
            if state is not None and state.state == "PENDING":
                said = explain(state.state, state.reason, partition=state.partition, job=live.array.job).text
    if not run + wait:
        return ""
    return f"{name}: {run} jobs run, {wait} wait" + (f". {said}" if said else "")


def enough_wait(live: Iterable[ActiveArray], at_once: int, chunk: int) -> bool:
    """Whether what waits on the cluster keeps every place of a batch busy for a while, whatever takes these.

    Then what arrives is gathered, and sent as one array later: a class of a thousand is ten arrays and no more.
    """
    return chunk > 1 and sum(one.unstarted for one in live) >= 2 * at_once


class JobStatus(Struct, frozen=True):
    """Where one run on a cluster stands, while Slurm has a job of it."""

    job: str
    slurm: str
    """Slurm's state, such as PENDING."""
    node: str
    said: str
    """The state and its reason in words."""
    crowd: str = ""
    """How busy the cluster is, of a job that waits."""
    position: int | None = None
    """Its place in the queue, from 1."""


class Asked(Struct, frozen=True):
    """What a cluster said of several runs when it was asked."""

    at: float
    """Seconds since 1970."""
    status: dict[str, JobStatus]
    """By run; what has ended there is left out."""
    known: list[str]
    """The runs that it was asked about."""
    floor_s: float = 0.0
    """What the site wants between two questions."""


def ask_status(
    shell: Shell, profile: Profile, runs: Mapping[str, Sequence[ArrayJob]], before: Asked | None = None
) -> Asked:
    """Ask one cluster about several runs at once, each with its open arrays.

    Slurm is asked unless it was within `poll_s`, and `before` is what it said: then files say what has begun and what
    has ended since. Raises UnableError where the cluster does not answer.
    """
    arrays = [array for sent in runs.values() for array in sent]
    asked = [slurm.Folder(array.folder, cluster=array.cluster) for array in arrays]
    now = time.time()
    try:
        if before is not None and _still_holds(before, profile, runs, now):
            return _by_files(before, runs, slurm.ask(shell, asked, [], states=False))
        answer = slurm.ask(shell, asked, [])
        load = queue_load(shell, profile, frozenset(array.job for array in arrays if array.job))
    except ConnectionLostError as error:
        raise unreachable(shell, error) from None
    found = {}
    for run, sent in runs.items():
        known = ((answer.states.get(array.cluster, {}), array.job) for array in sent)
        state = next((states[job] for states, job in known if job in states), None)
        if state is None or not state.live:
            continue
        waits = load if state.state == "PENDING" else None
        found[run] = JobStatus(
            job=state.id,
            slurm=state.state,
            node=state.node,
            said=explain(state.state, state.reason, partition=state.partition, job=state.id).text,
            crowd=in_words(waits, profile.places) if waits else "",
            position=waits.position if waits else None,
        )
    return Asked(now, found, list(runs), answer.floor.poll_s if answer.floor else 0.0)


def _still_holds(before: Asked, profile: Profile, runs: Mapping[str, object], now: float) -> bool:
    recent = 0 <= now - before.at < max(profile.poll_s, before.floor_s)
    return recent and set(runs) <= set(before.known)


def _by_files(before: Asked, runs: Mapping[str, Sequence[ArrayJob]], answer: slurm.Answer) -> Asked:
    status = {}
    for run, sent in runs.items():
        said = before.status.get(run)
        if said is None or any(answer.results.get(array.folder) for array in sent):
            continue
        if said.slurm == "PENDING" and any(answer.started.get(array.folder) for array in sent):
            said = replace(said, slurm="RUNNING", said=explain("RUNNING", "").text, crowd="", position=None)
        status[run] = said
    return replace(before, status=status)
