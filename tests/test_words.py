"""The project's words are the field's: what `docs/glossary.md` names as former words stands nowhere else."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MAY = {
    *("CHANGELOG.md", "docs/glossary.md", "tests/test_words.py", "tests/fixtures/edition_1"),
    *("docs/decisions/229", "tests/grading/test_editions.py", "tests/support/fuzz.py"),
    *("tlcourse/grading/result.py", "tlcourse/grading/gradebook/file.py", "tlcourse/grading/batch/setup.py"),
}
"""Where former words may stand: the history, the table itself, what an older tlcourse wrote, and what reads that."""

FORMER = {
    "sandbox": r"(?<!the )\b[Ww]alls?\b(?![ -](?:clock|time)| and CPU)|(?:Cold|Warm|Weak|Plain)Wall|_walls?\b",
    "sandbox (option, field)": r"--isolation|\bIsolation\b|\.isolation\b",
    "wall_time_s": r"\bwall_s\b",
    "run status": r"\bEnding\b|\.ending\b",
    "limits": r"\bCaps\b|\bcaps\.(?!items)",
    "task spec": r"\bBrief\b|\bbrief\.(?:device|seed|threads|outputs)|brief\.json",
    "probe": r"predictions, evidence|\bevidence\.get|\"evidence\"",
    "reaper": r"\bkeeper\b",
    "scratch usage": r"\bclass Held\b",
    "status": r"\.standing\b|\bStanding\b|\bstandings\b",
    "cancel": r"\btake_back\b|\btakes? (?:it|them|a run|a job) back\b|\btaken back\b",
    "scheduler": r"\bAttendant\b|\battendant\b|\bSettler\b",
    "process tree": r"execution/tree\.py|\bclass Tree\b",
    "generator": r"^world:",
    "Fix": r"To mend it",
    "not available": r"cannot be had|is to be had|to be had here",
    "internal error": r"a (?:fault|mistake) of ours",
}


def tracked() -> list[Path]:
    names = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
    kept = [name for name in names if name and not any(name.startswith(one) for one in MAY)]
    return [
        ROOT / name for name in kept if Path(name).suffix in {".py", ".md", ".yaml", ".toml", ".tcss", ".j2", ".js"}
    ]


@pytest.mark.parametrize("word", FORMER)
def test_a_former_word_stands_nowhere(word):
    pattern = re.compile(FORMER[word], re.MULTILINE)
    found = []
    for path in tracked():
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if pattern.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}")
    assert not found, f"say {word!r}:\n" + "\n".join(found)


def test_each_kind_of_sandbox_is_named_in_one_list():
    """The command's choices, the chooser and the words for them are made from it."""
    from tlcourse.sandbox import NAMES

    assert NAMES == ("auto", "bubblewrap", "fork-server", "landlock", "none")
    lists = []
    for path in tracked():
        if path.is_relative_to(ROOT / "tlcourse") and path.suffix == ".py":
            text = path.read_text(encoding="utf-8")
            if re.search(r"[\"']fork-server[\"'][,:)\] ][^=]{0,40}[\"']landlock[\"']", text):
                lists.append(str(path.relative_to(ROOT)))
    assert lists == ["tlcourse/sandbox/__init__.py"]
