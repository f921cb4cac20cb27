"""How far a student is: the record put beside the course."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from tlcourse.student.record import now
from tlcourse.student.review import coming, due
from tlcourse.text import counted

if TYPE_CHECKING:
    from tlcourse.course.model import LoadedCourse, Unit
    from tlcourse.course.write_it import WriteIt
    from tlcourse.student.record import Record


WEEKS = 12
"""How far back the days are counted on which something was done."""
AHEAD = 7
"""How many days ahead the questions are counted that come back."""


class QuizState(Struct, frozen=True):
    """`right` and `answered` count questions by their latest answer."""

    id: str
    title: str
    questions: int
    answered: int
    right: int
    missed: list[str]

    @property
    def words(self) -> str:
        """The state in words."""
        if not self.answered:
            return f"{self.questions} questions"
        if self.answered < self.questions:
            return f"{self.answered} of {self.questions} answered, {self.right} right"
        return f"{self.right} of {self.questions} right"


class ExerciseState(Struct, frozen=True):
    """The best attempt at an exercise."""

    id: str
    title: str
    attempts: int
    outcome: str
    points: float
    max_points: float

    @property
    def words(self) -> str:
        """The state in words."""
        if not self.attempts:
            return "not tried"
        return f"{self.outcome}, {self.points:g} of {self.max_points:g} points, {counted(self.attempts, 'attempt')}"


class WriteItState(Struct, frozen=True):
    """The best check of a write-it exercise; it never counts for marks."""

    id: str
    title: str
    attempts: int
    outcome: str
    passed: int
    checks: int

    @property
    def words(self) -> str:
        """The state in words."""
        if not self.attempts:
            return "not tried"
        return "written" if self.outcome == "pass" else f"{self.passed} of {self.checks} checks"

    @property
    def mark(self) -> str:
        """A symbol that needs no colour."""
        return "✓" if self.outcome == "pass" else "◐" if self.attempts else "○"


class ObjectiveState(Struct, frozen=True):
    """How the questions on a learning objective were answered; `questions` may be 0."""

    id: str
    text: str
    questions: int
    answered: int
    right: int


class UnitState(Struct, frozen=True):
    """One unit, as far as the student is with it."""

    id: str
    number: int
    title: str
    summary: str
    written: bool
    minutes: int
    read: bool
    quizzes: list[QuizState]
    exercises: list[ExerciseState]
    objectives: list[ObjectiveState]
    write_its: list[WriteItState] = []
    part: str = ""
    """The part of the course that begins here; empty where it goes on."""

    @property
    def right(self) -> int:
        """Questions of its quizzes whose latest answer is right."""
        return sum(quiz.right for quiz in self.quizzes)

    @property
    def missed(self) -> int:
        """Questions of its quizzes whose latest answer is wrong."""
        return sum(len(quiz.missed) for quiz in self.quizzes)

    @property
    def asked(self) -> int:
        """Questions of its quizzes."""
        return sum(quiz.questions for quiz in self.quizzes)

    @property
    def begun(self) -> bool:
        """Whether anything of it was done."""
        tried = any(one.attempts for one in self.exercises) or any(one.attempts for one in self.write_its)
        return self.read or any(quiz.answered for quiz in self.quizzes) or tried

    @property
    def done(self) -> bool:
        """Read, every quiz right, and every exercise passed; an unwritten unit asks for nothing."""
        return (
            (self.read or not self.written)
            and all(quiz.right == quiz.questions for quiz in self.quizzes)
            and self.exercise_to_do is None
        )

    @property
    def exercise_to_do(self) -> ExerciseState | None:
        """The first exercise that is not passed yet."""
        return next((exercise for exercise in self.exercises if exercise.outcome != "pass"), None)


class Overview(Struct, frozen=True):
    """The whole course, as far as the student is with it."""

    course: str
    title: str
    units: list[UnitState]
    place: str
    due: int = 0
    """Questions that spaced review would ask now."""
    days: dict[datetime.date, int] = {}
    """On each day of the last weeks, by this machine's clock: what was read, answered and graded."""
    coming: list[int] = []
    """Questions that come back today, tomorrow, and on the days after."""

    @property
    def lessons(self) -> tuple[int, int]:
        """Lessons read, and lessons that there are."""
        written = [unit for unit in self.units if unit.written]
        return sum(unit.read for unit in written), len(written)

    @property
    def questions(self) -> tuple[int, int]:
        """Questions answered right, and questions that there are."""
        quizzes = [quiz for unit in self.units for quiz in unit.quizzes]
        return sum(quiz.right for quiz in quizzes), sum(quiz.questions for quiz in quizzes)

    @property
    def exercises(self) -> tuple[int, int]:
        """Exercises passed, and exercises that there are."""
        found = [exercise for unit in self.units for exercise in unit.exercises]
        return sum(exercise.outcome == "pass" for exercise in found), len(found)

    @property
    def share(self) -> float:
        """How much of the course is done: lessons, questions and exercises count a third each, where there are any."""
        shares = [done / most for done, most in (self.lessons, self.questions, self.exercises) if most]
        return sum(shares) / len(shares) if shares else 0.0

    def streak(self, today: datetime.date) -> int:
        """Days in a row on which something was done, up to today, or up to yesterday while today is young."""
        day = today if self.days.get(today) else today - datetime.timedelta(days=1)
        count = 0
        while self.days.get(day):
            count, day = count + 1, day - datetime.timedelta(days=1)
        return count

    def unit_of(self, place: str) -> UnitState | None:
        """The unit that a place such as `quiz/residual-connections` belongs to."""
        kind, _, name = place.partition("/")
        for unit in self.units:
            parts = {
                "quiz": [quiz.id for quiz in unit.quizzes],
                "exercise": [one.id for one in unit.exercises],
                "write": [one.id for one in unit.write_its],
            }
            if name in parts.get(kind, [unit.id]):
                return unit
        return None

    @property
    def write_its(self) -> tuple[int, int]:
        """Methods written, and methods that there are to write."""
        found = [one for unit in self.units for one in unit.write_its]
        return sum(one.outcome == "pass" for one in found), len(found)

    @property
    def next(self) -> str:
        """What to do next: the first thing not yet done, such as `lesson/fine-tuning`; empty when all is done."""
        return next(_to_do(self.units), "")

    def next_after(self, place: str) -> str:
        """What to do next for who is done at `place`: in its unit, in the units after it, then in those before."""
        unit = self.unit_of(place)
        start = self.units.index(unit) if unit else 0
        return next((to_do for to_do in _to_do(self.units[start:] + self.units[:start]) if to_do != place), "")

    @property
    def resume(self) -> str:
        """Where to continue: where one was, as long as something is left to do there; else what comes after it."""
        return self.place if self.place and self._open(self.place) else self.next_after(self.place)

    def _open(self, place: str) -> bool:
        """Whether a place has something left: a lesson that is not read, an open question, an exercise not passed."""
        kind, _, name = place.partition("/")
        unit = self.unit_of(place)
        if unit is None:
            return True
        if kind == "quiz":
            return any(quiz.id == name and quiz.answered < quiz.questions for quiz in unit.quizzes)
        if kind == "exercise":
            return any(exercise.id == name and exercise.outcome != "pass" for exercise in unit.exercises)
        return not unit.read


