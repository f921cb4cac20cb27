"""What each screen can do, and the command that does it without the app. A new key needs its row here."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from pathlib import Path

import pytest
import typer
from textual.binding import Binding

import tlcourse.tui.screens
from tlcourse.cli.main import application
from tlcourse.tui.app import CourseApp
from tlcourse.tui.screens.frame import CourseScreen

MOVES = {
    "help", "quit", "home", "leave",  # the app itself
    "home.filter", "search.words", "lesson.contents", "lesson.left", "lesson.right", "exercise.turn",  # only seen
    "lesson.answer", "lesson.figure",
    "present.on", "present.back", "present.first", "present.last", "present.go", "present.blank", "present.figure",
    "machine.leave", "samples.size", "exercise.details", "write.turn",
}  # fmt: skip
"""Keys that only move about or change what is seen: a command has nothing to do for them."""
COMMANDS = {
    "search": "search", "search.open": "search",
    "lessons": "lesson list", "quizzes": "quiz list", "exercises": "exercise list",
    "labs": "lab list", "progress": "progress", "machine": "doctor",
    "home.quiz": "quiz take", "home.exercise": "exercise show", "home.review": "quiz review",
    "home.lab": "lab run",
    "lesson.quiz": "quiz take", "lesson.exercise": "exercise show", "lesson.lab": "lab run",
    "lesson.question": "quiz take", "lesson.knew": "quiz take", "lesson.partly": "quiz take",
    "lesson.unknown": "quiz take",
    "lesson.present": "start", "present": "start", "present.lab": "lab run", "present.play": "lab play",
    "present.previous": "start", "present.next": "start",
    "lesson.previous": "lesson show", "lesson.next": "lesson show",
    "quiz.submit": "quiz take", "quiz.choose": "quiz take", "quiz.retry": "quiz take", "quiz.all": "quiz take",
    "quiz.lesson": "lesson show", "quiz.carry-down": "quiz take", "quiz.carry-up": "quiz take",
    "quiz.mixed": "quiz take", "quiz.same": "quiz take", "quiz.different": "quiz take",
    "exercise.grade": "grade", "exercise.run": "run", "exercise.watch": "watch", "exercise.init": "init",
    "exercise.samples": "exercise samples", "lesson.samples": "exercise samples",
    "samples.next": "exercise samples", "samples.previous": "exercise samples", "samples.exercise": "exercise show",
    "write.check": "write check", "write.init": "write init", "write.reset": "write init", "write.hint": "write hint",
    "write.watch": "write check", "write.lesson": "lesson show",
    "exercise.changes": "exercise attempts", "exercise.lesson": "lesson show",
    "exercise.reset": "init", "exercise.hint": "exercise hint", "exercise.explain": "exercise explain",
    "progress.next": "progress", "progress.review": "quiz take", "progress.due": "quiz review",
    "progress.weakest": "lesson show", "progress.export": "progress",
    "batch.open": "ta report", "batch.retry": "ta regrade", "batch.export": "ta export",
    "batch.mark": "ta mark", "handin.mark": "ta mark", "handin.full": "ta mark", "handin.next": "ta mark",
    "handin.open": "ta mark",
    "batch.people": "ta report", "batch.go_on": "batch", "batch.place": "batch",
    "home.jobs": "jobs list", "exercise.jobs": "jobs list", "exercise.place": "config show",
    "jobs.follow": "jobs tail", "jobs.cancel": "jobs cancel", "jobs.fetch": "jobs list", "jobs.prove": "config check",
    "batch.older": "ta report", "batch.newer": "ta report",
}  # fmt: skip
SHELL = {"exercise.edit", "write.edit", "exercise.stop"}
"""What the shell does: one's own editor, and ctrl+c."""


