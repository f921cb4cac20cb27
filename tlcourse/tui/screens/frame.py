"""What all screens share: the line with the path on top, the keys at the bottom, and how they fit a small terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from rich.segment import Segment
from rich.style import Style
from textual.app import ComposeResult, SystemCommand
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.events import Click, Event, Mount, ScreenResume
from textual.messages import Prune
from textual.renderables.background_screen import BackgroundScreen
from textual.screen import ModalScreen, Screen
from textual.strip import Strip
from textual.visual import Visual
from textual.widgets import Static

from tlcourse.presenting.marks import share_bar
from tlcourse.tui.text import Text
from tlcourse.tui.textual_private import drawn_strips, is_going, measure_anew
from tlcourse.tui.widgets.key_line import KeyLine

if TYPE_CHECKING:
    from textual.css.styles import RulesMap
    from textual.style import Style as VisualStyle
    from textual.visual import RenderOptions

    from tlcourse.tui.app import CourseApp

Result = TypeVar("Result")
AREAS = {
    "home": "Home",
    "lesson": "Lesson",
    "quizzes": "Quiz",
    "exercises": "Exercise",
    "labs": "Labs",
    "progress": "Progress",
    "machine": "Machine",
}
"""What the keys 1 to 7 open, in this order."""
_BAR_FROM, _BAR_MOST = 100, 40
"""From how many columns on the first line has a bar, and of how many columns it is at most."""
_BROAD_FROM = 170
"""From how many columns on there is room for a third column of panes."""
_ATTRIBUTES = ("bold", "dim", "italic", "underline", "reverse", "strike")


class Crumbs(Static):
    """The first line: where one is, what runs, and how far the course is done."""

    def show(self, path: list[str], state: str, share: float) -> None:
        """Put the path at the left and the state at the right; the path gives way where both do not fit.

        Args:
            path: Where one is, from the course down; the title at its end stays as long as anything.
            state: How far the course is done, in words.
            share: The same as a share, a bar where there is room.
        """
        width = self.size.width or self.app.size.width
        left = " › ".join(path)
        room = max(width - len(state) - 2, 8)
        if len(left) > room and len(path) > 2:
            left = " › ".join([path[0], "…", path[-1]])
        if len(left) > room:
            left = path[-1]
        text = Text(left[:room], style="bold", no_wrap=True)
        free = room - len(left) - 3
        if width >= _BAR_FROM and free >= 10:
            columns = min(free, _BAR_MOST)
            text.append(" " * (free - columns + 3))
            text.append_text(Text.of(share_bar(share, columns)))
        else:
            text.append(" " * max(room - len(left), 0))
        text.append(f"  {state}"[: max(width - room, 0)])
        self.update(text)


class Areas(Static):
    """The second line: the areas of the app, each with the key that opens it; that of the screen is underlined."""

    def __init__(self, current: str) -> None:
        super().__init__(id="areas", markup=False)
        self._current = current
        self._ends: list[tuple[int, str]] = []

    def on_mount(self) -> None:
        """Write the line."""
        self.call_after_refresh(self._show)

    def on_resize(self) -> None:
        """As many areas as there is room for."""
        self._show()

    def _show(self) -> None:
        width = self.size.width or self.app.size.width
        gap = 2 if sum(len(word) + 4 for word in AREAS.values()) + 2 * len(AREAS) <= width else 1
        text, self._ends, at = Text(no_wrap=True), [], 0
        for number, (area, word) in enumerate(AREAS.items(), 1):
            taken = len(word) + 4
            if at + taken > width:
                break
            here = area == self._current
            text.append(f" {number} ", style="bold $next")
            text.append(word, style="bold underline" if here else "$muted").append(" " * gap)
            at += taken + gap - 1
            self._ends.append((at, area))
        self.update(text)

    async def on_click(self, event: Click) -> None:
        """A click opens the area under it."""
        area = next((area for end, area in self._ends if event.x - 1 < end), "")
        if area:
            await self.run_action(f"app.area('{area}')")


class CourseScreen(Screen[None]):
    """A screen of the course; `cli_equivalent` is the command that does the same without the app."""

    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012 - Textual's
        (0, "-tiny"),
        (40, "-narrow"),
        (80, "-middle"),
        (110, "-wide"),
    ]
    VERTICAL_BREAKPOINTS = [(0, "-flat"), (12, "-low"), (22, "-tall"), (32, "-high")]  # noqa: RUF012
    AREA: ClassVar[str] = ""
    """Which of the areas it belongs to."""
    ON_A_PROJECTOR: ClassVar[bool] = False
    """Whether others look on, who are told nothing of what runs."""
    FITTED: ClassVar[str] = ""
    """The widgets for whose widths `fit` writes lines."""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Back", id="leave", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._working: frozenset[tuple[str, str]] = frozenset()
        self._fitted_to: tuple[object, ...] = ()

    async def on_event(self, event: Event) -> None:
        """As Textual does; but a screen that was left while it was being mounted has no widgets, and does nothing."""
        if not (isinstance(event, Mount) and is_going(self)):
            await super().on_event(event)

    @property
    def course_app(self) -> CourseApp:
        """The app, with its type."""
        return cast("CourseApp", self.app)

    @property
    def on_top(self) -> bool:
        """Whether it is what is shown. Below another screen none draws: Textual would paint that one anew for it."""
        return self.app.screen is self

    @property
    def has_widgets(self) -> bool:
        """Whether its widgets are there: they come after the screen, and go before it (`is_mounted` stays true)."""
        return self.is_mounted and self.display

    @property
    def path(self) -> list[str]:
        """The words of the first line."""
        return []

    @property
    def cli_equivalent(self) -> str:
        """The command that does the same."""
        return "tlcourse --help"

    @property
    def in_any_terminal(self) -> str:
        """The command that shows the same where the terminal is too small; it needs nothing that may not be there."""
        return self.cli_equivalent

    def commands(self) -> Iterator[SystemCommand]:
        """What the palette offers on this screen beside its keys."""
        yield from ()

    def body(self) -> ComposeResult:
        """The screen's own widgets."""
        yield from ()

    def compose(self) -> ComposeResult:
        """The frame around `body`."""
        yield Crumbs(id="crumbs", markup=False)
        yield Areas(self.AREA)
        with Container(id="body"):
            yield from self.body()
        yield Static(id="too-small", markup=False)
        yield KeyLine()

    def on_mount(self) -> None:
        """Fill the first line."""
        self.call_after_refresh(self.show_path)
        if self.FITTED:
            self.screen_layout_refresh_signal.subscribe(self, self._laid_out)

    def on_resize(self) -> None:
        """Fit the first line to the new width; a broad screen is a wide one, too."""
        self.set_class(self.size.width >= _BROAD_FROM, "-broad")
        self.show_path()
        least = f"{self.HORIZONTAL_BREAKPOINTS[1][0]}×{self.VERTICAL_BREAKPOINTS[1][0]}"
        said = self.course_app.words(f"Too small: {least} is the least. Or use: {self.in_any_terminal}")
        for line in self.query("#too-small").results(Static):
            line.update(said)

    def fit(self) -> None:
        """Write anew what is made for the size of the screen, or for the width of a widget of `FITTED`."""

    def _laid_out(self, _: Screen[Any]) -> None:
        sizes = (self.size, *(widget.size.width for widget in self.query(self.FITTED)))
        if sizes != self._fitted_to:  # after a resize a widget may have its width only with the next layout but one
            self._fitted_to = sizes
            self.fit()
            measure_anew(self)

    def works(self, action: str) -> bool:
        """Whether a key does something now: the last line names those alone. The others say why not."""
        return True

    def says(self, action: str) -> str:
        """What a key does now, in a word or two, where that changes; empty: what its binding says."""
        return ""

    def keys_changed(self) -> None:
        """Write the last line anew, where other keys work than before, or do something else."""
        working = frozenset((name, self.says(name)) for name in self._actions() if self.works(name))
        if working != self._working:
            self._working = working
            self.refresh_bindings()

    def _actions(self) -> set[str]:
        return {active.binding.action for active in self.active_bindings.values()}

    def on_screen_resume(self) -> None:
        """Something may have changed while another screen was on top."""
        self.show_path()

    def show_path(self) -> None:
        """Fill the first line anew."""
        if not self.has_widgets:
            return
        for crumbs in self.query(Crumbs):
            crumbs.show(["tlcourse", *self.path], self.course_app.state_line(), self.course_app.state.share)

    async def on_prune(self, event: Prune) -> None:
        """What is still waited for has no widgets to be shown in: Textual itself lets it go with the screen, last."""
        self.workers.cancel_node(self)

    def action_leave(self) -> None:
        """Go back."""
        self.course_app.back()

    def tell(self, text: str) -> None:
        """Say why a key does nothing here."""
        self.notify(text, severity="warning", timeout=4, markup=False)


