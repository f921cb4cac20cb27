"""What trains gives way: as a process, and as a session where the kernel weighs sessions first."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tlcourse.own_process import NICE, SESSION, give_way

pytestmark = pytest.mark.skipif(not hasattr(os, "getpriority"), reason="this system has no nice values")
SLEEPS = [sys.executable, "-c", "import sys; sys.stdin.read()"]


def test_a_process_and_what_it_starts_later_give_way():
    code = (
        "import os, sys; sys.stdin.readline(); print(os.getpriority(os.PRIO_PROCESS, 0), flush=True); os.system('nice')"
    )
    child = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    give_way(child.pid)
    own, below = child.communicate("go\n", timeout=60)[0].split()
    assert int(own) >= NICE
    assert int(below) >= NICE


@pytest.mark.skipif(not Path("/proc/self/autogroup").exists(), reason="this kernel does not weigh sessions")
def test_a_session_gives_way_as_a_whole_and_no_other_one_does():
    ours = Path("/proc/self/autogroup").read_text()
    with subprocess.Popen(SLEEPS, stdin=subprocess.PIPE, start_new_session=True) as child:
        give_way(child.pid, session=True)
        assert Path(f"/proc/{child.pid}/autogroup").read_text().split()[1:] == ["nice", str(SESSION)]
        assert os.getpriority(os.PRIO_PROCESS, child.pid) >= NICE
        child.communicate(timeout=60)
    assert Path("/proc/self/autogroup").read_text() == ours


def test_a_process_that_gives_way_already_is_left_as_it_is_and_one_that_is_gone_is_no_error():
    with subprocess.Popen(["nice", "-n", "15", *SLEEPS], stdin=subprocess.PIPE) as child:
        before = os.getpriority(os.PRIO_PROCESS, child.pid)
        give_way(child.pid)
        assert os.getpriority(os.PRIO_PROCESS, child.pid) >= max(before, NICE)
        child.communicate(timeout=60)
    give_way(child.pid, session=True)
