"""A lab in the app: predict, run, read what came of it, change a setting, stop, replay."""

from __future__ import annotations

import json
import time

import psutil
import pytest
from tour import keep_lab_run

from tlcourse.tui.playing import Timeline, in_step


@pytest.mark.slow
async def test_a_lab_is_predicted_run_and_explained_with_its_verdict_in_the_first_line(visit):
    async with visit(120, 40) as person:
        person.app.go("lab/shifts")
        await person.sees("Predict first")
        assert "enter." in await person.press("r")
        right = next(number for number, option in enumerate(person.app.screen.asked) if option.correct)
        await person.press(*["down"] * right, "enter")
        assert "Your prediction is" in person.screen
        await person.press("r")
        shown = await person.sees("You were right: importance weights", 120)
        assert "with one seed, which may be chance" in shown.splitlines()[2]
        for words in (
            "importance weights  ",
            "your prediction",
            "Curves",
        ):  # bars, reasons, curves: nothing is scrolled
            assert words in shown
        assert "--" not in shown  # no word of the command line


@pytest.mark.slow
async def test_settings_are_sliders_and_an_exact_value_that_cannot_be_is_refused(visit):
    async with visit(100, 30) as person:
        person.app.go("lab/shifts")
        await person.sees("Predict first")
        shown = await person.press("enter", "p")
        assert "20 to 10000, default 300" in shown
        await person.press("right")
        assert person.app.screen.sliders.values["labels"] == 500
        await person.press("left", "left")
        assert person.app.screen.sliders.changed == {"labels": 200.0}
        await person.press("home")
        assert person.app.screen.sliders.changed == {}
        shown = await person.press("enter", *["backspace"] * 3, "1", "enter")
        assert "labels is 1, expected a whole number from 20 to 10000. Its default is 300." in shown
        await person.press("2", "3", "enter")
        assert person.app.screen.sliders.values["labels"] == 123
        assert "1 setting changed" in await person.press("escape")
        assert "Claim" in person.screen


@pytest.mark.slow
async def test_a_recorded_run_is_played_paused_scrubbed_and_has_its_verdict_at_the_end(visit):
    async with visit(120, 40) as person:
        await person.go("play/dann")
        await person.sees("Playing: recorded")
        timeline = person.app.screen.stage.timeline
        await person.press("space")
        assert timeline.paused
        await person.press("home")
        assert timeline.share == 0
        await person.press("right", "right")
        assert 0.09 < timeline.share < 0.11
        assert "paused" in person.screen
        assert "DANN" not in person.screen.splitlines()[2]
        await person.press("plus")
        assert timeline.speed == 2
        shown = await person.press("end")
        assert "As claimed: DANN +0." in shown.splitlines()[2]
        assert "8 seeds · ◆ Ganin" in shown
        timeline.seek(0.9)
        person.app.screen.stage.catch_up()
        assert "source only → DANN" in await person.press()
        timeline.paused = False
        await person.sees("over", 20)


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


@pytest.mark.slow
async def test_a_flood_of_events_is_drawn_now_and_then_and_keys_are_heard_in_between(visit, monkeypatch):
    from tlcourse.tui import child_process
    from tlcourse.tui.widgets.lab_view import Drawn

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

    monkeypatch.setattr(child_process.ChildProcess, "start", Flood)
    drawn = []
    draw = Drawn.redraw

    def counted(part):
        if part.id == "lab-charts":
            drawn.append(Flood.last.sent if hasattr(Flood, "last") else 0)
        draw(part)

    monkeypatch.setattr(Drawn, "redraw", counted)
    async with visit(100, 30) as person:
        person.app.go("lab/dann")
        await person.sees("Predict first")
        await person.press("enter", "r")
        while len(drawn) < 5:
            await person.pilot.pause(0.05)
        await person.press("s")
        await person.sees("Stopped", 60)
        assert time.monotonic() < Flood.last.until  # it was the key that stopped it
        assert len(drawn) < Flood.last.sent / 100  # not each metric
        assert "loss" in person.app.screen.query_one("#lab-charts").render().plain


@pytest.mark.slow
async def test_a_lesson_leads_to_its_lab_and_says_so_where_there_is_none(visit):
    async with visit(100, 30) as person:
        person.app.go("lesson/dann")
        await person.sees("minutes")
        assert "Predict first" in await person.press("x")
        await person.press("escape")
        person.app.go("lesson/practicalities")
        await person.sees("minutes")
        assert "has no lab" in await person.press("x")


@pytest.mark.slow
@pytest.mark.parametrize("size", [(60, 20), pytest.param((100, 30), marks=pytest.mark.nightly)])
async def test_of_several_labs_of_a_lesson_one_is_chosen(visit, size):
    async with visit(*size) as person:
        theirs = [name for name, lab in person.app.labs.items() if lab.unit == "multi-task-learning"]
        person.app.go("lesson/multi-task-learning")
        await person.sees("minutes")
        asked = await person.press("x")
        assert f"{len(theirs)} labs" in asked
        assert all(person.app.labs[name].title in asked for name in theirs)
        await person.press("escape")
        assert person.app.screen.path[-1] == "lesson"
        await person.press("x", "j", "down", "k", "enter")
        assert person.app.screen.lab_name == theirs[1]
        await person.press("escape")
        assert person.app.screen.path[-1] == "lesson"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("size", "ascii_only"),
    [
        ((60, 20), True),
        ((120, 40), False),
        *(pytest.param(size, only, marks=pytest.mark.nightly) for size, only in [((60, 20), False), ((120, 40), True)]),
    ],
)
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
        await person.press("enter", "end")
        drawn = person.app.screen.query_one("#lab-charts").render().plain
        assert f"dann (run {first})" in drawn
        assert f"source (run {first})" in drawn
        assert f"(run {second})" not in drawn
        pictured = person.app.screen.query_one("#lab-pictures").render().plain
        assert "before" in pictured
        assert "after" in pictured
        assert f"(your run {second})" in str(person.app.screen.query_one("#lab-line").render())
        assert f"--overlay {first}" in person.app.screen.cli_equivalent
        width = person.app.screen.query_one("#lab-page").size.width
        assert all(len(line) <= width for line in drawn.splitlines())


