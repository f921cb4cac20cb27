"""What an attack is: a small hostile submission, the outcome it must get, and what must not have happened.

Some things are asserted for every case, whatever it tries (`test_attacks.py`): no secret of the world around it came
out, no file of that world changed, no service of it was contacted, no process is left, nothing was scored that was not
earned, and what came out is harmless to show. `told` is what the attack itself must have met.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

PRELUDE = """\
import contextlib, ctypes, gc, json, os, signal, socket, struct, subprocess, sys, threading, time
libc = ctypes.CDLL(None, use_errno=True)
libc.prctl(15, b"@MARK@", 0, 0, 0)  # every process and thread of this submission bears the case's mark
told = {}

def tell(**facts):
    os.write(1, ("\\nTOLD " + json.dumps(facts) + "\\n").encode())

def tries(act, *arguments):
    try:
        act(*arguments)
        return "done"
    except BaseException as error:
        return type(error).__name__

def call(number, *arguments):
    ctypes.set_errno(0)
    if libc.syscall(number, *arguments) >= 0:
        return "done"
    import errno
    return errno.errorcode[ctypes.get_errno()]

def show(path, binary=False):
    with open(path, "rb") as stream:
        data = stream.read(1 << 20)
    for piece in data.replace(b"\\0", b"\\n").splitlines():
        if b"SECRET-" in piece:
            print("FOUND", path, piece[:300])
    return data

def descriptors():
    return int(sys.argv[-2]), int(sys.argv[-1])

"""

PIPES = """
import torch

class Zero(torch.nn.Module):
    def forward(self, x):
        return torch.zeros(len(x)), torch.zeros(len(x))

def channel():
    # what the worker speaks through, from its frame
    frame = sys._getframe(1)
    while frame is not None:
        if hasattr(found := frame.f_locals.get("channel"), "_events_fd"):
            return found
        frame = frame.f_back

def pipes():
    return channel()._events_fd, channel()._results_fd

def inputs():
    return channel()._inputs_fd
"""


SPEAK = """
import numpy
from safetensors.numpy import save

def document(n=400, dtype=numpy.float32, **more):
    return bytes(save({"y": numpy.zeros(n, dtype), "z": numpy.zeros(n, dtype), **more}))

def event(**fields):
    events, _ = pipes()
    os.write(events, json.dumps({"v": 1, **fields}).encode() + b"\\n")

def send(data):
    # speak for the worker: say that fit is over, take the test inputs, write a document of one's own, end
    events, results = pipes()
    os.write(events, json.dumps({"v": 1, "type": "phase", "name": "fitted"}).encode() + b"\\n")
    length = struct.unpack("<Q", os.read(inputs(), 8))[0]
    while length > 0:
        length -= len(os.read(inputs(), length))
    with contextlib.suppress(BrokenPipeError):
        view = memoryview(data)
        while view:
            view = view[os.write(results, view):]
    os._exit(0)
"""
"""For a submission that speaks for the worker: it makes a document of predictions, and sends it."""


@dataclass(frozen=True)
class LandlockGap:
    """What the landlock sandbox cannot stop, said and asserted: an attack that must be seen to succeed there."""

    why: str
    outcomes: frozenset[str] | None = None
    told: Mapping[str, Any] | None = None
    succeeds: bool = True
    """False where it only fails in another way than behind a namespace."""


@dataclass(frozen=True)
class Case:
    """One hostile submission. `row` is that of the list of threats, which docs/security.md repeats."""

    row: int
    name: str
    must_not: str
    source: str
    """The body of `attack(task)`, called in `fit`; with `whole`, everything after the prelude."""
    whole: bool = False
    outcomes: frozenset[str] = frozenset({"fail"})
    said: str = ""
    """Part of what the verdict must say."""
    told: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)
    limits: Mapping[str, float] = field(default_factory=dict)
    then: str = ""
    """The body of a second submission that runs afterwards, and is the one that is looked at."""
    sibling: bool = False
    """An honest submission runs at the same time, and must pass."""
    landlock_gap: LandlockGap | None = None
    alone: bool = False
    """Never one of several in a submission, although it only looks around: it looks at its own process in /proc, or
    at those beside it."""
    quick: bool = False
    """Part of the selection that runs by default."""

    @property
    def only_looks(self) -> bool:
        """Whether it changes nothing of the run that it is in, so that several can be one submission (`together`)."""
        special = self.whole or self.then or self.sibling or self.files or self.limits or self.said or self.alone
        ends_otherwise = self.outcomes != {"fail"} or (self.landlock_gap is not None and self.landlock_gap.outcomes)
        return bool(self.told) and not special and not ends_otherwise

    @property
    def needs_a_fit(self) -> bool:
        """Whether it looks for something that only a run with `fit` has: torch, a task, the channels of predictions."""
        words = ("task", "torch", "descriptors()", "channel()", "pipes()", "inputs()")
        return bool(self.whole or self.then or self.files) or any(word in self.source for word in words)

    def as_functions(self, values: Mapping[str, str]) -> str:
        """The submission's source where functions are asked for: it attacks as soon as it is imported."""
        body = textwrap.indent(textwrap.dedent(self.source).strip("\n"), "    ")
        text = f"{PRELUDE}\ndef attack():\n{body}\n\nattack()\n\ndef sigmoid(z):\n    return None\n"
        for name, value in values.items():
            text = text.replace(f"@{name}@", value)
        return text

    def text(self, values: Mapping[str, str], *, then: bool = False) -> str:
        """The submission's source, with what the attacker is told about the world filled in."""
        body = textwrap.dedent(self.then if then else self.source).strip("\n")
        if not (self.whole and not then):
            body = f"def attack(task):\n{textwrap.indent(body, '    ')}\n\ndef fit(task):\n    attack(task)\n    return Zero()\n"
        text = PRELUDE + PIPES + "\n" + body + "\n"
        for name, value in values.items():
            text = text.replace(f"@{name}@", value)
        return text


IN_TURN = """
def fit(task):
    for name, attack in attacks:
        os.write(1, f"\\nCASE {name}\\n".encode())
        if (child := os.fork()) == 0:
            try:
                attack(task)
            except BaseException as error:
                tell(raised=repr(error)[:500])
            os._exit(0)
        end = time.monotonic() + 30
        while os.waitpid(child, os.WNOHANG) == (0, 0):
            if time.monotonic() > end:
                os.kill(child, signal.SIGKILL)
            time.sleep(0.002)
    return Zero()
"""


def together(cases: Sequence[Case], values: Mapping[str, str]) -> str:
    """One submission that makes all these attempts, which only look: each in a fork of its own, one after another."""
    text = PRELUDE + PIPES + "attacks = []\n"
    for number, case in enumerate(cases):
        body = textwrap.indent(textwrap.dedent(case.source).strip("\n"), "    ")
        text += f"\ndef attack_{number}(task):\n{body}\n\nattacks.append(({case.name!r}, attack_{number}))\n"
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    return text + IN_TURN


def outcomes(*names: str) -> frozenset[str]:
    """The outcomes that a case may end in."""
    return frozenset(names)
