"""Exercise 1: what its grader says to whom, and its full form; the proof of its mini form is in tests/graders."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from graders import ex1_finetune
from tlcourse.course.loader import load_course
from tlcourse.grading.grader import Grader

REAL = Path(os.environ.get("TLCOURSE_DATA", "nowhere"))
needs_photographs = pytest.mark.skipif(
    not (REAL / "hymenoptera_data").is_dir() or not (REAL / "pretrained").is_dir(),
    reason="TLCOURSE_DATA names no folder with hymenoptera_data and pretrained: the full variant is not graded",
)
FROZEN = {"backbone_kept": 1.0, "own_parameters": 258.0, "parameters": 300_000.0}
DRIFTED = {"backbone_kept": 0.995, "own_parameters": 258.0, "parameters": 300_000.0}
MOVED = {"backbone_kept": 0.1, "own_parameters": 300_000.0, "parameters": 300_000.0}


@pytest.fixture(scope="module")
def grader():
    return Grader(load_course().exercises["ex1"])


@pytest.fixture(scope="module")
def drawn(grader):
    return ex1_finetune.make({"train": 2, "val": 2, "test": 200}, 3, "mini")[2]


@pytest.fixture(scope="module")
def photographs():
    """Of the size of photographs, by which the grader knows them."""
    label = np.random.default_rng(0).permutation(153) % 2
    return {"x": np.zeros((153, 3, 224, 1), np.float32), "label": label}


def logits(predicted: np.ndarray) -> np.ndarray:
    return np.eye(2, dtype=np.float32)[predicted]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda label: label * 0, "Every picture is said to show ants"),
        (lambda label: 1 - label, "Swapped, these answers would be right for 100.0%"),
        (lambda label: np.arange(len(label)) % 2, "about what guessing gives"),
        (lambda label: np.where(np.arange(len(label)) % 6 == 0, 0, label), "One class is missed more often"),
        (
            lambda label: np.where(np.arange(len(label)) % 4 == 0, 1 - label, label),
            "Start from the pretrained backbone",
        ),
        (lambda label: np.where(np.arange(len(label)) % 10 == 0, 1 - label, label), "Nearly there"),
    ],
)
def test_a_message_says_what_to_do_about_the_accuracy(grader, photographs, change, said):
    made = {"logits": logits(change(photographs["label"]))}
    assert said in grader.measure(photographs, made, FROZEN)["accuracy"].message


@pytest.mark.parametrize(
    ("probes", "said"),
    [
        (FROZEN, "is x normalised as the handout says"),
        (DRIFTED, "call eval() on the backbone"),
        (MOVED, "Set requires_grad to False"),
        ({}, 'task.pretrained("insects")'),
    ],
)
def test_answers_that_are_not_the_backbones_fail_whatever_the_probes_says(grader, drawn, probes, said):
    found = grader.measure(drawn, {"logits": logits(drawn["label"])}, probes)["backbone_frozen"]
    assert found.value < 0.99
    assert said in found.message


def test_on_photographs_the_weights_that_were_kept_are_compared(grader, photographs):
    made = {"logits": logits(photographs["label"])}
    assert grader.measure(photographs, made, FROZEN)["backbone_frozen"].value == 1.0
    assert grader.measure(photographs, made, DRIFTED)["backbone_frozen"].value == 0.995
    assert grader.measure(photographs, made, {})["backbone_frozen"].value == 0.0
    assert not grader.measure(photographs, made, FROZEN)["accuracy"].fresh


def test_without_a_backbone_all_parameters_are_ones_own(grader, photographs):
    made = {"logits": logits(photographs["label"])}
    found = grader.measure(photographs, made, {"parameters": 5e4})["trained_parameters"]
    assert found.value == 5e4
    assert "No backbone was asked for" in found.message


def test_a_probe_that_is_not_a_number_counts_as_none(grader, photographs):
    odd = {"backbone_kept": float("nan"), "own_parameters": -1.0, "parameters": float("inf")}
    found = grader.measure(photographs, {"logits": logits(photographs["label"])}, odd)
    assert "No backbone" in found["trained_parameters"].message
    assert np.isfinite(found["trained_parameters"].value)


@pytest.mark.slow
@needs_photographs
def test_the_reference_passes_on_the_photographs_and_is_told_that_they_are_few(tl):
    reference = load_course().exercises["ex1"].reference
    done = tl("grade", "ex1", str(reference), "--variant", "full", "--device", "cpu", "--json", course=None)
    document = json.loads(done.stdout)
    assert done.returncode == 0, document
    assert document["variant"] == "full"
    accuracy, frozen, own = document["checks"]
    assert accuracy["value"] >= 0.94
    assert accuracy["n"] == 153
    assert (frozen["value"], own["value"]) == (1.0, 2562.0)
    assert any("153 items are few" in message for message in document["messages"])


RECIPE = """
import torch
import torch.nn.functional as F
from torch import nn


def fit(task):
    model = task.pretrained("squeezenet1_1")
    for parameter in model.parameters():
        parameter.requires_grad = False
    model.classifier[1] = nn.Conv2d(512, 2, kernel_size=1)
    optimizer = torch.optim.SGD(model.classifier[1].parameters(), lr=0.001, momentum=0.9)
    for x, y in torch.utils.data.DataLoader(task.train, batch_size=4, shuffle=True):
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()
    return model
"""


@pytest.mark.slow
@needs_photographs
def test_the_lectures_recipe_runs_on_the_photographs_as_it_is_written(tl, tmp_path):
    (tmp_path / "solution.py").write_text(RECIPE)
    done = tl("grade", "ex1", "--variant", "full", "--device", "cpu", "--json", course=None)
    document = json.loads(done.stdout)
    assert document["outcome"] in ("pass", "fail"), document["messages"]
    accuracy, frozen, own = document["checks"]
    assert accuracy["value"] > 0.6
    assert (frozen["passed"], own["passed"]) == (True, True)


@pytest.mark.slow
def test_a_solution_that_asks_for_weights_that_are_not_here_is_told_how_to_get_them(tl, tmp_path, monkeypatch):
    monkeypatch.delenv("TLCOURSE_DATA", raising=False)
    (tmp_path / "solution.py").write_text('def fit(task):\n    return task.pretrained("resnet18")\n')
    done = tl("grade", "ex1", "--variant", "mini", "--device", "cpu", "--json", course=None)
    document = json.loads(done.stdout)
    assert document["outcome"] == "crash"
    assert "tlcourse data get pretrained resnet18" in document["problem"]
