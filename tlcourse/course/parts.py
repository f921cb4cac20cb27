"""The parts of an exercise: pieces that are marked in one way each.

    parts:
      - {id: network, kind: model}
      - {id: text, kind: functions, after: network, defines: [generate]}
      - {id: kaggle, kind: predictions, file: predictions.csv, columns: [id, label]}
      - id: report
        kind: manual
        files: [report.pdf]
        rubric: [{id: figures, text: Figures and their captions, points: 3}]

An exercise without `parts` is one part of kind `model`. What a grader file defines for each kind: `grading/parts/`.
"""

from typing import Annotated, ClassVar

from msgspec import Meta, Struct, field

from tlcourse.course.spec import Identifier, Name
from tlcourse.quiz.kinds.question import Text

FileName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]*\Z", max_length=100)]
"""A file beside `solution.py`: no folder, and nothing that a shell or a platform would change."""

Points = Annotated[float, Meta(gt=0)]


class ModelPart(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="model"):
    """`fit(task)` returns a module, whose predictions of hidden inputs are measured. The fields of the exercise itself
    (`targets`, `outputs`, `sizes`, `seconds`, `graph`) are about this part."""

    kind: ClassVar[str] = "model"
    id: Identifier = "network"
    """Names it in `part:` of checks, and in `after:` of functions."""
    title: str = ""
    """As verdict and feedback show it; its id if left away."""


class FunctionsPart(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="functions"):
    """Functions and classes that are called by name, each call alone; their answers are judged by the staff side."""

    kind: ClassVar[str] = "functions"
    defines: Annotated[tuple[Name, ...], Meta(min_length=1)] | Annotated[dict[Name, Points], Meta(min_length=1)]
    """What is to be written; one that is missing costs its own cases. As a table of names and points, each has a check
    as well, named like it in lower-case letters: the share of its cases that are right, unless `checks` says more."""
    id: Identifier = "functions"
    """Names it in `part:` of checks."""
    title: str = ""
    """As verdict and feedback show it; its id if left away."""
    after: str = ""
    """A part of kind `model`: the calls are made once its `fit` has returned, and may use the module by this name."""
    call_s: Annotated[float, Meta(gt=0, le=600)] = 5.0
    """What one call may take, in seconds of CPU; four times as much by the clock."""
    call_mb: Annotated[int, Meta(ge=16, le=65536)] = 512
    """What one call may take of memory, beside what there was before it, in 2**20 bytes."""
    answer_kb: Annotated[int, Meta(ge=1, le=65536)] = 1024
    """What one answer may hold, in 2**10 bytes."""


class PredictionsPart(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="predictions"):
    """A file of predictions for inputs that were handed out: measured, and nothing is run."""

    kind: ClassVar[str] = "predictions"
    file: FileName
    """`.csv`, `.npy` or `.safetensors`."""
    id: Identifier = "predictions"
    """Names it in `part:` of checks."""
    title: str = ""
    """As verdict and feedback show it; its id if left away."""
    columns: tuple[Annotated[str, Meta(min_length=1, max_length=60)], ...] = ()
    """Of a `.csv`."""
    shape: tuple[Annotated[int, Meta(ge=1)], ...] = ()
    """Of one prediction in a `.npy` or `.safetensors`."""


class ManualItem(Struct, frozen=True, forbid_unknown_fields=True):
    """A line of a rubric: what an assistant sets the points of, with `tlcourse ta mark`."""

    id: Identifier
    """What `tlcourse ta mark` names; not that of a check."""
    title: Text = field(name="text")
    """What is marked, as students and assistants read it."""
    max_points: Annotated[float, Meta(gt=0)] = field(name="points")
    """The most that an assistant can give."""
    rubric: str = field(default="", name="details")
    """What earns how much; students read it."""
    bonus: bool = False
    """Its points come on top of the maximum, as those for a place in the class do (`tlcourse ta rank --mark`)."""


class ManualPart(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="manual"):
    """What people mark: a report, tagged cells of a notebook, or what is not handed in here, such as a talk."""

    kind: ClassVar[str] = "manual"
    id: Identifier
    """Names it in verdict and report."""
    rubric: Annotated[tuple[ManualItem, ...], Meta(min_length=1)]
    """What it is marked by, line by line; the marks wait until all is set."""
    title: str = ""
    """As verdict and feedback show it; its id if left away."""
    files: tuple[FileName, ...] = ()
    """What is handed in beside the solution."""
    cells: str = ""
    """The tag of the notebook cells that are marked."""


AnyPart = ModelPart | FunctionsPart | PredictionsPart | ManualPart

THE_MODEL = ModelPart()
"""The one part of an exercise that names none."""
