"""The author's checks: what no single file can show to be wrong. Problems read `file:line: what, expected what`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tlcourse.course import markdown
from tlcourse.course.model import LoadedCourse, Question, Quiz


def problems_of(course: LoadedCourse) -> list[str]:
    """Every problem of a course that was decoded; empty when it is sound."""
    return [*_unit_problems(course), *_quiz_problems(course), *_exercise_problems(course)]


def _unit_problems(course: LoadedCourse) -> Iterator[str]:
    path = course.folder / "course.yaml"
    units = course.about.units
    objectives = [objective.id for unit in units for objective in unit.objectives]
    for name, ids in (("unit", [unit.id for unit in units]), ("objective", objectives)):
        for repeated in (i for i, count in Counter(ids).items() if count > 1):
            yield f"{_at(path, repeated)}: {name} `{repeated}` stands twice, expected ids that differ"
    for unit in units:
        for exercise in (name for name in unit.exercises if name not in course.exercises):
            known = ", ".join(course.exercises) or "none"
            yield f"{_at(path, unit.id)}: exercise `{exercise}` is not known, expected one of: {known}"
        if unit.lesson is not None and not unit.objectives:
            yield f"{_at(path, unit.id)}: unit `{unit.id}` has no objectives, expected at least one"


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
            yield f"{_at(path, repeated)}: question `{repeated}` stands twice, expected ids that differ"
        for question in quiz.questions:
            where = _at(path, question.id)
            for problem in _question_problems(question):
                yield f"{where}: question `{question.id}` {problem}"
            if question.objective not in objectives:
                yield f"{where}: objective `{question.objective}` is in no unit, expected one of course.yaml"
            if question.section not in linked:
                yield f"{where}: section `{question.section}` is in no lesson, expected unit-id#heading"


def _repeated_ids(quiz: Quiz) -> list[str]:
    return [i for i, count in Counter(question.id for question in quiz.questions).items() if count > 1]


def _question_problems(question: Question) -> Iterator[str]:
    if question.type == "numeric":
        if question.answer is None:
            yield "has no `answer`, expected a number"
        if not question.reason:
            yield "has no `reason`, expected why the answer is right"
        if question.options:
            yield "is numeric and has options, expected none"
        return
    right = sum(option.correct for option in question.options)
    if len(question.options) < 2:
        yield f"has {len(question.options)} options, expected at least 2"
    if question.type == "single" and right != 1:
        yield f"has {right} correct options, expected exactly 1"
    if question.type == "multiple" and right == 0:
        yield "has no correct option, expected at least 1"
    if len({option.text.strip().lower() for option in question.options}) < len(question.options):
        yield "has two options with the same text, expected texts that differ"


def _exercise_problems(course: LoadedCourse) -> Iterator[str]:
    for exercise in course.exercises.values():
        path = exercise.folder / "exercise.yaml"
        if not {"train", "val", "test"} <= exercise.about.sizes.keys():
            yield f"{_at(path, 'sizes')}: sizes lack train, val or test, expected all three"
        ids = [check.id for check in exercise.about.checks]
        for repeated in (i for i, count in Counter(ids).items() if count > 1):
            yield f"{_at(path, repeated)}: check `{repeated}` stands twice, expected ids that differ"
        if exercise.about.policy.clear > exercise.about.policy.doubt:
            yield f"{_at(path, 'policy')}: policy.clear is above policy.doubt, expected a level at most as high"
        for output in exercise.about.outputs:
            if output.by_task and not output.shape:
                yield f"{_at(path, 'outputs')}: `{output.name}` is by task and has no shape, expected [tasks, …]"


def _at(path: Path, identifier: str) -> str:
    """`file:line` of the line that introduces `identifier`."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return f"{path}:1"
    wanted = (f"id: {identifier}", f"{identifier}:")
    for number, line in enumerate(lines, start=1):
        if any(part in line for part in wanted):
            return f"{path}:{number}"
    return f"{path}:1"
