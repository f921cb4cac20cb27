"""Slurm's commands and their answers: submitting, and one question for all states, results and new events.

Only `squeue -o`, `sacct -P` and `sbatch --parsable` are used, which Slurm 20.11 to 25.11 answer alike; `--json` differs
from version to version.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping, Sequence

from msgspec import Struct

from tlcourse.cluster.sbatch_errors import base_state, refusal
from tlcourse.cluster.shell import LOCK, Shell, quoted

ENDED = frozenset({"BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY",
                   "PREEMPTED", "TIMEOUT"})  # fmt: skip
"""States after which nothing comes. Every other one lives, those too that later versions of Slurm invent."""
_FORMAT = "%i|%F|%K|%T|%r|%N|%S|%P"
_SACCT = "JobID,State,NodeList,Start,Reason"
PLAIN = (
    "unset SQUEUE_ACCOUNT SQUEUE_LICENSES SQUEUE_NAMES SQUEUE_PARTITION SQUEUE_QOS SQUEUE_STATES SQUEUE_USERS "
    "SQUEUE_FORMAT2 SLURM_TIME_FORMAT; export SLURM_BITSTR_LEN=0"
)
"""A shell line before any question: a person's own variables would hide jobs; the numbers of an array are not cut."""


class JobState(Struct, frozen=True):
    """One job, or one element of an array."""

    id: str
    """As Slurm writes it: `17` or `17_3`."""
    state: str
    reason: str = ""
    node: str = ""
    start: str = ""
    """When it began, or when Slurm thinks that it will; empty where it says nothing."""
    partition: str = ""

    @property
    def live(self) -> bool:
        """Whether something may still come of it; not so where Slurm does not know it."""
        return bool(self.state) and self.state not in ENDED


def squeue_command(cluster: str = "") -> str:
    """One question for all jobs of this user, ended ones included; an unknown number alone would be an error.

    Those in hidden partitions too. `cluster`: of several that share a login, the one that took the job.
    """
    return f"squeue -a -h -r -t all{on_cluster(cluster)} -u \"$(id -un)\" -o '{_FORMAT}'"


def on_cluster(cluster: str) -> str:
    """The option by which every later command about a job asks the cluster that took it."""
    return f" -M {quoted(cluster)}" if cluster else ""


def read_squeue(text: str) -> dict[str, JobState]:
    """Its answer: id → state."""
    found = {}
    for line in text.splitlines():
        fields = line.split("|")
        if len(fields) != _FORMAT.count("|") + 1:
            continue
        number, base, index, state, reason, node, start, partition = (field.strip() for field in fields)
        keys = elements(base, index) if index not in ("N/A", "") else [number]
        start = "" if start in _NOTHING else start
        node = "" if node in _NOTHING else node
        found.update({key: JobState(key, base_state(state), reason, node, start, partition) for key in keys})
    return found


_NOTHING = ("", "N/A", "(null)", "Unknown", "None", "None assigned")
_RANGES = re.compile(r"\[?([0-9,:-]+)(?:%[0-9]+)?\]?")


def elements(job: str, index: str) -> list[str]:
    """The elements that one line stands for: `[0-2,7%2]`, as several that wait are written, are four."""
    if (found := _RANGES.fullmatch(index)) is None:
        return []
    keys = []
    for piece in filter(None, found[1].split(",")):
        bounds, _, step = piece.partition(":")
        first, _, last = bounds.partition("-")
        if not first.isdigit() or not (last or first).isdigit() or not (step or "1").isdigit():
            return []
        numbers = range(int(first), int(last or first) + 1, int(step or 1) or 1)
        keys += [f"{job}_{number}" for number in numbers[:_MOST]]
    return keys


_MOST = 100_000  # a line of somebody's wrapper does not fill the memory


def sacct_command(job: str, cluster: str = "") -> str:
    """What Slurm's accounting knows of a job; an error where a cluster has none."""
    return f"{PLAIN}; sacct -X -n -P{on_cluster(cluster)} -o {_SACCT} -j {quoted(job)}"


def read_sacct(text: str) -> dict[str, JobState]:
    """Its answer: id → state. `CANCELLED by 1001` is CANCELLED; elements that wait together are one line."""
    found = {}
    for line in text.splitlines():
        fields = line.split("|")
        if len(fields) != _SACCT.count(",") + 1:
            continue
        number, state, node, start, reason = (field.strip() for field in fields)
        job, several, index = number.partition("_[")
        node = "" if node in _NOTHING else node
        start = "" if start in _NOTHING else start
        keys = elements(job, index.removesuffix("]")) if several else [number]
        found.update({key: JobState(key, base_state(state), reason, node, start) for key in keys})
    return found


