"""What every lab owes: a claim that is right here with 95 % confidence, or that says it is null; and advice."""

from __future__ import annotations

import importlib
import io
import json
import os
import re
import subprocess
import sys
import textwrap
import time
from statistics import stdev

import psutil
import pytest

from benchmarks.record_labs import SEEDS, fingerprint, read_module
from tlcourse.course.lab import Lab, Setting, load_labs
from tlcourse.errors import ContentError, UsageError
from tlcourse.labs.recorded import RecordedRun, recorded
from tlcourse.labs.result import Recorder, conclude, difference, kept_runs, replay
from tlcourse.labs.runner import LabError, run_lab, settings_of

APART, ROUNDED = 1.5, 1e-6
"""How far a seed may lie from its record: standard deviations of the arm over seeds. See docs/decisions/360."""


@pytest.fixture
def record(lab) -> RecordedRun:
    """The run over eight seeds that comes with the course (docs/decisions/360)."""
    from tests.labs.conftest import COURSE

    run = recorded(COURSE.folder, lab.id)
    assert run is not None, f"run: python benchmarks/record_labs.py {lab.id}"
    return run


def claim_holds(lab, values):
    """The claim's sign is right at 95 %, or null where the lab says so; and an oracle is an upper end.

    Where it is not, within the interval of its difference to the method, it was not fitted to its end.
    """
    result = conclude(lab, settings_of(lab, {}), values, 0.0, "mini")
    assert result.holds, result.verdict
    by_arm = {arm.id: arm.values for arm in result.arms}
    assert by_arm.keys() == {arm.id for arm in lab.arms}
    sign = -1 if lab.measure.better == "lower" else 1
    for oracle in (arm.id for arm in lab.arms if arm.role == "oracle"):
        ahead = difference(by_arm[oracle], by_arm[lab.compare.method])
        assert max(sign * ahead.low, sign * ahead.high) >= 0, (oracle, ahead)


def test_its_claim_holds_over_the_eight_seeds_of_its_record(lab, record):
    assert record.result.seeds == SEEDS == list(range(1, 9))
    assert record.result.settings == settings_of(lab, {})
    by_seed = zip(*(arm.values for arm in record.result.arms), strict=True)
    ids = [arm.id for arm in record.result.arms]
    claim_holds(lab, {seed: dict(zip(ids, row, strict=True)) for seed, row in zip(SEEDS, by_seed, strict=True)})


def test_its_record_comes_from_todays_settings_and_code(lab, record):
    assert record.about.fingerprint == fingerprint(lab), f"run: python benchmarks/record_labs.py {lab.id}"


@pytest.mark.slow
def test_a_seed_trained_anew_gives_the_numbers_of_its_record(lab, record):
    """Their code is the record's (see the test above): this is for another torch. The longest (LONG): nightly."""
    import torch

    from tlcourse.labs.training import Log
    from tlcourse.labs.worker import run_seed

    run = getattr(importlib.import_module(lab.module), lab.function())
    torch.set_num_threads(1)
    found = run_seed(run, settings_of(lab, {}), SEEDS[0], Log(io.BytesIO()))
    assert found.keys() == {arm.id for arm in record.result.arms}
    for arm in record.result.arms:
        assert found[arm.id] == pytest.approx(arm.values[0], abs=APART * stdev(arm.values) + ROUNDED), arm.id


@pytest.mark.slow
@pytest.mark.nightly
def test_its_claim_holds_over_eight_seeds(lab):
    jobs = 1 if "PYTEST_XDIST_WORKER" in os.environ else 0  # each child starts torch, and the other core is busy
    result = run_lab(lab, settings_of(lab, {}), SEEDS, lambda _: None, jobs=jobs)
    by_seed = zip(*(arm.values for arm in result.arms), strict=True)
    ids = [arm.id for arm in result.arms]
    claim_holds(lab, {seed: dict(zip(ids, row, strict=True)) for seed, row in zip(SEEDS, by_seed, strict=True)})


