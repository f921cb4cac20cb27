"""The configuration file: the app's settings, and profiles. Read and checked with its lines, edited in its text.

What a profile is, `cluster/profile.py` knows. An edit changes the characters that it is about and no others: comments,
order, quotation marks and line ends stay as people wrote them (decision 200).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

from msgspec import Meta, Struct

from tlcourse.errors import ContentError, UnableError, UsageError
from tlcourse.located import decode, read_text
from tlcourse.paths import config_file
from tlcourse.storage import InUseError, in_use, locked, write_atomically

if TYPE_CHECKING:
    import yaml

ThemeName = Literal["dark", "light", "high-contrast", "no-colour"]
ProfileName = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]*\Z", max_length=40)]
_WAIT_S = 5.0


class Config(Struct, frozen=True, forbid_unknown_fields=True):
    """The configuration file."""

    theme: ThemeName | None = None
    """Of the terminal app."""
    motion: bool | None = None
    """Whether figures of the terminal app move by themselves; `motion: off` has them stand still."""
    keys: dict[str, Annotated[str, Meta(min_length=1, max_length=80)]] | None = None
    """Keys of the terminal app: from the name of a binding to the keys that do it, with commas between them."""
    profiles: dict[ProfileName, Any] | None = None
    """By name, as they are written."""


def load_config(path: Path | None = None) -> Config:
    """The configuration, empty where there is no file; raises UsageError with `file:line: what was expected`."""
    path = path or config_file()
    return parse_config(read_config(path), path)


def parse_config(text: str, path: Path) -> Config:
    """The configuration of a text; raises UsageError."""
    if all(not line.strip() or line.lstrip().startswith("#") for line in text.splitlines()):
        return Config()
    with checked(path):
        return decode(text, Config, path)


@contextlib.contextmanager
def checked(path: Path) -> Iterator[None]:
    """Say what a configuration file should be where it is not: a ContentError becomes a UsageError."""
    try:
        yield
    except ContentError as error:
        what = "\n".join(error.problems)
        examples = "tlcourse config show --ready prints examples."
        if ": theme:" in what or ": theme is" in what:
            examples = f"a theme is one of {', '.join(get_args(ThemeName))}."
        raise UsageError(
            what,
            cause="the configuration file does not say what is expected there.",
            remedy=f"correct the named line of {path}; {examples}",
        ) from None


def read_config(path: Path) -> str:
    """The file's text, empty where there is none; raises UsageError."""
    try:
        return read_text(path) if path.exists() else ""
    except ContentError as error:
        raise UsageError("\n".join(error.problems), remedy=f"correct {path}, or set TLCOURSE_CONFIG.") from None


def edit_config(change: Callable[[str], str], path: Path | None = None) -> str:
    """Replace the file's text by what `change` makes of it, and return that; two who edit at once both have their way.

    A link is followed, and the file's mode stays. Raises what `change` raises – then nothing is written – and
    UnableError where the file cannot be written, InfraError where another has been editing it for seconds.
    """
    path = path or config_file()
    with contextlib.ExitStack() as held:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            held.enter_context(locked(path.with_name(f".{path.name}.lock"), wait_s=_WAIT_S))
        except InUseError:
            raise in_use("The configuration", path) from None
        except OSError as error:
            raise _not_written(path, error) from error
        text = change(read_config(path))
        target = path.resolve()
        try:
            found = target.exists()
            written = text.replace("\n", "\r\n") if found and _ends_lines_as_windows(target) else text
            mode = target.stat().st_mode & 0o777 if found else 0o600
            write_atomically(target, written.encode(), mode=mode)
        except OSError as error:
            raise _not_written(path, error) from error
    return text


def _not_written(path: Path, error: OSError) -> UnableError:
    return UnableError(
        f"{path} cannot be written: {error.strerror}.",
        cause="a full disk, or missing permissions. Nothing was changed.",
        remedy="name another file: export TLCOURSE_CONFIG=FILE",
    )


def _ends_lines_as_windows(path: Path) -> bool:
    data = path.read_bytes()
    return b"\r\n" in data and data.count(b"\r\n") == data.count(b"\n")


def line_of(text: str, *keys: str) -> int | None:
    """The line, from 1, on which a mapping of a file that holds has the last of `keys`; None where it has not."""
    node: Any = _composed(text)
    key = None
    for name in keys:
        key, node = _child(node, name)
    return int(key.start_mark.line) + 1 if key is not None else None


def set_theme(text: str, theme: str, path: Path) -> str:
    """`text` with `theme:` set; raises UsageError where the file does not hold, or there is no such theme."""
    parse_config(text, path)
    root = _composed(text)
    line = f"theme: {theme}"
    if (old := _child(root, "theme")[1]) is not None:
        start, end = old.start_mark.index, old.end_mark.index
        changed = (
            f"{text[:start]}{theme}{text[end:]}" if start < end else f"{text[:start].rstrip(' ')} {theme}{text[end:]}"
        )
    elif getattr(root, "flow_style", False):
        changed = _insert(text, (None, root), line)
    else:
        changed = f"{_ended(text)}{line}\n"
    if parse_config(changed, path).theme != theme:
        raise UsageError(f"{path}: no theme could be set there.", remedy=f"write a line into it: {line}")
    return changed


def add_profile(text: str, block: str) -> str:
    """`text` with a block of lines after the last profile; `profiles:` is made where there is none."""
    node = _child(_composed(text), "profiles")[1]
    if node is None:
        return f"{_ended(text)}profiles:\n{block}"
    lines = text[: node.end_mark.index].splitlines(keepends=True)
    while lines and (not lines[-1].strip() or lines[-1].startswith("#")):  # they belong to what comes next
        lines.pop()
    before = "".join(lines)
    return f"{_ended(before)}{block}{text[len(before) :]}"


def set_field(text: str, keys: tuple[str, ...], value: str) -> str:
    """`text` with the YAML `value` at the end of a path of keys; the first two, such as a profile, are there."""
    node: Any = _composed(text)
    pair: tuple[Any, Any] = (None, node)
    for depth, key in enumerate(keys):
        found = _child(node, key)
        if found[0] is None:
            rest = value
            for inner in reversed(keys[depth + 1 :]):
                rest = f"{{{inner}: {rest}}}"
            return _insert(text, pair, f"{key}: {rest}")
        pair = found if depth < 2 else (None, found[1])
        node = found[1]
    start, end = node.start_mark.index, node.end_mark.index
    old = text[start:end]
    kept = old[len(old.rstrip()) :]  # a block ends where the next key begins
    if "\n" in text[found[0].end_mark.index : start]:  # a list in lines below its key
        start = text.index(":", found[0].end_mark.index) + 1
        value = f" {value}{text[start:].partition(chr(10))[0]}"  # with the comment behind the key
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


def _ended(text: str) -> str:
    """Its last line ended; nothing where there is nothing."""
    return text if not text or text.endswith("\n") else text + "\n"


def _composed(text: str) -> Any:
    import yaml

    return yaml.compose(text, Loader=yaml.SafeLoader)


def _child(node: yaml.Node | None, name: str) -> tuple[Any, Any]:
    import yaml

    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == name:
                return key, value
    return None, None
