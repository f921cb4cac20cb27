"""Batches of a few milliseconds, and classes of text files."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from tlcourse.grading.gradebook.gradebook import Gradebook
from tlcourse.grading.gradebook.records import Verdict

EXAMPLE = Path(__file__).parents[2] / "example_course"


@pytest.fixture(scope="session")
def quick() -> ModuleType:
    """The module `quick_batch`."""
    spec = importlib.util.spec_from_file_location("quick_batch", Path(__file__).with_name("quick_batch.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def class_of(tmp_path: Path) -> Callable[..., Path]:
    """`class_of(anna="passes", bo="fails")`: a folder of submissions; what each does is the first word."""

    def made(**words: str) -> Path:
        folder = tmp_path / "submissions"
        for name, word in words.items():
            (folder / name).mkdir(parents=True, exist_ok=True)
            if word:
                (folder / name / "solution.py").write_text(f"# {word}")
        return folder

    return made


@pytest.fixture
def graded(quick: ModuleType, tmp_path: Path) -> Callable[..., dict[str, Verdict]]:
    """`graded(folder)` begins or resumes a batch; returns the verdict that counts of each owner."""

    def run(folder: Path, course: Path = EXAMPLE, **how: object) -> dict[str, Verdict]:
        path = tmp_path / "book" / "gradebook.sqlite"
        quick.batch(path, folder, course, **how)
        with Gradebook.reading(path) as book:
            (record,) = book.batches()
            verdicts = book.verdicts(record.id)
            return {handin.owner: verdicts[handin.id] for handin in book.handins(record.id) if handin.id in verdicts}

    return run


@pytest.fixture
def book_path(tmp_path: Path) -> Path:
    """Where `graded` keeps its gradebook."""
    return tmp_path / "book" / "gradebook.sqlite"
