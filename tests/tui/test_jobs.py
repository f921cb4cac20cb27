"""The cluster inside the app: where a run happens, what is seen of it, and the Jobs screen. The cluster is a fake one
(`tests/support/fake_slurm.py`); with a real one: `tests/cluster/test_in_the_app.py`.
"""

from __future__ import annotations

import asyncio
import os
import re
from pathlib import Path

import msgspec
import pytest
from drawn import notices_of
from fake_slurm import FakeSlurm
from msgspec.structs import replace

from tlcourse.cluster.queue import JobStatus
from tlcourse.grading.remote_grading import JobRow
from tlcourse.student.record import Record
from tlcourse.tui.child_process import ChildProcess
from tlcourse.tui.clusters import Clusters
from tlcourse.tui.widgets.choices import Choices

EXAMPLE = Path(__file__).parent.parent / "example_course"
REFERENCE = EXAMPLE / "graders" / "references" / "line.py"
NIGHTLY = [pytest.mark.slow, pytest.mark.nightly]
SIZES = [(80, 24), pytest.param((120, 40), marks=pytest.mark.slow), pytest.param((60, 20), marks=NIGHTLY)]


@pytest.fixture
def lumi(tmp_path_factory, monkeypatch):
    """The fake cluster, as the profile `lumi`."""
    fake = FakeSlurm(tmp_path_factory.mktemp("lumi"))
    monkeypatch.setenv("PATH", f"{fake.folder / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("TLCOURSE_CONFIG", str(fake.config))
    yield fake
    fake.end()


@pytest.fixture
def no_cluster(tmp_path, monkeypatch):
    monkeypatch.setenv("TLCOURSE_CONFIG", str(tmp_path / "none.yaml"))


async def send(person, tmp_path, *, key: str = "g") -> None:
    """Grade the reference on lumi, from the exercise screen."""
    (tmp_path / "solution.py").write_bytes(REFERENCE.read_bytes())
    await person.go("exercise/line")
    await person.press("p")
    await person.sees("on lumi")
    await person.press(key)


# -- where it runs -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_a_key_chooses_the_place_and_the_bench_shows_it(visit, lumi, size):
    async with visit(*size, course=EXAMPLE) as person:
        await person.go("exercise/line")
        if size[0] < 110:
            await person.press("t")
        assert "It runs on this machine" in person.screen
        assert "It runs on lumi" in await person.press("p")
        assert person.app.screen.cli_equivalent == "tlcourse grade line --on lumi"
        assert "It runs on this machine" in await person.press("p")


async def test_without_a_cluster_the_key_says_how_to_get_one(visit, no_cluster):
    async with visit(120, 40, course=EXAMPLE) as person:
        await person.go("exercise/line")
        await person.press("p")
        await person.sees("No cluster is set up")
        assert "It runs on this machine" in person.screen


@pytest.mark.slow
async def test_a_configuration_that_does_not_hold_is_said_with_file_and_line(visit, lumi):
    lumi.config.write_text("profiles:\n  lumi:\n    gpus: many\n")
    async with visit(120, 40, course=EXAMPLE) as person:
        await person.go("exercise/line")
        await person.press("p")
        told = notices_of(person.app)  # on the screen a long path is broken
        assert any("config.yaml:3" in message for message in told), told
        await person.go("jobs")
        await person.sees("profiles.lumi.gpus")


@pytest.mark.slow
async def test_the_palette_offers_the_places_in_an_exercise_only(visit, lumi):
    def titles(person):
        return [command.title for command in person.app.get_system_commands(person.app.screen)]

    async with visit(120, 40, course=EXAMPLE) as person:
        assert "Jobs" in titles(person)
        assert "Run on lumi" not in titles(person)
        await person.go("exercise/line")
        assert "Run on lumi" in titles(person)
        command = next(c for c in person.app.get_system_commands(person.app.screen) if c.title == "Run on lumi")
        command.callback()
        await person.press()
        assert "It runs on lumi" in person.screen


# -- the Jobs screen -----------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    "size", [(60, 20), pytest.param((120, 40), marks=NIGHTLY)], ids=lambda size: f"{size[0]}x{size[1]}"
)
async def test_a_waiting_run_has_its_reason_its_place_in_line_and_how_crowded_it_is(visit, lumi, size, tmp_path):
    lumi.of_others("7|RUNNING|a|project1|90|0", "8|RUNNING|b|project2|90|0", "9|PENDING|c|project3|90|0")
    async with visit(*size, course=EXAMPLE) as person:
        await send(person, tmp_path)
        await person.sees("It is next, and waits until", 60)
        await person.press("o")
        await person.sees("2 of 16 places taken", 60)

        def told() -> str:
            return " ".join(person.screen.replace("▌", " ").split())

        minutes = re.compile(r"about (3\d|40) min")  # it counts down
        await person.until(lambda: minutes.search(told()) is not None, minutes.pattern, 60)
        assert "waits, place 2" in told()
        assert "It is next, and waits" in told()
        assert "lumi" in told()
        # cancelled after a question, which may be answered with no
        await person.press("s")
        assert "Cancel run 1 (line on lumi)?" in person.screen
        await person.press("n", "s", "y")
        await person.sees("– cancelled", 60)
        assert lumi.jobs == {"40": "CANCELLED"}
        await person.press("s")
        await person.sees("Nothing is left")


