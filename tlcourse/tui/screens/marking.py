"""Marking by hand on the screen: what was handed in as text, the rubric as lines, and the dialog that sets an item."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, Static
from textual.widgets.option_list import Option

from tlcourse.course.model import Exercise
from tlcourse.course.parts import ManualItem, ManualPart
from tlcourse.grading.gradebook.by_hand import ByHand
from tlcourse.grading.parts.manual import Material, Piece
from tlcourse.text import line
from tlcourse.tui.screens.frame import Dialog
from tlcourse.tui.text import Text
from tlcourse.tui.widgets.choices import OwnWordsField

THE_WHOLE = "the-whole"
"""The last line of a rubric: a comment on the whole hand-in."""
NOT_WITHDRAWN = "Points that are set stay until others are; to have none: tlcourse ta mark … --withdraw"
_FENCES = ("```", "~~~")


def material_text(about: Exercise, found: Mapping[str, Material]) -> Text:
    """What was handed in for each part: text as it stands, of everything else its name and what it is."""
    text = Text()
    for part in about.parts:
        if not isinstance(part, ManualPart):
            continue
        text.append(f"\n{part.title or part.id}\n", style="bold underline")
        for piece in found[part.id].pieces:
            _append(text, piece)
    return text


def _append(text: Text, piece: Piece) -> None:
    if piece.kind == "note":
        text.append(f"{piece.text}\n", style="not bold $doubt")
        return
    if piece.kind == "file":
        text.append(f"{piece.title}: ", style="bold").append(f"{piece.text} – o opens a copy\n", style="not bold $next")
        return
    text.append(f"{piece.title}\n", style="not bold $muted")
    if piece.kind == "output":
        text.append(f"{piece.text}\n", style="not bold italic")
    elif piece.kind == "markdown":
        for row, style in _markdown_lines(piece.text):
            text.append(f"{row}\n", style=style)
    else:
        text.append(f"{piece.text}\n", style="not bold")


def _markdown_lines(source: str) -> Iterator[tuple[str, str]]:
    """Its lines as they were written, headings bold and listings set off; nothing is hidden, and nothing nested."""
    is_code = False
    for row in source.split("\n"):
        if row.lstrip().startswith(_FENCES):
            is_code = not is_code
        heading = not is_code and row.startswith("#") and row.lstrip("#").startswith(" ")
        yield row, "bold" if heading else "not bold $live" if is_code else "not bold"


def rubric_options(about: Exercise, hand: ByHand, since: Sequence[str], words: Callable[[str], str]) -> list[Option]:
    """A line for each item, below the name of its part, and one for a comment on the whole."""
    found: list[Option] = []
    for part in about.parts:
        if not isinstance(part, ManualPart):
            continue
        got = [points for item in part.rubric if (points := hand.points_of(item.id)) is not None]
        most = sum(item.max_points for item in part.rubric if not item.bonus)
        sum_ = f"{sum(got):g}" if len(got) == len(part.rubric) else "–"
        found.append(Option(Text(words(f"{part.title or part.id}: {sum_} of {most:g}"), style="bold"), disabled=True))
        found += [Option(_item_line(item, hand, item.id in since, words), id=item.id) for item in part.rubric]
    said = hand.comment_on()
    found.append(Option(Text(words(f"✎ comment on the whole{f': {line(said, 200)}' if said else ''}")), id=THE_WHOLE))
    return found


def _item_line(item: ManualItem, hand: ByHand, is_changed: bool, words: Callable[[str], str]) -> Text:
    got, mark = hand.points_of(item.id), hand.marks.get(item.id)
    sign, tone = ("○", "muted") if got is None else ("!", "doubt") if is_changed else ("✓", "good")
    text = Text().append(words(f"{sign} "), style=f"${tone}")
    text.append(words(f"{item.title}  {'–' if got is None else f'{got:g}'} of {item.max_points:g}"), style="not bold")
    if mark is not None and got is not None:
        text.append(f"  {line(mark.who, 30)}", style="not bold $muted")
    if is_changed:
        text.append("\n  changed since it was marked", style="not bold $doubt")
    if item.rubric:
        text.append(words(f"\n  {line(item.rubric, 300)}"), style="not bold $muted")
    if mark is not None and mark.comment:
        text.append(words(f"\n  “{line(mark.comment, 300)}”"), style="not bold italic")
    return text


class MarkDialog(Dialog[bool]):
    """Points, a comment, and the reason where a mark changes; enter keeps all of it, and says what is wrong with it."""

    CSS_PATH = "dialogs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(False)", "Close")]

    def __init__(
        self,
        item: ManualItem | None,
        points: float | None,
        comment: str,
        save: Callable[[float | None, str, str], str],
    ) -> None:
        """`save(points, comment, reason)` keeps it, or returns what is wrong."""
        super().__init__()
        self._item, self._points, self._comment, self._save = item, points, comment, save

    def compose(self) -> ComposeResult:
        """The fields that make sense for it."""
        item, points = self._item, self._points
        with Vertical(classes="dialog small"):
            yield Static(item.title if item else "A comment on the whole", classes="title", markup=False)
            if item is not None:
                if item.rubric:
                    yield Static(item.rubric, id="mark-rubric", markup=False)
                yield Static(f"Points, at most {item.max_points:g}", markup=False)
                yield Input("" if points is None else f"{points:g}", id="mark-points", restrict=r"[0-9]*[.,]?[0-9]*")
            yield Static("Comment, for whom it concerns", markup=False)
            yield OwnWordsField(self._comment, id="mark-comment")
            if points is not None:
                yield Static("Why it changes, for the record", markup=False)
                yield Input(id="mark-why")
            yield Static("enter keeps it, tab goes on, esc closes", id="mark-said", markup=False)

    def on_mount(self) -> None:
        """Type at once."""
        self.query(Input if self._item else OwnWordsField).first().focus()

    @on(Input.Submitted)
    @on(OwnWordsField.Submitted)
    def keep(self) -> None:
        """Keep it and close, or say why not."""
        typed_ = self.query_one("#mark-points", Input).value.strip().replace(",", ".") if self._item else ""
        why = self.query_one("#mark-why", Input).value if self._points is not None else ""
        comment = self.query_one(OwnWordsField).text
        if not typed_ and self._points is None and not comment.strip() and not self._comment:
            self.dismiss(False)  # nothing is given, and nothing was
            return
        try:
            points = float(typed_) if typed_ else None
        except ValueError:
            wrong = f"{typed_} is not a number."
        else:
            taken = self._item is not None and points is None and self._points is not None
            wrong = NOT_WITHDRAWN if taken else self._save(points, comment, why)
        if wrong:
            self.query_one("#mark-said", Static).update(Text(wrong, style="bold $bad"))
        else:
            self.dismiss(True)
