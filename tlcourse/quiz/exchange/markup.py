"""HTML of other programs as the plain text that a quiz shows, and our text as HTML.

A tag is what other programs would take for one. What text cannot show (a picture, bold letters) is named. Each
character is looked at once, whatever the HTML is made of.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from msgspec import Struct, field

_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9:-]*+)([^<>]*+)>")
_ATTRIBUTE = re.compile(r"""(?<![\w-])(src|href|alt|data-equation-content)\s*+=\s*+("[^"]*+"|'[^']*+'|[^\s"'>]++)""")
_SPACES = re.compile(r"[ \t\r\n\f]++")
_HIDDEN = {"script", "style", "head", "title", "template"}
_LOST = {
    **dict.fromkeys(("b", "strong"), "bold letters"),
    **dict.fromkeys(("i", "em", "u", "s", "strike", "del", "mark"), "emphasis"),
    **dict.fromkeys(("script", "style"), "a script or style sheet"),
    **dict.fromkeys(("audio", "video", "source"), "a recording"),
    **dict.fromkeys(("iframe", "object", "embed"), "an embedded page"),
    "svg": "a drawing",
    "table": "the lines of a table",
}
_PARAGRAPH, _LINE = "\0", "\1"  # breaks of which several in a row are one
_BREAKS = {"br": "\n", "li": f"{_LINE}- "}
_BREAKS |= dict.fromkeys(("p", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "table", "section", "hr"), _PARAGRAPH)
_BREAKS |= dict.fromkeys(("div", "tr", "ul", "ol", "dl", "dt", "dd", "figure", "figcaption"), _LINE)
_INLINE = {"code": "`", "tt": "`", "kbd": "`", "samp": "`"}
_BEFORE = {"sub": "_", "sup": "^"}
_KNOWN = {*_HIDDEN, *_LOST, *_BREAKS, *_INLINE, *_BEFORE}
_KNOWN |= {"a", "abbr", "center", "font", "img", "pre", "small", "span", "body", "html", "td", "th", "tbody", "thead"}


class Shown(Struct):
    """HTML as it is read here."""

    text: str = ""
    listings: list[str] = field(default_factory=list)
    """What stood in `pre`, which keeps its lines."""
    lost: list[str] = field(default_factory=list)
    """What text cannot show, in words."""

    def whole(self) -> str:
        """The text with the listings in a fence below it."""
        if not self.listings:
            return self.text
        return f"{self.text}\n\n```\n" + "\n\n".join(self.listings) + "\n```"


def is_html(text: str) -> bool:
    """Whether a text that may be either holds a tag that HTML has."""
    return any(found[2].lower() in _KNOWN for found in _TAG.finditer(text))


def shown(text: str, *, keep_lines: bool = False) -> Shown:
    """The text of some HTML. `keep_lines`: line ends are line breaks, too, as in Moodle's own format."""
    made = Shown()
    pieces: list[str] = []
    listing: list[str] | None = None
    hidden = 0
    for tag, rest, closing in _pieces(text.replace(_PARAGRAPH, "").replace(_LINE, "")):
        if not tag:
            if listing is not None:
                listing.append(html.unescape(rest))
            elif not hidden:
                pieces.append(_words(rest, keep_lines))
            continue
        if what := _LOST.get(tag):
            made.lost.append(what)
        if tag in _HIDDEN:
            hidden = max(hidden + (-1 if closing else 1), 0)
        elif tag == "pre":
            if listing is not None:
                made.listings.append("".join(listing).strip("\n").rstrip())
                pieces.append(_LINE)
            listing = None if closing else []
        elif listing is not None:
            if tag == "br":
                listing.append("\n")
        elif not hidden:
            pieces.append(_of_tag(tag, rest, closing, made))
    if listing is not None:
        made.listings.append("".join(listing).strip("\n").rstrip())
    made.listings = [one for one in made.listings if one.strip()]
    if len(made.listings) > 1:
        made.lost.append(f"the places of {len(made.listings)} listings, which stand together below the text")
    paragraphs = ("\n".join(_parts(one, _LINE)) for one in _parts("".join(pieces), _PARAGRAPH))
    made.text = "\n\n".join(paragraphs).replace("\xa0", " ").strip()
    made.lost = list(dict.fromkeys(made.lost))
    return made


def _pieces(text: str) -> Iterator[tuple[str, str, bool]]:
    """(tag, attributes, whether it closes) of tags, ("", text, False) of what stands between; comments are none."""
    at = 0
    while (start := text.find("<", at)) >= 0:
        if start > at:
            yield "", text[at:start], False
        if text.startswith("<!--", start):
            end = text.find("-->", start + 4)
            at = len(text) if end < 0 else end + 3
        elif found := _TAG.match(text, start):
            yield found[2].lower(), found[3], bool(found[1])
            at = found.end()
        else:
            yield "", "<", False
            at = start + 1
    if at < len(text):
        yield "", text[at:], False


def _words(text: str, keep_lines: bool) -> str:
    """Text between tags: spaces as HTML counts them."""
    if keep_lines:
        return "\n".join(html.unescape(_SPACES.sub(" ", line)) for line in text.split("\n"))
    return html.unescape(_SPACES.sub(" ", text))


def _of_tag(tag: str, attributes: str, closing: bool, made: Shown) -> str:
    if tag == "img":
        named = _attributes(attributes)
        if math := named.get("data-equation-content"):  # Canvas draws formulas as pictures, and keeps their LaTeX so
            return f"\\({math}\\)"
        made.lost.append("the picture " + (named.get("src", "").rsplit("/", 1)[-1][:80] or "without a name"))
        return named.get("alt", "")
    if tag == "a" and not closing and (link := _attributes(attributes).get("href", "")):
        made.lost.append(f"the link to {link[:80]}")
        return ""
    if tag in _INLINE:
        return _INLINE[tag]
    if tag in _BEFORE:
        return "" if closing else _BEFORE[tag]
    if tag in ("td", "th"):
        return " | " if closing else ""
    if tag == "li" and closing:
        return ""
    return _BREAKS.get(tag, "")


def _attributes(text: str) -> dict[str, str]:
    return {found[1]: html.unescape(found[2].strip("\"'")) for found in _ATTRIBUTE.finditer(text)}


def _parts(text: str, mark: str) -> list[str]:
    """What stands between marks, without spaces around its lines; nothing where there is nothing."""
    parts = ("\n".join(line.strip(" ") for line in part.split("\n")).strip("\n") for part in text.split(mark))
    return [part for part in parts if part]


def as_html(text: str) -> str:
    """Plain text as HTML that shows it so, its lines and spaces included."""
    escaped = html.escape(text, quote=False)
    spaced = re.sub(r"(?<=[ \n]) | (?=\n)", "\xa0", escaped.replace("\xa0", " "))
    return f"<p>{spaced}</p>".replace("\n", "<br/>")


def with_code(text: str, code: str) -> str:
    """`as_html` with a listing below it."""
    return as_html(text) + (f"<pre>{html.escape(code.rstrip(), quote=False)}</pre>" if code else "")
