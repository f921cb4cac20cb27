"""What the files of a course may hold, as pages and as JSON Schema: made from the types and the sentences below fields.

A field is said once, where it is declared: its type, its bounds, its default, and the sentence below it.
"""

from __future__ import annotations

import ast
import inspect
import json
import re
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, get_args

import msgspec
from msgspec import Struct

from tlcourse.course.figure import Figure
from tlcourse.course.lab import Lab
from tlcourse.course.markdown import slug
from tlcourse.course.model import Course, Exercise, Lesson, Quiz
from tlcourse.course.write_it import WriteIt
from tlcourse.errors import UsageError

COMMAND = "tlcourse author schema --markdown --to docs/reference"
"""What writes the pages anew."""


class Page(Struct, frozen=True):
    """A kind of file: where it lies, what it is decoded into, and what else is to be read about it."""

    file: str
    root: Any
    """The type; of a figure the union of its kinds."""
    more: str = ""


PAGES = {
    "course": Page("course.yaml", Course, "[authoring.md](../authoring.md) walks through a course."),
    "lesson": Page("the front matter of lessons/NAME.md", Lesson, "[questions.md](../questions.md) tells more."),
    "quiz": Page("quizzes/NAME.yaml", Quiz, "[questions.md](../questions.md) shows each kind of question."),
    "exercise": Page("exercises/NAME/exercise.yaml", Exercise, "[authoring.md](../authoring.md) makes one."),
    "lab": Page("labs/NAME.yaml", Lab, "Its code is Python of tlcourse: see CONTRIBUTING.md."),
    "write": Page("write/NAME/write.yaml", WriteIt, "[authoring.md](../authoring.md) makes one."),
    "figure": Page("a fence named `figure` in a lesson", Figure, "[authoring.md](../authoring.md) shows each drawn."),
}
_SET_BY_READERS = {"body", "visit"}
"""Fields that no file has: a lesson's text stands below its front matter, and an order belongs to a visit."""


_END = json.dumps("\\Z")[1:-1]
"""The end of a text in Python's patterns; in those of JSON Schema it is `$`."""


class Field(Struct, frozen=True):
    """A field as files have it."""

    name: str
    value: str
    """Its type in words, as Markdown."""
    default: str | None
    """As YAML; None where the field must be there."""
    meaning: str


def page_of(name: str) -> Page:
    """The page of that name; raises UsageError."""
    if name not in PAGES:
        raise UsageError(
            f"There is no kind of file {name!r}.",
            remedy=f"tlcourse author schema NAME, with one of: {', '.join(PAGES)}",
        )
    return PAGES[name]


def types_of(name: str) -> dict[str, type[Struct]]:
    """Every type that a file of that page may hold, the root first, by class name."""
    found: dict[str, type[Struct]] = {}
    waiting: list[Any] = [msgspec.inspect.type_info(page_of(name).root)]
    while waiting:
        info = waiting.pop(0)
        if isinstance(info, msgspec.inspect.StructType):
            if info.cls.__name__ not in found:
                found[info.cls.__name__] = info.cls
                waiting += [field.type for field in info.fields if field.name not in _SET_BY_READERS]
        else:
            waiting += _inner(info)
    return found


def _inner(info: Any) -> list[Any]:
    """The types within a list, a table, a union or a bound."""
    parts = [getattr(info, name, None) for name in ("type", "item_type", "key_type", "value_type")]
    many = [*(getattr(info, "types", None) or ()), *(getattr(info, "item_types", None) or ())]
    return [part for part in (*parts, *many) if isinstance(part, msgspec.inspect.Type)]


def fields_of(kind: type[Struct]) -> list[Field]:
    """The fields of a type, in the order of its declaration."""
    info: Any = msgspec.inspect.type_info(kind)
    said = _sentences(kind)
    return [
        Field(
            field.encode_name,
            _in_words(field.type),
            None if field.required else _default(field),
            said.get(field.name, "") or _description(field.type),
        )
        for field in info.fields
        if field.name not in _SET_BY_READERS
    ]


