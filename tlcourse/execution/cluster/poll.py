"""One question to the cluster for everything: the states of all jobs, which results are there, and new events."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence

from msgspec import Struct

from tlcourse.execution.cluster.shell import Shell, quoted
from tlcourse.execution.cluster.slurm import JobState, read_sacct, read_squeue, sacct_command, squeue_command

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
