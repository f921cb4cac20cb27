"""Which objective is taught where, asked how often and practised in which exercise; and what nobody asks about."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from msgspec import Struct

from tlcourse.course.lab import load_labs
from tlcourse.course.model import LoadedCourse
from tlcourse.located import at
from tlcourse.quiz.kinds import Question


class Row(Struct, frozen=True):
    """One objective: the sections its questions name, how many questions, its unit's exercises and labs."""

    unit: str
    objective: str
    text: str
    sections: list[str]
    questions: int
    exercises: list[str]
    labs: list[str]


def coverage(course: LoadedCourse) -> list[Row]:
    """One row for each objective, in the course's order."""
    asked: dict[str, list[Question]] = defaultdict(list)
    for quiz in course.quizzes.values():
        for question in quiz.questions:
            asked[question.objective].append(question)
    labs: dict[str, list[str]] = defaultdict(list)
    for lab in load_labs(course.folder, [unit.id for unit in course.about.units]).values():
        labs[lab.unit].append(lab.id)
    return [
        Row(
            unit=unit.id,
            objective=objective.id,
            text=objective.text,
            sections=list(dict.fromkeys(question.section for question in asked[objective.id])),
            questions=len(asked[objective.id]),
            exercises=unit.exercises,
            labs=labs[unit.id],
        )
        for unit in course.about.units
        for objective in unit.objectives
    ]


def uncovered(course: LoadedCourse) -> Iterator[str]:
    """Objectives of written units that no question asks about, and questions that are asked twice."""
    path = course.folder / "course.yaml"
    for row in coverage(course):
        if row.unit in course.lessons and not row.questions:
            yield f"{at(path, row.objective)}: objective `{row.objective}` is asked about by no question, expected one"
    seen: dict[tuple[str, str], str] = {}
    owner: dict[str, str] = {}
    for name, quiz in course.quizzes.items():
        for question in quiz.questions:
            if owner.setdefault(question.id, name) != name:
                where = at(course.folder / "quizzes" / f"{name}.yaml", question.id)
                yield f"{where}: question `{question.id}` is in `{owner[question.id]}` too, expected ids that differ"
            key = (" ".join(question.prompt.lower().split()), question.code)
            if key in seen:
                where = at(course.folder / "quizzes" / f"{name}.yaml", question.id)
                yield f"{where}: question `{question.id}` asks the same as `{seen[key]}`, expected another prompt"
            seen[key] = question.id
