"""Routes, and the palette that leads to them: `lesson/fine-tuning`, `exercise/ex2`, `jobs` – which screen each is.

The palette offers what the screen's keys do, then every page of the course, then the themes.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from textual.app import SystemCommand
from textual.command import DiscoveryHit, Hits
from textual.screen import Screen
from textual.system_commands import SystemCommandsProvider

from tlcourse.course.model import LoadedCourse
from tlcourse.paths import gradebook_file
from tlcourse.student.overview import Overview
from tlcourse.tui.screens.frame import CourseScreen
from tlcourse.tui.themes import WHAT

if TYPE_CHECKING:
    from tlcourse.tui.app import CourseApp


def follow(app: CourseApp, href: str) -> bool:
    """Open what a link of a text leads to: `unit`, `unit#heading`, `lab/NAME`, `exercise/ID`; False for others."""
    from tlcourse.course.checks import pages_of

    unit = href.partition("#")[0]
    if unit in app.course.lessons:
        app.go(f"lesson/{href}")
    elif href in pages_of(app.course):
        app.go(href)
    else:
        return False
    return True


def place_in_words(course: LoadedCourse, place: str) -> str:
    """A place in words, such as `Fine-tuning (lesson, 10 min)`; empty where it is not one of the course."""
    kind, _, name = place.partition("/")
    if kind == "lesson" and name in course.lessons:
        title = next(unit.title for unit in course.about.units if unit.id == name)
        return f"{title} (lesson, {course.lessons[name].minutes} min)"
    if kind == "quiz" and name in course.quizzes:
        return f"{course.quizzes[name].title} (quiz)"
    if kind == "exercise" and name in course.exercises:
        return f"{course.exercises[name].about.title} (exercise)"
    if kind == "write" and name in course.write_its:
        return f"{course.write_its[name].title} (write it)"
    return ""


def screen_of(route: str) -> CourseScreen:
    """The screen of a route. Screens are imported when they are first shown: the first paint does not wait for them."""
    kind, _, name = route.partition("/")
    if kind == "lesson":
        from tlcourse.tui.screens.lesson import LessonScreen

        unit, _, section = name.partition("#")
        return LessonScreen(unit, section)
    if kind == "present":
        from tlcourse.tui.screens.present import PresentScreen

        unit, _, number = name.partition("/")
        return PresentScreen(unit, int(number) if number else None)
    if kind == "quiz":
        from tlcourse.tui.screens.quiz import QuizScreen

        return QuizScreen(name)
    if kind == "exercise":
        from tlcourse.tui.screens.exercise import ExerciseScreen

        return ExerciseScreen(name)
    if kind == "write":
        from tlcourse.tui.screens.write import WriteScreen

        return WriteScreen(name)
    if kind == "samples":
        from tlcourse.tui.screens.samples import SamplesScreen

        return SamplesScreen(name)
    if kind == "lab":
        from tlcourse.tui.screens.lab import LabScreen

        return LabScreen(name)
    if kind == "labs":
        from tlcourse.tui.screens.labs import LabsScreen

        return LabsScreen()
    if kind == "play":
        from tlcourse.tui.screens.lab import LabScreen

        lab, _, number = name.partition("/")
        return LabScreen(lab, play=int(number or 0))
    if kind == "mixed":
        from tlcourse.tui.screens.review import MixedScreen

        return MixedScreen(name)
    if kind == "review":
        from tlcourse.tui.screens.review import ReviewScreen

        return ReviewScreen()
    if kind == "progress":
        from tlcourse.tui.screens.progress import ProgressScreen

        return ProgressScreen()
    if kind == "jobs":
        from tlcourse.tui.screens.jobs import JobsScreen

        return JobsScreen()
    if kind == "search":
        from tlcourse.tui.screens.search import SearchScreen

        return SearchScreen(name)
    if kind == "batch":
        from tlcourse.tui.screens.batch import BatchScreen

        return BatchScreen()
    from tlcourse.tui.screens.machine import FirstScreen, MachineScreen

    return FirstScreen() if kind == "first" else MachineScreen()


def resumed(area: str, course: LoadedCourse, state: Overview) -> str:
    """Where an area was left, or its first open part; empty where the course has none."""
    kind = {"lesson": "lesson", "quizzes": "quiz", "exercises": "exercise"}[area]
    for route in (state.place, state.next):
        if route.startswith(kind + "/"):
            return route
    names = {
        "lesson": [unit.id for unit in course.about.units if unit.id in course.lessons],
        "quiz": list(course.quizzes),
        "exercise": [*(unit.exercise_to_do.id for unit in state.units if unit.exercise_to_do), *course.exercises],
    }[kind]
    return f"{kind}/{names[0]}" if names else ""


class CourseCommands(SystemCommandsProvider):
    """Before a word is typed, all commands in their order: those of the screen first."""

    async def discover(self) -> Hits:
        """All commands."""
        for name, what, callback, shown in self.app.get_system_commands(self.screen):
            if shown:
                yield DiscoveryHit(name, callback, help=what)


def commands(app: CourseApp, screen: Screen[Any]) -> Iterator[SystemCommand]:
    """Everything that can be done from `screen`; of two that have one name, the nearer one."""
    found: dict[str, SystemCommand] = {}
    for command in (
        *_actions(screen),
        *_of_screen(screen),
        *_elsewhere(app),
        *_course(app),
        *_themes(app),
    ):
        found.setdefault(command.title, command)
    return iter(found.values())


def _actions(screen: Screen[Any]) -> Iterator[SystemCommand]:
    """What every key with a name does, of the screen, of the widget that has the focus, and of the app."""
    app, seen = screen.app, set()
    for active in sorted(screen.active_bindings.values(), key=lambda active: not active.binding.show):  # stable
        binding = active.binding
        if not binding.id or binding.id in seen or not binding.description:
            continue
        seen.add(binding.id)
        said = f"key {app.get_key_display(binding)}" + (f": {binding.tooltip}" if binding.tooltip else "")
        run = functools.partial(app.run_action, binding.action, active.node)
        yield SystemCommand(binding.description, said, run)


def _of_screen(screen: Screen[Any]) -> Iterator[SystemCommand]:
    return screen.commands() if isinstance(screen, CourseScreen) else iter(())


def _course(app: CourseApp) -> Iterator[SystemCommand]:
    course = app.course
    for unit in course.about.units:
        if unit.id in course.lessons:
            yield SystemCommand(f"Lesson: {unit.title}", unit.summary, _goer(app, f"lesson/{unit.id}"))
            yield SystemCommand(f"Slides: {unit.title}", "Its lesson on a projector", _goer(app, f"present/{unit.id}"))
    for name, quiz in course.quizzes.items():
        yield SystemCommand(f"Quiz: {quiz.title}", f"{len(quiz.questions)} questions", _goer(app, f"quiz/{name}"))
    for name, unit in course.mixed.items():
        said = f"{unit.mixed} questions, weak objectives first"
        yield SystemCommand(course.title_of_mixed(name), said, _goer(app, f"mixed/{unit.id}"))
    for name, exercise in course.exercises.items():
        about = exercise.about
        yield SystemCommand(f"Exercise: {about.title}", about.summary, _goer(app, f"exercise/{name}"))
        if about.generator is not None:
            yield SystemCommand(f"Samples: {about.title}", "Its data, with labels", _goer(app, f"samples/{name}"))
    for one in course.write_its.values():
        yield SystemCommand(f"Write it: {one.title}", one.summary, _goer(app, one.key))
    for name, lab in app.labs.items():
        yield SystemCommand(f"Lab: {lab.title}", lab.claim, _goer(app, f"lab/{name}"))
        yield SystemCommand(f"Play: {lab.title}", "Its recorded run, without training", _goer(app, f"play/{name}"))


def _elsewhere(app: CourseApp) -> Iterator[SystemCommand]:
    yield SystemCommand("Review", "Questions that are due again", _goer(app, "review"))
    yield SystemCommand("Labs", "All experiments, each with a still", _goer(app, "labs"))
    yield SystemCommand("Jobs", "Your runs on clusters", _goer(app, "jobs"))
    if gradebook_file().is_file():  # staff: students have none, and are not shown what they cannot use
        yield SystemCommand("Batch", "A class while it is graded, and its results", _goer(app, "batch"))
    save = functools.partial(app.set_timer, 0.1, app.deliver_screenshot)  # once the palette is gone
    yield SystemCommand("Picture of this screen", "Kept as an SVG file", save)


def _themes(app: CourseApp) -> Iterator[SystemCommand]:
    for name, what in WHAT.items():
        now = " (the present one)" if name == app.theme else ""
        yield SystemCommand(f"Theme: {name}", what + now, functools.partial(app.choose_theme, name))


def _goer(app: CourseApp, route: str) -> Callable[[], None]:
    return functools.partial(app.go, route)
