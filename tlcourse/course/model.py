"""What a course is: frozen types.

The YAML of a course is decoded straight into these types; `loader.py` adds file and line to what is wrong with it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct

from tlcourse.course.deadline import LateRule
from tlcourse.course.spec import Identifier, Limits, Output
from tlcourse.course.write_it import WriteIt
from tlcourse.errors import UsageError
from tlcourse.quiz.kinds import AnyQuestion
from tlcourse.quiz.kinds.question import Text
from tlcourse.text import misspelt


class Objective(Struct, frozen=True, forbid_unknown_fields=True):
    """Something that a student can do after a unit."""

    id: Identifier
    """Unique in the course; questions name it as their `objective`."""
    text: Text
    """What one can do, beginning with a verb."""


class Unit(Struct, frozen=True, forbid_unknown_fields=True):
    """One topic of the course; a unit without `lesson` is announced, and not yet written."""

    id: Identifier
    """Unique in the course; links and sections of questions begin with it."""
    title: Text
    """As the map and every list of units show it."""
    summary: Text
    """One or two sentences below the title."""
    part: Text | None = None
    """The part of the course that begins with this unit, as the map names it; None: it belongs to the one before."""
    objectives: list[Objective] = []
    """What a student can do afterwards; a unit with a lesson has at least one."""
    lesson: str | None = None
    """The Markdown file, such as `lessons/NAME.md`; none: the unit is announced only."""
    quizzes: list[Identifier] = []
    """Names of files in `quizzes/`, without `.yaml`, in the order in which they are offered."""
    exercises: list[Identifier] = []
    """Ids of exercises of this unit."""
    mixed: Annotated[int, Meta(ge=0, le=40)] = 0
    """Questions of the mixed quiz after this unit, drawn from it and all units before; 0: there is none."""


class Lesson(Struct, frozen=True, forbid_unknown_fields=True):
    """The front matter of a lesson's Markdown file, with its text."""

    title: Text
    """Above the text."""
    minutes: Annotated[int, Meta(ge=1, le=60)]
    """How long it takes to read and answer; `author check` computes it from the text."""
    references: list[Text] = []
    """Papers and pages, listed below the text."""
    body: str = ""


class Quiz(Struct, frozen=True, forbid_unknown_fields=True):
    """Questions on one idea."""

    id: Identifier
    """The file's name without `.yaml`."""
    title: Text
    """As lists of quizzes show it."""
    questions: Annotated[list[AnyQuestion], Meta(min_length=1)]
    """Each has a `type`, one of the kinds below."""


class CheckRule(Struct, frozen=True, forbid_unknown_fields=True):
    """A requirement as the student reads it; the grader measures its value."""

    id: Identifier
    """Names the measurement that the grader returns for it."""
    title: Text
    """What is measured, as verdict and feedback show it."""
    threshold: float
    """The bar, in the unit of the measurement: a share is 0.95, not 95."""
    points: Annotated[float, Meta(gt=0)]
    """What passing it gives."""
    direction: Literal["at_least", "at_most"] = "at_least"
    """Whether good values lie above or below the threshold."""
    unit: str = ""
    """Shown behind values, such as `px`."""
    std: Annotated[float, Meta(gt=0)] = 1.0
    """Of a mean: the standard deviation of one item's value, in bars, that models near the bar have at most."""


class ManualItem(Struct, frozen=True, forbid_unknown_fields=True):
    """A line of a rubric: what an assistant sets the points of, with `tlcourse ta mark`."""

    id: Identifier
    """What `tlcourse ta mark` names; not that of a check."""
    title: Text
    """What is marked, as students and assistants read it."""
    max_points: Annotated[float, Meta(gt=0)]
    """The most that an assistant can give."""
    rubric: str = ""
    """What earns how much; students read it."""


class Policy(Struct, frozen=True, forbid_unknown_fields=True):
    """How chance is dealt with; students read it. What follows: `grading/scoring/operating_characteristic.py`."""

    doubt: Annotated[float, Meta(gt=0, lt=0.5)] = 0.01
    """How often a model whose true value is exactly at the bar may fail by bad luck."""
    clear: Annotated[float, Meta(gt=0, lt=0.5)] = 0.001
    """A miss that chance explains less often than this is clear; one between the two is run again."""
    seeds: Annotated[int, Meta(ge=1, le=9)] = 3
    """Runs at most: after a near miss the further ones are made, and all are decided on together."""
    attempts: Annotated[int, Meta(ge=1, le=100)] = 5
    """Hand-ins that are graded, each on other data."""


