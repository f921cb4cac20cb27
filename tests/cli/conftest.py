"""Commands in this process, for tests to which a process of its own adds nothing but the import of torch."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tlcourse.cli.main import main

EXAMPLE = Path(__file__).parent.parent / "example_course"


@contextlib.contextmanager
def signals_kept() -> Iterator[None]:
    """What a command has signals do is undone."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@pytest.fixture
def here(tmp_path, monkeypatch, capsys):
    """`here("ta", "report", …, fails=2)` runs a command in this process; `fails`: the exit status that it must have."""

    def run(*arguments: str, fails: int = 0) -> subprocess.CompletedProcess[str]:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["tlcourse", *arguments])
        capsys.readouterr()
        with signals_kept(), pytest.raises(SystemExit) as end:
            main()
        said = capsys.readouterr()
        assert int(end.value.code or 0) == fails, said.err
        return subprocess.CompletedProcess(arguments, fails, said.out, said.err)

    return run


@pytest.fixture
def graded_here(tmp_path, monkeypatch, capsys, quick_sandbox):
    """`graded_here("grade", "line", …)`: as `tl`, in this process, in the fork server that has started already."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        sandbox = ["--sandbox", quick_sandbox] if arguments[0] != "ta" else []
        command = [*arguments, *sandbox, "--course", str(EXAMPLE)]
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["tlcourse", *command])
        capsys.readouterr()
        with signals_kept(), pytest.raises(SystemExit) as end:
            main()
        said = capsys.readouterr()
        return subprocess.CompletedProcess(command, int(end.value.code or 0), said.out, said.err)

    return run