def _to_do(units: Iterable[UnitState]) -> Iterator[str]:
    """Places with something to do, in the order of the units."""
    for unit in units:
        if unit.written and not unit.read:
            yield f"lesson/{unit.id}"
        yield from (f"quiz/{quiz.id}" for quiz in unit.quizzes if quiz.right < quiz.questions)
        yield from (f"exercise/{exercise.id}" for exercise in unit.exercises if exercise.outcome != "pass")


def overview(course: LoadedCourse, record: Record) -> Overview:
    """Put the record beside the course."""
    name = course.about.id
    read = record.read_units(name)
    best = record.best_attempts(name)
    latest = {quiz: record.latest_answers(name, quiz) for quiz in course.quizzes}
    asked: dict[str, list[bool | None]] = {}
    for key, quiz in course.quizzes.items():
        for question in quiz.questions:
            asked.setdefault(question.objective, []).append(latest[key].get(question.id))
    units = [
        UnitState(
            id=unit.id,
            number=number,
            title=unit.title,
            summary=unit.summary,
            written=unit.id in course.lessons,
            minutes=course.lessons[unit.id].minutes if unit.id in course.lessons else 0,
            read=unit.id in read,
            quizzes=[_quiz(course, quiz, latest[quiz]) for quiz in unit.quizzes],
            exercises=[_exercise(course, name, best) for name in unit.exercises],
            objectives=_objectives(unit, asked),
            part=unit.part or "",
            write_its=[_write_it(one, best) for one in course.write_its.values() if one.unit == unit.id],
        )
        for number, unit in enumerate(course.about.units, start=1)
    ]
    moment = now()
    return Overview(
        course=name,
        title=course.about.title,
        units=units,
        place=record.place(name),
        due=len(due(course, record, moment)),
        days=dict(
            Counter(at.astimezone().date() for at in record.moments(name, moment - datetime.timedelta(weeks=WEEKS)))
        ),
        coming=coming(course, record, moment, AHEAD),
    )


def _quiz(course: LoadedCourse, name: str, latest: dict[str, bool]) -> QuizState:
    quiz = course.quizzes[name]
    known = {question.id: latest[question.id] for question in quiz.questions if question.id in latest}
    missed = [question for question, right in known.items() if not right]
    return QuizState(name, quiz.title, len(quiz.questions), len(known), sum(known.values()), missed)


def _exercise(course: LoadedCourse, name: str, best: dict[str, tuple[str, float, float, int]]) -> ExerciseState:
    about = course.exercises[name].about
    most = float(about.checked_points)
    outcome, points, _, attempts = best.get(about.id, ("", 0.0, most, 0))
    return ExerciseState(about.id, about.title, attempts, outcome, points, most)


def _write_it(one: WriteIt, best: dict[str, tuple[str, float, float, int]]) -> WriteItState:
    outcome, passed, _, attempts = best.get(one.key, ("", 0.0, 0.0, 0))
    return WriteItState(one.id, one.title, attempts, outcome, int(passed), len(one.checks))


def write_it_states(course: LoadedCourse, record: Record) -> list[WriteItState]:
    """How far each write-it exercise is, in the order of the units."""
    best = record.best_attempts(course.about.id)
    return [_write_it(one, best) for one in course.write_its.values()]


def _objectives(unit: Unit, asked: dict[str, list[bool | None]]) -> list[ObjectiveState]:
    """`asked`: for each objective whether the latest answer to each of its questions is right; None: there is none."""
    states = []
    for objective in unit.objectives:
        answers = asked.get(objective.id, [])
        given = [right for right in answers if right is not None]
        states.append(ObjectiveState(objective.id, objective.text, len(answers), len(given), sum(given)))
    return states
