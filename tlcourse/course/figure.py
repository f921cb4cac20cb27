"""What a ```figure fence of a lesson may say: a description in YAML, of which `presenting/figures` makes the drawing.

Every figure has `alt`, the same in words, for whoever does not see it. A role is one of `tui/themes.py`: `source`,
`target`, `method`, `control`, `done`, `wrong`, `next`, `partial`, `due`, `lab`, `muted`.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from msgspec import Meta, Struct

Role = Literal["source", "target", "method", "control", "done", "wrong", "next", "partial", "due", "lab", "muted", ""]
Words = Annotated[str, Meta(min_length=1, max_length=400)]
Extent = Annotated[int, Meta(ge=2, le=96)]
Pair = tuple[float, float]
_ARROW = re.compile(r"(->|--)")


class _Figure(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", kw_only=True):
    alt: Annotated[str, Meta(min_length=10, description="one or two sentences that say what is to be seen")]
    caption: str = ""
    """Below the drawing; it says so where a drawing is schematic."""


class Box(Struct, frozen=True, forbid_unknown_fields=True):
    """A box of a flow: its lines of text, what it stands for, a mark (`frozen`, `trained`) and how it is drawn."""

    text: str
    """What stands in it; lines after the first are muted."""
    role: Role = ""
    """Its colour."""
    mark: Literal["frozen", "trained", ""] = ""
    """A word on its border: frozen or trained."""
    border: bool = True
    """Whether it has one."""
    thick: bool = False
    """Whether that is thick."""


class Way(Struct, frozen=True, forbid_unknown_fields=True):
    """A way back through a flow, such as a gradient's: from box to box, with a text and a role for each leg."""

    path: Annotated[list[str], Meta(min_length=2)]
    """Names of boxes, from where it starts."""
    texts: list[str] = []
    """One for each leg."""
    roles: list[Role] = []
    """One colour for each leg."""


class Flow(_Figure, frozen=True, tag="flow"):
    """Boxes in rows and columns, and arrows between them.

    `rows` has names of boxes; a name that begins with `.` is a bend of an arrow, `.` alone nothing. `arrows` are
    `a -> b`, `a -> .bend -> b`, `a -- b` (a line without head), with a text after a colon.
    """

    rows: Annotated[list[list[str]], Meta(min_length=1)]
    """Names of boxes by row."""
    boxes: dict[str, str | Box] = {}
    """By name; what is not named here has its name as text."""
    arrows: list[str] = []
    """Such as `a -> b: text`."""
    direction: Literal["right", "down"] = "right"
    """Whether rows run to the right or downwards."""
    backward: list[Way] = []
    """Drawn below, one line each; in the app the arrows light up leg by leg."""


class Layer(Struct, frozen=True, forbid_unknown_fields=True):
    """A layer of a stack: its name, a note, and for each step a state or a number."""

    name: str
    """As it is written in the layer."""
    states: Annotated[list[Literal["frozen", "trained", "new", "copied", "none"] | float], Meta(min_length=1)]
    """One for each step: a state, or a number that is drawn as a bar."""
    note: str = ""
    """Beside the name."""


class Stack(_Figure, frozen=True, tag="stack"):
    """Layers, the last one (nearest to the output) first, and what becomes of each in every step."""

    layers: Annotated[list[Layer], Meta(min_length=1)]
    """The one nearest to the output first."""
    steps: Annotated[list[str], Meta(min_length=1)]
    """What the steps are called."""
    notes: list[str] = []
    """A sentence for each step."""
    unit: str = ""
    """Of numbers, which are drawn as bars to scale."""
    logarithmic: bool = False
    """Whether the bars are."""


class Matrix(Struct, frozen=True, forbid_unknown_fields=True):
    """A matrix to scale: rows and columns as numbers or by the slider's name."""

    name: str
    """Below it."""
    rows: int | str
    """A number, or the slider's name."""
    columns: int | str
    """A number, or the slider's name."""
    role: Role = "control"
    """Its colour."""
    mark: Literal["frozen", "trained", ""] = ""
    """Frozen or trained; both are counted."""


class Slider(Struct, frozen=True, forbid_unknown_fields=True):
    """A size that can be moved with the arrows."""

    name: str
    """What sizes call it."""
    values: Annotated[list[int], Meta(min_length=1)]
    """What it can be."""
    start: int
    """What it is at first, one of them."""


class Matrices(_Figure, frozen=True, tag="matrix"):
    """Matrices in a row, to one scale, with operators (texts) between them; below them their sizes and counts."""

    parts: Annotated[list[Matrix | str], Meta(min_length=1)]
    """Matrices, and texts between them."""
    slider: Slider | None = None
    """A size that the arrow keys move."""
    counted: bool = True
    """Whether the numbers of parameters stand below."""


class Node(Struct, frozen=True, forbid_unknown_fields=True):
    """A question with answers, or (`say`) where the answers lead; `when` is the answer that leads here."""

    when: str | bool = ""
    """The answer that leads here."""
    ask: str = ""
    """The next question."""
    say: str = ""
    """Where it ends: a name, and lines about it."""
    role: Role = ""
    """Its colour."""
    answers: list[Node] = []
    """To `ask`, two or more."""

    @property
    def answer(self) -> str:
        """`when` as it is shown: YAML takes a bare yes for true."""
        return {True: "yes", False: "no"}[self.when] if isinstance(self.when, bool) else self.when


