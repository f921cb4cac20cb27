"""Kept runs: what each came to, laid over a new one; and features before and after adaptation in one number."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tlcourse.labs.result import Recorder, conclude, kept_run
from tlcourse.presenting.words import domains_apart, embedding


def _picture(shift: float) -> dict:
    own = [[0.0, 0.0], [2.0, 0.0], [0.0, 2.0], [2.0, 2.0]]
    other = [[x + shift, y] for x, y in own]
    return {"title": "features", "points": own + other, "domain": [0] * 4 + [1] * 4, "label": [0] * 8}


def test_domains_that_lie_apart_have_a_larger_number():
    assert domains_apart(_picture(0.0)) == 0.0
    assert domains_apart(_picture(2.0)) == pytest.approx(2 / 2**0.5)
    assert domains_apart(_picture(4.0)) > domains_apart(_picture(2.0))
    assert domains_apart({"points": [[1.0, 1.0]], "domain": [0]}) == 0.0
    assert embedding(_picture(2.0)) == (
        "features: 4 source and 4 target points; their centres lie 1.41 standard deviations apart"
    )


@pytest.fixture
def labs():
    from tests.labs.conftest import LABS

    return LABS


def _keep(lab, ended: bool = True) -> int:
    values = {1: {arm.id: 0.5 for arm in lab.arms}}
    recorder = Recorder(lab.id)
    recorder.take({"v": 1, "type": "metric", "step": 1, "values": {"source loss": 1.0}})
    settings = {one.id: one.default for one in lab.settings}
    recorder.close(conclude(lab, settings, values, 0.1, "mini") if ended else None)
    return recorder.number


def test_a_kept_run_says_what_it_came_to_or_that_it_came_to_nothing(labs):
    whole, broken = _keep(labs["shifts"]), _keep(labs["shifts"], ended=False)
    assert "1 seed, gain +0.000" in kept_run("shifts", whole).words
    assert kept_run("shifts", broken).words == "ended without a result"


@pytest.mark.slow
def test_a_new_run_is_shown_beside_an_earlier_one(tl, labs):
    number = _keep(labs["shifts"])
    listed = tl("lab", "show", "shifts", "--runs", course=None).stdout
    assert listed.startswith(f"run {number}: 1 seed")
    arguments = ("lab", "run", "shifts", "--overlay", str(number), "--set", "labels=150")
    plain = tl(*arguments, "--plain", course=None)
    assert plain.returncode == 0, plain.stderr
    assert "present run +" in plain.stdout or "present run -" in plain.stdout
    document = json.loads(tl(*arguments, "--json", course=None).stdout)
    assert [one["number"] for one in document["overlay"]] == [number]


def test_a_run_that_cannot_be_laid_over_is_refused_before_anything_trains(tl, labs):
    broken = _keep(labs["shifts"], ended=False)
    for number, said in ((str(broken), "without a result"), ("77", "no such run")):
        done = tl("lab", "run", "shifts", "--overlay", number, course=None)
        assert done.returncode == 2
        assert said in done.stderr
        assert "seed 1" not in done.stderr


def test_a_run_that_an_earlier_version_recorded_is_shown_with_todays_names_of_settings(labs, own_home):
    given = Path(__file__).parent / "recorded_run.jsonl"
    target = own_home / "labs" / "fine-tuning" / "7.jsonl"
    target.parent.mkdir(parents=True)
    target.write_bytes(given.read_bytes())
    assert b'"rate": 0.002' in given.read_bytes()
    found = kept_run("fine-tuning", 7)
    assert found.result.settings == {"pictures": 16.0, "steps": 20.0, "learning_rate": 0.002, "decay": 0.5}
    assert found.result.settings.keys() == {setting.id for setting in labs["fine-tuning"].settings}
    assert "learning_rate=0.002" in found.words
    assert found.result.gain == 0.25
