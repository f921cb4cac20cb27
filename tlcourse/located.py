"""YAML decoded into types, with the file and the line of whatever is wrong."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import msgspec

from tlcourse.errors import ContentError

if TYPE_CHECKING:
    import yaml

T = TypeVar("T")

_STEP = re.compile(r"\.([A-Za-z0-9_-]+)|\[(\d+|\.\.\.)\]")
_MAX_BYTES = 4_000_000


def read_text(path: Path) -> str:
    """The UTF-8 text of a course file; raises ContentError naming the file."""
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise ContentError([f"{path}:1: larger than {_MAX_BYTES} bytes, expected a text file"])
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ContentError([f"{path}:1: no such file, expected one because the course names it"]) from None
    except UnicodeDecodeError as error:
        raise ContentError([f"{path}:1: not UTF-8 at byte {error.start}, expected UTF-8 text"]) from None
    except OSError as error:
        raise ContentError([f"{path}:1: cannot be read ({error.strerror}), expected a readable file"]) from None


def decode(text: str, kind: type[T], path: Path, first_line: int = 1, items: tuple[str, Any] | None = None) -> T:
    """`text` as YAML, converted to `kind`; raises ContentError with `file:line: what, and what was expected`.

    The first problem ends a conversion. `items` names a list in the document and the type of its items: a problem of
    each of them is then reported.
    """
    import yaml  # imported here: a course that comes from the cache needs none

    try:
        value: Any = yaml.load(text, Loader=_loader())  # noqa: S506 - both are safe loaders
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = first_line + (mark.line if mark else 0)
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise ContentError([f"{path}:{line}: {problem}, expected YAML"]) from None
    except RecursionError:
        raise ContentError([f"{path}:{first_line}: nested too deeply, expected the YAML of a course"]) from None
    try:
        converted: T = _convert(value, kind, text, path, first_line, "$")
        return converted
    except ContentError as error:
        problems: list[str] = []
        name, of = items or ("", None)
        found = value.get(name) if isinstance(value, dict) else None
        for number, item in enumerate(found if isinstance(found, list) else []):
            try:
                _convert(item, of, text, path, first_line, f"$.{name}[{number}]")
            except ContentError as another:
                problems += another.problems
        raise ContentError(list(dict.fromkeys([*error.problems, *problems]))) from None


def decode_each(text: str, key: str, kind: type[T], path: Path) -> dict[str, T]:
    """The mapping under `key` of a YAML document, each of its values on its own, so that a problem names its entry."""
    value = decode(text, dict, path).get(key) or {}
    if not isinstance(value, dict):
        raise ContentError([f"{path}:1: {key} is no mapping, expected names and what belongs to each"])
    return {str(name): _convert(one, kind, text, path, 1, f"$.{key}.{name}") for name, one in value.items()}


@cache
def _loader() -> Any:
    """libyaml's where it was built in, 8 times as fast. One for all: the two do not refuse the same texts.

    Dates stay texts: YAML would take one with seconds for a moment, and one without for a text.
    """
    import yaml

    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
        yaml_implicit_resolvers: ClassVar = {
            first: [one for one in known if one[0] != "tag:yaml.org,2002:timestamp"]
            for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
        }

    return Loader


def _convert(value: Any, kind: Any, text: str, path: Path, first_line: int, root: str) -> Any:
    import yaml

    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        what, _, inside = str(error).partition(" - at `")
        if inside.startswith("key` in `"):  # of a table: YAML reads no, off, 1 as something else than a text
            inside = inside.removeprefix("key` in `")
            what = f"A name in it: {what[0].lower()}{what[1:]} (YAML reads yes, no, on and off as truth: quote them)"
        inside = inside.rstrip("`").removeprefix("$")
        where = root + inside
        line = first_line + _line_of(yaml.compose(text, Loader=_loader()), where)
        raise ContentError([f"{path}:{line}: {_in_words(what, where, _Place(kind, value, inside))}"]) from None


class _Place:
    """What stands in a document where something is wrong, and what the types say about it."""

    def __init__(self, kind: Any, value: Any, where: str) -> None:
        info: Any = msgspec.inspect.type_info(kind)
        self.outer: Any = None
        """The type of what it stands in."""
        for name, index in _STEP.findall(where):
            self.outer = info
            info, value = self._step(self._chosen(info, value), value, name, index)
        self.value, self.info = value, info
        self.struct = self._chosen(info, value)

    def _step(self, info: Any, value: Any, name: str, index: str) -> tuple[Any, Any]:
        if name:
            fields = {field.encode_name: field.type for field in getattr(info, "fields", ())}
            inner = value.get(name) if isinstance(value, dict) else None
            return fields.get(name, getattr(info, "value_type", None)), inner
        at = int(index) if index.isdigit() else 0
        inner = value[at] if isinstance(value, list) and at < len(value) else None
        return getattr(info, "item_type", None), inner

    def _chosen(self, info: Any, value: Any) -> Any:
        """The type without its description; of a union, the one that the value's tag names."""
        info = info.type if isinstance(info, msgspec.inspect.Metadata) else info
        if not isinstance(info, msgspec.inspect.UnionType) or not isinstance(value, dict):
            return info
        tagged = [one for one in info.types if isinstance(one, msgspec.inspect.StructType)]
        if len(tagged) == 1:  # something or nothing
            return tagged[0]
        return next((one for one in tagged if one.tag_field and value.get(one.tag_field) == one.tag), info)

    def expected(self, field: str) -> str:
        """What belongs into a field, in the words of its type."""
        known = {known.encode_name: known.type for known in getattr(self.struct, "fields", ())}.get(field)
        described = isinstance(known, msgspec.inspect.Metadata) and known.extra_json_schema
        return described["description"] if described else "one"

    def names(self, info: Any) -> list[str]:
        """What may be written: the tags of a union, or the values of a list of words."""
        info = info.type if isinstance(info, msgspec.inspect.Metadata) else info
        kinds = getattr(info, "types", (info,))
        tags = [str(kind.tag) for kind in kinds if getattr(kind, "tag", None)]
        return tags or [str(value) for kind in kinds for value in getattr(kind, "values", ())]