class DecisionTree(_Figure, frozen=True, tag="tree"):
    """Questions one after the other."""

    ask: Words
    """The first question."""
    answers: Annotated[list[Node], Meta(min_length=2)]
    """Two or more."""


class Group(Struct, frozen=True, forbid_unknown_fields=True):
    """Points, an ellipse (one standard deviation), a line through the middle, or a normal density, of one group."""

    name: str = ""
    """In the legend."""
    role: Role = ""
    """Its colour."""
    points: list[Pair] = []
    """Pairs of x and y."""
    mark: Annotated[str, Meta(max_length=1)] = ""
    """The character of a point; without one: fine dots."""
    mean: Pair = (0.0, 0.0)
    """The middle of an ellipse, a line or a density."""
    covariance: tuple[Pair, Pair] | None = None
    """With it: an ellipse."""
    direction: Pair | None = None
    """With it: a line through the middle."""
    std: float | None = None
    """With it: the density of a normal distribution with the mean `mean[0]`, as high as `weight`."""
    weight: float = 1.0
    """How high a density is."""


class Plane(Struct, frozen=True, forbid_unknown_fields=True):
    """A panel of points."""

    groups: Annotated[list[Group], Meta(min_length=1)]
    """What is drawn in it."""
    title: str = ""
    """On its border."""
    note: str = ""
    """Below it."""


class Points(_Figure, frozen=True, tag="points"):
    """Panels of groups in the plane, all on one scale."""

    panels: Annotated[list[Plane], Meta(min_length=1)]
    """Side by side."""
    x: Pair
    """From where to where."""
    y: Pair
    """From where to where."""
    size: tuple[Extent, Extent] = (24, 8)
    """Columns and lines of a panel."""
    axes: bool = False
    """Whether x = 0 and y = 0 are drawn."""


class Series(Struct, frozen=True, forbid_unknown_fields=True):
    """A curve through points."""

    points: Annotated[list[Pair], Meta(min_length=2)]
    """Pairs of x and y, in the order of x."""
    name: str = ""
    """In the legend."""
    role: Role = ""
    """Its colour."""
    mark: Annotated[str, Meta(max_length=1)] = ""
    """The character at each point."""


class Curve(_Figure, frozen=True, tag="curve"):
    """A few curves in one chart; axes from the least to the largest number, or as given."""

    series: Annotated[list[Series], Meta(min_length=1)]
    """The curves."""
    x: str = ""
    """What the axis shows."""
    y: str = ""
    """What the axis shows."""
    x_range: Pair | None = None
    """From where to where; without it that of the points."""
    y_range: Pair | None = None
    """From where to where; without it that of the points."""
    size: tuple[Extent, Extent] = (48, 10)
    """Columns and lines."""


class Cell(Struct, frozen=True, forbid_unknown_fields=True):
    """A cell of a grid: words, or a share of 1 that is drawn as a shade."""

    text: str = ""
    """Its words."""
    role: Role = ""
    """Its colour."""
    share: Annotated[float, Meta(ge=0, le=1)] | None = None
    """Drawn as a bar."""
    strong: bool = False
    """Whether it stands out."""


class Grid(_Figure, frozen=True, tag="grid"):
    """Cells in rows and columns, with headings: combinations, a table of shares, chosen weights."""

    cells: Annotated[list[list[Cell | str | float]], Meta(min_length=1)]
    """By row."""
    columns: list[str] = []
    """Headings above."""
    rows: list[str] = []
    """Headings on the left."""


class Panel(Struct, frozen=True, forbid_unknown_fields=True):
    """A picture of characters, each of them a square."""

    rows: Annotated[list[str], Meta(min_length=1)]
    """Lines of characters that `legend` knows."""
    title: str = ""
    """Above it."""


class Shade(Struct, frozen=True, forbid_unknown_fields=True):
    """How a character of a picture is drawn."""

    fill: Annotated[str, Meta(max_length=2)] = "█"
    """The character that fills the square."""
    role: Role = ""
    """Its colour."""
    name: str = ""
    """In the legend."""


class Picture(_Figure, frozen=True, tag="picture"):
    """Small pictures side by side, such as patches of two images."""

    panels: Annotated[list[Panel], Meta(min_length=1)]
    """Side by side."""
    legend: dict[str, Shade]
    """How each character is drawn."""
    signs: list[str] = []
    """Between the panels, such as `+`."""


Figure = Flow | Stack | Matrices | DecisionTree | Points | Curve | Grid | Picture


def stops(arrow: str) -> tuple[list[str], bool, str]:
    """The names on an arrow's way, whether it has a head, and its text."""
    way, _, text = arrow.partition(": ")
    parts = [part.strip() for part in _ARROW.split(way)]
    return parts[::2], "->" in parts[-2:], text.strip()
