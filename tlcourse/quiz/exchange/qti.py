"""QTI packages of Canvas (1.2) and Blackboard (2.1): a ZIP with a manifest and XML. Here are the package and its XML.

Other people's XML is read without entities, without anything from elsewhere, and within bounds of size and depth. The
questions themselves are read and written by `qti12.py` and `qti21.py`; whichever version a package holds is read.
"""

from __future__ import annotations

import html
import io
import json
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from msgspec import Struct, field

from tlcourse.course.model import Quiz
from tlcourse.errors import ContentError
from tlcourse.quiz.exchange import markup
from tlcourse.quiz.exchange.common import Given, clean, make_quizzes
from tlcourse.quiz.kinds.question import ImportedQuestion

_MOST_DEEP = 200
_MOST_NODES = 400_000
_NOTE = "tlcourse: "
_MANIFEST = "imsmanifest.xml"
_PASSED_OVER = {"manifest", "quiz", "assignmentGroups", "assessmentMeta", "topicMeta", "course"}
_DATE = (1980, 1, 1, 0, 0, 0)  # the same questions are the same package


class Node(Struct):
    """An element: its name without a namespace, and what is in it."""

    name: str
    attributes: dict[str, str]
    line: int
    inside: list[Node | str] = field(default_factory=list)
    note: dict[str, Any] = field(default_factory=dict)
    """What a comment of ours before it said."""

    def __iter__(self) -> Iterator[Node]:
        return (one for one in self.inside if isinstance(one, Node))

    def all(self, *names: str) -> Iterator[Node]:
        """Every element of these names within, in the order of the file; without names, every one."""
        open_ = [iter(self)]
        while open_:
            for node in open_[-1]:
                if not names or node.name in names:
                    yield node
                open_.append(iter(node))
                break
            else:
                open_.pop()

    def first(self, *names: str) -> Node | None:
        """The first of them."""
        return next(self.all(*names), None)

    def text(self) -> str:
        """All text within."""
        parts = (one if isinstance(one, str) else one.text() for one in self.inside)
        return "".join(parts)

    def get(self, attribute: str) -> str:
        """An attribute; "" without it."""
        return self.attributes.get(attribute, "")


def parse(data: bytes, where: str) -> Node:
    """The root of some XML; raises ContentError naming file and line of what is wrong, or not to be trusted."""
    from xml.parsers import expat

    parser = expat.ParserCreate()
    top = Node("", {}, 0)
    path, note, count = [top], dict[str, Any](), 0

    def refuse(what: str) -> ContentError:
        return ContentError([f"{where}:{parser.CurrentLineNumber}: {what}"])

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal note, count
        count += 1
        if len(path) > _MOST_DEEP or count > _MOST_NODES:
            raise refuse("nested more deeply, or larger, than questions are")
        node = Node(name.rpartition(":")[2], attributes, parser.CurrentLineNumber, note=note)
        note = {}
        path[-1].inside.append(node)
        path.append(node)

    def comment(text: str) -> None:
        nonlocal note
        if text.startswith(_NOTE):
            try:
                found = json.loads(text.removeprefix(_NOTE))
            except (json.JSONDecodeError, RecursionError):
                raise refuse("a note of tlcourse that is not JSON, expected it unchanged") from None
            note = found if isinstance(found, dict) else {}

    def declared(*_: object) -> None:
        raise refuse("it declares entities, which questions need none of")

    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.EndElementHandler = lambda _: path.pop()
    parser.CharacterDataHandler = lambda text: path[-1].inside.append(text)
    parser.CommentHandler = comment
    parser.EntityDeclHandler = parser.UnparsedEntityDeclHandler = (
        declared  # and nothing is fetched: there is no handler
    )
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise ContentError([f"{where}:{error.lineno}: {expat.ErrorString(error.code)}, expected XML"]) from None
    except (ValueError, LookupError) as error:  # an encoding that is unknown
        raise ContentError([f"{where}:1: {error}, expected XML"]) from None
    return next(iter(top))


# -- texts ---------------------------------------------------------------------------------------------------------


def shown(node: Node, imported: ImportedQuestion, *, listing: bool = False, without: tuple[str, ...] = ()) -> str:
    """The text of an element that holds XHTML, or HTML as text (`mattext`), as a quiz shows it."""
    if node.name == "mattext" and not any(node):
        if node.get("texttype").lower() not in ("text/html", "html", "text/xhtml"):
            return clean(node.text())
        made = markup.shown(node.text())
    else:
        made = markup.shown(_as_html(node, without))
    for what in made.lost:
        if (said := f"left out of its HTML: {what}") not in imported.lost:
            imported.lost.append(said)
    return clean(made.whole() if listing else "\n".join([made.text, *made.listings]))


