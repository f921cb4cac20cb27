"""The themes: dark, light, high contrast, and none – no colour at all.

A colour is used by its name alone, `$good` in a style sheet and in a text (`text.py`), so that all of them change with
the theme. Every name is a hue of Okabe and Ito (2008), told apart with any colour vision; where theirs could not be
read on a theme's background, it is mixed with white or black until it can: 4.5:1 by WCAG 2.2, 7:1 in high contrast.
No colour stands alone: a symbol and a word say the same (`✓ PASS`), and curves have dashes and marks.

What a colour *means* is its role (`ROLES`): the same on every screen, in figures and in pictures of reports.
`docs/look.md` shows them.
"""

from __future__ import annotations

from msgspec import Struct
from textual.color import Color
from textual.theme import Theme

NO_COLOUR = "no-colour"
_TEXTUALS = (
    "ansi-background,ansi-foreground,block-cursor-foreground,block-cursor-background,input-selection-background,border,"
    "border-blurred,scrollbar,scrollbar-background,text-muted,text-disabled,foreground-muted"
).split(",")
"""Of Textual's own names those that it would colour, or leave out, where a theme has the terminal's colours."""


class Palette(Struct, frozen=True):
    """What a theme is made of, as `#RRGGBB`."""

    background: str
    surface: str
    """Of what lies at the side or on top: panes, dialogs."""
    panel: str
    """Of the first and the last line."""
    bar: str
    """Of scroll bars."""
    foreground: str
    muted: str
    """Text of less weight."""
    good: str
    bad: str
    doubt: str
    """Neither good nor bad: in doubt, at a limit, out of date."""
    fault: str
    """Not the student's: a fault of the grader or of a cluster."""
    live: str
    """What happens just now; headings, keys and borders."""
    series: tuple[str, ...]
    """Of eight curves, in the order in which they are given."""


PALETTES = {
    "dark": Palette(
        background="#14171A",
        surface="#1B1F23",
        panel="#262B30",
        bar="#59616A",
        foreground="#E6E6E6",
        muted="#A3A9AF",
        good="#14A67E",
        bad="#DC792B",
        doubt="#E69F00",
        fault="#CC79A7",
        live="#56B4E9",
        series=("#56B4E9", "#E69F00", "#14A67E", "#CC79A7", "#DC792B", "#F0E442", "#6C9BF7", "#999999"),
    ),
    "light": Palette(
        background="#FFFFFF",
        surface="#F5F5F2",
        panel="#E6E6E1",
        bar="#A6A6A0",
        foreground="#16181A",
        muted="#55595D",
        good="#007354",
        bad="#A84A00",
        doubt="#7A5800",
        fault="#8D5373",
        live="#0067A1",
        series=("#0067A1", "#855C00", "#007354", "#8D5373", "#A84A00", "#6A651D", "#4A4FC4", "#656565"),
    ),
    "high-contrast": Palette(
        background="#000000",
        surface="#000000",
        panel="#1C1C1C",
        bar="#FFFFFF",
        foreground="#FFFFFF",
        muted="#D0D0D0",
        good="#4FC3A3",
        bad="#F0A366",
        doubt="#F0E442",
        fault="#E3A3C6",
        live="#6CC4F5",
        series=("#6CC4F5", "#E69F00", "#4FC3A3", "#E3A3C6", "#F0A366", "#F0E442", "#9DBBFF", "#C0C0C0"),
    ),
}
ROLES = {
    "next": "live",
    "done": "good",
    "partial": "doubt",
    "wrong": "bad",
    "due": "series-6",
    "source": "series-1",
    "target": "series-2",
    "method": "series-4",
    "control": "series-8",
    "lab": "series-7",
}
"""What a colour stands for, and which of a palette's colours that is: `$next` is what to do next and what has the
focus, `$done`, `$partial` and `$wrong` how something went, `$due` what waits for review; `$source` and `$target` are
the two domains, `$method` and `$control` what is compared, `$lab` is an experiment."""


_HEAT = {"heat-1": 0.12, "heat-2": 0.23, "heat-3": 0.34, "heat-4": 0.45}
"""Shades behind the numbers of a table, and how much of what is `$next` is mixed into the background: `$foreground`
reads on all of them."""


def colour(palette: Palette, name: str) -> str:
    """The `#RRGGBB` of a palette's colour, of a role, or of a shade of a table."""
    if name in _HEAT:
        return Color.parse(palette.background).blend(Color.parse(palette.live), _HEAT[name]).hex
    name = ROLES.get(name, name)
    if name.startswith("series-"):
        return palette.series[int(name.removeprefix("series-")) - 1]
    return str(getattr(palette, name))


WHAT = {
    "dark": "Light text on dark",
    "light": "Dark text on white",
    "high-contrast": "Every colour at 7:1 or more, on black",
    NO_COLOUR: "The terminal's own two colours, bold and reverse",
}
"""The themes by name, in the order in which they are offered."""


def themes() -> list[Theme]:
    """All of them, as Textual registers them."""
    return [*(_theme(name, palette) for name, palette in PALETTES.items()), _no_colour()]


def _theme(name: str, palette: Palette) -> Theme:
    return Theme(
        name=name,
        primary=palette.live,
        secondary=palette.live,
        success=palette.good,
        warning=palette.doubt,
        error=palette.bad,
        accent=palette.live,
        foreground=palette.foreground,
        background=palette.background,
        surface=palette.surface,
        panel=palette.panel,
        dark=name != "light",
        variables={
            **_names(palette),
            # Textual would mix these from the colours above, without regard to how they can be read
            "text": palette.foreground,
            "text-muted": palette.muted,
            "text-disabled": palette.muted,
            "text-primary": palette.live,
            "text-secondary": palette.series[6],
            "text-success": palette.good,
            "text-warning": palette.doubt,
            "text-error": palette.bad,
            "text-accent": palette.fault,
            "foreground-muted": palette.muted,
            "foreground-disabled": palette.muted,
            "link-color": palette.live,
            "block-cursor-foreground": palette.background,
            "block-cursor-background": palette.foreground,
            "block-cursor-blurred-foreground": palette.foreground,
            "block-cursor-blurred-background": palette.panel,
            "border-blurred": palette.muted,
            "scrollbar": palette.bar,
            "scrollbar-hover": palette.muted,
            "scrollbar-background": palette.panel,
        },
    )


def _names(palette: Palette) -> dict[str, str]:
    """Our own names, which `Text` and the style sheets use."""
    names = ("muted", "good", "bad", "doubt", "fault", "live", *(f"series-{i + 1}" for i in range(len(palette.series))))
    return {name: colour(palette, name) for name in (*names, *ROLES, *_HEAT)} | {"line": palette.bar}


def _no_colour() -> Theme:
    default = "ansi_default"
    names = dict.fromkeys(_names(next(iter(PALETTES.values()))), default)
    return Theme(
        name=NO_COLOUR,
        ansi=True,  # Textual then leaves colours to the terminal, and the app's filter takes away those that are left
        primary=default,
        foreground=default,
        background=default,
        variables={
            **names,
            **dict.fromkeys(_TEXTUALS, default),
            "block-cursor-text-style": "reverse",
            "block-cursor-blurred-text-style": "reverse",
        },
    )