def screens() -> list[type[CourseScreen]]:
    """Every screen that there is."""
    found = []
    for module in pkgutil.iter_modules(tlcourse.tui.screens.__path__):
        members = vars(importlib.import_module(f"tlcourse.tui.screens.{module.name}")).values()
        found += [one for one in members if inspect.isclass(one) and issubclass(one, CourseScreen)]
    return sorted(set(found), key=lambda one: one.__name__)


def ids() -> dict[str, str]:
    """The name of every key that has one, and where it works."""
    return {
        binding.id: owner.__name__
        for owner in (CourseApp, *screens())
        for binding in owner.BINDINGS
        if isinstance(binding, Binding) and binding.id
    }


@pytest.fixture(scope="module")
def commands() -> set[str]:
    """Every command with its group, such as `quiz take`."""
    from tlcourse.cli.main import add_all

    app = application()
    add_all(app)
    top = typer.main.get_command(app)
    names = set()
    for name, command in top.commands.items():  # type: ignore[attr-defined]
        names |= {f"{name} {inner}" for inner in getattr(command, "commands", {})} or {name}
    return names


def test_every_key_with_a_name_has_its_command_or_only_moves_about():
    known = MOVES | SHELL | COMMANDS.keys()
    lab = {name for name in ids() if name.startswith(("lab.", "labs."))}  # all of them set or run one experiment
    missing = {name: where for name, where in ids().items() if name not in known | lab}
    assert missing == {}


def test_the_table_names_no_key_that_is_gone():
    assert (MOVES | SHELL | COMMANDS.keys()) - ids().keys() == set()


def test_every_command_of_the_table_exists(commands):
    assert {command for command in COMMANDS.values() if command not in commands} == set()
    assert {"lab run", "lab list", "lab show"} <= commands


MEANT = {
    "a": {"Show the answer", "Explanation", "All again"},
    "e": {"Exercise", "Edit"},
    "f": {"Filter", "Filter the units", "Fetch", "Move the figure", "Move the figure that is seen"},
    "h": {"Hint…"},
    "i": {"Make a solution.py", "Make the file"},
    "c": {"Contents"},
    "s": {"Stop", "Cancel…"},
    "t": {"Switch view", "t-SNE or PCA", "People"},
    "v": {"Review", "Review due", "View samples of the exercise's data", "View samples of its data"},
    "x": {"Lab"},
    "X": {"Export"},
    "y": {"Play", "Play the lab's recorded run, hold it", "Mine says the same"},
}
"""What a letter does, on every screen that has it: another meaning wants another letter."""


DIFFERS = {
    "e": {"Edit", "Exercise"},
    "n": {"Mine does not", "Quiz"},
    "o": {"Jobs on clusters", "Open files", "Overlay"},
    "p": {"Place", "Settings", "Test a profile"},
    "r": {"Retry faults", "Retry missed", "Review missed", "Run"},
    "w": {"Pace", "Watch: check on every save", "Watch: grade here on every save"},
}
"""Letters that do something else on another screen, and why is in `docs/look.md`: no further one comes to them."""


def test_the_letters_that_differ_between_screens_are_these_and_the_documents_list_them():
    found: dict[str, set[str]] = {letter: set() for letter in DIFFERS}
    for screen in screens():
        for binding in screen.BINDINGS:
            if isinstance(binding, Binding) and binding.id:
                for letter in binding.key.split(","):
                    found.get(letter, set()).add(binding.description)
    assert found == DIFFERS
    page = (Path(__file__).parents[2] / "docs" / "look.md").read_text(encoding="utf-8")
    assert {letter for letter in DIFFERS if f"| `{letter}` |" not in page} == set()


def test_a_letter_means_the_same_on_every_screen():
    found: dict[str, set[str]] = {letter: set() for letter in MEANT}
    for screen in screens():
        for binding in screen.BINDINGS:
            if isinstance(binding, Binding) and binding.id:
                for letter in binding.key.split(","):
                    found.get(letter, set()).add(binding.description)
    assert found == MEANT
