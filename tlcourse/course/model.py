"""What a course is: frozen types.

The YAML of a course is decoded straight into these types; `loader.py` adds file and line to what is wrong with it.
Annotations here, and wherever such types are defined, are types and not texts, which msgspec would have to evaluate at
the start of every command (decision 557): no `from __future__ import annotations`.
"""

from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct
from msgspec.structs import force_setattr, replace

from tlcourse.course.check_rule import CheckRule
from tlcourse.course.deadline import LateRule
from tlcourse.course.parts import THE_MODEL, AnyPart, FunctionsPart, ManualItem, ManualPart, ModelPart, PredictionsPart
from tlcourse.course.programs import DataFolders
from tlcourse.course.spec import Identifier, Limits, Output, Package
from tlcourse.course.write_it import WriteIt
from tlcourse.errors import UsageError
from tlcourse.quiz.kinds import AnyQuestion
from tlcourse.quiz.kinds.question import Text
from tlcourse.text import misspelt

OUTER = 4
"""The clock lets a run have at least this many times what its CPU seconds would take if it never waited."""
NOTHING_TRAINED_S = 60.0
"""What a run in which nothing is trained may take, where its author says nothing."""


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
    targets: tuple[Identifier, ...] = ()
    """Names of the label arrays, in the order in which `y` holds them; of a part `model`, as `outputs` are."""
    outputs: tuple[Output, ...] = ()
    """The tensors that the returned module gives, in their order."""
    checks: list[CheckRule] = []
    """What is scored by itself, each with its points."""
    parts: Annotated[tuple[AnyPart, ...], Meta(min_length=1)] = (THE_MODEL,)
    """Pieces that are marked in one way each; left away, it is one of kind `model`."""
    generator: Identifier | None = None
    """The file beside exercise.yaml, or the module of `tlcourse.data.synthetic`, that makes data without a grader."""
    real: Identifier | None = None
    """The file beside exercise.yaml, or the module of `tlcourse.data.real`, that reads the variant `full`."""
    hidden_data: bool = False
    """Whether `graders/NAME/data` holds what hand-ins are measured on: where that is missing, nothing is a mark."""
    board: str = ""
    """The check of a part `model` by whose measurement on validation items a class is shown in order, without names
    (`tlcourse ta rank EX --board FILE`); left away, there is no such board."""
    seconds: Annotated[float, Meta(gt=0)] = 120.0
    """What `task.seconds` tells the solution: what `fit` is asked to take, in the seconds of `limits.cpu_s`."""
    sizes: dict[str, int] = {}
    """Items in `train`, `val` and `test`; of data that lie in files, left away for all."""
    limits: Limits = Limits()
    """What one run may use. Left away, `cpu_s` is three times `seconds`, and 60 where nothing is trained; `wall_time_s`
    is four times that."""
    packages: tuple[Package, ...] = ()
    """What a solution may import beside NumPy, torch, torchvision, safetensors and PIL: `sklearn`, or as it is
    installed and with versions: `scikit-learn>=1.4`. Where it is missing, nothing is begun."""
    graph: bool = False
    """Whether the returned module is handed out as a graph, and probes are measured on that (`grading/graph.py`)."""
    policy: Policy = Policy()
    """How chance is dealt with."""
    due: str = ""
    """When it is due: `2026-11-20 23:59`, in the course's `zone` or with one behind it."""
    late: LateRule | None = None
    """What being late costs; None: what the course says."""

    def __post_init__(self) -> None:
        """Fill in what follows from the rest: checks of functions, the part of a check where one alone has some,
        limits."""
        if self.functions is not None and isinstance(self.functions.defines, dict):
            known, part = {rule.id: rule for rule in self.checks}, self.functions.id
            own = {name.lower(): points for name, points in self.functions.defines.items()}
            made = [known.get(name) or CheckRule(name, points=points, part=part) for name, points in own.items()]
            force_setattr(self, "checks", [*made, *(rule for rule in self.checks if rule.id not in own)])
        if self.limits == Limits():
            cpu_s = 3 * self.seconds if self.model else NOTHING_TRAINED_S
            force_setattr(self, "limits", replace(self.limits, cpu_s=cpu_s, wall_time_s=OUTER * cpu_s))
        scored = [part.id for part in self.parts if not isinstance(part, ManualPart)]
        if len(scored) == 1:
            force_setattr(self, "checks", [replace(rule, part=rule.part or scored[0]) for rule in self.checks])

    @property
    def model(self) -> ModelPart | None:
        """Its part of that kind, of which there is one at most; as there is of functions and of predictions."""
        return next((part for part in self.parts if isinstance(part, ModelPart)), None)

    @property
    def functions(self) -> FunctionsPart | None:
        """Its part of that kind."""
        return next((part for part in self.parts if isinstance(part, FunctionsPart)), None)

    @property
    def predictions(self) -> PredictionsPart | None:
        """Its part of that kind."""
        return next((part for part in self.parts if isinstance(part, PredictionsPart)), None)

    @property
    def manual_parts(self) -> list[ManualPart]:
        """Its parts that people mark."""
        return [part for part in self.parts if isinstance(part, ManualPart)]

    @property
    def all_by_hand(self) -> bool:
        """Whether people mark all of it, and there is nothing to measure."""
        return len(self.manual_parts) == len(self.parts)

    @property
    def needs_no_grader(self) -> bool:
        """Whether tlcourse measures every check by its `metric`; where no grader makes data, they lie in files."""
        return bool(self.checks) and all(rule.metric for rule in self.checks)

    @property
    def manual(self) -> tuple[ManualItem, ...]:
        """What is marked by hand, in all such parts; the marks wait until all of it is set."""
        return tuple(item for part in self.manual_parts for item in part.rubric)

    def checks_of(self, part: AnyPart) -> list[CheckRule]:
        """The checks of a part; of one that is marked by hand there are none."""
        return [rule for rule in self.checks if rule.part == part.id]

    def points_of(self, part: AnyPart) -> float:
        """The most that a part gives, without what comes on top."""
        if isinstance(part, ManualPart):
            return sum(item.max_points for item in part.rubric if not item.bonus)
        return sum(rule.points for rule in self.checks_of(part) if not rule.bonus)

    @property
    def is_run(self) -> bool:
        """Whether a solution is run; else files are all that is handed in."""
        return bool(self.model or self.functions)

    @property
    def files_alone(self) -> tuple[str, ...]:
        """The files that are a hand-in without a solution: where one is run, its parts then give nothing."""
        return tuple(
            name
            for part in self.parts
            for name in ((part.file,) if isinstance(part, PredictionsPart) else getattr(part, "files", ()))
        )

    @property
    def checked_points(self) -> float:
        """The most that the checks give, without what comes on top."""
        return sum((rule.points for rule in self.checks if not rule.bonus), 0.0)

    @property
    def max_points(self) -> float:
        """The most that checks and assistants give together."""
        return self.checked_points + sum(item.max_points for item in self.manual if not item.bonus)


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
    staff: Path
    """The folder of graders, references and hidden data; it need not be there."""
    grader: Path | None
    reference: Path | None
    """Read by `course.exercise.staff_text`: in a wheel it lies in an archive, and so does the explanation."""
    explanation: Path | None

    @property
    def data(self) -> DataFolders:
        """Its data files, as far as they are here."""
        hidden, public = self.staff / self.folder.name / "data", self.folder / "data"
        return DataFolders(public if public.is_dir() else None, hidden if hidden.is_dir() else None)

    @property
    def is_measured(self) -> bool:
        """Whether what people do not mark can be: by a grader, or by metrics that exercise.yaml names."""
        return self.grader is not None or self.about.needs_no_grader

    @property
    def generator(self) -> Path | str | None:
        """What makes its data without a grader: a file of the course's own, or the name of a module of ours."""
        return self._program(self.about.generator)

    @property
    def real(self) -> Path | str | None:
        """What reads its real data, in the same way."""
        return self._program(self.about.real)

    def _program(self, name: str | None) -> Path | str | None:
        own = self.folder / f"{name}.py"
        return own if name and own.is_file() else name


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
