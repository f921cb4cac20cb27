"""YAML decoded into types, with the file and the line of whatever is wrong."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

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


def decode(text: str, kind: type[T], path: Path, first_line: int = 1) -> T:
    """`text` as YAML, converted to `kind`; raises ContentError with `file:line: what, and what was expected`."""
    import yaml  # imported here: a course that comes from the cache needs none

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml where it was built in: 8 times as fast
    try:
        value: Any = yaml.load(text, Loader=loader)  # noqa: S506 - both are safe loaders
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = first_line + (mark.line if mark else 0)
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise ContentError([f"{path}:{line}: {problem}, expected YAML"]) from None
    except RecursionError:
        raise ContentError([f"{path}:{first_line}: nested too deeply, expected the YAML of a course"]) from None
    return _convert(value, kind, text, path, first_line, "$")


def decode_each(text: str, key: str, kind: type[T], path: Path) -> dict[str, T]:
    """The mapping under `key` of a YAML document, each of its values on its own, so that a problem names its entry."""
    value = decode(text, dict, path).get(key) or {}
    if not isinstance(value, dict):
        raise ContentError([f"{path}:1: {key} is no mapping, expected names and what belongs to each"])
    return {str(name): _convert(one, kind, text, path, 1, f"$.{key}.{name}") for name, one in value.items()}


def _convert(value: Any, kind: type[T], text: str, path: Path, first_line: int, root: str) -> T:
    import yaml

    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at `")
        where = root + where.rstrip("`").removeprefix("$")
        line = first_line + _line_of(yaml.compose(text, Loader=yaml.SafeLoader), where)
        raise ContentError([f"{path}:{line}: {_in_words(what, where)}"]) from None


def _in_words(what: str, where: str) -> str:
    place = where.removeprefix("$").lstrip(".") or "the file"
    if match := re.match(r"Object missing required field `(.+)`", what):
        return f"{place} has no `{match[1]}`, expected one"
    if match := re.match(r"Object contains unknown field `(.+)`", what):
        return f"{place} has `{match[1]}`, expected only fields of the course model (a spelling mistake?)"
    if match := re.match(r"Expected `(.+)`, got `(.+)`", what):
        return f"{place} is {match[2]}, expected {match[1]}"
    return f"{place}: {what[0].lower()}{what[1:]}"


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