# A lost connection leaves this running on the login node: it ignores the hang-up, and whoever asks next waits for it.
# What sbatch prints is written under another name, then renamed; so a second try finds either nothing or the number.
# A site's wrapper may print before and after the number, and where there is none Slurm is asked by the job's name:
# after a try that came as far as sbatch, too. (A refused job leaves a record that is FAILED and never had a node.)
_SUBMIT = """
trap '' HUP PIPE INT TERM
unset TLCOURSE_SECRET
umask 077
{plain}
cd {folder} || exit 3
{lock}
lock submit 40 3 || exit 4
number() {{ tr -d '[:blank:]' <"$1" | grep -E '^[0-9]+(;[A-Za-z0-9_.-]*)?$' | tail -n 1; }}
by_name() {{
    squeue -a -h -t all{clusters} -u "$(id -un)" -n {name} -o '%F|%T|%N' 2>/dev/null |
        awk -F'|' '/^CLUSTER: / {{ c = ";" substr($0, 10) }}
            NF == 3 && !($2 == "FAILED" && ($3 == "" || $3 == "(null)")) {{ print $1 c; exit }}'
}}
if [ -z "$(number jobid 2>/dev/null)" ]; then
    found=
    if [ -e jobid.new ]; then found=$(number jobid.new); [ -n "$found" ] || found=$(by_name); fi
    if [ -z "$found" ]; then
        sbatch --parsable script.sh >jobid.new 2>submit.err </dev/null
        code=$?
        if [ $code != 0 ]; then cat submit.err >&2; exit $code; fi
        found=$(number jobid.new)
        [ -n "$found" ] || found=$(by_name)
        if [ -z "$found" ]; then cat jobid.new submit.err >&2; exit 6; fi
    fi
    echo "$found" >jobid.named && mv jobid.named jobid
fi
number jobid
"""


def submit(shell: Shell, folder: str, name: str, clusters: str = "") -> tuple[str, str]:
    """Submit `script.sh` of a folder, at most once however often this is called; returns its number and its cluster.

    `clusters`: those that the profile names, of several that share a login; else the returned cluster is empty, too.
    Raises UsageError where Slurm refuses what the profile asks for, LimitError where it takes no more jobs, InfraError
    where it fails, BusyError, ConnectionLostError.
    """
    script = _SUBMIT.format(
        folder=quoted(folder), name=quoted(name), lock=LOCK, clusters=on_cluster(clusters), plain=PLAIN
    )
    done = shell.run(script, timeout=120)
    lines = done.text.split()
    if done.code == 0 and lines and (found := re.fullmatch(r"(\d+)(?:;([A-Za-z0-9_.-]*))?", lines[-1])):
        return found[1], found[2] or ""
    raise refusal(shell, done)


MOST_POLL_S = 3600.0
EVENTS_AT_ONCE = 256 * 1024
_MARK = "::tlcourse "


class Follow(Struct, frozen=True):
    """Events that are read as they come: task `number` of a folder, from byte `offset` on."""

    folder: str
    number: int
    offset: int


class Folder(Struct, frozen=True):
    """A folder of an array that is looked into, and whose cluster is asked; one without a path is only asked about."""

    path: str
    named: Sequence[int] = ()
    """Tasks whose results are asked for by name: a file system may list a new file only a minute later."""
    cluster: str = ""


class Floor(Struct, frozen=True):
    """What a site wants between two questions to its Slurm, in seconds, and the file of the login node that says so."""

    poll_s: float
    file: str

    def in_words(self, host: str, own: float) -> str:
        """What is said where it holds instead of the seconds that a profile has, `own`."""
        wants = f"{host} wants {self.poll_s:g} s between two questions to Slurm ({self.file} there)"
        return f"{wants}: that is kept to, instead of the {own:g} s of `poll_s`."


class Answer(Struct):
    """What the cluster said. `states`, by cluster, lacks those whose Slurm was not asked or did not answer."""

    states: dict[str, dict[str, JobState]]
    results: dict[str, set[int]]
    started: dict[str, set[int]]
    events: dict[tuple[str, int], bytes]
    floor: Floor | None = None
    """What the site wants, where Slurm was asked."""


# A site's own wish, beside Slurm's configuration or in /etc of the login node: `poll_s: 60`
_FLOOR = """for f in /etc/tlcourse.yaml "$(dirname "${SLURM_CONF:-/etc/slurm/slurm.conf}")/tlcourse.yaml"; do
    n=$(sed -n 's/^poll_s: *\\([0-9.]*\\).*/\\1/p' "$f" 2>/dev/null | head -n 1)
    [ -z "$n" ] || echo "$n $f"
done"""


