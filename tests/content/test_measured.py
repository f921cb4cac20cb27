"""What lessons and labs say was measured on real data is what docs/results.json holds, rounded."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tlcourse.course.lab import load_labs
from tlcourse.course.loader import load_course
from tlcourse.labs.result import interval

COURSE = load_course()
RECORD = json.loads((Path(__file__).parents[2] / "docs" / "results.json").read_text(encoding="utf-8"))


def means(part: str, column: str = "accuracy") -> dict[str, float]:
    """The mean over seeds of each row's `column`."""
    return {row["row"]: sum(row["values"][column]) / len(row["values"][column]) for row in RECORD[part]["rows"]}


def decimals(value: float, digits: int = 3) -> str:
    """0.5554 -> ".555", as lessons write accuracies."""
    return f"{value:.{digits}f}".removeprefix("0")


def percent(value: float) -> str:
    return f"{100 * value:.1f} %"


def says(lesson: str, *words: str) -> None:
    """Each of `words` stands in the lesson, whatever its lines and its stars."""
    text = " ".join(COURSE.lessons[lesson].body.replace("*", "").split())
    assert [one for one in words if one not in text] == []


def test_the_table_from_domain_to_domain_is_that_of_the_record():
    rows = RECORD["photographs"]["rows"]
    domains = [row["row"].removeprefix("learnt on ") for row in rows]
    found = {(row["row"], t): sum(row["values"][f"on {t}"]) / len(RECORD["photographs"]["seeds"]) for row in rows
             for t in domains}  # fmt: skip
    for row in rows:
        shown = " | ".join(decimals(found[row["row"], target]) for target in domains)
        says("source-and-target", f"| {row['row'].removeprefix('learnt on ')} | {shown} |")
    at_home, away = found["learnt on webcam", "webcam"], found["learnt on amazon", "webcam"]
    says("source-and-target", f"right on {100 * at_home:.0f} % of webcam's", f"the shop taught on {100 * away:.0f} %")
    lost = [
        found[f"learnt on {t}", t] - found[f"learnt on {s}", t] for s, t in (("amazon", "dslr"), ("dslr", "amazon"))
    ]
    says("source-and-target", f"pictures {decimals(lost[0])}, learning", f"the shop's {decimals(lost[1])}")


def test_curves_of_fine_tuning_are_those_of_the_record():
    for title, column in (
        ("all, rates by layer", "all, rates by layer"),
        ("all, one rate", "all"),
        ("new head only", "new head, rest frozen"),
    ):
        points = [[int(row.split()[0]), round(v, 3)] for row, v in means("photographs-fine-tuned", column).items()]
        block = re.search(rf"name: {title}\n.*\n    points: (.*)\n", COURSE.lessons["fine-tuning"].body)
        assert block is not None, title
        assert json.loads(block[1]) == points, title


def test_figures_of_coral_are_those_of_the_record():
    surf = means("office", "source only, no adaptation"), means("office", "CORAL")
    says("coral", f"classifier's {percent(surf[0]['mean'])} to {percent(surf[1]['mean'])} on Office")
    reviews = means("amazon-coral", "source only, no adaptation"), means("amazon-coral", "CORAL")
    says("coral", f"and {percent(reviews[0]['mean'])} to {percent(reviews[1]['mean'])} on Amazon")
    deep = [means("office-deep", f"{arm}, deep")["mean"] for arm in ("source only, no adaptation", "CORAL")]
    says("coral", f"no adaptation reached {percent(deep[0])}, CORAL {percent(deep[1])} and")
    photos = [means("photographs-adapted", arm)["mean"] for arm in ("source only, no adaptation", "CORAL")]
    says("coral", f"no adaptation {percent(photos[0])}, CORAL {percent(photos[1])}, subspace")


def test_figures_of_dann_are_those_of_the_record():
    source, subspace, dann, target = (decimals(value) for value in means("mnist-m").values())
    says("dann", f"source only {source}, subspace alignment {subspace}, DANN {dann}, target labels {target}")
    negatives = [decimals(v) for v in means("mnist-m-inverted", "mean of the last epoch's weights").values()]
    says("dann", f"source only reads {negatives[0]} and DANN {negatives[1]}")
    source, dann, target = (decimals(value) for value in means("signs").values())
    says("dann", f"source only read {source} of", f"DANN {dann}, a network with target labels {target}")
    pairs = zip(*(row["values"]["accuracy"] for row in RECORD["signs"]["rows"][:2]), strict=True)
    gain = interval([with_it - without for without, with_it in pairs])
    says("dann", f"by {decimals(gain.mean)} in the mean (−{decimals(-gain.low)} to {decimals(gain.high)})")


def test_figures_of_patch_mix_are_those_of_the_record():
    names = ("source only", "pseudo-labels without mixing", "patch-mix", "labelled target")
    rows = [interval(row["values"]["accuracy"]) for row in RECORD["patch-mix"]["rows"]]
    for name, one in zip(names, rows, strict=True):
        low, mean, high = (decimals(value) for value in (one.low, one.mean, one.high))
        says("domain-bridging", f"| {name} | {mean} ({low} to {high}) |")
    source, guesses, mixed, _ = (decimals(one.mean) for one in rows)
    lab = load_labs(COURSE.folder, [unit.id for unit in COURSE.about.units])["patch-mix"]
    told = " ".join(lab.explanation.split())
    assert f"{mixed} with it, {source} by the source network, and {guesses} by guesses alone" in told


def test_figures_of_augmentation_are_those_of_the_record():
    found = {arm: decimals(means("amazon-labels", arm)["mean"]) for arm in RECORD["amazon-labels"]["rows"][0]["values"]}
    source, target, one, three = found.values()
    says("feature-augmentation", f"{source} against {target}, and three copies still reach {three}", f"reaches {one}")
