"""The text of a lesson: Markdown whose figures and formulas are drawn, and whose listings are coloured as they say."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from textual.app import ComposeResult
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Label, Markdown, Static
from textual.widgets.markdown import MarkdownFence

from tlcourse.presenting.lesson import INDENT, as_markdown, formula_lines, image_in_words, image_path
from tlcourse.presenting.words import drawing
from tlcourse.tui import graphics_protocol
from tlcourse.tui.text import spelt_out
from tlcourse.tui.textual_private import MarkdownParagraph
from tlcourse.tui.widgets.figure import FigureView
from tlcourse.tui.widgets.gallery import shows_colours, wants_colours
from tlcourse.tui.widgets.question_pane import QuestionPane

if TYPE_CHECKING:
    from markdown_it.token import Token

_log = logging.getLogger(__name__)
DRAWN = ("figure", "math", "image", "question")
ANSWER = "Answer."
"""How a paragraph begins that answers the question above it."""


class FormulaView(Widget):
    """A formula in lines of its own, in as many as the width asks for."""

    DEFAULT_CSS = """
    FormulaView {
        width: 1fr;
        height: auto;
        color: $live;
    }
    """

    def __init__(self, source: str, spell: Callable[[str], str] | None) -> None:
        super().__init__()
        self.source, self.spell = source, spell

    def _lines(self, width: int) -> list[str]:
        return formula_lines(self.source, width, self.spell)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """The lines of the formula."""
        return len(self._lines(width))

    def render(self) -> Content:
        """The formula, indented."""
        return Content("\n".join(" " * INDENT + line for line in self._lines(self.size.width)))


class ImageView(Widget):
    """An image: pixels where the terminal has them, else half-blocks or dots; its words below, or alone in ASCII."""

    DEFAULT_CSS = """
    ImageView {
        width: 1fr;
        height: auto;
        layout: vertical;
        & > .words {
            width: 1fr;
            height: auto;
            color: $foreground-muted;
            text-style: italic;
        }
        & > .pixels {
            width: auto;
            height: auto;
        }
    }
    """

    def __init__(self, path: Path | None, alt: str, spell: Callable[[str], str] | None) -> None:
        super().__init__()
        self.path, self.alt, self.spell = path, alt, spell

    @property
    def shown(self) -> bool:
        """Whether the picture itself is shown, and not its words alone."""
        return self.path is not None and not self.spell

    def compose(self) -> ComposeResult:
        """The picture, where there is one that can be shown, and its words."""
        words = self.alt if self.shown else image_in_words(self.alt)
        if self.shown and self.path is not None:
            yield ImagePixels(self.path)
        if words:
            yield Static(self.spell(words) if self.spell else words, classes="words", markup=False)

    async def on_image_pixels_undrawable(self) -> None:
        """The picture is told in words after all."""
        self.path = None
        await self.recompose()


class ImagePixels(Widget):
    """The picture of an image, read and drawn by another thread once its width is known."""

    DEFAULT_CSS = """
    ImagePixels {
        width: 1fr;
        height: auto;
    }
    """

    class Undrawable(Message):
        """It cannot be drawn."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self._strips: list[Strip] = []

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """The rows of the picture."""
        from tlcourse.presenting.images import cells

        return cells(self.path, width)[1]

    def on_resize(self) -> None:
        """Another width has other rows."""
        self.run_worker(self._draw, group="image", exclusive=True, exit_on_error=False)  # type: ignore[arg-type]

    async def _draw(self) -> None:
        try:
            drawn = await self._read_and_draw()
        except Exception:  # of damaged files a reader of pictures raises nearly anything
            _log.warning("the picture %s was not drawn", self.path, exc_info=True)
            drawn = False
        if not drawn:
            self.post_message(self.Undrawable())

    async def _read_and_draw(self) -> bool:
        """Draw it; False where nothing can be drawn of it."""
        from tlcourse.presenting import images

        columns, rows = images.cells(self.path, self.size.width)
        picture = await asyncio.to_thread(images.image, self.path) if rows else None
        if picture is None:
            _log.warning("the picture %s cannot be read", self.path)
            return False
        colours = wants_colours(self.app)
        pixels = graphics_protocol.widget(picture) if colours else None
        if pixels is not None:
            pixels.styles.width, pixels.styles.height = columns, rows
            await self.remove_children()
            await self.mount(pixels)
            return True
        lines = await asyncio.to_thread(
            images.drawn,
            picture,
            columns,
            rows,
            colour=colours and shows_colours(self.app),
            how=drawing(),
            dark=self.app.current_theme.dark,
        )
        self._strips = [Strip(line) for line in lines]
        self.refresh()
        return True

    def render_line(self, y: int) -> Strip:
        """One line, as wide as the widget."""
        strip = self._strips[y] if y < len(self._strips) else Strip.blank(0)
        return strip.apply_style(self.rich_style).adjust_cell_length(self.size.width, self.rich_style)