def ask(shell: Shell, folders: Sequence[Folder], follows: Sequence[Follow], *, states: bool = True) -> Answer:
    """Ask once; raises ConnectionLostError. `states`: ask Slurm as well, which is to be asked rarely."""
    clusters = sorted({folder.cluster for folder in folders}) if states else []
    lines = [PLAIN]
    lines += [
        f"{squeue_command(cluster)} 2>/dev/null; echo '{_MARK}squeue {number}' $?"
        for number, cluster in enumerate(clusters)
    ]
    if clusters:
        lines += [_FLOOR, f"echo '{_MARK}floor 0'"]
    for number, folder in enumerate(folders):
        if not folder.path:
            continue
        lines += [f"cd {quoted(folder.path)} 2>/dev/null && ls results; echo '{_MARK}results {number}'"]
        if folder.named:
            names = " ".join(f"{one}.json" for one in folder.named)
            lines.append(
                f"cd {quoted(folder.path)}/results 2>/dev/null && for n in {names}; do [ -f $n ] && echo $n; done; "
                f"echo '{_MARK}results {number}'"
            )
        lines += [f"cd {quoted(folder.path)} 2>/dev/null && ls events; echo '{_MARK}started {number}'"]
    for number, follow in enumerate(follows):
        path = quoted(f"{follow.folder}/events/{follow.number}.jsonl")
        lines.append(
            f"tail -c +{follow.offset + 1} {path} 2>/dev/null | head -c {EVENTS_AT_ONCE} | base64; "
            f"echo '{_MARK}events {number}'"
        )
    done = shell.run("/bin/sh", "\n".join(lines).encode())  # as data: a command has a greatest length
    return _read(done.text, [folder.path for folder in folders], follows, clusters)


def _read(text: str, folders: Sequence[str], follows: Sequence[Follow], clusters: Sequence[str]) -> Answer:
    answer = Answer({}, {}, {}, {})
    part: list[str] = []
    for line in text.splitlines():
        if not line.startswith(_MARK):
            part.append(line)
            continue
        kind, number, *code = line.removeprefix(_MARK).split()
        if kind == "squeue":
            if code == ["0"]:  # an empty list is an answer only if squeue ended well
                answer.states[clusters[int(number)]] = read_squeue("\n".join(part))
        elif kind == "floor":
            answer.floor = max(map(_floor, part), key=lambda floor: floor.poll_s, default=None)
        elif kind in ("results", "started"):
            suffix = ".json" if kind == "results" else ".jsonl"
            stems = (name.removesuffix(suffix) for name in part if name.endswith(suffix))
            found = getattr(answer, kind).setdefault(folders[int(number)], set())
            found.update(int(stem) for stem in stems if stem.isdigit())
        elif kind == "events":
            follow = follows[int(number)]
            answer.events[follow.folder, follow.number] = _decoded("".join(part))
        part = []
    return answer


def _floor(line: str) -> Floor:
    seconds, _, file = line.partition(" ")
    try:
        return Floor(min(float(seconds), MOST_POLL_S), file)  # an hour: a slip of somebody's pen stops nobody
    except ValueError:
        return Floor(0.0, file)


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return b""


def accounting(shell: Shell, job: str, cluster: str = "") -> dict[str, JobState] | None:
    """What accounting says of a job: nothing while it is away; None where the cluster keeps none."""
    done = shell.run(sacct_command(job, cluster))
    if done.code == 0:
        return read_sacct(done.text)
    # as against accounts that are away for a while
    none = done.code == 127 or "storage is disabled" in done.err.lower()
    return None if none else {}


_PREEMPTED = """
grep -qs 'DUE TO PREEMPTION' {log} || scontrol{clusters} -o show job {job} 2>/dev/null | grep -q 'PreemptTime=[0-9]'
"""


def was_preempted(shell: Shell, folder: str, state: JobState, cluster: str = "") -> bool:
    """Whether another job took its place, whatever Slurm calls its state: CANCELLED on some clusters.

    Its own log says so, where the step that ended it wrote there; else Slurm, while it remembers the job.
    """
    log = quoted(f"{folder}/log/{state.id}.txt")
    return shell.run(_PREEMPTED.format(log=log, job=quoted(state.id), clusters=on_cluster(cluster))).code == 0


FETCH_AT_ONCE = 256 * 2**20


def fetch(shell: Shell, folder: str, caps: Mapping[int, int], most: int = FETCH_AT_ONCE) -> dict[int, bytes]:
    """Result files: number → bytes, of each at most its cap and one byte more. Raises ConnectionLostError.

    Once there are `most` bytes the others are left for the next time: a class whose results are as large as they may be
    would fill this machine's memory.
    """
    command = (
        f"cd {quoted(folder)}/results || exit 3; t=0; while read -r i cap; do [ -f $i.json ] || continue; "
        "n=$(head -c $cap $i.json | wc -c) && echo $i $n && head -c $cap $i.json; "
        f"t=$((t + n)); [ $t -lt {most} ] || break; done"
    )
    wanted = "".join(f"{number} {cap + 1}\n" for number, cap in caps.items())
    return framed(shell.run(command, wanted.encode(), timeout=300).out)


def framed(data: bytes) -> dict[int, bytes]:
    """Files by their number, of which each was sent behind a line with its length; the first that is cut ends them."""
    found: dict[int, bytes] = {}
    at = 0
    while (end := data.find(b"\n", at) + 1) > 0:
        words = data[at:end].split()
        if len(words) != 2 or not all(word.isdigit() for word in words):
            break
        number, length = int(words[0]), int(words[1])
        if len(data) < end + length:
            break  # the file changed, or the stream was cut: asked for again
        at = end + length
        found[number] = data[end:at]
    return found
