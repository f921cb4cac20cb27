"""What is covered where: each objective and each topic of the lecture is taught, asked about and practised somewhere.

Problems read `file:line: what, expected what`, as those of `checks.py`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from msgspec import Struct

from tlcourse.course.checks import pages_of, sections_of
from tlcourse.course.lab import read_labs
from tlcourse.course.model import LoadedCourse
from tlcourse.located import at, decode, read_text
from tlcourse.quiz.kinds import Question
from tlcourse.quiz.kinds.question import JUDGING


class Row(Struct, frozen=True):
    """One objective: the sections its questions name, how many questions, its unit's exercises, labs, methods.

    `judging` counts the questions at which a student has to judge (`JUDGING`), of those that say their level.
    """

    unit: str
    objective: str
    text: str
    sections: list[str]
    questions: int
    judging: int
    exercises: list[str]
    labs: list[str]
    methods: list[str]


def coverage(course: LoadedCourse) -> list[Row]:
    """One row for each objective, in the course's order."""
    asked: dict[str, list[Question]] = defaultdict(list)
    for quiz in course.quizzes.values():
        for question in quiz.questions:
            asked[question.objective].append(question)
    labs: dict[str, list[str]] = defaultdict(list)
    for lab in read_labs(course.folder, [unit.id for unit in course.about.units]).values():
        labs[lab.unit].append(lab.id)
    return [
        Row(
            unit=unit.id,
            objective=objective.id,
            text=objective.text,
            sections=list(dict.fromkeys(question.section for question in asked[objective.id])),
            questions=len(asked[objective.id]),
            judging=sum(question.level in JUDGING for question in asked[objective.id]),
            exercises=unit.exercises,
            labs=labs[unit.id],
            methods=[one.key for one in course.write_its.values() if one.unit == unit.id],
        )
        for unit in course.about.units
        for objective in unit.objectives
    ]


class Slide(Struct, frozen=True, forbid_unknown_fields=True, rename={"places": "in"}):
    """A topic of the lecture in our own words, and its places: `unit#heading`, a question, `lab/NAME` …"""

    slide: str
    places: list[str]


def slides(course: LoadedCourse) -> list[Slide]:
    """The topics of `coverage.yaml`, in the lecture's order; empty where a course has no such file."""
    path = course.folder / "coverage.yaml"
    return decode(read_text(path), list[Slide], path) if path.is_file() else []


def misplaced(course: LoadedCourse) -> Iterator[str]:
    """Topics of the lecture that are taught nowhere, and places of theirs that are not in the course."""
    path = course.folder / "coverage.yaml"
    known = {
        *pages_of(course),
        *sections_of(course),
        *(question.id for quiz in course.quizzes.values() for question in quiz.questions),
    }
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    for topic in slides(course):
        number = next((n for n, line in enumerate(lines, start=1) if topic.slide in line), 1)
        where = f"{path}:{number}: slide `{topic.slide}`"
        if not topic.places:
            yield f"{where} is covered nowhere, expected a section, a question, a lab or an exercise"
        for place in topic.places:
            if place not in known:
                yield f"{where} names `{place}`, expected unit#heading, a question, lab/NAME, exercise/ID or write/NAME"


def uncovered(course: LoadedCourse) -> Iterator[str]:
    """Objectives of written units that no question asks about, and questions that are asked twice.

    In a course whose questions say their level, also objectives at which no question asks a student to judge.
    """
    path = course.folder / "course.yaml"
    levels = any(question.level for quiz in course.quizzes.values() for question in quiz.questions)
    for row in coverage(course):
        where = f"{at(path, row.objective)}: objective `{row.objective}` is asked about by no question"
        if row.unit in course.lessons and not row.questions:
            yield f"{where}, expected one"
        elif row.unit in course.lessons and levels and not row.judging:
            yield f"{where} with the level {', '.join(JUDGING)}, expected one"
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
