"""A check as exercise.yaml states it: what is required, and how what is measured becomes points."""

import math
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field
from msgspec.structs import force_setattr

from tlcourse.course.spec import Identifier

Credit = Literal["bar", "share", "steps"]
Metric = Literal["accuracy", "absolute_error", "squared_error", "cross_entropy"]


def _left_away() -> float:
    """Stands for a number that follows from others, until it does."""
    return math.nan


def _by_the_rest() -> Any:
    """Stands for a word that follows from other fields, until it does."""
    return ""


class CheckRule(Struct, frozen=True, forbid_unknown_fields=True):
    """A requirement as the student reads it; the grader measures its value, or tlcourse does, where it has a `metric`.

    `credit` says how the value becomes points. `bar`: all or nothing, and the doubt is the student's. `share`: points
    times the value, a share from 0 to 1. `steps`: the points of the best step that the value reaches.
    """

    id: Identifier
    """Names the measurement that the grader returns for it."""
    title: str = ""
    """What is measured, as verdict and feedback show it; its id if left away."""
    threshold: float = field(default_factory=_left_away)
    """The bar, in the unit of the measurement: a share is 0.95, not 95. With `credit: share` or `steps`: from where
    on the check counts as passed; left away, all of its points are needed."""
    points: Annotated[float, Meta(gt=0)] = field(default_factory=_left_away)
    """The most that it gives; with `credit: steps` left away."""
    direction: Literal["at_least", "at_most"] = "at_least"
    """Whether good values lie above or below the threshold."""
    unit: str = ""
    """Shown behind values, such as `px`."""
    std: Annotated[float, Meta(gt=0)] = 1.0
    """Of a mean: the standard deviation of one item's value, in bars, that models near the bar have at most."""
    part: str = ""
    """The id of its part; may be left away in the file where only one part has checks."""
    credit: Credit = field(default_factory=_by_the_rest)
    """How the value becomes points: all or nothing, points times a share from 0 to 1, or those of the best step. Left
    away, it is `steps` where there are some, else `bar` where there is a threshold, else `share`."""
    steps: dict[float, float] = {}
    """Of `credit: steps`: value → points, in any order."""
    bonus: bool = False
    """Its points come on top of the maximum, and it is not needed to pass."""
    taught: tuple[str, ...] = ()
    """Where it is taught: `unit#heading`, `lab/NAME`, `write/NAME`. A check that fails names these."""
    metric: Metric | Literal[""] = ""
    """What is measured without a grader's `measure`: the share of items that are right (`accuracy`), or a mean over
    all items of |y - guess|, of its square, or of the cross-entropy of logits in nats."""
    of: str = ""
    """Of `metric`: the target, or the column of a file; left away where there is one alone."""
    tolerance: Annotated[float, Meta(ge=0)] = 0.0
    """Of `metric: accuracy`: how far off a number may be and still is right."""

    def __post_init__(self) -> None:
        """Fill in what follows from the rest; raises ValueError for what is missing, with words for its author."""
        if not self.title:
            force_setattr(self, "title", self.id)
        if self.metric and self.metric != "accuracy":
            force_setattr(self, "direction", "at_most")
        if not self.credit:
            free = not math.isnan(self.points) and math.isnan(self.threshold)
            force_setattr(self, "credit", "steps" if self.steps else "share" if free else "bar")
        if (self.credit == "steps") != bool(self.steps):
            raise ValueError("`steps` (value: points) go with `credit: steps`, expected both or neither")
        if self.steps:
            values = sorted(self.steps, reverse=self.direction == "at_most")
            given = [self.steps[value] for value in values]
            if not all(map(math.isfinite, [*values, *given])) or given != sorted(set(given)) or given[0] <= 0:
                raise ValueError("`steps` give no more points for better values, expected such from step to step")
            if not math.isnan(self.points) and self.points != given[-1]:
                raise ValueError(f"points is {self.points:g}, expected {given[-1]:g} as the best step gives")
            force_setattr(self, "points", given[-1])
        best = values[-1] if self.steps else 1.0 if self.credit == "share" else math.nan
        if math.isnan(self.threshold):
            force_setattr(self, "threshold", best)
        if not math.isfinite(self.threshold):
            raise ValueError("Object missing required field `threshold`")
        if self.credit == "share" and (self.direction == "at_most" or not 0 < self.threshold <= 1):
            raise ValueError("a share is at least something from 0 to 1, expected such a threshold, or none")
        if not 0 < self.points < math.inf:
            raise ValueError("Object missing required field `points`")