def _in_words(what: str, where: str, place: _Place) -> str:
    name = where.removeprefix("$").lstrip(".") or "the file"
    if match := re.match(r"Object missing required field `(.+)`", what):
        tags = place.names(place.info) if place.struct is place.info else []
        expected = f"one of {', '.join(tags)}" if tags else place.expected(match[1])
        return f"{name} has no `{match[1]}`, expected {expected}"
    if match := re.match(r"Object contains unknown field `(.+)`", what):
        tag = getattr(place.struct, "tag", None)
        if tag and place.names(place.info):
            fields = ", ".join(field.encode_name for field in place.struct.fields)
            return f"{name} is of type {tag} and has `{match[1]}`, expected only: {fields}"
        return f"{name} has `{match[1]}`, expected only fields of the course model (a spelling mistake?)"
    if match := re.match(r"Expected `(.+)`, got `(.+)`", what):
        return f"{name} is {match[2]}, expected {match[1]}"
    if match := re.match(r"Invalid (?:enum )?value '?(.*?)'?\Z", what):
        known = place.names(place.info) or place.names(place.outer)
        return f"{name} is `{match[1]}`, expected one of {', '.join(known)}"
    if re.match(r"Expected `(str|array)` of length >= 1", what) and place.value in ("", []):
        return f"{name} is empty, expected a text" if place.value == "" else f"{name} is empty, expected at least one"
    return f"{name}: {what[0].lower()}{what[1:]}"


def _line_of(node: yaml.Node | None, where: str) -> int:
    """Zero-based line of the deepest part of `where` (such as `$.units[2].title`) that is there."""
    import yaml

    line = node.start_mark.line if node is not None else 0
    for name, index in _STEP.findall(where):
        if node is None:
            break
        if name and isinstance(node, yaml.MappingNode):
            found = next(((k, v) for k, v in node.value if k.value == name), None)
            if found is None:
                break
            line = found[0].start_mark.line
            node = found[1]
        elif index.isdigit() and isinstance(node, yaml.SequenceNode) and int(index) < len(node.value):
            node = node.value[int(index)]
            line = node.start_mark.line
        else:
            break
    return int(line)


def at(path: Path, identifier: str) -> str:
    """`file:line` of the line that introduces `identifier`."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return f"{path}:1"
    wanted = (f"id: {identifier}", f"{identifier}:")
    for number, line in enumerate(lines, start=1):
        if any(part in line for part in wanted):
            return f"{path}:{number}"
    return f"{path}:1"
