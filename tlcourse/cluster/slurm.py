"""Slurm's commands and their answers: submitting, and one question for all states, results and new events."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping, Sequence

from msgspec import Struct

from tlcourse.cluster.sbatch_errors import base_state, refusal
from tlcourse.cluster.shell import Shell, quoted

LIVE = frozenset({"PENDING", "RUNNING", "CONFIGURING", "COMPLETING", "SUSPENDED", "REQUEUED", "RESIZING", "SIGNALING",
                  "STAGE_OUT", "STOPPED", "REQUEUE_HOLD", "REQUEUE_FED", "SPECIAL_EXIT"})  # fmt: skip
_FORMAT = "%i|%F|%K|%T|%r|%N|%S|%P"
_SACCT = "JobID,State,NodeList,Start,Reason"


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
        """Whether it waits or runs."""
        return self.state in LIVE


def squeue_command() -> str:
    """One question for all jobs of this user, ended ones included; an unknown number alone would be an error."""
    return f"squeue -h -r -t all -u \"$(id -un)\" -o '{_FORMAT}'"


def read_squeue(text: str) -> dict[str, JobState]:
    """Its answer: id → state."""
    found = {}
    for line in text.splitlines():
        fields = line.split("|")
        if len(fields) != _FORMAT.count("|") + 1:
            continue
        number, base, index, state, reason, node, start, partition = (field.strip() for field in fields)
        key = f"{base}_{index}" if index not in ("N/A", "") else number
        start = "" if start in ("N/A", "(null)") else start
        found[key] = JobState(key, base_state(state), reason, node if node != "(null)" else "", start, partition)
    return found


def sacct_command(job: str) -> str:
    """What Slurm's accounting knows of a job; an error where a cluster has none."""
    return f"sacct -X -n -P -o {_SACCT} -j {quoted(job)}"


def read_sacct(text: str) -> dict[str, JobState]:
    """Its answer: id → state. `CANCELLED by 1001` is CANCELLED; elements that wait together are left out."""
    found = {}
    for line in text.splitlines():
        fields = line.split("|")
        if len(fields) != _SACCT.count(",") + 1 or "[" in fields[0]:
            continue
        key, state, node, start, reason = (field.strip() for field in fields)
        unknown = ("Unknown", "None", "None assigned")
        found[key] = JobState(
            key, base_state(state), reason, "" if node in unknown else node, "" if start in unknown else start
        )
    return found


# A lost connection leaves this running on the login node: it ignores the hang-up, and whoever asks next waits for it.
# The number is written under another name, then renamed; so a second try finds either nothing or the number. Slurm is
# asked only where an earlier try came as far as sbatch.
_SUBMIT = """
trap '' HUP PIPE INT TERM
unset TLCOURSE_SECRET
umask 077
cd {folder} || exit 3
exec 9>submit.lock
if command -v flock >/dev/null 2>&1; then flock -w 40 9 || exit 4; fi
if [ ! -s jobid ]; then
    found=
    if [ -e jobid.new ]; then found=$(squeue -h -t all -u "$(id -un)" -n {name} -o %F 2>/dev/null | head -n 1); fi
    if [ -n "$found" ]; then echo "$found" >jobid.new
    else
        sbatch --parsable script.sh >jobid.new 2>submit.err </dev/null
        code=$?
        if [ $code != 0 ]; then cat submit.err >&2; exit $code; fi
    fi
    mv jobid.new jobid
fi
cat jobid
"""


def submit(shell: Shell, folder: str, name: str) -> str:
    """Submit `script.sh` of a folder, at most once however often this is called; returns Slurm's number.

    Raises UsageError where Slurm refuses what the profile asks for, InfraError where it fails, ConnectionLostError.
    """
    done = shell.run(_SUBMIT.format(folder=quoted(folder), name=quoted(name)), timeout=90)
    number = done.text.strip().split(";")[0].splitlines()
    if done.code == 0 and number and re.fullmatch(r"\d+", number[-1].split(";")[0]):
        return number[-1].split(";")[0]
    raise refusal(shell, done)