class LessonFence(MarkdownFence):
    """A listing, a figure or a formula. Nobody guesses the language of a listing that names none."""

    DEFAULT_CSS = """
    LessonFence {
        &.-drawn {
            background: transparent;
            color: $foreground;
            margin: 0 0 1 0;
        }
    }
    """

    def __init__(self, markdown: Markdown, token: Token, code: str) -> None:
        super().__init__(markdown, token, code)
        self.set_class(self.lexer in DRAWN, "-drawn")

    @classmethod
    def highlight(cls, code: str, language: str, ansi: bool = False, dark: bool = False) -> Content:
        """Textual's, for languages; text stays text."""
        if language.strip() in ("", "text", *DRAWN):
            return Content(code)
        return super().highlight(code, language, ansi=ansi, dark=dark)

    def _asked(self) -> QuestionPane | None:
        """The pane of a question, where one is placed that can be asked here."""
        ask = getattr(self._markdown, "ask", None)
        return ask(self.code.strip()) if self.lexer == "question" and ask is not None else None

    def compose(self) -> ComposeResult:
        """What is drawn, or the listing."""
        spell = spelt_out if getattr(self.app, "ascii_only", False) else None
        if self.lexer == "figure":
            yield FigureView(self.code, spell)
        elif self.lexer == "math":
            yield FormulaView(self.code, spell)
        elif self.lexer == "image":
            target, _, alt = self.code.rstrip("\n").partition("\n")
            yield ImageView(image_path(getattr(self._markdown, "folder", None), target), alt, spell)
        elif (pane := self._asked()) is not None:
            yield pane
        else:
            yield Label(self._highlighted_code, id="code-content", expand=True)


class LessonParagraph(MarkdownParagraph):
    """A paragraph; an answer is folded until it is asked for: recalling first is what makes it stay."""

    DEFAULT_CSS = """
    LessonParagraph.-folded {
        color: $next;
    }
    """

    def set_content(self, content: Content) -> None:
        """Textual's; of an answer only that it is there."""
        self._answer = content if content.plain.startswith(ANSWER) else None
        if self._answer is not None:
            self.add_class("-folded")
            content = Content("▸ Answer (first your own; then a, or a click, shows it)")
        super().set_content(content)

    class Unfolded(Message):
        """An answer is shown now."""

        def __init__(self, paragraph: LessonParagraph) -> None:
            super().__init__()
            self.paragraph = paragraph

    @property
    def answers(self) -> bool:
        """Whether it is an answer, folded or not."""
        return self._answer is not None

    def hidden_lines(self, width: int) -> int:
        """Lines that it has more when it is unfolded."""
        if self._answer is None or not self.has_class("-folded"):
            return 0
        return self._answer.get_height({}, width) - 1

    def unfold(self) -> None:
        """Show the answer."""
        if self.has_class("-folded") and self._answer is not None:
            self.remove_class("-folded")
            super().set_content(self._answer)
            self.post_message(self.Unfolded(self))

    def add(self, note: Content) -> None:
        """Say something below the answer, in place of what was said there before."""
        if self._answer is not None:
            super().set_content(Content("\n").join([self._answer, note]))
            self.refresh(layout=True)

    def on_click(self) -> None:
        """A click shows it."""
        self.unfold()


class LessonText(Markdown):
    """Markdown with figures and formulas; in an ASCII terminal its words are spelt out after they are parsed.

    Before that, a `·` made into `*` would be taken for emphasis, and a dash at the beginning of a line for a list.
    """

    BLOCKS = {  # noqa: RUF012 - Textual's
        **Markdown.BLOCKS,
        "fence": LessonFence,
        "code_block": LessonFence,
        "paragraph_open": LessonParagraph,
    }

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, classes=classes, open_links=False, parser_factory=self._parser)
        self.folder: Path | None = None
        """Where the files of its images lie."""
        self.ask: Callable[[str], QuestionPane | None] | None = None
        """Gives the pane of a question that the text places, by its identifier; None where nothing can be asked."""

    def _parser(self) -> MarkdownIt:
        return ascii_parser() if getattr(self.app, "ascii_only", False) else MarkdownIt("gfm-like")

    async def show(self, text: str, folder: Path | None = None) -> None:
        """Show a lesson, or another text in Markdown, from a file in `folder`."""
        self.folder = folder
        await self.update(as_markdown(text))


def ascii_parser() -> MarkdownIt:
    """Textual's, which spells out what ASCII does not have."""
    parser = MarkdownIt("gfm-like")
    parser.core.ruler.push("ascii", _spell)
    return parser


def _spell(state: StateCore) -> None:
    for token in state.tokens:
        if token.type in ("fence", "code_block") and token.info.strip() not in DRAWN:
            token.content = spelt_out(token.content)
        for child in token.children or ():
            if child.type in ("text", "code_inline"):
                child.content = spelt_out(child.content)