def _default(field: Any) -> str | None:
    value = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
    if value != value:  # a number that follows from other fields, or must be there
        return None
    plain = msgspec.to_builtins(value)
    return json.dumps(plain, ensure_ascii=False) if not isinstance(value, Struct) else "as below"


def _description(info: Any) -> str:
    """The `description` of a type's Meta, as a sentence."""
    extra = getattr(info, "extra_json_schema", None) or {}
    text = str(extra.get("description", ""))
    return text[:1].upper() + text[1:] + "." if text else ""


@cache
def _classes(module: str) -> dict[str, ast.ClassDef]:
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    return {node.name: node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}


def _sentences(kind: type[Struct]) -> dict[str, str]:
    """What stands below each field in the source, by the field's name; a derived class says it anew or inherits it."""
    found: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        if not issubclass(base, Struct) or base is Struct:
            continue
        body = _classes(base.__module__)[base.__name__].body
        for field, below in zip(body, [*body[1:], None], strict=True):
            if not isinstance(field, ast.AnnAssign) or not isinstance(field.target, ast.Name):
                continue
            if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
                found[field.target.id] = " ".join(str(below.value.value).split())
    return found


def _in_words(info: Any) -> str:
    """A type as an author reads it, in Markdown."""
    inspected = msgspec.inspect
    if isinstance(info, inspected.Metadata):
        return _in_words(info.type)
    if isinstance(info, inspected.StructType):
        return f"[{_spaced(info.cls.__name__)}](#{slug(_spaced(info.cls.__name__))})"
    if isinstance(info, inspected.UnionType):
        return " or ".join(_in_words(one) for one in info.types if not isinstance(one, inspected.NoneType))
    if isinstance(info, inspected.LiteralType):
        return " or ".join(f"`{one}`" if one != "" else "nothing" for one in info.values)
    if isinstance(info, inspected.ListType | inspected.VarTupleType | inspected.SetType):
        return f"list of {_in_words(info.item_type)}{_length(info)}"
    if isinstance(info, inspected.TupleType):
        return f"[{', '.join(_in_words(one) for one in info.item_types)}]"
    if isinstance(info, inspected.DictType):
        return f"table: {_in_words(info.key_type)} → {_in_words(info.value_type)}"
    if isinstance(info, inspected.StrType):
        return ("id" if info.pattern and info.pattern.startswith("^[a-z0-9]") else "text") + _length(info)
    if isinstance(info, inspected.BoolType):
        return "true or false"
    if isinstance(info, inspected.IntType | inspected.FloatType):
        return ("whole number" if isinstance(info, inspected.IntType) else "number") + _bounds(info)
    return "anything"


def _length(info: Any) -> str:
    low, high = info.min_length, info.max_length
    is_list = not isinstance(info, msgspec.inspect.StrType)
    if is_list and low:
        return f" ({low} or more)"
    return f", at most {high} characters" if high and not is_list and high != 60 else ""  # an id's


def _bounds(info: Any) -> str:
    signs = (("ge", "≥"), ("gt", ">"), ("le", "≤"), ("lt", "<"))
    found = [f"{sign} {getattr(info, name):g}" for name, sign in signs if getattr(info, name) is not None]
    return f" {' and '.join(found)}" if found else ""


