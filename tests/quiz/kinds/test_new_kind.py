"""The promise of `quiz/kinds/`: a new kind of question is its file and its name in the list, and nothing else.

A copy of the package is given a kind of this file's. A quiz of it is then read, taken on a line and on the screen,
marked, shown, written for other programs and read back, by the same code as every other kind.
"""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import tlcourse

CODE = '''"""A statement that is true or not."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from msgspec import Meta

from tlcourse.quiz.kinds.question import Answer, AnswerInput, ImportedQuestion, Line, Mark, Option, Question, Reason
from tlcourse.quiz.kinds.single import Single

WORDS = ("true", "false")


class Truth(Question, frozen=True, kw_only=True, tag="truth"):
    holds: Annotated[bool, Meta(description="true or false")]
    why: Annotated[str, Meta(min_length=1, description="why it holds or not")]

    asks: ClassVar[str] = "does it hold?"
    hint: ClassVar[str] = "a holds, b does not; enter submits."

    def choices(self) -> list[str]:
        return list(WORDS)

    def answer_input(self) -> AnswerInput:
        return TruthInput(self)

    def read(self, line: str) -> Answer:
        return self.read_letters(line, 1)[0]

    def mark(self, answer: Answer) -> Mark:
        if answer not in (0, 1):
            raise ValueError("0 or 1 is expected")
        return Mark(answer == 1 - self.holds, 1 - self.holds)

    def reasons(self, given: Answer | None = None) -> list[Reason]:
        return [Reason(f"{letter})", self.holds == (letter == "a"), self.why) for letter in "ab"]

    def exported(self) -> Question:
        options = [Option(word, self.why, correct=self.holds == (word == "true")) for word in WORDS]
        return Single(**{name: getattr(self, name) for name in Question.__struct_fields__}, options=options)

    @classmethod
    def fields_of(cls, imported: ImportedQuestion) -> dict[str, Any]:
        first = imported.options[0]
        return {**super().fields_of(imported), "holds": first.get("correct", False), "why": first["reason"]}


class TruthInput(AnswerInput):
    def __init__(self, question: Truth) -> None:
        super().__init__(question)
        self.question = question
        self.chosen = -1

    def letter(self, index: int) -> None:
        if index < 2:
            self.cursor = self.chosen = index

    def space(self) -> None:
        self.chosen = self.cursor

    def answer(self) -> Answer:
        if self.chosen < 0:
            raise ValueError("a or b first.")
        return self.chosen

    def lines(self, given: Answer | None = None) -> list[Line]:
        why = self.question.reasons(given)
        return [
            Line(f"{'ab'[place]}) {word}{' <' if place == self.chosen else ''}", mine=place == self.chosen,
                 reason=why[place] if given is not None else None)
            for place, word in enumerate(WORDS)
        ]
'''
QUIZ = """id: truths
title: Truths
questions:
  - id: even
    type: truth
    prompt: Two is even.
    objective: answer
    section: kinds#answering
    holds: true
    why: Two leaves none.
  - id: odd
    type: truth
    prompt: Two is odd.
    objective: sort
    section: kinds#answering
    holds: false
    why: Odd numbers leave one.
"""
ON_SCREEN = """
import asyncio, sys
from pathlib import Path
from tlcourse.course.loader import load_course
from tlcourse.tui.app import CourseApp

async def visit() -> None:
    app = CourseApp(load_course(Path(sys.argv[1])))
    async with app.run_test(size=(90, 30)) as pilot:
        app.go("quiz/truths")
        for key in ("pause", "enter", "b", "enter", "pause", "enter", "down", "space", "enter", "pause"):
            await (pilot.pause() if key == "pause" else pilot.press(key))
            if key == "pause":
                texts = [str(widget.content) for widget in app.screen.query("Static") if widget.display]
                print(*texts, sep="\\n")

asyncio.run(visit())
"""


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a `tlcourse` that is this one, all but `quiz/kinds`, which has one file and one name more."""
    ours = Path(tlcourse.__file__).parent
    root = tmp_path_factory.mktemp("package")
    kinds = root / "tlcourse" / "quiz" / "kinds"
    for folder, besides in ((ours, "quiz"), (ours / "quiz", "kinds")):
        copied = root / "tlcourse" / folder.relative_to(ours)
        copied.mkdir(parents=True)
        for entry in folder.iterdir():
            if entry.name not in (besides, "__pycache__"):
                (copied / entry.name).symlink_to(entry)
    shutil.copytree(ours / "quiz" / "kinds", kinds, ignore=shutil.ignore_patterns("__pycache__"))
    (kinds / "truth.py").write_text(CODE)
    listed = (kinds / "__init__.py").read_text()
    added = listed.replace("| Drawn\n", "| Drawn | Truth\n").replace(
        "from tlcourse.quiz.kinds.single",
        "from tlcourse.quiz.kinds.truth import Truth\nfrom tlcourse.quiz.kinds.single",
    )
    assert len(added.splitlines()) == len(listed.splitlines()) + 1
    (kinds / "__init__.py").write_text(added)
    return root


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A course with a quiz of the new kind."""
    found = Path(shutil.copytree(Path(__file__).parents[2] / "question_course", tmp_path / "course"))
    (found / "quizzes" / "truths.yaml").write_text(QUIZ)
    about = found / "course.yaml"
    about.write_text(about.read_text().replace("quizzes: [kinds]", "quizzes: [kinds, truths]"))
    assert "truths" in about.read_text()
    return found


