"""Workers that are texts of ten lines and write to the pipes what they like, for tests of supervision."""

from __future__ import annotations

import sys
import textwrap
from typing import Any

import pytest
from msgspec.structs import replace

from tlcourse.execution.spec import RunReport, RunSpec
from tlcourse.execution.supervise import run
from tlcourse.sandbox.base import SandboxedProcess, Start

PRELUDE = """
import json, os, select, signal, struct, subprocess, sys, time
events, result = int(sys.argv[1]), int(sys.argv[2])
inputs, submission = sys.argv[3], sys.argv[4]
to_be_asked = False
def write(descriptor, data):
    while data:
        data = data[os.write(descriptor, data):]
def tell(event, /, **fields):
    global to_be_asked
    write(events, json.dumps({"v": 1, "type": event, **fields}).encode() + b"\\n")
    to_be_asked = to_be_asked or fields.get("name") == "fitted"
def runs_on(device): tell("started", device=device, torch="2.9")
def started(): runs_on("a cpu"); tell("phase", name="fit")
def fitted(): started(); tell("phase", name="fitted")
def read(n):
    data = b""
    while len(data) < n: data += os.read(0, n - len(data)) or sys.exit("no inputs")
    return data
def handed_over():
    global to_be_asked
    to_be_asked = False
    return read(struct.unpack("<Q", read(8))[0])
def asked():  # as a worker has the test inputs before it has predictions of them
    try:
        select.select([0], [], [], 2)
    except OSError:  # closed
        time.sleep(0.5)
def answer(data=b"predictions"):
    if to_be_asked: asked()
    write(result, data)
"""


class Scripted:
    """A sandbox whose worker is a text, run by a bare Python; it keeps how it was asked to start."""

    name = "none"

    def __init__(self, text: str, **traits: Any) -> None:
        self.text = PRELUDE + textwrap.dedent(text)
        self.traits = traits
        self.asked: Start | None = None

    def start(self, start: Start) -> SandboxedProcess:
        self.asked = start
        process = SandboxedProcess(
            [sys.executable, "-I", "-S", "-c", self.text, *start.arguments, str(start.inputs), str(start.submission)],
            stdin=start.stdin,
            stdout=start.output,
            stderr=start.output,
            env=start.env,
            pass_fds=start.pass_fds,
            start_new_session=True,
        )
        for name, value in self.traits.items():
            setattr(process, name, value)
        return process


@pytest.fixture
def job(job_for) -> RunSpec:
    """A job whose solution nobody imports."""
    return job_for("mine = 1")


@pytest.fixture
def ran(job):
    """`ran(text, …)` runs such a worker on the job, with these limits; `told` are the events that were passed on."""
    told: list[dict[str, Any]] = []

    def run_it(text: str, *, spec: RunSpec = job, traits: dict[str, Any] | None = None, **limits: Any) -> RunReport:
        changed = replace(spec, limits=replace(spec.limits, **limits))
        return run(changed, Scripted(text, **(traits or {})), told.append)

    run_it.told = told  # type: ignore[attr-defined]
    return run_it


def of_kind(told: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [event for event in told if event["type"] == kind]
