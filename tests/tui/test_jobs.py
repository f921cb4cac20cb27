"""Jobs: runs here and on clusters in one list, what is done with them, and what is said when a cluster is silent."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from tlcourse.tui.screens import jobs as screen

EXAMPLE = Path(__file__).parents[1] / "example_course"


def row(run: str, **changes: object) -> dict[str, object]:
    """One run as `tlcourse jobs list --json` says it."""
    usual = {"run": run, "command": "grade", "exercise": "line", "path": "solution.py", "on": "bed", "state": "open"}
    usual |= {"outcome": "", "points": 0.0, "max_points": 0.0, "created": time.time(), "said": ""}
    return usual | changes


async def until(person, holds) -> None:
    """Wait for something that is not on the screen."""
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end
        await person.pilot.pause(0.05)


class Cluster:
    """Stands in for the processes that the screen starts: it says what it is told to, and keeps what it was asked."""

    def __init__(self) -> None:
        self.rows: list[dict[str, object]] = []
        self.error = ""
        self.asked: list[tuple[str, ...]] = []

    async def __call__(self, *arguments: str) -> tuple[str, str]:
        self.asked.append(arguments)
        if self.error:
            return "", self.error
        return json.dumps({"schema": 1, "jobs": self.rows}), ""


@pytest.fixture
def cluster(monkeypatch) -> Cluster:
    one = Cluster()
    monkeypatch.setattr(screen, "command", one)
    return one


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 40)])
async def test_without_a_run_it_says_how_one_is_sent(visit, cluster, size):
    async with visit(*size, course=EXAMPLE) as person:
        await person.press("7")
        await person.sees("no run was sent to a cluster")
        await person.sees("tlcourse config check NAME")


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 40)])
async def test_runs_are_listed_with_the_clusters_reason_and_how_crowded_it_is(visit, cluster, size):
    cluster.rows = [
        row("7", slurm="PENDING", said="It waits for a free node", crowd="11 of 16 places taken"),
        row("6", state="ended", outcome="pass", points=10.0, max_points=10.0),
    ]
    async with visit(*size, course=EXAMPLE) as person:
        await person.press("7")
        await person.sees("It waits for a free node")
        await person.sees("11 of 16 places")
        await person.sees("PASS")


async def test_a_silent_cluster_leaves_what_was_known_and_says_so(visit, cluster):
    cluster.rows = [row("7", slurm="RUNNING", said="It runs.")]
    async with visit(80, 24, course=EXAMPLE) as person:
        await person.press("7")
        await person.sees("It runs")
        cluster.error = "tlcourse: The cluster \x1b[31mcannot be reached."
        await person.press("u")
        await person.sees("could not be asked: tlcourse: The cluster cannot be reached.")
        assert "It runs" in person.screen


async def test_a_job_is_cancelled_only_after_a_yes(visit, cluster):
    cluster.rows = [row("7", slurm="RUNNING")]
    async with visit(80, 24, course=EXAMPLE) as person:
        await person.press("7")
        await person.sees("running")
        await person.press("x")
        await person.sees("Cancel run 7 of line on bed?")
        await person.press("n")
        assert ("jobs", "cancel", "7", "--json") not in cluster.asked
        await person.press("x")
        await person.sees("Cancel run 7")
        await person.press("y")
        await until(person, lambda: ("jobs", "cancel", "7", "--json") in cluster.asked)


async def test_what_has_ended_is_not_cancelled(visit, cluster):
    cluster.rows = [row("6", state="ended", outcome="fail", points=2.0, max_points=10.0)]
    async with visit(80, 24, course=EXAMPLE) as person:
        await person.press("7")
        await person.sees("FAIL")
        await person.press("x")
        await person.sees("Nothing runs there.")


@pytest.mark.parametrize(("key", "follows"), [("enter", "6"), ("r", "")])
async def test_a_run_is_followed_or_sent_again(visit, cluster, monkeypatch, key, follows):
    cluster.rows = [row("6", state="ended", outcome="fail", points=2.0, max_points=10.0)]
    async with visit(80, 24, course=EXAMPLE) as person:
        begun: list[dict[str, object]] = []
        monkeypatch.setattr(person.app, "start_run", lambda *names, **rest: begun.append({"names": names, **rest}))
        await person.press("7")
        await person.sees("FAIL")
        await person.press(key)
        await until(person, lambda: bool(begun))
        assert begun[0]["place"] == "bed"
        assert begun[0].get("follows", "") == follows


async def test_on_an_exercise_o_goes_through_the_places(visit, tmp_path, monkeypatch):
    path = tmp_path / "config.yaml"
    path.write_text("profiles:\n  bed:\n    host: login\n    partition: small\n    account: project_1\n    gpus: 1\n")
    monkeypatch.setenv("TLCOURSE_CONFIG", str(path))
    async with visit(120, 40, course=EXAMPLE) as person:
        await person.open("exercise/line")
        await person.sees("on this machine; it may take")
        await person.press("o")
        await person.sees("on bed (login, partition small, 1 GPU")
        await person.sees("account project_1")
        while person.app.place != "local":
            await person.press("o")
        await person.sees("on this machine; it may take")


async def test_a_configuration_that_cannot_be_read_is_said_and_nothing_changes(visit, tmp_path, monkeypatch):
    path = tmp_path / "config.yaml"
    path.write_text("profiles:\n  bed:\n    hots: login\n")
    monkeypatch.setenv("TLCOURSE_CONFIG", str(path))
    async with visit(80, 24, course=EXAMPLE) as person:
        await person.open("exercise/line")
        await person.press("o")
        told = [notice.message for notice in person.app._notifications]  # on the screen a long path is broken
        assert any("config.yaml:2: in 'bed'" in message or "hots" in message for message in told), told
        assert person.app.place == "local"