@pytest.mark.slow
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


@pytest.mark.slow
async def test_without_a_kept_run_the_keys_say_what_to_do(visit):
    async with visit(100, 30) as person:
        person.app.go("lab/dann")
        await person.sees("Predict first")
        await person.press("enter")
        assert "r runs it" in await person.press("o")
        assert "recorded" in await person.press("y")  # the one that comes with the course


@pytest.mark.slow
async def test_features_are_pictured_by_principal_components_or_by_tsne(visit):
    async with visit(100, 30) as person:
        keep_lab_run(person.app, loss=1.0, tsne=True)
        person.app.go("lab/dann")
        await person.sees("Predict first")
        await person.press("enter")
        assert "no picture of features" in await person.press("t")
        await person.press("y", "enter", "end")

        def drawn() -> str:
            return person.app.screen.query_one("#lab-pictures").render().plain

        assert "standard deviations apart" in drawn()
        await person.press("t")
        assert "before (t-SNE)" in drawn()
        assert "after (t-SNE)" in drawn()
        assert "standard deviations apart" not in drawn()
        await person.press("t")
        assert "(t-SNE)" not in drawn()
        await person.press("y", "down", "enter", "end")  # the recorded run has none
        assert "scikit-learn" in await person.press("t")


def test_all_arms_of_a_played_run_advance_together_and_clouds_come_last():
    events = [
        *({"type": "metric", "step": step, "values": {f"{arm} loss": 1.0}} for arm in "ab" for step in (10, 20, 30)),
        *({"type": "embedding", "title": title} for title in ("before", "after")),
        {"type": "seed", "seed": 1},
        {"type": "metric", "step": 10, "values": {"a loss": 5.0}},
        {"type": "result", "result": {}},
    ]
    ordered = in_step(events)
    assert [event["step"] for event in ordered[:6]] == [10, 10, 20, 20, 30, 30]
    assert [event["type"] for event in ordered[6:]] == ["embedding", "embedding", "result"]
    timeline = Timeline(ordered, seconds=10)
    timeline.advance(3.5)
    assert [event["step"] for event in timeline.shown] == [10, 10, 20]
    timeline.advance(5.0)
    assert timeline.shown[-1]["title"] == "after"
    assert timeline.cloud == pytest.approx(0.5)
    assert not timeline.over
    timeline.advance(5.0)
    assert timeline.over
    assert timeline.shown[-1]["type"] == "result"


def test_what_trains_is_shown_over_some_seconds_or_as_it_comes():
    slow, quick = Timeline(seconds=10, expected=10), Timeline(seconds=None, expected=10)
    for timeline in (slow, quick):
        for step in range(10):
            timeline.add({"type": "metric", "step": step, "values": {}})
    assert len(quick.shown) == 10
    slow.advance(4.0)
    assert len(slow.shown) == 4
    slow.complete = True
    slow.advance(6.0)
    assert slow.over


@pytest.mark.slow
async def test_all_labs_have_a_still_a_state_and_are_filtered_opened_and_played(visit):
    async with visit(120, 40) as person:
        keep_lab_run(person.app, loss=1.0)
        person.app.record.record_prediction("transfer-learning", "dann", "More", correct=True)
        shown = await person.press("5")
        assert "26 labs" in shown
        assert "○ not tried" in shown
        await person.press("f")
        shown = await person.type("hide the domain")
        assert "✓ right, 1 run" in shown
        assert "1 lab " in shown
        assert "subspace 0.0" in shown  # the curves of its recorded run
        assert "standard deviations apart" in shown  # its pictures
        shown = await person.press("enter", "y")
        assert "Playing: recorded" in shown
        await person.press("escape")
        assert "Your prediction is" not in await person.press("enter")  # an option that is gone is asked again
        assert person.app.screen.lab_name == "dann"


@pytest.mark.parametrize("size", [(60, 20), (80, 24)])
async def test_in_a_narrow_terminal_labs_have_their_claim_in_the_list(visit, size):
    async with visit(*size) as person:
        shown = await person.press("5")
        assert "Where a model is too simple" in shown
        assert "Curves" not in shown


@pytest.mark.slow
async def test_a_lab_below_another_screen_draws_nothing_and_catches_up(visit, monkeypatch):
    async with visit(120, 40) as person:
        await person.go("lab/dann")
        await person.press("y")
        ticks = []
        monkeypatch.setattr(person.app.screen.stage, "tick", ticks.append)
        await person.go("lesson/dann")
        ticks.clear()
        await person.pilot.pause(0.5)
        assert ticks == []
        await person.press("escape")
        await person.pilot.pause(0.5)
        assert ticks[0] > 0.5, "the time that it could not be seen"
