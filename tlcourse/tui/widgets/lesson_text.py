"""The text of a lesson: Markdown whose figures and formulas are drawn, and whose listings are coloured as they say."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from textual.app import ComposeResult
from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget
from textual.widgets import Label, Markdown
from textual.widgets.markdown import MarkdownFence

from tlcourse.presenting.lesson import INDENT, as_markdown, formula_lines
from tlcourse.tui.text import spelt_out
from tlcourse.tui.textual_private import MarkdownParagraph
from tlcourse.tui.widgets.figure import FigureView

if TYPE_CHECKING:
    from markdown_it.token import Token

DRAWN = ("figure", "math")
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

    def compose(self) -> ComposeResult:
        """What is drawn, or the listing."""
        spell = spelt_out if getattr(self.app, "ascii_only", False) else None
        if self.lexer == "figure":
            yield FigureView(self.code, spell)
        elif self.lexer == "math":
            yield FormulaView(self.code, spell)
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

    def unfold(self) -> None:
        """Show the answer."""
        if self.has_class("-folded") and self._answer is not None:
            self.remove_class("-folded")
            super().set_content(self._answer)

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

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, open_links=False, parser_factory=self._parser)

    def _parser(self) -> MarkdownIt:
        return _ascii_parser() if getattr(self.app, "ascii_only", False) else MarkdownIt("gfm-like")

    async def show(self, text: str) -> None:
        """Show a lesson, or another text in Markdown."""
        await self.update(as_markdown(text))


def _ascii_parser() -> MarkdownIt:
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
