"""What a lab is: its claim, its question, its arms and settings. Frozen types, and how they are read."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from msgspec import Struct

from tlcourse.course.spec import Identifier
from tlcourse.errors import ContentError
from tlcourse.located import decode, read_text
from tlcourse.quiz.kinds.question import Option, Text, visit_order

Role = Literal["method", "control", "baseline", "oracle"]
"""A `control` has everything but the idea, a `baseline` is what one would do without, an `oracle` sees the labels."""


class Arm(Struct, frozen=True, forbid_unknown_fields=True):
    """One way of solving the lab's task; all arms see the same data of a seed."""

    id: Identifier
    title: Text
    role: Role


class Setting(Struct, frozen=True, forbid_unknown_fields=True):
    """A number that may be changed."""

    id: Identifier
    default: float
    low: float
    high: float
    help: Text
    whole: bool = False
    step: float = 0
    """Where only multiples of something can be: of what."""


class Measure(Struct, frozen=True, forbid_unknown_fields=True):
    """What is compared between the arms."""

    title: Text
    better: Literal["higher", "lower"] = "higher"
    unit: str = ""


class Compare(Struct, frozen=True, forbid_unknown_fields=True):
    """Which two arms decide about the claim, and what is claimed: a gain, or that there is none here."""

    method: Identifier
    control: Identifier
    effect: Literal["better", "null"] = "better"


class Paper(Struct, frozen=True, forbid_unknown_fields=True):
    """Figures of a paper for the lab's arms; on the paper's data, not on ours."""

    title: Text
    values: dict[str, float]
    note: str = ""


class Prediction(Struct, frozen=True, forbid_unknown_fields=True):
    """Asked before the lab runs."""

    prompt: Text
    options: list[Option]
    ordered: bool = False
    """Whether the order of the options has a sense, and stays."""

    def shown(self, name: str, seed: int) -> list[Option]:
        """The options in the order of a visit to the lab `name`, as `visit_order` has it."""
        order = visit_order([option.text for option in self.options], name, seed, ordered=self.ordered)
        return [self.options[index] for index in order]


class Lab(Struct, frozen=True, forbid_unknown_fields=True):
    """One experiment."""

    id: Identifier
    title: Text
    unit: Identifier
    claim: Text
    prediction: Prediction
    explanation: Text
    arms: list[Arm]
    measure: Measure
    compare: Compare
    settings: list[Setting] = []
    paper: list[Paper] = []
    data: list[Literal["full"]] = []
    """Besides synthetic data: which other data it can run on."""
    moves: Literal["centres", "covariances"] = "centres"
    """What the method brings together, and the pictures of features therefore say."""
    code: Identifier = ""
    """The module of `tlcourse.labs.experiments` that holds it, where that has another name than the lab."""

    @property
    def module(self) -> str:
        """The module that holds its functions."""
        return f"tlcourse.labs.experiments.{self.code or self.id.replace('-', '_')}"

    def function(self, data: str = "mini") -> str:
        """The function of the module that runs it on `data`: `run_ID`, and `run_ID_full` for real data."""
        return f"run_{self.id.replace('-', '_')}" + ("" if data == "mini" else f"_{data}")


def load_labs(content: Path, units: list[str]) -> dict[str, Lab]:
    """Every `labs/*.yaml` of a course, in the order of its units; raises ContentError naming every wrong one."""
    labs, problems = [], []
    for path in sorted((content / "labs").glob("*.yaml")):
        try:
            lab = decode(read_text(path), Lab, path)
        except ContentError as error:
            problems += error.problems
            continue
        labs.append(lab)
        problems += [f"{path}:1: {problem}" for problem in _problems(lab, path, units)]
    if problems:
        raise ContentError(problems)
    return {lab.id: lab for lab in sorted(labs, key=lambda lab: units.index(lab.unit))}


def _problems(lab: Lab, path: Path, units: list[str]) -> list[str]:
    arms = [arm.id for arm in lab.arms]
    found = []
    if lab.id != path.stem:
        found.append(f"id is `{lab.id}`, expected `{path.stem}` as in the file's name")
    if lab.unit not in units:
        found.append(f"unit `{lab.unit}` is not known, expected one of course.yaml")
    if len(set(arms)) < len(arms):
        found.append("two arms have the same id, expected ids that differ")
    if not any(arm.role == "control" for arm in lab.arms):
        found.append("no arm is a control, expected at least one in every lab")
    wanted = [lab.compare.method, lab.compare.control, *(arm for paper in lab.paper for arm in paper.values)]
    found += [f"there is no arm `{arm}`, expected one of: {', '.join(arms)}" for arm in wanted if arm not in arms]
    if sum(option.correct for option in lab.prediction.options) != 1:
        found.append("the prediction has not exactly one correct option")
    found += [
        f"setting `{setting.id}` has a default outside {setting.low:g} to {setting.high:g}"
        for setting in lab.settings
        if not setting.low <= setting.default <= setting.high
    ]
    return found
