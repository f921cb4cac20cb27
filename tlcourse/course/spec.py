"""What a run is told and what it may use: the types of `exercise.yaml`, which travel unchanged to the worker.

They have a file of their own because the worker reads them beside student code, where the rest of a course is hidden.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

Identifier = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]*\Z", max_length=60)]
"""Lower-case letters, digits, `-` and `_`: safe in a command, a file name and a database."""
Name = Annotated[str, Meta(pattern=r"^[A-Za-z_]\w*\Z", max_length=60)]
"""A name of Python's."""

Package = Annotated[
    str,
    Meta(pattern=r"^\w[\w.-]*( *([<>]=?|[=!~]=) *\d[\w.]*(, *(?=[<>=!~])|\Z))*\Z", max_length=100),
]
"""As `course/packages.py` reads it: `sklearn`, or `scikit-learn>=1.4`."""
DATA = "data"
"""The folder of a run's inputs that holds the exercise's own files: `task.data`."""


CELL = "test of cell"
"""Begins the name of a call that is none: its argument is the text of a test, run beside what was handed in."""


class Output(Struct, frozen=True, forbid_unknown_fields=True):
    """One thing that the returned module gives for a batch: a tensor, or a list with an entry for each item."""

    name: Identifier
    """What the grader calls it: its key in `predictions`."""
    shape: tuple[Annotated[int, Meta(ge=1)], ...] = ()
    """Without the batch: `[]` is one number an item, `[5, 3]` a table of them. With `rows` it is that of a row."""
    by_task: bool = False
    """Whether the first dimension of `shape` counts tasks, each of which is a head of its own: what one network shares
    is then measured task by task."""
    dtype: Literal["float32", "uint8", "int64", "bool", "bytes"] = "float32"
    """What its numbers are. `bytes`: texts; the module returns a list of bytes, and `measure` is given one."""
    rows: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    """For items of different lengths: the most rows that an item has, of a text the most bytes. The module returns a
    list with a tensor `(rows, *shape)` for each item of the batch, and `measure` is given such a list of arrays."""
    rows_of: Annotated[str, Meta(pattern=r"^(x(\.[a-z0-9][a-z0-9_-]*)?)?\Z", max_length=62)] = ""
    """`x`, or `x.NAME` of a table of inputs: each item has as many rows as that input has."""

    @property
    def heads(self) -> int:
        """How many heads of the network it holds."""
        return self.shape[0] if self.by_task else 1


class Limits(Struct, frozen=True, forbid_unknown_fields=True):
    """What the whole process tree of one run may use. Seconds, megabytes (2**20) and kilobytes (2**10)."""

    wall_time_s: Annotated[float, Meta(gt=0)] = 1440.0
    """On the clock: the outer bound, at least four times `cpu_s`, for what waits, sleeps or hangs."""
    cpu_s: Annotated[float, Meta(gt=0)] = 360.0
    """CPU seconds per thread of the reference machine; on a GPU seconds of the clock (`execution/speed.py`)."""
    memory_mb: Annotated[int, Meta(ge=256)] = 4096
    """Of all processes together."""
    processes: Annotated[int, Meta(ge=256)] = 512
    """Processes and threads together; torch starts many."""
    scratch_mb: Annotated[int, Meta(ge=1)] = 256
    """Files that a run writes."""
    output_kb: Annotated[int, Meta(ge=1)] = 1024
    """What is kept of what a run prints."""


class CallSpec(Struct, frozen=True):
    """What calls of functions may take, each alone; the calls themselves come in as test inputs do."""

    defines: tuple[str, ...]
    """What the solution shall define; the calls may name more, such as methods."""
    count: int
    """Cases, each of some calls."""
    call_s: float
    """CPU seconds, as those of `Limits`."""
    call_mb: int
    answer_kb: int
    after: str = ""
    """The name of the trained module in the calls; empty where nothing is trained."""


class TaskSpec(Struct, frozen=True):
    """What the worker is told. It lies beside the training data inside the sandbox, so nothing in it is secret."""

    exercise: str
    variant: str
    targets: tuple[str, ...]
    outputs: tuple[Output, ...]
    seed: int
    seconds: float
    device: str
    threads: int
    predict: bool = True
    """False for `tlcourse run`: fit only."""
    graph: bool = False
    """Whether the returned module is handed out as a graph, before the test inputs come."""
    val_predictions: int = 0
    """Of how many validation items, from the first on, predictions are handed out before the test inputs come."""
    speed: float = 0.0
    """How fast the machine is with these threads, in reference machines; 0 before the machine that runs it says so."""
    calls: CallSpec | None = None
    """Functions that are called: after `fit` and its predictions, or in a run that has no `fit`."""
    defines: tuple[str, ...] = ()
    """Names that a solution defines in the place of `fit`; `checks.py` beside this then calls them."""
    checks: tuple[str, ...] = ()
    """Of that file: what is checked, in this order."""
