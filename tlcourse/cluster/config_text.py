"""Changing the configuration file as a person would: the rest of its text, comments included, stays as it is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tlcourse.cluster.profile import READY, parse_config, ready_profiles
from tlcourse.errors import InfraError, UsageError

if TYPE_CHECKING:
    import yaml


def set_values(text: str, name: str, values: Mapping[str, str], path: Path) -> str:
    """`text` with `values` (key or `container.key` → YAML) set in profile `name`, which is made where there is none.

    A new profile that has the name of a ready one starts as that. Raises UsageError where the outcome would not hold.
    """
    if name not in parse_config(text, path).profiles:
        text = _add_profile(text, _ready_block(name) or f"\n  {name}:\n    at_once: 8\n")
        try:
            parse_config(text, path)
        except UsageError:
            raise UsageError(
                f"A profile cannot be added to {path}.",
                cause="the file is written in braces, or in more than one document.",
                remedy="write it as lines with indentation: tlcourse config show --ready shows how.",
            ) from None
    for key, value in values.items():
        text = _set_or_quote(text, name, key, value, path)
    return text


def line_of(text: str, name: str, key: str = "") -> int | None:
    """The line, from 1, on which profile `name` of a file that holds begins, or sets `key`; None where it does not."""
    import yaml

    found = _child(_child(yaml.compose(text, Loader=yaml.SafeLoader), "profiles")[1], name)
    if key:
        found = _child(found[1], key)
    return int(found[0].start_mark.line) + 1 if found[0] is not None else None


def set_theme(text: str, theme: str, path: Path) -> str:
    """`text` with `theme:` set; raises UsageError where the file does not hold, or there is no such theme."""
    import yaml

    parse_config(text, path)
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    line = f"theme: {theme}"
    if (old := _child(root, "theme")[1]) is not None:
        changed = f"{text[: old.start_mark.index].rstrip(' ')} {theme}{text[old.end_mark.index :]}"
    elif isinstance(root, yaml.MappingNode) and root.flow_style:
        changed = _insert(text, (None, root), line)
    else:
        changed = f"{text.rstrip()}\n{line}\n".lstrip("\n")
    if parse_config(changed, path).theme != theme:
        raise UsageError(f"{path}: no theme could be set there.", remedy=f"write a line into it: {line}")
    return changed


def write_config(text: str, path: Path) -> None:
    """Put the file in the place of the old one, whole; raises InfraError."""
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    except OSError as error:
        raise InfraError(f"{path} cannot be written: {error.strerror}.", remedy="set TLCOURSE_CONFIG.") from error


def _add_profile(text: str, block: str) -> str:
    """A profile after the last one, wherever in the file they stand; `profiles:` is made where there is none."""
    import yaml

    node = _child(yaml.compose(text, Loader=yaml.SafeLoader), "profiles")[1]
    if node is None:
        return f"{text.rstrip()}\nprofiles:\n{block}".lstrip("\n")
    lines = text[: node.end_mark.index].splitlines()
    while lines and (not lines[-1].strip() or lines[-1].startswith("#")):  # they belong to what comes next
        lines.pop()
    before = "\n".join(lines)
    after = text[len(before) :].lstrip()
    return f"{before}\n{block}" + (f"\n{after}" if after else "")


def _set_or_quote(text: str, name: str, key: str, value: str, path: Path) -> str:
    """As YAML first, so that `gpus=2` is a number; as a string where a string is expected (`account=462000000`)."""
    try:
        changed = _set(text, name, key.split("."), value or '""')
        parse_config(changed, path)
        return changed
    except (UsageError, ValueError) as error:
        changed = _set(text, name, key.split("."), json.dumps(value))
        try:
            parse_config(changed, path)
        except UsageError:
            what = error.what if isinstance(error, UsageError) else str(error)
            raise UsageError(
                f"{key}={value} cannot be set: {what}",
                cause="the profile has no such field, or its values are of another kind.",
                remedy="tlcourse config show shows the fields; a list is written [a, b].",
            ) from None
        return changed


def _set(text: str, name: str, keys: list[str], value: str) -> str:
    import yaml

    root = yaml.compose(text, Loader=yaml.SafeLoader)
    profile = _child(_child(root, "profiles")[1], name)
    node: Any = profile[1]
    for depth, key in enumerate(keys):
        found = _child(node, key)
        if found[0] is None:
            rest = value
            for inner in reversed(keys[depth + 1 :]):
                rest = f"{{{inner}: {rest}}}"
            return _insert(text, profile if depth == 0 else (None, node), f"{key}: {rest}")
        node = found[1]
    start, end = node.start_mark.index, node.end_mark.index
    old = text[start:end]
    kept = old[len(old.rstrip()) :]  # a block ends where the next key begins
    return text[:start] + value + kept + text[end:]


def _insert(text: str, pair: tuple[Any, Any], line: str) -> str:
    """A line at the beginning of a mapping; into one that is written in braces, within them."""
    key, node = pair
    if getattr(node, "flow_style", False):
        start = node.start_mark.index + 1
        return f"{text[:start]}{line}{', ' if node.value else ''}{text[start:]}"
    column = node.value[0][0].start_mark.column if getattr(node, "value", None) else key.start_mark.column + 2
    at = node.value[0][0].start_mark.index - column if getattr(node, "value", None) else len(text)
    return f"{text[:at]}{' ' * column}{line}\n{text[at:]}"


def _child(node: yaml.Node | None, name: str) -> tuple[Any, Any]:
    import yaml

    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == name:
                return key, value
    return None, None


def _ready_block(name: str) -> str:
    """A ready profile as it is written, with the comment above it."""
    if name not in ready_profiles():
        return ""
    blocks = READY.read_text(encoding="utf-8").split("\n\n")
    block = next(block for block in blocks if f"\n  {name}:\n" in f"\n{block}\n")
    return f"\n{block.rstrip()}\n"
