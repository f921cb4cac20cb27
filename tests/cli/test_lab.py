"""`tlcourse lab` as a student uses it."""

from __future__ import annotations

import json

import pytest


@pytest.mark.slow
def test_a_lab_is_listed_shown_run_and_replayed(tl):
    labs = json.loads(tl("lab", "list", "--json", course=None).stdout)["labs"]
    assert {"coral", "shifts", "pinball"} <= {lab["id"] for lab in labs}
    shown = tl("lab", "show", "shifts", course=None).stdout
    assert "Predict first" in shown
    assert "The lesson: tlcourse lesson show domains-and-tasks" in shown
    assert "labels" in shown
    ran = tl("lab", "run", "shifts", "--seeds", "2", "--jobs", "1", "--set", "labels=150", "--json", course=None)
    assert ran.returncode == 0
    document = json.loads(ran.stdout)
    assert document["settings"]["labels"] == 150
    assert document["seeds"] == [1, 2]
    assert len(document["arms"][0]["values"]) == 2
    again = tl("lab", "play", "shifts", "1", course=None)
    assert again.returncode == 0
    assert document["verdict"] in again.stdout
    listed = json.loads(tl("lab", "list", "--json", course=None).stdout)["labs"]
    assert {lab["id"]: lab["runs"] for lab in listed}["shifts"] == 1
    plain = tl("lab", "list", "--plain", course=None).stdout
    assert "lab: shifts: Importance weights under covariate shift: ● 1 run\n" in plain
    assert "lab: dann: Features that hide the domain: ○ not tried\n" in plain


@pytest.mark.slow
def test_plain_is_one_fact_a_line(tl):
    lines = tl("lab", "run", "shifts", "--plain", course=None).stdout.splitlines()
    assert [line.split(":")[0] for line in lines[1:5]] == ["arm"] * 4
    assert "cannot tell chance" in lines[-1]


def test_what_is_wrong_is_said_once(tl):
    for arguments, said in (
        (("run", "dan"), "use one of"),
        (("run", "shifts", "--set", "labels"), "NAME=VALUE"),
        (("play", "shifts", "7"), "no such run"),
    ):
        done = tl("lab", *arguments, course=None)
        assert done.returncode == 2
        assert said in done.stderr
        assert "Traceback" not in done.stderr


def test_a_recorded_run_is_told_without_torch_where_there_is_no_terminal(tl):
    told = tl("lab", "play", "coral", "--plain", course=None)
    assert told.returncode == 0
    assert told.stdout.startswith("Recorded 20")
    assert "their covariances differ by 22%" in told.stdout
    assert "The claim holds here." in told.stdout
    advice = tl("lab", "play", "coral", course=None).stdout
    assert advice.rstrip().endswith("To change a setting: tlcourse lab run coral --set stretch=1"), "Set `stretch` to 1"
    document = json.loads(tl("lab", "play", "coral", "--json", course=None).stdout)
    assert document["about"]["lab"] == "coral"
    assert len(document["result"]["seeds"]) == 8
