"""Which sandbox a batch gets: a strong one, or none where the staff trusts the submissions; never none by accident."""

from __future__ import annotations

import contextlib
import subprocess
import sys

import pytest

from tlcourse.errors import InfraError, UnableError
from tlcourse.grading.batch import open_backend
from tlcourse.grading.batch.open_backend import TRUST, on_this_machine
from tlcourse.sandbox.base import Finding


@pytest.fixture
def machine(monkeypatch):
    """`machine("bubblewrap")`: one that builds these sandboxes and no others; no parent is started."""

    def has(*names):
        found = [
            Finding(name, name in names, "it is missing here", "apt-get install it")
            for name in ("bubblewrap", "fork-server")
        ]
        monkeypatch.setattr(open_backend, "findings", lambda: [*found, Finding("none", True, "")])
        monkeypatch.setattr(open_backend, "started_pool", lambda *_: contextlib.nullcontext())

    return has


@pytest.mark.parametrize("sandbox_kind", ["auto", "fork-server", "bubblewrap"])
def test_without_a_strong_sandbox_a_batch_is_refused_with_what_would_mend_it(machine, sandbox_kind):
    machine()
    with pytest.raises(UnableError) as found, on_this_machine(sandbox_kind, 2, trusted=False):
        pass
    assert "apt-get install it" in found.value.remedy
    assert TRUST in found.value.remedy


def test_trust_lets_them_run_without_one_only_where_there_is_none(machine):
    machine()
    with on_this_machine("auto", 2, trusted=True) as opened:
        assert opened.sandbox == "none"
    with pytest.raises(UnableError), on_this_machine("bubblewrap", 2, trusted=True):
        pass
    machine("bubblewrap")
    with on_this_machine("auto", 2, trusted=True) as opened:
        assert opened.sandbox == "bubblewrap"


def test_the_slow_sandbox_says_why_it_is_not_the_quick_one(machine):
    machine("bubblewrap")
    with on_this_machine("auto", 2, trusted=False) as opened:
        assert opened.sandbox == "bubblewrap"
        assert "it is missing here" in opened.notice
    with on_this_machine("bubblewrap", 2, trusted=False) as opened:
        assert opened.notice == ""


def test_stopping_ends_what_runs_and_starts_nothing_more():
    class Sleeps:
        name = "test"

        def start(self, start):
            return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])

    sandbox = open_backend.Stoppable(Sleeps())
    process = sandbox.start(None)
    sandbox.stop()
    assert process.wait() != 0
    with pytest.raises(InfraError):
        sandbox.start(None)
