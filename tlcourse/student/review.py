"""Spaced review: when each question that was answered comes back (FSRS, by the `fsrs` library).

A wrong answer counts as "again", a right one as "good", wherever it was given; of an answer that a lesson folds "yes"
is "good", "partly" is "hard" and "no" is "again". The state of a question is a fold over
its answers in the record; the record's cards keep what was computed so far, with the last answer that it contains, so
that it can be thrown away at any time, and a process killed between an answer and its card loses nothing.
"""

from __future__ import annotations

import datetime
import functools
import itertools
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from msgspec import Struct

from tlcourse.quiz.kinds.short import Recalled
from tlcourse.student.record import KeptCard
from tlcourse.text import counted

if TYPE_CHECKING:
    from fsrs import Card, Scheduler

    from tlcourse.course.markdown import Folded
    from tlcourse.course.model import LoadedCourse
    from tlcourse.quiz.kinds import Question
    from tlcourse.student.record import Record

_DECAY = 0.1542
"""The last of FSRS-6's parameters, as `fsrs` has it."""
_AGAIN = datetime.timedelta(minutes=10)
WEAK = 0.8
"""An objective is weak while its questions would be remembered with less than this probability."""


class Weak(Struct, frozen=True):
    """An objective that needs a review; `recall` is the mean probability of remembering, wrong answers counting 0."""

    objective: str
    text: str
    unit: str
    recall: float
    missed: int
    answered: int


LESSON = "lesson/"
"""Before the unit: under it the record keeps what was answered to a lesson, as that to a quiz under its name."""
Known = Literal["yes", "partly", "no"]


def recalled(course: LoadedCourse, unit: str) -> list[Recalled]:
    """What a lesson asks above the answers that are folded, in its order, as questions of a review."""
    body = course.lessons[unit].body
    return [
        Recalled(
            id=f"{unit}#{one.name}",
            prompt=one.question,
            objective="",
            section=f"{unit}#{one.section}",
            answer_text=one.answer,
        )
        for one in _folded(body)
    ]


@functools.lru_cache(maxsize=64)
def _folded(body: str) -> list[Folded]:
    """Read once: home asks after each answer."""
    from tlcourse.course.markdown import folded  # where no lesson was answered, none is read

    return folded(body)


def _all_cards(course: LoadedCourse, record: Record) -> list[KeptCard]:
    """The cards, brought up to the answers; those of lessons that were kept under a place are under the name of the
    question that stands there now, for good."""
    name = course.about.id
    catch_up(record, name)
    kept = record.cards(name)
    by_place = {card.quiz for card in kept if card.quiz.startswith(LESSON) and "#q-" not in card.question}
    for quiz in by_place:
        unit = quiz.removeprefix(LESSON)
        if unit in course.lessons:
            names = {f"{unit}#{one.place}": f"{unit}#{one.name}" for one in _folded(course.lessons[unit].body)}
            record.rename_questions(name, quiz, names)
    return record.cards(name) if by_place else kept


def rate(record: Record, course: str, question: Recalled, known: Known) -> datetime.datetime:
    """Keep whether a folded answer was known; what was not comes back as a wrong answer does. When it comes back."""
    quiz = LESSON + question.id.partition("#")[0]
    record.record_answer(course, quiz, question.id, known, correct=known == "yes")
    catch_up(record, course)
    due = next(one.due for one in record.cards(course) if (one.quiz, one.question) == (quiz, question.id))
    return datetime.datetime.fromisoformat(due)


def catch_up(record: Record, course: str) -> None:
    """Bring the cards up to the answers of the record; costs nothing when none is new."""
    new = record.answers_without_card(course)
    if not new:
        return
    import json

    from fsrs import Card, Rating

    scheduler = _scheduler()
    cards = _cards(record, course)
    last: dict[tuple[str, str], int] = {}
    for answer in new:
        key = answer.quiz, answer.question
        card = cards.get(key) or Card(card_id=answer.number)
        when = datetime.datetime.fromisoformat(answer.at)
        if card.last_review is not None and when < card.last_review:
            when = card.last_review  # the machine's clock was put back
        rating = Rating.Good if answer.correct else Rating.Hard if answer.partly else Rating.Again
        cards[key] = scheduler.review_card(card, rating, when)[0]
        last[key] = answer.number
    record.keep_cards(
        course,
        [
            KeptCard(*key, cards[key].due.isoformat(), json.dumps(cards[key].to_dict()), number)
            for key, number in last.items()
        ],
    )


def due(course: LoadedCourse, record: Record, now: datetime.datetime) -> list[tuple[str, Question]]:
    """(quiz, question) of what should be asked again by now, the longest overdue first."""
    until = now.astimezone(datetime.UTC).isoformat()
    found = [(card.quiz, card.question) for card in _all_cards(course, record) if card.due <= until]
    known = _asked(course, found)
    return [(quiz, known[quiz, question]) for quiz, question in found if (quiz, question) in known]


def _asked(course: LoadedCourse, cards: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Question]:
    """The questions of all quizzes, and of the lessons of these cards; what a course asks no more is not in it."""
    known: dict[tuple[str, str], Question]
    known = {(quiz.id, question.id): question for quiz in course.quizzes.values() for question in quiz.questions}
    for quiz in {quiz for quiz, _ in cards if quiz.startswith(LESSON)}:
        unit = quiz.removeprefix(LESSON)
        known |= {(quiz, one.id): one for one in recalled(course, unit)} if unit in course.lessons else {}
    return known


def next_due(course: LoadedCourse, record: Record, now: datetime.datetime) -> datetime.datetime | None:
    """When the next question comes back that is not due yet; None where nothing was answered."""
    after = now.astimezone(datetime.UTC).isoformat()
    cards = {(card.quiz, card.question): card.due for card in _all_cards(course, record) if card.due > after}
    known = _asked(course, cards)
    first = min((due for key, due in cards.items() if key in known), default="")
    return datetime.datetime.fromisoformat(first) if first else None