@pytest.fixture
def run(package: Path, tmp_path: Path):
    def done(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(package)},
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )

    return done


def test_a_quiz_of_a_new_kind_is_taken_and_marked_on_a_line(run, course):
    taken = run("-m", "tlcourse", "quiz", "take", "truths", "--course", str(course), stdin="a\nc\na\n")
    assert taken.returncode == 0, taken.stderr
    assert "1 of 2  Two is even.\n  a) true\n  b) false\n" in taken.stdout
    assert "'c' is not an answer; expected one letter of ab." in taken.stdout
    assert "Right.  (read: tlcourse lesson show kinds#answering)\n  a) right: Two leaves none." in taken.stdout
    assert "Wrong.  (read: tlcourse lesson show kinds#answering)\n  a) wrong: Odd numbers leave one." in taken.stdout
    assert taken.stdout.endswith("1 of 2 right.\n")


def test_it_is_shown_and_answered_with_keys_on_the_screen(run, course):
    shown = run("-c", ON_SCREEN, str(course))
    assert shown.returncode == 0, shown.stderr
    before, wrong, right = shown.stdout.split("Two is ")[1:]
    assert before.startswith("even.\na) true\nb) false\na holds, b does not; enter submits.")
    assert "does it hold?" in shown.stdout
    assert "✗ wrong: Two leaves none." not in wrong
    assert "b) false <\n✗ wrong, your answer: Two leaves none." in wrong
    assert "b) false <\n✓ right, your answer: Odd numbers leave one." in right


@pytest.mark.parametrize("form", ["gift", "brightspace", "json"])
def test_it_goes_to_other_programs_as_a_choice_and_comes_back_as_itself(run, course, tmp_path, form):
    words = ("quiz", "export", "truths", "--format", form, "--course", str(course), "--out", "truths.txt")
    assert run("-m", "tlcourse", *words).returncode == 0
    text = (tmp_path / "truths.txt").read_text(encoding="utf-8-sig")
    if form == "gift":
        assert "~true#Odd numbers leave one.\n=false#Odd numbers leave one." in text
    if form == "brightspace":
        rows = [row for row in csv.reader(io.StringIO(text)) if row]
        assert [row[1:3] for row in rows if row[0] == "Option"][:2] == [["100", "true"], ["0", "false"]]
    if form == "json":
        assert [question["type"] for question in json.loads(text)["quizzes"][0]["questions"]] == ["truth"] * 2
    read = run("-m", "tlcourse", "quiz", "import", "truths.txt", "--format", form, "--to", "back")
    assert read.returncode == 0, read.stderr
    assert (tmp_path / "back" / "truths.yaml").read_text() == QUIZ


def test_what_is_wrong_in_its_file_is_said_in_its_own_words(run, course):
    path = course / "quizzes" / "truths.yaml"
    path.write_text(QUIZ.replace("    holds: true\n", "").replace("    holds: false", "    answer: 1"))
    checked = run("-m", "tlcourse", "author", "check", str(course))
    assert checked.returncode == 2
    said = checked.stdout + checked.stderr
    assert f"{path}:4: questions[0] has no `holds`, expected true or false" in said
    assert f"{path}:10: questions[1] is of type truth and has `answer`, expected only: id, prompt" in said
