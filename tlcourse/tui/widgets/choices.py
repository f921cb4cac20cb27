"""A list to choose from, whose line under the cursor is in reverse video: it is seen without any colour, too."""

from __future__ import annotations

from textual.style import Style
from textual.widgets import OptionList

_HIGHLIGHTED = "option-list--option-highlighted"


class Choices(OptionList):
    """Textual's list, to whose lines `text-style: reverse` of a style sheet does not get (8.2.8): it is done here."""

    def get_visual_style(self, *component_classes: str, partial: bool = False) -> Style:
        """The style of a line; reverse where the cursor is."""
        style = super().get_visual_style(*component_classes, partial=partial)
        return style + Style(reverse=True) if _HIGHLIGHTED in component_classes else style
