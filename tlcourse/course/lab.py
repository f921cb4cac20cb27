"""What a lab is: its claim, its question, its arms and settings. Frozen types, and how they are read."""

from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct

from tlcourse.course.kept import kept
from tlcourse.course.spec import Identifier
from tlcourse.errors import ContentError
from tlcourse.located import decode, read_text
from tlcourse.quiz.kinds.question import Option, Text
from tlcourse.quiz.kinds.visit_order import visit_order

Role = Literal["method", "control", "baseline", "oracle"]
"""A `control` has everything but the idea, a `baseline` is what one would do without, an `oracle` sees the labels."""


class Arm(Struct, frozen=True, forbid_unknown_fields=True):
    """One way of solving the lab's task; all arms see the same data of a seed."""

    id: Identifier
    """Its name in the lab's code and records."""
    title: Text
    """As the legend has it."""
    role: Role
    """What it stands for in the comparison."""


class Setting(Struct, frozen=True, forbid_unknown_fields=True):
    """A number that may be changed."""

    id: Identifier
    """Its name in the lab's code."""
    default: float
    """What it is unless it is changed."""
    low: float
    """The least that is allowed."""
    high: float
    """The most that is allowed."""
    help: Text
    """What it does, in a sentence."""
    whole: bool = False
    """Whether only whole numbers make sense."""
    step: float = 0
    """Where only multiples of something can be: of what."""


class Measure(Struct, frozen=True, forbid_unknown_fields=True):
    """What is compared between the arms."""

    title: Text
    """What is measured, with a capital."""
    better: Literal["higher", "lower"] = "higher"
    """Which values are good."""
    unit: str = ""
    """Shown behind values."""


class Compare(Struct, frozen=True, forbid_unknown_fields=True):
    """Which two arms decide about the claim, and what is claimed: a gain, or that there is none here."""

    method: Identifier
    """The arm of the claim."""
    control: Identifier
    """The arm that it is compared with."""
    effect: Literal["better", "null"] = "better"
    """What is claimed: that the method is better, or that it makes no difference here."""


class Paper(Struct, frozen=True, forbid_unknown_fields=True):
    """Figures of a paper for the lab's arms; on the paper's data, not on ours."""

    title: Text
    """Authors, year, table."""
    values: dict[str, float]
    """Its numbers by the arm's id."""
    note: str = ""
    """What differs from ours; it is shown before the run, and must not give the result away."""


class Prediction(Struct, frozen=True, forbid_unknown_fields=True):
    """Asked before the lab runs."""

    prompt: Text
    """What is asked before anything is seen."""
    options: list[Option]
    """Exactly one is correct."""
    ordered: bool = False
    """Whether the order of the options has a sense, and stays."""

    def shown(self, name: str, seed: int) -> list[Option]:
        """The options in the order of a visit to the lab `name`, as `visit_order` has it."""
        order = visit_order([option.text for option in self.options], name, seed, ordered=self.ordered)
        return [self.options[index] for index in order]


class Lab(Struct, frozen=True, forbid_unknown_fields=True):
    """One experiment."""

    id: Identifier
    """The file's name without `.yaml`."""
    title: Text
    """As lists of labs show it."""
    unit: Identifier
    """The unit to which it belongs."""
    claim: Text
    """What the run shows, in a sentence that the recorded seeds prove."""
    prediction: Prediction
    """What the student says first."""
    explanation: Text
    """Shown afterwards: why it comes out so."""
    arms: list[Arm]
    """What is compared; at least one is a control."""
    measure: Measure
    """The number that is compared."""
    compare: Compare
    """Which two arms decide."""
    settings: list[Setting] = []
    """Numbers that a student may change."""
    paper: list[Paper] = []
    """What papers report, beside ours."""
    data: list[Literal["full"]] = []
    """Besides synthetic data: which other data it can run on."""
    moves: Literal["centres", "covariances"] = "centres"
    """What the method brings together, and the pictures of features therefore say."""
    figure: Annotated[int, Meta(ge=1)] = 1
    """Which figure of its unit's lesson stands beside it before it runs, from 1; it must not give the result away."""
    formula: str = ""
    """The method in a formula (LaTeX, as in lessons), which stands below that figure."""
    code: Identifier | None = None
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
    return kept("labs", dict[str, Lab], content, [content], lambda: read_labs(content, units), given=units)


def read_labs(content: Path, units: list[str]) -> dict[str, Lab]:
    """The same, from the files in any case."""
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