@pytest.mark.parametrize(
    ("was", "now", "noticed"),
    [
        ("STD = 1.5", "STD = 1.25", True),
        ("    return x + STD", "    # as it was\n    return x + STD", False),
        ('"""Of ours."""', '"""Of ours, too."""', False),
        ("def _told", "def _said", False),  # by nothing that the experiment reaches
        ("return 2 * y", "return 3 * y", True),  # in another module
        ("default=1", "default=2", True),
    ],
)
def test_a_fingerprint_is_of_what_an_experiment_reaches(tmp_path, monkeypatch, was, now, noticed):
    given = {
        "labs/experiments/some.py": """
            from tlcourse.methods.other import doubled
            STD = 1.5
            def run_some(settings, seed, log):
                return _shifted(doubled(seed))
            def _shifted(x):
                \"""Of ours.\"""
                return x + STD
            def _told(x):
                return x
        """,
        "methods/other.py": "def doubled(y):\n    return 2 * y\n",
    }

    def printed(number, changed):
        for name, text in given.items():
            path = tmp_path / str(number) / "tlcourse" / name
            path.parent.mkdir(parents=True)
            path.write_text(changed(textwrap.dedent(text)))
        monkeypatch.setattr("benchmarks.record_labs.ROOT", tmp_path / str(number))
        default = float(changed("default=1").partition("=")[2])
        about = Setting(id="points", default=default, low=0, high=9, help="how many")
        read_module.cache_clear()
        return fingerprint(Lab("some", "Some", "unit", "claim", None, "why", [], None, None, [about]))

    assert (printed(1, lambda text: text) != printed(2, lambda text: text.replace(was, now))) == noticed
    read_module.cache_clear()


def test_it_has_a_control_an_explanation_and_a_reason_for_every_prediction(lab):
    assert any(arm.role == "control" for arm in lab.arms)
    assert len(lab.explanation) > 150
    assert len(lab.prediction.options) >= 3
    assert lab.settings
    assert all(len(line) <= 78 for line in lab.explanation.splitlines())


def test_its_explanation_advises_a_setting_that_it_has_within_its_range(lab):
    known = {setting.id for setting in lab.settings}
    advised = [
        (name, value)
        for name, values in re.findall(r"`(\w+)`\s+(?:to\s+)?([\d.]+\d|\d(?:\s+and\s+\d+)?)", lab.explanation)
        for value in values.split(" and ")
        if name in known
    ]
    assert advised, "such as: Set `labels` to 300"
    for name, value in advised:
        assert settings_of(lab, {name: value})[name] == float(value), "settings_of refuses what is out of range"


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


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="children are forked")
def test_a_process_that_stood_by_gives_the_numbers_of_one_that_was_started(own_home, in_one_child):
    _, alone = in_one_child
    asked = ["lab", "run", "shifts", "--events", "--seeds", "2", "--set", "labels=100", "--jobs", "2"]
    done = subprocess.run(
        [sys.executable, "-m", "tlcourse", "prewarm", "--lab"],
        input=json.dumps(asked) + "\n",
        capture_output=True,
        text=True,
        check=True,
    )
    last = json.loads(done.stdout.splitlines()[-1])
    assert [arm["values"] for arm in last["result"]["arms"]] == [arm.values for arm in alone.arms]


@pytest.mark.slow
def test_events_come_as_they_happen_and_each_seed_says_what_it_came_to(in_one_child):
    events, result = in_one_child
    assert [event["seed"] for event in events if event["type"] == "seed"] == [1, 2] == result.seeds
    assert any(event["type"] == "metric" and "weighted error" in event["values"] for event in events)


def test_every_lab_has_its_experiment_and_every_experiment_its_lab():
    from importlib.resources import files

    from tests.labs.conftest import LABS

    written = {path.name[:-3] for path in files("tlcourse.labs.experiments").iterdir() if path.name.endswith(".py")}
    assert written - {"__init__"} == {lab.module.rpartition(".")[2] for lab in LABS.values()}
    runs = set()
    for name in written - {"__init__"}:
        module = importlib.import_module(f"tlcourse.labs.experiments.{name}")
        runs |= {(module.__name__, run) for run in vars(module) if run.startswith("run_")}
    assert runs == {(lab.module, lab.function(data)) for lab in LABS.values() for data in ("mini", *lab.data)}


@pytest.mark.slow
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


@pytest.mark.slow
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
