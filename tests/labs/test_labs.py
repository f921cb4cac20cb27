"""What every lab owes: a claim that is right here with 95 % confidence, or that says it is null; and advice."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import psutil
import pytest

from tlcourse.course.lab import Lab, load_labs
from tlcourse.course.loader import load_course
from tlcourse.errors import ContentError, UsageError
from tlcourse.labs.recorded import recorded
from tlcourse.labs.result import Recorder, conclude, interval, kept_runs, replay
from tlcourse.labs.runner import LabError, run_lab, settings_of


@pytest.mark.slow
def test_its_claim_holds_over_eight_seeds(lab):
    jobs = 1 if "PYTEST_XDIST_WORKER" in os.environ else 0  # each child starts torch, and the other core is busy
    result = run_lab(lab, settings_of(lab, {}), list(range(1, 9)), lambda _: None, jobs=jobs)
    assert result.holds, result.verdict
    assert {arm.id for arm in result.arms} == {arm.id for arm in lab.arms}
    _oracles_are_upper_ends(lab, {arm.id: arm.values for arm in result.arms})


def _oracles_are_upper_ends(lab, values):
    """Of what the method reaches, within the interval of their difference: else the oracle is not fitted to its end."""
    sign = -1 if lab.measure.better == "lower" else 1
    for oracle in (arm.id for arm in lab.arms if arm.role == "oracle"):
        ahead = [sign * (o - m) for o, m in zip(values[oracle], values[lab.compare.method], strict=True)]
        assert interval(ahead).high >= 0, (oracle, interval(ahead))


def test_in_recorded_runs_every_oracle_is_an_upper_end(lab):
    run = recorded(load_course().folder, lab.id)
    assert run is not None
    _oracles_are_upper_ends(lab, {arm.id: arm.values for arm in run.result.arms})


def test_it_has_a_control_an_explanation_and_a_reason_for_every_prediction(lab):
    assert any(arm.role == "control" for arm in lab.arms)
    assert len(lab.explanation) > 150
    assert len(lab.prediction.options) >= 3
    assert lab.settings
    assert all(len(line) <= 78 for line in lab.explanation.splitlines())


@pytest.fixture
def shifts() -> Lab:
    from tests.labs.conftest import LABS

    return LABS["shifts"]


@pytest.fixture(scope="module")
def in_one_child():
    """The events and the result of two seeds, one after the other; started once, for starting torch takes seconds."""
    from tests.labs.conftest import LABS

    lab, events = LABS["shifts"], []
    return events, run_lab(lab, settings_of(lab, {"labels": "100"}), [1, 2], events.append, jobs=1)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_numbers_however_many_run_side_by_side(shifts, in_one_child):
    _, alone = in_one_child
    together = run_lab(shifts, settings_of(shifts, {"labels": "100"}), [1, 2], lambda _: None, jobs=2)
    assert [arm.values for arm in alone.arms] == [arm.values for arm in together.arms]


def test_events_come_as_they_happen_and_each_seed_says_what_it_came_to(in_one_child):
    events, result = in_one_child
    assert [event["seed"] for event in events if event["type"] == "seed"] == [1, 2] == result.seeds
    assert any(event["type"] == "metric" and "weighted error" in event["values"] for event in events)


def test_every_lab_has_its_experiment_and_every_experiment_its_lab():
    import importlib
    from importlib.resources import files

    from tests.labs.conftest import LABS

    written = {path.name[:-3] for path in files("tlcourse.labs.experiments").iterdir() if path.name.endswith(".py")}
    assert written - {"__init__"} == {lab.module.rpartition(".")[2] for lab in LABS.values()}
    runs = set()
    for name in written - {"__init__"}:
        module = importlib.import_module(f"tlcourse.labs.experiments.{name}")
        runs |= {(module.__name__, run) for run in vars(module) if run.startswith("run_")}
    assert runs == {(lab.module, lab.function(data)) for lab in LABS.values() for data in ("mini", *lab.data)}


def test_a_run_that_diverges_ends_in_advice_and_keeps_what_it_told():
    from tests.labs.conftest import LABS

    lab, events = LABS["feature-augmentation"], []
    settings = {**settings_of(lab, {}), "weight": float("nan")}
    with pytest.raises(LabError) as caught:
        run_lab(lab, settings, [1], events.append)
    assert "lab show feature-augmentation" in str(caught.value)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"label": "3"}, "no setting 'label'"),
        ({"labels": "many"}, "not a number"),
        ({"labels": "1"}, "from 20 to 10000"),
        ({"labels": "30.5"}, "a whole number"),
        ({"shift": "nan"}, "from 0 to 6"),
    ],
)
def test_a_setting_that_cannot_be_is_refused(shifts, given, said):
    with pytest.raises(UsageError, match=said):
        settings_of(shifts, given)


def test_kept_runs_are_numbered_and_replayed_and_the_oldest_go(shifts, monkeypatch):
    monkeypatch.setattr("tlcourse.labs.result.KEPT", 3)
    values = {seed: {arm.id: 1.0 * seed for arm in shifts.arms} for seed in (1, 2)}
    for number in range(1, 6):
        recorder = Recorder("shifts")
        assert recorder.number == number
        recorder.take({"v": 1, "type": "seed", "seed": number})
        recorder.close(conclude(shifts, {}, values, 0.1, "mini") if number != 4 else None)
    assert kept_runs("shifts") == [3, 4, 5]
    assert [event["type"] for event in replay("shifts")] == ["seed", "result"]
    assert [event["type"] for event in replay("shifts", 4)] == ["seed"]
    with pytest.raises(UsageError, match="no such run"):
        list(replay("shifts", 1))


def test_a_verdict_never_claims_what_the_seeds_do_not_show(shifts):
    def verdict(weighted, source, seeds=8):
        values = {
            s: {"source": source, "target": 0.0, "weighted": weighted + 0.01 * (s % 3), "random": 1.0}
            for s in range(seeds)
        }
        return conclude(shifts, {}, values, 0.0, "mini")

    assert verdict(0.2, 0.9).holds
    assert "holds here" in verdict(0.2, 0.9).verdict
    assert not verdict(0.9, 0.2).holds
    assert "sign is the other one" in verdict(0.9, 0.2).verdict
    assert verdict(0.2, 0.9, seeds=1).holds is None
    assert "cannot tell chance" in verdict(0.2, 0.9, seeds=1).verdict
    assert verdict(0.2, 0.9, seeds=1).gain_interval == (None, None)


def test_a_lab_that_is_written_wrongly_is_told_its_file(tmp_path, shifts):
    import msgspec

    folder = tmp_path / "labs"
    folder.mkdir()
    wrong = msgspec.to_builtins(shifts)
    wrong["compare"] = {"method": "nobody", "control": "random"}
    wrong["unit"] = "elsewhere"
    (folder / "shifts.yaml").write_bytes(msgspec.json.encode(wrong))  # JSON is YAML
    with pytest.raises(ContentError, match=r"shifts.yaml:1: unit `elsewhere`") as caught:
        load_labs(tmp_path, ["domains-and-tasks"])
    assert "no arm `nobody`" in str(caught.value)


@pytest.mark.skipif(sys.platform != "linux", reason="looks at processes as Linux names them")
def test_a_lab_whose_command_is_killed_leaves_no_process_that_trains(own_home):
    command = [sys.executable, "-m", "tlcourse", "lab", "run", "shifts", "--seeds", "8", "--set", "labels=10000"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        until = time.monotonic() + 60
        children: list[psutil.Process] = []
        while not children:
            assert time.monotonic() < until
            children = psutil.Process(process.pid).children(recursive=True)
            time.sleep(0.05)
        process.kill()
    _, alive = psutil.wait_procs(children, timeout=60)
    assert not alive
