"""Judges the mutants of some modules by some tests, each in a fork of one process that has imported everything.

Run by mutants.py in a copy of the tree, which it changes: `mutants_in_forks.py OUTCOMES` reads what to do as JSON from
its input and writes a line of JSON for each mutant to the file OUTCOMES as soon as it is judged. mutmut makes the
mutants and switches between them; its own runner starts pytest anew for each, which took ten times as long.
"""

from __future__ import annotations

import contextlib
import ctypes
import difflib
import gc
import os
import resource
import select
import shutil
import signal
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import NoReturn

import msgspec
import psutil
import pytest
from _pytest.runner import runtestprotocol
from hypothesis import Phase, settings
from mutmut.configuration import config
from mutmut.mutation.file_mutation import mutate_file_contents
from mutmut.mutation.trampoline import set_mutant_under_test
from mutmut.state import state
from mutmut.utils.format_utils import get_mutant_name, mangled_name_from_mutant_name

MOST_MEMORY = 4 * 2**30
"""A mutant that forgets a limit may keep what it is sent for ever: its memory ends it, not the machine's."""
LONG_S = 1.5
"""A test that takes longer judges only a mutant that every shorter one let pass and that has no reason yet."""
_PR_SET_CHILD_SUBREAPER = 36
_PYTEST = ["-q", "-n0", "--tb=native", "-p", "no:cacheprovider", "-p", "no:randomly", "-W", "default"]


class Task(msgspec.Struct, frozen=True):
    """What to judge by what."""

    modules: list[str]
    tests: list[str]
    reasons: list[tuple[str, str]]
    """Line before and after of each mutant that has one."""
    function: str = ""
    """Where given, only the mutants of functions with this in their name."""


class Judged(msgspec.Struct, frozen=True):
    """What became of one mutant."""

    name: str
    was: str
    now: str
    diff: str
    by: str
    """The test that noticed it; "" where none did."""
    in_time: bool = True
    """Whether that test came to its end."""


def mutate(path: Path) -> list[Judged]:
    """Put all mutants of a module beside the original, in its file; returns them, not judged yet."""
    mutated = mutate_file_contents(str(path), path.read_text(encoding="utf-8"))
    path.write_text(mutated.code, encoding="utf-8")
    lines = mutated.code.splitlines()

    def source(name: str) -> list[str]:
        span = mutated.line_span_by_function_name[name]
        return [line.replace(name, plain) for line in lines[span.start - 1 : span.end]]

    mutants = []
    for name in mutated.mutant_names:
        mangled = mangled_name_from_mutant_name(name)
        plain = mangled.rpartition("ǁ")[2].removeprefix("x_")
        pair = source(f"{mangled}__mutmut_orig"), source(name)
        diff = list(difflib.unified_diff(*pair, str(path), str(path), lineterm=""))
        was, now = (" ".join(line[1:].strip() for line in diff[2:] if line.startswith(sign)) for sign in "-+")
        mutants.append(Judged(get_mutant_name(path, name), was, now, "\n".join(diff), ""))
    return mutants


