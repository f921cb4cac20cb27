"""Routes: `lesson/fine-tuning`, `exercise/ex2`, `jobs` – which screen each is, and where an area was left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tlcourse.course.model import LoadedCourse
from tlcourse.student.overview import Overview

if TYPE_CHECKING:
    from tlcourse.tui.screens.frame import CourseScreen


def screen_of(route: str) -> CourseScreen:
    """The screen of a route. Screens are imported when they are first shown: the first paint does not wait for them."""
    kind, _, name = route.partition("/")
    if kind == "lesson":
        from tlcourse.tui.screens.lesson import LessonScreen

        unit, _, section = name.partition("#")
        return LessonScreen(unit, section)
    if kind == "quiz":
        from tlcourse.tui.screens.quiz import QuizScreen

        return QuizScreen(name)
    if kind == "exercise":
        from tlcourse.tui.screens.exercise import ExerciseScreen

        return ExerciseScreen(name)
    if kind == "samples":
        from tlcourse.tui.screens.samples import SamplesScreen

        return SamplesScreen(name)
    if kind == "lab":
        from tlcourse.tui.screens.lab import LabScreen

        return LabScreen(name)
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