def _as_html(node: Node, without: tuple[str, ...]) -> str:
    """What is in an element, as HTML, without elements of these names."""
    parts = []
    for one in node.inside:
        if isinstance(one, str):
            parts.append(html.escape(one, quote=False))
        elif one.name not in without:
            attributes = "".join(f" {name}={quoteattr(text)}" for name, text in one.attributes.items())
            begin = f"<{one.name}{attributes.replace('<', '').replace('>', '')}>"
            parts.append(f"{begin}{_as_html(one, without)}</{one.name}>" if one.inside else begin)
    return "".join(parts)


def note_comment(note: Mapping[str, Any]) -> str:
    """What a format has no place for, as a comment that `parse` reads."""
    return f"<!--{_NOTE}{json.dumps(note).replace('--', '-' + chr(92) + 'u002d')}-->"


def element(name: str, inside: str = "", **attributes: str) -> str:
    """XML of an element; `inside` is XML already, and attributes are text. A trailing `_` is taken off their names."""
    said = "".join(f" {key.rstrip('_')}={quoteattr(text)}" for key, text in attributes.items())
    return f"<{name}{said}>{inside}</{name}>" if inside else f"<{name}{said}/>"


def words(text: str) -> str:
    """Text as XML."""
    return escape(text)


# -- packages ------------------------------------------------------------------------------------------------------


def package(files: Mapping[str, str], kind: str, schema: str) -> bytes:
    """A ZIP with a manifest that names each file as a resource of this type."""
    resources = "".join(
        element("resource", element("file", href=name), identifier=f"file{number}", type=kind, href=name)
        for number, name in enumerate(files, start=1)
    )
    about = element("metadata", element("schema", "IMS Content") + element("schemaversion", schema))
    manifest = element(
        "manifest",
        f"{about}{element('organizations')}{element('resources', resources)}",
        identifier="tlcourse",
        xmlns="http://www.imsglobal.org/xsd/imscp_v1p1",
    )
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, text in {_MANIFEST: manifest, **files}.items():
            info = zipfile.ZipInfo(name, _DATE)
            info.compress_type = zipfile.ZIP_DEFLATED
            packed.writestr(info, f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'.encode())
    return stream.getvalue()


def _order(files: Mapping[str, bytes], given: Given) -> Callable[[str], tuple[int, str]]:
    """The order of the manifest, then that of the names."""
    manifest = parse(files[_MANIFEST], f"{given.name}/{_MANIFEST}") if _MANIFEST in files else Node("", {}, 0)
    places = {one.get("href"): place for place, one in enumerate(manifest.all("file"))}
    return lambda name: (places.get(name, len(places)), name)


def read(files: Mapping[str, bytes], given: Given) -> list[Quiz]:
    """The quizzes of a package, unpacked, or of one XML file; what cannot be carried stands in `given.lost`.

    Raises ContentError where there is no question that can be taken, or XML is damaged or dangerous.
    """
    from tlcourse.quiz.exchange import qti12, qti21

    found: list[tuple[str, str, list[ImportedQuestion]]] = []
    tests: dict[str, Node] = {}
    items: dict[str, Node] = {}
    for name in sorted(files, key=_order(files, given)):
        where = name if len(files) == 1 else f"{given.name}/{name}"
        if len(files) > 1 and PurePosixPath(name).suffix.lower() not in (".xml", ".dat", ".qti"):
            if not name.endswith(".xsd"):
                given.lost.append(f"{where}: the file is left out")
            continue
        root = parse(files[name], where)
        if root.name == "questestinterop":
            found += qti12.quizzes_of(root, where, given)
        elif root.name == "assessmentItem":
            items[name] = root
        elif root.name == "assessmentTest":
            tests[name] = root
        elif root.name not in _PASSED_OVER:
            given.lost.append(f"{where}: `{clean(root.name)[:40]}` is no part of QTI 1.2 or 2.1, and is left out")
    found += qti21.quizzes_of(tests, items, given)
    if given.lost and not any(questions for _, _, questions in found):
        raise ContentError(list(given.lost))
    return make_quizzes(found, given)


def number(text: str) -> float:
    """A number with a point or a comma; 0 for what is none."""
    try:
        return float(text.strip().replace(",", "."))
    except ValueError:
        return 0.0