class InForks:
    """A pytest plugin: runs the tests once to see what each goes through, and then those of each mutant in a fork."""

    def __init__(self, task: Task, mutants: list[Judged], into: Path) -> None:
        self.task = task
        self.mutants = [one for one in mutants if task.function in one.name]
        self.into = into
        self.took_s: dict[str, float] = {}
        self.through: dict[str, list[pytest.Item]] = defaultdict(list)
        self.kills: Counter[tuple[str, str]] = Counter()
        self.forked, self.pid = False, 0
        self.home = into.with_name("tests")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, call: pytest.CallInfo[None]) -> None:
        """In a fork nothing is said about a failure, or cleared up after it: it ends there."""
        if self.forked and call.excinfo and not call.excinfo.errisinstance((pytest.skip.Exception, KeyboardInterrupt)):
            os._exit(1)

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Instead of pytest's own loop."""
        if session.testsfailed:
            sys.exit("the tests cannot be collected")
        set_mutant_under_test("stats")
        for item, after in zip(session.items, [*session.items[1:], None], strict=True):
            began = time.monotonic()
            failed = [one for one in runtestprotocol(item, log=False, nextitem=after) if one.failed]
            self.took_s[item.nodeid] = time.monotonic() - began
            if failed:
                sys.exit(f"without any change {item.nodeid} fails:\n{failed[0].longreprtext}")
            for function in state()._stats:
                self.through[function].append(item)
            state()._stats.clear()
        self.ours = set(psutil.Process().children(recursive=True))
        if noticed := self.judge("", session.items):
            sys.exit(f"without any change {noticed[0]} fails in a fork")
        reasons = set(self.task.reasons)
        gc.freeze()  # no fork copies what is there already, to look through it
        with self.into.open("wb", buffering=0) as file:
            for mutant in self.mutants:
                function = mangled_name_from_mutant_name(mutant.name)
                short = [one for one in self.through[function] if self.took_s[one.nodeid] <= LONG_S]
                tests = short if (mutant.was, mutant.now) in reasons else self.through[function]
                tests = sorted(tests, key=lambda one: self.costs(function, one.nodeid))
                if noticed := self.judge(mutant.name, tests) if tests else None:
                    by, in_time = noticed
                    self.kills[function, by] += 1
                    mutant = msgspec.structs.replace(mutant, by=by, in_time=in_time)
                file.write(msgspec.json.encode(mutant) + b"\n")
        return True

    def costs(self, function: str, test: str) -> float:
        """Seconds for each mutant of the function that the test is likely to notice, by what it has noticed so far."""
        return (self.took_s[test] + 0.01) / (self.kills[function, test] + 0.2)

    def judge(self, mutant: str, tests: list[pytest.Item]) -> tuple[str, bool] | None:
        """The first test that notices the mutant, and whether it came to its end in time."""
        reading, writing = os.pipe()
        signal.signal(signal.SIGCHLD, self.reap)
        self.pid = pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            self.run(mutant, tests, writing)
        os.close(writing)
        test, in_time, ended = "", True, os.pidfd_open(pid)
        watched = [reading, ended]
        while watched:
            ready = select.select(watched, [], [], 5 + 5 * self.took_s.get(test, 5))[0]
            in_time = bool(ready)
            if reading in ready and (said := os.read(reading, 1 << 16)):
                test = said.decode().splitlines()[-1]
            elif reading in ready:  # it has closed the pipe, and ends
                watched.remove(reading)
            else:
                break
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.kill(pid, signal.SIGKILL)
        status = os.waitpid(pid, 0)[1]
        os.close(reading)
        os.close(ended)
        for child in set(psutil.Process().children(recursive=True)) - self.ours:  # what it started came to us
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()
                child.wait()
        shutil.rmtree(self.home, ignore_errors=True)
        return (test, in_time) if status else None

    def reap(self, *_: object) -> None:
        """An orphan of the fork has ended: tests look whether anything is left, and it must not be."""
        with contextlib.suppress(ChildProcessError):
            while (found := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)) and found.si_pid != self.pid:
                os.waitpid(found.si_pid, 0)

    def run(self, mutant: str, tests: list[pytest.Item], telling: int) -> NoReturn:
        """In the fork: run the tests up to the first that fails, and say the name of each before."""
        self.forked = True
        try:
            resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
            self.home.mkdir(exist_ok=True)
            tests[0].config._tmp_path_factory._basetemp = self.home  # a folder of thousands is slow to add one to
            set_mutant_under_test(mutant)
            for test, after in zip(tests, [*tests[1:], None], strict=True):
                os.write(telling, f"{test.nodeid}\n".encode())
                runtestprotocol(test, log=False, nextitem=after)
        except BaseException:
            os._exit(1)
        os._exit(0)


def main() -> int:
    """Change the tree in the current folder, and judge."""
    sys.path[0] = str(Path.cwd())  # what is imported is the copy
    config()  # while this is the current folder
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    settings.register_profile("mutants", phases=(Phase.explicit, Phase.generate), database=None, derandomize=True)
    settings.load_profile("mutants")
    task = msgspec.json.decode(sys.stdin.buffer.read(), type=Task)
    mutants = [mutant for module in task.modules for mutant in mutate(Path(module))]
    return int(pytest.main([*_PYTEST, *task.tests], plugins=[InForks(task, mutants, Path(sys.argv[1]))]))


if __name__ == "__main__":
    sys.exit(main())
