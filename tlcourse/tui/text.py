"""Text whose colours are names of the theme: `Text("✓ PASS", style="bold $good")`.

Rich knows no such names, and turns a style into a colour when a text is handed to a widget; then a text that is on the
screen would keep the colours of the theme that it was made under. Here the names are kept until a line is drawn.
`themes.py` says which names there are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from rich.console import Console, ConsoleOptions
from rich.segment import Segment
from rich.style import Style as RichStyle
from rich.text import Span
from rich.text import Text as RichText
from textual.color import Color
from textual.content import Content
from textual.content import Span as ContentSpan
from textual.style import Style

from tlcourse.tui.textual_private import active_app

_NAME = re.compile(r"\$([a-z0-9-]+)")


class Text(RichText):
    """Rich's text, with `$names` of the theme in its styles."""

    def blank_copy(self, plain: str = "") -> Text:
        """An empty one of the same kind; Rich joins and splits texts by it."""
        return Text(
            plain,
            style=self.style,
            justify=self.justify,
            overflow=self.overflow,
            no_wrap=self.no_wrap,
            end=self.end,
            tab_size=self.tab_size,
        )

    def copy(self) -> Text:
        """One that changes apart from this one."""
        other = self.blank_copy(self.plain)
        other._spans[:] = self._spans
        return other

    def append(self, text: RichText | str, style: str | RichStyle | None = None) -> Text:
        """Rich's, with the type of this one."""
        super().append(text, style)
        return self

    def append_text(self, text: RichText) -> Text:
        """Rich's, with the type of this one."""
        super().append_text(text)
        return self

    def visualize(self) -> Content:
        """What Textual draws: it looks the names up itself, again whenever the theme changes."""
        spans = [ContentSpan(span.start, span.end, _kept(span.style)) for span in self.spans]
        content = Content(self.plain, spans)
        return content.stylize_before(_kept(self.style)) if self.style else content

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterable[Segment]:
        """What Rich draws, within one of its tables: the colours of the present theme."""
        told = RichText(self.plain, style=_told(self.style), no_wrap=self.no_wrap, overflow=self.overflow, end=self.end)
        told.spans = [Span(span.start, span.end, _told(span.style)) for span in self.spans]
        return told.__rich_console__(console, options)


def _kept(style: object) -> str | Style:
    return style if isinstance(style, str) else Style.from_rich_style(style)  # type: ignore[arg-type]


def _told(style: object) -> str:
    """A style without names: `bold $good` becomes bold and the theme's green."""
    variables = active_app.get().theme_variables

    def colour(found: re.Match[str]) -> str:
        parsed = Color.parse(variables[found[1]])
        return "default" if parsed.ansi is not None else parsed.hex6

    return _NAME.sub(colour, str(style))