class Exercise(Struct, frozen=True, forbid_unknown_fields=True):
    """`exercise.yaml`: everything about an exercise that a student may know."""

    id: Identifier
    """What commands name: `tlcourse grade ID`."""
    title: Text
    """As lists of exercises show it."""
    summary: Text
    """One or two sentences below the title."""
    targets: tuple[Identifier, ...]
    """Names of the label arrays, in the order in which `y` holds them."""
    outputs: Annotated[tuple[Output, ...], Meta(min_length=1)]
    """The tensors that the returned module gives, in their order."""
    checks: Annotated[list[CheckRule], Meta(min_length=1)]
    """What is scored by itself, each with its points."""
    generator: Identifier | None = None
    """The module of `tlcourse.data.synthetic` that makes its data, for use without a grader (`Task.local`)."""
    real: Identifier | None = None
    """The module of `tlcourse.data.real` that reads its real data: the variant `full`."""
    seconds: Annotated[float, Meta(gt=0)] = 120.0
    """What `task.seconds` tells the solution: what `fit` is asked to take, in the seconds of `limits.cpu_s`."""
    sizes: dict[str, int] = {}
    """Items in `train`, `val` and `test`."""
    limits: Limits = Limits()
    """What one run may use."""
    packages: tuple[Annotated[str, Meta(pattern=r"^[A-Za-z_]\w*\Z")], ...] = ()
    """What a solution may import beside `course.exercise.GIVEN`, by the names that `import` uses."""
    graph: bool = False
    """Whether the returned module is handed out as a graph, and probes are measured on that (`grading/graph.py`)."""
    policy: Policy = Policy()
    """How chance is dealt with."""
    manual: tuple[ManualItem, ...] = ()
    """What is marked by hand, beside the checks; the marks wait until all of it is set."""
    due: str = ""
    """When it is due: `2026-11-20 23:59`, in the course's `zone` or with one behind it."""
    late: LateRule | None = None
    """What being late costs; None: what the course says."""

    @property
    def checked_points(self) -> float:
        """The most that the checks give."""
        return sum(rule.points for rule in self.checks)

    @property
    def max_points(self) -> float:
        """The most that checks and assistants give together."""
        return self.checked_points + sum(item.max_points for item in self.manual)


class Course(Struct, frozen=True, forbid_unknown_fields=True):
    """`course.yaml`."""

    id: Identifier
    """Under it progress is kept; it stays when the course is changed."""
    title: Text
    """As the app and every page show it."""
    units: Annotated[list[Unit], Meta(min_length=1)]
    """In the order of the map."""
    description: str = ""
    """A sentence or two below the title."""
    exercises: list[str] = []
    """Folder names below `exercises/`, in the order in which they are set."""
    install: str = ""
    """Where a notebook in Colab installs tlcourse from: an address that pins what comes; none: it installs nothing."""
    zone: str = ""
    """In which the exercises are due, and times of a platform are read: `Europe/Copenhagen`."""
    late: LateRule | None = None
    """What being late costs, in every exercise that says nothing else."""


class LoadedExercise(Struct, frozen=True):
    """An exercise with its folder: handout.md, starter.py and hints.md lie there."""

    about: Exercise
    folder: Path
    hints: list[str]
    grader: Path | None
    reference: Path | None
    """Read by `course.exercise.staff_text`: in a wheel it lies in an archive, and so does the explanation."""
    explanation: Path | None


class LoadedCourse(Struct, frozen=True):
    """A course read whole, and checked."""

    about: Course
    folder: Path
    lessons: dict[str, Lesson]
    quizzes: dict[str, Quiz]
    exercises: dict[str, LoadedExercise]
    write_its: dict[str, WriteIt] = {}

    @property
    def mixed(self) -> dict[str, Unit]:
        """The units after which there is a mixed quiz, by its name."""
        return {f"mixed-{unit.id}": unit for unit in self.about.units if unit.mixed}

    def title_of_mixed(self, name: str) -> str:
        """The title of a mixed quiz."""
        return f"Mixed quiz: units 1 to {self.about.units.index(self.mixed[name]) + 1}"

    @property
    def manual(self) -> dict[str, tuple[ManualItem, ...]]:
        """What is marked by hand, by exercise."""
        return {name: exercise.about.manual for name, exercise in self.exercises.items()}

    def exercise(self, name: str) -> LoadedExercise:
        """The exercise with that id, or in a folder of that name such as ex2_multitask; raises UsageError."""
        for identifier, exercise in self.exercises.items():
            if name in (identifier, exercise.folder.name):
                return exercise
        raise UsageError(
            f"There is no exercise {name!r}.",
            cause=misspelt(name, self.exercises, otherwise="a spelling mistake, or another course.")
            if self.exercises
            else "this course has no exercises.",
            remedy=f"use one of: {', '.join(self.exercises)}." if self.exercises else "tlcourse lesson list",
        )