EVENTS_AT_ONCE = 256 * 1024
_MARK = "::tlcourse "


class Follow(Struct, frozen=True):
    """Events that are read as they come: task `number` of a folder, from byte `offset` on."""

    folder: str
    number: int
    offset: int


class Answer(Struct):
    """What the cluster said. `states` is None where Slurm did not answer: then nothing may be concluded from it."""

    states: dict[str, JobState] | None
    results: dict[str, set[int]]
    started: dict[str, set[int]]
    events: dict[tuple[str, int], bytes]


def ask(shell: Shell, folders: Sequence[str], follows: Sequence[Follow]) -> Answer:
    """Ask once; raises ConnectionLostError."""
    lines = [f"{squeue_command()} 2>/dev/null; echo '{_MARK}squeue' $?"]
    for number, folder in enumerate(folders):
        lines += [f"cd {quoted(folder)} 2>/dev/null && ls results; echo '{_MARK}results {number}'"]
        lines += [f"cd {quoted(folder)} 2>/dev/null && ls events; echo '{_MARK}started {number}'"]
    for number, follow in enumerate(follows):
        path = quoted(f"{follow.folder}/events/{follow.number}.jsonl")
        lines.append(
            f"tail -c +{follow.offset + 1} {path} 2>/dev/null | head -c {EVENTS_AT_ONCE} | base64; "
            f"echo '{_MARK}events {number}'"
        )
    done = shell.run("\n".join(lines))
    return _read(done.text, folders, follows)


def _read(text: str, folders: Sequence[str], follows: Sequence[Follow]) -> Answer:
    answer = Answer(None, {}, {}, {})
    part: list[str] = []
    for line in text.splitlines():
        if not line.startswith(_MARK):
            part.append(line)
            continue
        kind, number = line.removeprefix(_MARK).split()
        if kind == "squeue":
            # an empty list is an answer only if squeue ended well
            answer.states = read_squeue("\n".join(part)) if number == "0" else None
        elif kind in ("results", "started"):
            suffix = ".json" if kind == "results" else ".jsonl"
            stems = (name.removesuffix(suffix) for name in part if name.endswith(suffix))
            getattr(answer, kind)[folders[int(number)]] = {int(stem) for stem in stems if stem.isdigit()}
        elif kind == "events":
            follow = follows[int(number)]
            answer.events[follow.folder, follow.number] = _decoded("".join(part))
        part = []
    return answer


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return b""


def accounting(shell: Shell, job: str) -> dict[str, JobState] | None:
    """What accounting says of a job; None where the cluster has none."""
    done = shell.run(f"{sacct_command(job)} 2>/dev/null")
    return read_sacct(done.text) if done.code == 0 else None


def fetch(shell: Shell, folder: str, caps: Mapping[int, int]) -> dict[int, bytes]:
    """Result files: number → bytes, of each at most its cap and one byte more. Raises ConnectionLostError."""
    lines = [f"echo '{_MARK}fetch'; cd {quoted(folder)}/results || exit 3"]
    for number, cap in caps.items():
        name = f"{number}.json"
        lines.append(f"n=$(head -c {cap + 1} {name} | wc -c) && echo {number} $n && head -c {cap + 1} {name}")
    done = shell.run("\n".join(lines), timeout=300)
    return _framed(done.out.partition(f"{_MARK}fetch\n".encode())[2])  # a login may have printed something first


def _framed(data: bytes) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    while data:
        head, _, data = data.partition(b"\n")
        words = head.split()
        if len(words) != 2 or not all(word.isdigit() for word in words):
            break
        number, length = int(words[0]), int(words[1])
        if len(data) < length:
            break  # the file changed, or the stream was cut: asked for again
        found[number], data = data[:length], data[length:]
    return found
