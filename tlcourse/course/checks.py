"""The author's checks: what no single file can show to be wrong. Problems read `file:line: what, expected what`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from tlcourse.course import markdown
from tlcourse.course.model import LoadedCourse, Quiz
from tlcourse.located import at


def problems_of(course: LoadedCourse) -> list[str]:
    """Every problem of a course that was decoded; empty when it is sound."""
    return [*_unit_problems(course), *_quiz_problems(course), *_exercise_problems(course)]


def _unit_problems(course: LoadedCourse) -> Iterator[str]:
    path = course.folder / "course.yaml"
    units = course.about.units
    objectives = [objective.id for unit in units for objective in unit.objectives]
    for name, ids in (("unit", [unit.id for unit in units]), ("objective", objectives)):
        for repeated in (i for i, count in Counter(ids).items() if count > 1):
            yield f"{at(path, repeated)}: {name} `{repeated}` stands twice, expected ids that differ"
    for unit in units:
        for exercise in (name for name in unit.exercises if name not in course.exercises):
            known = ", ".join(course.exercises) or "none"
            yield f"{at(path, unit.id)}: exercise `{exercise}` is not known, expected one of: {known}"
        if unit.lesson is not None and not unit.objectives:
            yield f"{at(path, unit.id)}: unit `{unit.id}` has no objectives, expected at least one"


def _quiz_problems(course: LoadedCourse) -> Iterator[str]:
    objectives = {objective.id for unit in course.about.units for objective in unit.objectives}
    linked = {
        f"{unit}#{markdown.slug(heading)}"
        for unit, lesson in course.lessons.items()
        for _, heading in markdown.headings(lesson.body)
    }
    for name, quiz in course.quizzes.items():
        path = course.folder / "quizzes" / f"{name}.yaml"
        if quiz.id != name:
            yield f"{path}:1: id is `{quiz.id}`, expected `{name}` as in the file's name"
        for repeated in _repeated_ids(quiz):
            yield f"{at(path, repeated)}: question `{repeated}` stands twice, expected ids that differ"
        for question in quiz.questions:
            where = at(path, question.id)
            for problem in question.problems():
                yield f"{where}: question `{question.id}` {problem}"
            if question.objective not in objectives:
                yield f"{where}: objective `{question.objective}` is in no unit, expected one of course.yaml"
            if question.section not in linked:
                yield f"{where}: section `{question.section}` is in no lesson, expected unit-id#heading"


def _repeated_ids(quiz: Quiz) -> list[str]:
    return [i for i, count in Counter(question.id for question in quiz.questions).items() if count > 1]


def _exercise_problems(course: LoadedCourse) -> Iterator[str]:
    for exercise in course.exercises.values():
        path = exercise.folder / "exercise.yaml"
        if not {"train", "val", "test"} <= exercise.about.sizes.keys():
            yield f"{at(path, 'sizes')}: sizes lack train, val or test, expected all three"
        ids = [check.id for check in exercise.about.checks]
        for repeated in (i for i, count in Counter(ids).items() if count > 1):
            yield f"{at(path, repeated)}: check `{repeated}` stands twice, expected ids that differ"
        if exercise.about.policy.clear > exercise.about.policy.doubt:
            yield f"{at(path, 'policy')}: policy.clear is above policy.doubt, expected a level at most as high"
        for output in exercise.about.outputs:
            if output.by_task and not output.shape:
                yield f"{at(path, 'outputs')}: `{output.name}` is by task and has no shape, expected [tasks, …]"