class _Below(Visual):
    """What lies below a dialog, as it was when the dialog opened."""

    def __init__(self, under: BackgroundScreen) -> None:
        dimmed: dict[object, Segment] = {}  # a screen has some twenty styles in a thousand pieces
        seen: dict[Style | None, Style | None] = {}  # what one can click makes of each of these several

        def dim(piece: Segment) -> Segment:
            if piece.style not in seen:
                style = piece.style or Style()
                key = (style.color, style.bgcolor, *(getattr(style, name) for name in _ATTRIBUTES))
                if key not in dimmed:
                    dimmed[key] = next(iter(BackgroundScreen.process_segments([piece], under.color)))
                seen[piece.style] = dimmed[key].style
            return Segment(piece.text, seen[piece.style])

        self._strips = [Strip(map(dim, strip), strip.cell_length) for strip in drawn_strips(under.screen)]

    def render_strips(self, width: int, height: int | None, style: VisualStyle, options: RenderOptions) -> list[Strip]:
        """The lines that were kept."""
        return self._strips

    def get_optimal_width(self, rules: RulesMap, container_width: int) -> int:
        """All there is."""
        return container_width

    def get_height(self, rules: RulesMap, width: int) -> int:
        """Its lines."""
        return len(self._strips)


class Dialog(ModalScreen[Result]):
    """A screen over another one, which is dimmed once: Textual would draw all of it again for each key."""

    def __init__(self) -> None:
        super().__init__()
        self._below: tuple[object, _Below] | None = None
        self._sized = False
        self._styled_for = ""

    def on_screen_resume(self, event: ScreenResume) -> None:
        """Textual would style all of it again. But for itself, made before its CSS was read, it was styled just now.

        One that opens again is styled again where the theme is another one.
        """
        if not self._styled_for:
            self.app.stylesheet.apply(self)
        event.refresh_styles = self._styled_for not in ("", self.app.theme)
        self._styled_for = self.app.theme

    def render(self) -> Any:
        """What lies below, drawn when the dialog opens, and again at another size or in other colours."""
        drawn_for = (self.size, self.styles.background)
        if self._below is None or self._below[0] != drawn_for:
            under = super().render()
            if not isinstance(under, BackgroundScreen):
                return under
            self._below = (drawn_for, _Below(under))
        return self._below[1]

    def on_resize(self) -> None:
        """What lies below is laid out anew after this; but not at the size that it opens with."""
        if self._below is not None and self._sized:
            self.call_after_refresh(self.forget_below)
        self._sized = True

    def forget_below(self) -> None:
        """What lies below is another screen, or at another place."""
        self._below = None
        self.refresh()
