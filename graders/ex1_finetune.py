"""Exercise 1, the staff's side: drawn insects or real photographs, and whether the backbone stayed frozen. NumPy only.

What is believed: predictions. On drawn pictures they also show whether the backbone was frozen (`grading.frozen`). On
photographs any of torchvision's networks may be used, and what the worker saw of the weights is all there is: probes,
which a hostile submission can forge. The number of trained parameters is probes on both.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from tlcourse.data.real import hymenoptera
from tlcourse.data.synthetic import Arrays, insects, split_seeds
from tlcourse.data.synthetic.insect_drawing import SIDE
from tlcourse.grading.scoring import frozen
from tlcourse.grading.scoring.error_analysis import ErrorAnalysis, confusion_matrix, worst_items
from tlcourse.grading.scoring.measurement import Measurement, exact, proportion

Array = np.ndarray[Any, Any]

NAMES = ("ants", "bees")
JUDGED = 500
"""Pictures on which the backbone is computed again: some times its 129 unknowns, and a second of time."""
STATISTICS = 0.98
"""Of the numbers of a backbone so many are weights, as a rule; the rest are batch norm's running statistics."""
ASK = 'Get the backbone by task.pretrained("insects")'


def make(sizes: Mapping[str, int], seed: int, variant: str) -> tuple[Arrays, Arrays, Arrays]:
    """Train, validation and test pictures; `insects.make` and `hymenoptera.make` say which arrays."""
    if variant == "full":
        return hymenoptera.make(seed)
    train, val, test = split_seeds(seed)
    return insects.make(sizes["train"], train), insects.make(sizes["val"], val), insects.make(sizes["test"], test)


def measure(test: Arrays, predictions: Mapping[str, Array], probes: Mapping[str, float]) -> dict[str, Measurement]:
    """Score `logits` (n, 2) against the labels of `test`; a message tells what to do next."""
    logits = predictions["logits"]
    drawn = test["x"].shape[-1] == SIDE
    return {
        "accuracy": accuracy(test["label"], logits.argmax(axis=1), fresh=drawn),
        "backbone_frozen": answers_of_backbone(test["x"], logits, probes) if drawn else backbone_kept(probes),
        "trained_parameters": trained_parameters(probes),
    }


def analyse_errors(val: Arrays, predictions: Mapping[str, Array]) -> ErrorAnalysis:
    """The pictures on which the wrong answer was surest, and which insect is taken for which."""
    logits, label = predictions["logits"].astype(np.float64), val["label"]
    said, every = logits.argmax(axis=1), np.arange(len(label))
    lead = np.tanh(logits[every, said] / 2 - logits[every, 1 - said] / 2)  # twice the share above one half
    singular = ("an ant", "a bee")
    return ErrorAnalysis(
        len(label),
        worst_items(
            np.where(said != label, 1 + lead, 0),
            lambda one: f"{singular[said[one]]}, {(1 + lead[one]) / 2:.0%} sure",
            lambda one: singular[label[one]],
            val["x"],
        ),
        confusion_matrix("Insects", NAMES, label, said),
    )


def accuracy(label: Array, predicted: Array, *, fresh: bool = True) -> Measurement:
    """The share of pictures told right; both (n,) int64, 0 ant, 1 bee. Not `fresh`: they are the same in every run."""
    return proportion(int((predicted == label).sum()), len(label), _about_answers(label, predicted), fresh=fresh)


def answers_of_backbone(x: Array, logits: Array, probes: Mapping[str, float]) -> Measurement:
    """The share of the answers' variation that a linear layer on the shipped backbone explains. Cannot be forged."""
    x, decision = x[:JUDGED], (logits[:JUDGED, 1] - logits[:JUDGED, 0])
    share = frozen.explained(frozen.features(x), decision)
    return exact(share, len(x), _about_answers_of(share, probes))


def backbone_kept(probes: Mapping[str, float]) -> Measurement:
    """The share of the backbone's numbers that are as they were issued: probes, 0 where there is none."""
    share = _probe(probes, "backbone_kept")
    kept = 0.0 if share is None else min(max(share, 0.0), 1.0)
    return exact(kept, 1, _about_kept(share), self_reported=True)


def trained_parameters(probes: Mapping[str, float]) -> Measurement:
    """The parameters of the module that are not the backbone's: probes, all of them where no backbone was issued."""
    own, total = _probe(probes, "own_parameters"), _probe(probes, "parameters") or 0.0
    if own is not None:
        message = f"{own:,.0f} of {total:,.0f} parameters are not the backbone's. Train a new last layer."
        return exact(own, 1, message, self_reported=True)
    message = f"No backbone was asked for, so all {total:,.0f} parameters count as yours. {ASK}."
    return exact(total, 1, message, self_reported=True)


def _probe(probes: Mapping[str, float], name: str) -> float | None:
    value = probes.get(name, math.nan)
    return value if math.isfinite(value) and value >= 0 else None


def _about_answers(label: Array, predicted: Array) -> str:
    share = float((predicted == label).mean())
    said = np.unique(predicted)
    if len(said) == 1:
        return (
            f"Every picture is said to show {NAMES[said[0]]}. Its last layer has learnt nothing: does the optimiser "
            "hold its parameters, and is it new (made after the others were frozen)?"
        )
    if share < 0.4:
        return f"Swapped, these answers would be right for {1 - share:.1%}: label 0 is an ant, 1 is a bee."
    if share < 0.6:
        return "This is about what guessing gives. Does the training loss fall? Are pictures and labels in one order?"
    missed = [float((predicted[label == c] != c).mean()) for c in (0, 1)]
    says = f"Told wrong: {missed[0]:.1%} of the ants, {missed[1]:.1%} of the bees."
    if max(missed) > 3 * min(missed) + 0.02:
        return f"{says} One class is missed more often: shuffle the pictures, and train until the loss stops falling."
    if share < 0.85:
        return (
            f"{says} So much is missed without transfer, too. Start from the pretrained backbone, prepare x as it was "
            "prepared there (mean and standard deviation of each channel), and call eval() on it."
        )
    return (
        f"{says} Nearly there: train the last layer until its loss stops falling, on mirrored pictures too, "
        "with some weight decay."
    )


def _about_answers_of(share: float, probes: Mapping[str, float]) -> str:
    kept = _probe(probes, "backbone_kept")
    if share == 0:
        return "The answer is the same for every picture, so no backbone has a part in it."
    head = f"{share:.1%} of the answers' variation comes from the frozen backbone by one linear layer."
    if kept is None:
        return f"{head} {ASK}, and train only a new last layer on it."
    if kept < 1:
        return f"{head} {_about_kept(kept)}"
    return (
        f"{head} The weights are in your module unchanged, but its answers take another way: is x normalised as the "
        "handout says, is the last layer linear, and is it this copy of the backbone that is called?"
    )


def _about_kept(share: float | None) -> str:
    if share is None:
        return "No backbone was asked for. Get one by task.pretrained, such as mobilenet_v2 or resnet18, and freeze it."
    if share > STATISTICS:
        return (
            f"{share:.2%} of the backbone's numbers are as they were issued. What moved is batch norm's mean and "
            "variance: they move in train mode even where requires_grad is False: call eval() on the backbone after "
            "every train()."
        )
    return (
        f"{share:.1%} of the backbone's numbers are as they were issued. Set requires_grad to False for all of its "
        "parameters before the last layer is replaced, and give the optimiser only the new layer's."
    )