def coming(course: LoadedCourse, record: Record, now: datetime.datetime, days: int) -> list[int]:
    """How many questions come back today (with what is due), tomorrow, and so on for `days` days, by local dates."""
    counts = [0] * days
    today = now.astimezone().date()
    cards = {(card.quiz, card.question): card.due for card in _all_cards(course, record)}
    known = _asked(course, cards)
    for key, due in cards.items():
        day = (datetime.datetime.fromisoformat(due).astimezone().date() - today).days
        if day < days and key in known:
            counts[max(day, 0)] += 1
    return counts


def weak_objectives(course: LoadedCourse, record: Record, now: datetime.datetime) -> list[Weak]:
    """Objectives with answered questions that would hardly be remembered, the weakest first."""
    recalls: dict[str, list[float]] = {}
    for _, question, recall in _recalls(course, record, now):
        recalls.setdefault(question.objective, []).append(recall)
    found = [
        Weak(goal.id, goal.text, unit.id, sum(values) / len(values), values.count(0.0), len(values))
        for unit in course.about.units
        for goal in unit.objectives
        if (values := recalls.get(goal.id))
    ]
    return sorted((weak for weak in found if weak.recall < WEAK), key=lambda weak: weak.recall)


def mixed(course: LoadedCourse, record: Record, name: str, now: datetime.datetime) -> list[tuple[str, Question]]:
    """(quiz, question) of a mixed quiz, in an order in which its units alternate.

    One question for each objective of its units, then a second one, until there are enough: weak objectives first,
    then those never asked about, then the rest by their recall. Of an objective first what was missed or is nearly
    forgotten, then what was never answered. Ties fall as `Record.seed` has it, so other ones at the next visit.
    """
    import random  # imported by this alone: most commands draw nothing

    last = course.mixed[name]
    dice = random.Random(f"{name}/{record.seed(course.about.id)}")  # noqa: S311 - questions to practise on
    recalls = {(quiz, question.id): recall for quiz, question, recall in _recalls(course, record, now)}
    units = course.about.units[: course.about.units.index(last) + 1]
    goals: dict[str, list[tuple[float, float, str, Question]]]
    goals = {goal.id: [] for unit in units for goal in unit.objectives}
    for quiz in (course.quizzes[quiz] for unit in units for quiz in unit.quizzes):
        for question in quiz.questions:
            if question.objective in goals:
                recall = recalls.get((quiz.id, question.id), WEAK)
                goals[question.objective].append((recall, dice.random(), quiz.id, question))

    def standing(asked: list[tuple[float, float, str, Question]]) -> tuple[int, float, float]:
        known = [recalls[quiz, question.id] for _, _, quiz, question in asked if (quiz, question.id) in recalls]
        mean = sum(known) / len(known) if known else WEAK
        return (1 if not known else 0 if mean < WEAK else 2), mean, dice.random()

    waiting = sorted((sorted(asked, key=lambda one: one[:2]) for asked in goals.values() if asked), key=standing)
    found = [one for turn in itertools.zip_longest(*waiting) for one in turn if one is not None][: last.mixed]
    return dice.sample([(quiz, question) for _, _, quiz, question in found], len(found))


def _recalls(course: LoadedCourse, record: Record, now: datetime.datetime) -> list[tuple[str, Question, float]]:
    """(quiz, question, how probably it would be remembered now) of what was answered; 0 where that was wrong last."""
    name = course.about.id
    catch_up(record, name)
    cards = {(one.quiz, one.question): one.card for one in record.cards(name)}
    latest = {quiz: record.latest_answers(name, quiz) for quiz in {quiz for quiz, _ in cards} & course.quizzes.keys()}
    return [
        (quiz.id, question, retrievability(msgspec.json.decode(card), now) if latest[quiz.id].get(question.id) else 0.0)
        for quiz in course.quizzes.values()
        for question in quiz.questions
        if (card := cards.get((quiz.id, question.id))) is not None
    ]


def retrievability(card: Mapping[str, Any], now: datetime.datetime) -> float:
    """How probably what a card stands for would be remembered, from 0 to 1: FSRS-6's curve of forgetting.

    `fsrs` has the same, and takes longer to import than this to read all cards; a test compares them.
    """
    if card["last_review"] is None or card["stability"] is None:
        return 0.0
    days = max((now - datetime.datetime.fromisoformat(card["last_review"])).days, 0)
    factor = 0.9 ** (-1 / _DECAY) - 1  # after as many days as it is stable: 0.9
    return float((1 + factor * days / card["stability"]) ** -_DECAY)


def in_words(when: datetime.datetime | None, now: datetime.datetime) -> str:
    """`in 3 days`, for people."""
    if when is None:
        return "when something was answered"
    minutes = max(round((when - now).total_seconds() / 60), 1)
    for size, unit in ((60 * 24, "day"), (60, "hour"), (1, "minute")):
        if minutes >= size:
            count = round(minutes / size)
            return f"in {counted(count, unit)}"
    return "now"


def _scheduler() -> Scheduler:
    from fsrs import Scheduler

    # one learning step: what was missed comes back in the same sitting, what was right in days; no fuzz, so that the
    # state is a function of the answers
    return Scheduler(learning_steps=[_AGAIN], relearning_steps=[_AGAIN], enable_fuzzing=False)


def _cards(record: Record, course: str) -> dict[tuple[str, str], Card]:
    from fsrs import Card

    return {(one.quiz, one.question): Card.from_dict(msgspec.json.decode(one.card)) for one in record.cards(course)}
