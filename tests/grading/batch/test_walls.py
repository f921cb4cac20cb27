"""Which wall a batch gets: a strong one, or none where the staff trusts the submissions; never none by accident."""

from __future__ import annotations

import contextlib
import subprocess
import sys

import pytest

from tlcourse.errors import InfraError, UnableError
from tlcourse.execution.walls.wall import Finding
from tlcourse.grading.batch import walls
from tlcourse.grading.batch.walls import place_for


@pytest.fixture
def machine(monkeypatch):
    """`machine("cold")`: one that builds these walls and no others; no parent is started."""

    def has(*names):
        found = [Finding(name, name in names, "it is missing here", "apt-get install it") for name in ("cold", "warm")]
        monkeypatch.setattr(walls, "findings", lambda: [*found, Finding("none", True, "")])
        monkeypatch.setattr(walls, "_warming", lambda *_: contextlib.nullcontext())

    return has


@pytest.mark.parametrize("isolation", ["auto", "warm", "cold"])
def test_without_a_strong_wall_a_batch_is_refused_with_what_would_mend_it(machine, isolation):
    machine()
    with pytest.raises(UnableError) as found, place_for(isolation, 2, trusted=False):
        pass
    assert "apt-get install it" in found.value.remedy
    assert walls.TRUST in found.value.remedy


def test_trust_lets_them_run_without_one_only_where_there_is_none(machine):
    machine()
    with place_for("auto", 2, trusted=True) as place:
        assert place.name == "none"
    with pytest.raises(UnableError), place_for("cold", 2, trusted=True):
        pass
    machine("cold")
    with place_for("auto", 2, trusted=True) as place:
        assert place.name == "cold"


def test_the_slow_wall_says_why_it_is_not_the_quick_one(machine):
    machine("cold")
    with place_for("auto", 2, trusted=False) as place:
        assert place.name == "cold"
        assert "it is missing here" in place.notice
    with place_for("cold", 2, trusted=False) as place:
        assert place.notice == ""


def test_stopping_ends_what_runs_and_starts_nothing_more():
    class Sleeps:
        name = "test"

        def start(self, start):
            return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])

    wall = walls._Stoppable(Sleeps())
    process = wall.start(None)
    wall.stop()
    assert process.wait() != 0
    with pytest.raises(InfraError):
        wall.start(None)
