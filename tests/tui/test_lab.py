"""A lab in the app: predict, run, read what came of it, change a setting, stop, replay."""

from __future__ import annotations

import json
import time

import psutil
import pytest
from tour import keep_lab_run


@pytest.mark.slow
@pytest.mark.parametrize("size", [(80, 24), (120, 40), (60, 20)])
async def test_a_lab_is_predicted_run_and_explained(visit, size):
    async with visit(*size) as person:
        person.app.go("lab/shifts")
        await person.sees("Predict first")
        assert "enter." in await person.press("r")
        await person.press("down", "enter")
        assert "Your prediction is" in person.screen
        await person.press("r")
        await person.sees("Done in", 120)
        await person.press("b", "space")
        table = person.app.screen.query_one("#lab-table").render()
        assert "importance weights" in str(table)
        assert "cannot tell chance" in str(table)
        assert "your prediction" in str(person.app.screen.query_one("#lab-explanation").render())


async def test_settings_are_changed_in_a_line_and_what_cannot_be_is_said(visit):
    async with visit(100, 30) as person:
        person.app.go("lab/shifts")
        await person.sees("Predict first")
        await person.press("enter", "p")
        assert "is the default" in await person.press(*"labels=1", "enter")
        await person.press(*"00", "enter")
        assert "labels=100" in person.screen
        await person.press("p", "escape")
        assert "Claim" in person.screen


@pytest.mark.slow
async def test_leaving_a_lab_stops_what_it_started(visit):
    async with visit(100, 30) as person:
        person.app.go("lab/in-context")
        await person.sees("Predict first")
        await person.press("enter", "r")
        await person.sees("Training", 120)
        started = psutil.Process(person.app.screen.training.pid)
        below = [started, *started.children(recursive=True)]
        assert all(one.nice() >= 10 for one in below if one.is_running())  # a key comes before training
        await person.press("escape")
        await person.pilot.pause(0.3)
    _, alive = psutil.wait_procs(below, timeout=60)
    assert not [one for one in alive if one.status() != "zombie"]


async def test_a_flood_of_events_is_drawn_now_and_then_and_keys_are_heard_in_between(visit, monkeypatch):
    from tlcourse.tui.screens import lab

    class Flood:
        """As many events as there may be, without ever waiting for one."""

        stopped = False
        sent = 0

        def __init__(self, *arguments, **how):
            Flood.last = self

        async def lines(self):
            self.until = time.monotonic() + 60
            while not self.stopped and time.monotonic() < self.until:
                self.sent += 1
                metric = {"type": "metric", "step": self.sent, "values": {"dann loss": 1 / self.sent}}
                event = metric if self.sent % 100 == 1 else {"type": "note", "text": "working"}
                yield json.dumps(event).encode()

        def kill(self):
            self.stopped = True

    monkeypatch.setattr(lab.ChildProcess, "start", Flood)
    drawn = []
    draw = lab.LabScreen.show_curves
    monkeypatch.setattr(lab.LabScreen, "show_curves", lambda screen: (drawn.append(Flood.last.sent), draw(screen))[1])
    async with visit(100, 30) as person:
        person.app.go("lab/dann")
        await person.sees("Predict first")
        await person.press("enter", "r")
        while len(drawn) < 3:
            await person.pilot.pause(0.05)
        await person.press("s")
        await person.sees("Stopped", 60)
        assert time.monotonic() < Flood.last.until  # it was the key that stopped it
        assert len(drawn) < Flood.last.sent / 100  # not each metric
        assert "loss" in person.app.screen.query_one("#lab-charts").render().plain


async def test_a_lesson_leads_to_its_lab_and_says_so_where_there_is_none(visit):
    async with visit(100, 30) as person:
        person.app.go("lesson/dann")
        await person.sees("minutes")
        assert "Predict first" in await person.press("x")
        await person.press("escape")
        person.app.go("lesson/practicalities")
        await person.sees("minutes")
        assert "has no lab" in await person.press("x")