@pytest.mark.slow
async def test_leaving_the_app_leaves_the_job_and_says_so_and_the_next_visit_cancels_it(visit, lumi, tmp_path):
    async with visit(120, 40, course=EXAMPLE) as person:
        await send(person, tmp_path)
        await person.sees("It is next, and waits until", 60)
        run = person.app.background.runs["line"]
        await person.press("q")  # asks nothing: there is nothing to lose
        assert "Run 1 on lumi continues" in str(person.app._exit_renderables[0])  # noqa: SLF001
        assert run.alive
        assert not run.stopped
        run.ask_to_stop = lambda: None  # the fixture ends what a test leaves, and this shall be left
        person.app.background.runs.clear()
    assert lumi.jobs == {"40": "PENDING"}
    async with visit(120, 40, course=EXAMPLE) as person:
        found = person.app.background.runs["line"]
        assert (found.child.pid, found.on) == (run.child.pid, "lumi")
        await person.go("exercise/line")
        await person.sees("Grading on lumi, run 1")
        await person.press("s")
        await person.sees("Run 1 was cancelled.", 60)
    assert lumi.jobs == {"40": "CANCELLED"}
    assert run.child.wait(60)


@pytest.mark.slow
async def test_a_cluster_that_is_not_reached_is_one_message_and_the_last_known_state_stays(visit, lumi, tmp_path):
    async with visit(120, 40, course=EXAMPLE) as person:
        await send(person, tmp_path)
        await person.sees("It is next, and waits until", 60)
        await person.press("o")
        await person.sees("waits, place 1", 60)
        lumi.goes(up=False)
        await person.press("f")
        shown = " ".join((await person.sees("cannot be reached", 60)).split())
        assert shown.count("cannot be reached") == 1
        assert "last known state" in shown
        assert "tlcourse config check lumi" in shown
        assert "waits, place 1" in shown
        lumi.goes(up=True)
        await person.press("f")
        await person.loses("cannot be reached")
        assert "waits, place 1" in person.screen


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_without_a_cluster_the_screen_says_how_to_get_one(visit, no_cluster, size):
    async with visit(*size, course=EXAMPLE) as person:
        await person.press("o")
        shown = await person.sees("No cluster is set up", 60)
        assert "tlcourse config check lumi" in shown
        await person.press("enter")
        await person.sees("There is no run")


@pytest.mark.slow
async def test_with_a_cluster_and_no_run_it_says_how_to_send_one(visit, lumi):
    async with visit(80, 24, course=EXAMPLE) as person:
        await person.press("o")
        await person.sees("No run was sent to a cluster", 60)
        await person.press("p")
        await person.sees("tlcourse config check lumi")
        help_ = await person.press("question_mark")
        assert "Cancel" in help_
        assert "tlcourse jobs list" in help_


@pytest.mark.slow
async def test_a_run_that_works_shows_its_curves_and_its_verdict_as_a_local_one(visit, lumi, tmp_path):
    lumi.works()
    async with visit(120, 50, course=EXAMPLE) as person:
        await send(person, tmp_path)
        await person.sees("PASS", 120)
        assert person.app.background.runs["line"].state.metrics
        await person.press("o")
        await person.sees("✓ PASS 2/2", 60)
        await person.press("enter")
        assert "Jobs › run 1" in await person.sees("2 of 2 points", 60)
        await person.press("escape")
        await person.sees("✓ PASS 2/2")
    with Record.open() as record:
        assert [attempt.outcome for attempt in record.attempts("example", "line")] == ["pass"]


# -- what is known -------------------------------------------------------------------------------------------------

OPEN = JobRow("1", "grade", "line", "solution.py", "lumi", "open", "", 0.0, 0.0, 1.0, "")
WAITS = JobStatus("17", "PENDING", "", "It waits.", position=3)


def jobs(*rows):
    """As `tlcourse jobs list --json` prints them."""
    return {"schema": 1, "jobs": msgspec.to_builtins(rows)}


def test_what_is_only_read_here_forgets_nothing_that_a_cluster_said():
    clusters = Clusters()
    clusters.take(jobs(replace(OPEN, status=WAITS)), 5.0, asked=True)
    clusters.take(jobs(OPEN), 9.0, asked=False)
    assert (clusters.rows["1"].status, clusters.seen["1"]) == (WAITS, 5.0)
    clusters.take(jobs(replace(OPEN, said="lumi cannot be reached", reached=False)), 12.0, asked=True)
    assert (clusters.rows["1"].status, clusters.rows["1"].said, clusters.seen["1"]) == (WAITS, "", 5.0)
    assert clusters.problem.what == "lumi cannot be reached"
    clusters.take(jobs(replace(OPEN, state="ended")), 19.0, asked=True)
    assert (clusters.rows["1"].status, clusters.seen["1"], clusters.problem) == (None, 19.0, None)


def test_an_answer_that_is_an_error_keeps_the_rows():
    clusters = Clusters()
    clusters.take(jobs(OPEN), 5.0, asked=True)
    clusters.take({"error": {"what": "no room", "cause": "", "remedy": ""}}, 6.0, asked=True)
    assert clusters.rows
    assert clusters.problem.what == "no room"
    clusters.take(jobs(), 7.0, asked=True)
    assert clusters.problem is None
    assert not clusters.rows


async def test_an_answer_that_comes_while_the_screen_goes_finds_nothing_to_write_to_and_ends_nothing(
    visit, no_cluster, monkeypatch
):
    """A screen's widgets go before it: between, an answer found a list that was gone, and ended the app."""
    gone, heard = asyncio.Event(), []

    async def document(question):
        heard.append("asked")
        await gone.wait()
        heard.append("answered")
        return {"jobs": []}

    monkeypatch.setattr(ChildProcess, "document", document)
    monkeypatch.setattr(Choices, "on_unmount", lambda _: gone.set(), raising=False)
    async with visit(80, 24, course=EXAMPLE) as person:
        await person.go("jobs")
        assert heard == ["asked"]
    assert gone.is_set()
    assert heard == ["asked"]