def _spaced(name: str) -> str:
    """`CheckRule` as a heading."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).capitalize()


def examples(name: str) -> str:
    """Documents in YAML that use what a page describes, parted by `---`."""
    return (resources.files("tlcourse.course") / "examples" / f"{name}.yaml").read_text(encoding="utf-8")


def markdown_page(name: str) -> str:
    """The reference page: every type with its fields, then the examples."""
    page = page_of(name)
    return "\n".join(
        [*_head(name, page), *_sections(name), "", "## Examples", "", "```yaml", examples(name) + "```", ""]
    )


def _head(name: str, page: Page) -> Iterator[str]:
    yield f"<!-- Written by `{COMMAND}` from the types of tlcourse: change a field's sentence there. -->"
    yield ""
    yield f"# {name.capitalize()}: {page.file}"
    yield ""
    yield "What has no default must be there; what is not named here is refused, with file and line."
    yield f"`tlcourse author schema {name}` prints the same as JSON Schema, for an editor that completes and checks."
    yield page.more
    for kind in () if isinstance(page.root, type) else get_args(page.root):
        yield f"- `kind: {kind.__struct_config__.tag}`: [{_spaced(kind.__name__)}](#{slug(_spaced(kind.__name__))})"


def _sections(name: str) -> Iterator[str]:
    for kind in types_of(name).values():
        title, tag = _spaced(kind.__name__), kind.__struct_config__.tag
        yield f"\n## {title}\n"
        yield " ".join((inspect.getdoc(kind) or "").split())
        if tag is not None:
            yield f"It has `{kind.__struct_config__.tag_field}: {tag}`."
        yield "\n| field | value | default | meaning |\n|---|---|---|---|"
        for field in fields_of(kind):
            default = "" if field.default is None else f"`{field.default}`"
            default = "none" if default == "`null`" else default
            cells = (f"`{field.name}`", field.value, default, field.meaning)
            yield f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"


def schema(name: str) -> dict[str, Any]:
    """The JSON Schema (2020-12) of a page's files, with a description for each field."""
    page = page_of(name)
    made = json.loads(json.dumps(msgspec.json.schema(page.root)).replace(_END, "$"))
    by_name = types_of(name)
    for title, one in made.get("$defs", {}).items():
        kind = by_name[title]
        one["description"] = " ".join((inspect.getdoc(kind) or "").split())
        said = {field.name: field.meaning for field in fields_of(kind)}
        properties = one.get("properties", {})
        for hidden in _SET_BY_READERS & properties.keys() - said.keys():
            del properties[hidden]
        if (tag := kind.__struct_config__.tag_field) is not None:
            said[tag] = f"Which kind it is: `{kind.__struct_config__.tag}`."
        for field, text in said.items():
            # beside a reference no other key counted before 2019-09, and some editors still read it so
            of = properties[field]
            properties[field] = {"allOf": [of], "description": text} if "$ref" in of else of | {"description": text}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": page.file, **made}


def write(folder: Path, names: Iterable[str], *, markdown: bool) -> Iterator[Path]:
    """Write pages or schemas into a folder, and give their paths; raises UsageError where that cannot be."""
    for name in names:
        path = folder / (f"{name}.md" if markdown else f"{name}.schema.json")
        text = markdown_page(name) if markdown else json.dumps(schema(name), indent=2, ensure_ascii=False) + "\n"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise UsageError(f"{path} cannot be written: {error.strerror}.", remedy="name another folder.") from None
        yield path


def for_vscode(folder: Path) -> Iterator[Path | None]:
    """Have VS Code complete and check a course's files, and mark what `author check` finds; None for what was left.

    Raises UsageError where a file cannot be written.
    """
    from tlcourse.course.exercise import add_task, change_json

    files = {name: page.file for name, page in PAGES.items() if page.file.endswith(".yaml")}
    yield from write(folder / ".schemas", files, markdown=False)
    places = {f".schemas/{name}.schema.json": file.replace("NAME", "*") for name, file in files.items()}

    def associated(kept: dict[str, Any]) -> dict[str, Any]:
        return {**kept, "yaml.schemas": {**kept.get("yaml.schemas", {}), **places}}

    yield change_json(folder / ".vscode" / "settings.json", associated)
    yield add_task(folder, "tlcourse: author check", ["author", "check", ".", "--trust-course", "--plain"])
