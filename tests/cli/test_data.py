"""`tlcourse data list|get|verify` as a user meets it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tlcourse.course.lab import load_labs
from tlcourse.course.loader import load_course
from tlcourse.data.real import weights
from tlcourse.data.real.sets import listed


@pytest.fixture
def tl(tl, monkeypatch, tmp_path):
    """On a machine without real data, and without weights in torch's cache."""
    monkeypatch.delenv("TLCOURSE_DATA", raising=False)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    return lambda *arguments: tl("data", *arguments, course=None)


def test_list_says_what_is_missing_and_how_it_is_got(tl):
    done = tl("list")
    assert done.returncode == 0
    assert "– missing hymenoptera" in done.stdout
    assert "tlcourse data get hymenoptera" in done.stdout
    document = json.loads(tl("list", "--json").stdout)
    names = [
        "hymenoptera",
        "pretrained",
        "mnist",
        "office-caltech10",
        "office-photographs",
        "amazon-reviews",
        "bsds500",
        "gtsrb",
    ]
    assert [(one["name"], one["where"]) for one in document["data"]] == [(name, "") for name in names]
    plain = tl("list", "--plain").stdout
    assert plain.startswith("missing: hymenoptera")
    assert plain.isascii()


def test_a_lab_that_is_said_to_use_data_runs_on_them_and_none_is_left_out():
    course = load_course()
    labs = load_labs(course.folder, [unit.id for unit in course.about.units])
    said = [user.split() for one in listed() for user in one.used_by.split(", ") if user.startswith("lab run ")]
    assert all(words[3:] == ["--data", "full"] for words in said)
    assert {words[2] for words in said} == {name for name, lab in labs.items() if "full" in lab.data}


def test_verify_without_data_ends_with_3_and_says_where_they_were_looked_for(tl):
    done = tl("verify")
    assert done.returncode == 3
    assert "There are no real data to verify." in done.stderr
    assert "TLCOURSE_DATA" in done.stderr


def test_verify_names_the_damaged_files_and_ends_with_3(tl, tmp_path, monkeypatch):
    folder = tmp_path / "data" / "hymenoptera_data" / "train" / "ants"
    folder.mkdir(parents=True)
    (folder / "0013035.jpg").write_bytes(b"damaged")
    monkeypatch.setenv("TLCOURSE_DATA", str(tmp_path / "data"))
    done = tl("verify", "hymenoptera")
    assert done.returncode == 3
    assert "train/ants/0013035.jpg" in done.stdout
    assert "tlcourse data get" in done.stderr
    document = json.loads(tl("verify", "--json").stdout)
    assert document["sound"] is False
    assert len(document["data"][0]["problems"]) == 397


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("get", "wasps"), "There is no data set 'wasps'."),
        (("get", "pretrained"), "Weights of which network?"),
        (("get", "hymenoptera", "photos.zip"), "one word too many"),
        (
            ("get", "hymenoptera", "--from", "nowhere.zip"),
            "nowhere.zip does not hold the photographs",
        ),
        (("verify", "wasps"), "There is no data set 'wasps'."),
    ],
)
def test_wrong_usage_ends_with_2_and_one_message(tl, arguments, said):
    done = tl(*arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert json.loads(tl(*arguments, "--json").stdout)["exit_code"] == 2


@pytest.mark.slow
def test_weights_come_from_a_file_and_those_of_another_network_do_not(tl, here, tmp_path, monkeypatch):
    """The first is looked at in a process of its own, as always; the others in this, which has imported torch."""
    import torch
    from torchvision import models

    from tlcourse.execution.worker.pretrained import answer

    state = models.get_model("squeezenet1_1", weights=None).state_dict()
    torch.save(state, tmp_path / "weights.pth")
    done = tl("get", "pretrained", "squeezenet1_1", "--from", "weights.pth", "--json")
    assert done.returncode == 0, done.stderr
    path = Path(json.loads(done.stdout)["path"])
    assert path.read_bytes() == (tmp_path / "weights.pth").read_bytes()
    monkeypatch.setattr(weights, "_ask", lambda name, path=None: answer(name, path))
    assert json.loads(here("data", "list", "--json").stdout)["data"][1]["detail"] == "squeezenet1_1"
    here("data", "verify", "pretrained")
    refused = here("data", "get", "pretrained", "resnet18", "--from", "weights.pth", fails=2)
    assert "does not hold the weights of resnet18" in refused.stderr
    assert sorted(file.name for file in path.parent.iterdir()) == [path.name]


def test_full_data_that_are_not_here_end_a_grading_with_3(tmp_path, own_home, tl):
    import subprocess
    import sys

    (tmp_path / "solution.py").write_text("def fit(task): return None\n")
    done = subprocess.run(
        [sys.executable, "-m", "tlcourse", "grade", "ex1", "--variant", "full"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "TLCOURSE_HOME": str(own_home)},
    )
    assert done.returncode == 3
    assert "tlcourse data get hymenoptera" in done.stderr


REAL = Path(os.environ.get("TLCOURSE_DATA", "nowhere"))


@pytest.mark.skipif(
    not (REAL / "hymenoptera_data").is_dir(),
    reason="TLCOURSE_DATA names no folder with hymenoptera_data: the real photographs are not verified",
)
def test_the_tutorials_photographs_are_recognised_as_they_are(tl, monkeypatch):
    monkeypatch.setenv("TLCOURSE_DATA", str(REAL))
    done = tl("verify", "hymenoptera", "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["sound"] is True
