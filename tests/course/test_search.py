"""Search finds what the course says, and gives no answer away; nothing that is typed can break it."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor

import pytest

from tlcourse.course.lab import load_labs
from tlcourse.course.loader import load_course
from tlcourse.course.search import Index, plain_text
from tlcourse.errors import UnableError

HOSTILE = [
    '"', "'", '""""', "a OR", "NOT", "AND", "NEAR(", "title:lora", "-lora", "*", "lora*", "^lora", "(", ")", "{x}",
    "lora ; DROP TABLE pages", "\x00", "\x1b[31m", "%s", "\\", "ß€漢字", "🐝", "a" * 100_000, "word " * 50_000, " ", "",
]  # fmt: skip


@pytest.fixture(scope="module")
def index() -> Index:
    course = load_course()
    return Index(course, load_labs(course.folder, [unit.id for unit in course.about.units]))


@pytest.mark.parametrize("words", HOSTILE, ids=lambda words: ascii(words[:20]))
def test_nothing_that_is_typed_raises(index, words):
    index.find(words)


def test_a_figure_is_searched_by_its_words_and_a_formula_by_its_names():
    text = "```figure\nkind: flow\nalt: >-\n  Two boxes,\n  one arrow.\nrows: [[a]]\n```\n"
    text += "$$\nW = \\frac{\\alpha}{r} W_\\text{up} \\quad b\n$$\nend"
    assert " ".join(plain_text(text).split()) == "Two boxes, one arrow. W = alpha r W_ up b end"


def test_an_index_made_by_one_thread_answers_many_at_once():
    course = load_course()
    words = ["lora", "covariate shift", "adapters", "pinball loss"] * 8
    with ThreadPoolExecutor(8) as pool:
        made = pool.submit(Index, course, {}).result()
        together = list(pool.map(made.find, words))
    assert together == [made.find(one) for one in words]
    assert all(together)


def test_the_beginnings_of_words_are_enough_and_the_title_counts_most(index):
    hits = index.find("coral")
    assert {"lesson", "question"} <= {hit.kind for hit in hits}
    assert "CORAL" in hits[0].title
    assert {hit.place for hit in index.find("covari shi")} & {hit.place for hit in index.find("covariate shift")}


def test_every_lesson_quiz_lab_and_exercise_is_found_by_its_title(index):
    course = load_course()
    labs = load_labs(course.folder, [unit.id for unit in course.about.units])
    titles = {f"lesson/{unit.id}": unit.title for unit in course.about.units if unit.id in course.lessons}
    titles |= {f"quiz/{name}": quiz.title for name, quiz in course.quizzes.items()}
    titles |= {f"lab/{name}": lab.title for name, lab in labs.items()}
    titles |= {f"exercise/{name}": exercise.about.title for name, exercise in course.exercises.items()}
    lost = [place for place, title in titles.items() if place not in {hit.place for hit in index.find(title)}]
    assert lost == []


def test_a_section_opens_where_it_stands(index):
    places = {hit.place for hit in index.find("bottleneck")}
    assert any(place.startswith("lesson/modern-cnns#") for place in places)


def test_the_handout_of_an_exercise_is_found_by_what_it_teaches(index):
    assert "exercise/ex3" in {hit.place for hit in index.find("quantile loss")}


def test_what_was_found_is_marked_in_one_line(index):
    hit = next(hit for hit in index.find("pinball") if hit.kind == "lesson")
    assert "\n" not in hit.snippet
    assert "[" in hit.snippet.lower() or "pinball" in hit.title.lower()


def test_of_a_question_nothing_but_its_prompt_is_in_the_index(index):
    """Options, reasons and answers would give it away."""
    kept = sorted(text for (text,) in index.db.execute("SELECT text FROM pages WHERE kind = 'question'"))
    prompts = [question.topic() for quiz in load_course().quizzes.values() for question in quiz.questions]
    assert kept == sorted(map(plain_text, prompts))


def test_a_python_without_fts5_gets_one_message(monkeypatch):
    class Without(sqlite3.Connection):
        def execute(self, statement: str, *values: object) -> sqlite3.Cursor:
            if "fts5" in statement:
                raise sqlite3.OperationalError("no such module: fts5")
            return super().execute(statement, *values)

    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *given, **named: connect(*given, factory=Without, **named))
    with pytest.raises(UnableError, match="built without FTS5"):
        Index(load_course(), {})
