"""CONTRIBUTING's table "I want to…" leads to files that are there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PLACEHOLDERS = re.compile(r"NAME|WORLD|PLATFORM|UNIT|SUBJECT|KIND")
_FILE = re.compile(r"[\w*./-]+\.(?:py|md|yaml|toml|tcss|sh)|[\w./-]+/")


def rows() -> Iterator[tuple[str, list[str]]]:
    """What a row wants, and the paths that it names; a bare name lies beside the path before."""
    table = (ROOT / "CONTRIBUTING.md").read_text().partition("## I want to…")[2].partition("\n## ")[0]
    for line in table.splitlines():
        if line.startswith("|") and not line.startswith(("| I want", "|---")):
            want, look_at = line.strip("|").split("|", 1)
            yield want.strip(), [code for code in re.findall(r"`([^`]+)`", look_at) if _FILE.fullmatch(code)]


def candidates(path: str, before: Path | None, folders: list[Path]) -> list[Path]:
    """Where a path of a row may lie: from the root, from the package, or beside what the row named so far."""
    around = [ROOT, ROOT / "tlcourse", *folders]
    if before is not None:
        around += [before, *before.parents]
    return [folder / path for folder in around if folder.is_relative_to(ROOT)]


def exists(path: Path) -> bool:
    """Whether it is there; a placeholder stands for at least one name."""
    pattern = PLACEHOLDERS.sub("*", str(path.relative_to(ROOT)))
    return any(ROOT.glob(pattern)) if "*" in pattern else path.exists()


@pytest.mark.parametrize(("want", "paths"), list(rows()), ids=lambda value: value if isinstance(value, str) else "")
def test_every_path_of_a_row_is_there(want, paths):
    folders = [ROOT / path for path in paths if path.endswith("/") and (ROOT / path).is_dir()]
    before: Path | None = None
    missing = []
    for path in paths:
        found = [place for place in candidates(path, before, folders) if exists(place)]
        if not found:
            missing.append(path)
        else:
            before = found[0] if found[0].is_dir() else found[0].parent
    assert missing == [], f"{want}: not there"


def test_the_table_is_read():
    found = dict(rows())
    assert len(found) > 40
    assert sum(map(len, found.values())) > len(found)
    assert "tlcourse/errors.py" in found["say something better when things go wrong"]