@pytest.mark.parametrize("size", [(60, 20), (100, 30)])
async def test_of_several_labs_of_a_lesson_one_is_chosen(visit, size):
    async with visit(*size) as person:
        theirs = [name for name, lab in person.app.labs.items() if lab.unit == "multi-task-learning"]
        person.app.go("lesson/multi-task-learning")
        await person.sees("minutes")
        asked = await person.press("x")
        assert f"{len(theirs)} labs" in asked
        assert all(name in asked for name in theirs)
        await person.press("escape")
        assert person.app.screen.path[-1] == "lesson"
        await person.press("x", "j", "down", "k", "enter")
        assert person.app.screen.lab_name == theirs[1]
        await person.press("escape")
        assert person.app.screen.path[-1] == "lesson"


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 40)])
@pytest.mark.parametrize("ascii_only", [False, True])
async def test_an_earlier_run_is_chosen_and_drawn_with_another_one(visit, size, ascii_only):
    async with visit(*size, ascii_only=ascii_only) as person:
        first, second = keep_lab_run(person.app, loss=2.0), keep_lab_run(person.app, loss=1.0)
        person.app.go("lab/dann")
        await person.sees("Predict first")
        await person.press("enter")
        shown = await person.press("o", "down", "enter")  # the latest is on top
        assert f"[x] run {first}" in shown
        assert "1 chosen" in shown
        await person.press("escape", "y")
        await person.press("enter")
        drawn = person.app.screen.query_one("#lab-charts").render().plain
        assert f"dann (run {first})" in drawn
        assert f"source (run {first})" in drawn
        assert f"(run {second})" not in drawn
        assert "before" in drawn
        assert "after" in drawn
        assert f"Run {second}, replayed" in str(person.app.screen.query_one("#lab-status").render())
        assert f"--overlay {first}" in person.app.screen.cli_equivalent
        width = person.app.screen.query_one("#lab-page").size.width
        assert all(len(line) <= width for line in drawn.splitlines())


async def test_at_most_three_runs_lie_over_another_and_one_can_be_dropped(visit):
    async with visit(100, 30) as person:
        for _ in range(4):
            keep_lab_run(person.app, loss=1.0)
        person.app.go("lab/dann")
        await person.sees("Predict first")
        await person.press("enter")
        shown = await person.press("o", "enter", "j", "enter", "j", "enter", "j", "enter")
        assert shown.count("[x]") == 3
        assert "drop one" in shown
        assert (await person.press("k", "enter")).count("[x]") == 2


async def test_without_a_kept_run_the_keys_say_what_to_do(visit):
    async with visit(100, 30) as person:
        person.app.go("lab/dann")
        await person.sees("Predict first")
        await person.press("enter")
        assert "r runs it" in await person.press("o")
        assert "r runs it" in await person.press("y")


async def test_features_are_pictured_by_principal_components_or_by_tsne(visit):
    async with visit(100, 30) as person:
        keep_lab_run(person.app, loss=1.0, tsne=True)
        person.app.go("lab/dann")
        await person.sees("Predict first")
        await person.press("enter")
        assert "no picture of features" in await person.press("t")
        await person.press("y")

        def drawn() -> str:
            return person.app.screen.query_one("#lab-charts").render().plain

        assert "t shows t-SNE" in drawn()
        assert "standard deviations apart" in drawn()
        await person.press("t")
        assert "before (t-SNE)" in drawn()
        assert "after (t-SNE)" in drawn()
        assert "standard deviations apart" not in drawn()
        assert "t shows the principal components" in drawn()
        await person.press("t")
        assert "(t-SNE)" not in drawn()


async def test_a_run_without_tsne_keeps_its_picture_and_says_what_is_missing(visit):
    async with visit(100, 30) as person:
        keep_lab_run(person.app, loss=1.0)
        person.app.go("lab/dann")
        await person.sees("Predict first")
        await person.press("enter", "y")
        assert "scikit-learn" in await person.press("t")
        assert "before" in person.app.screen.query_one("#lab-charts").render().plain
