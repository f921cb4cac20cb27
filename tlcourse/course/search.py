"""Search in all texts of a course: an FTS5 index in memory, made from the course when it is asked.

Of a question only its prompt is searched and shown: options, reasons and answers would give it away.
"""

from __future__ import annotations

import re
import sqlite3
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from tlcourse.course.figure_reading import alt_of
from tlcourse.course.markdown import sections, slug
from tlcourse.course.write_it import statement
from tlcourse.errors import UnableError

if TYPE_CHECKING:
    from tlcourse.course.lab import Lab
    from tlcourse.course.model import LoadedCourse

MOST = 50
"""Hits that are given at most."""
_WORD = re.compile(r"\w+")
_FIGURE = re.compile(r"^```figure\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FORMULA = re.compile(r"^ *\$\$.*?\$\$", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"\\(?:(?:text|frac|left|right|begin|end|q?quad|[bp]matrix)\b)?([a-zA-Z]*)")
_MARKS = str.maketrans("{}&$", "    ")
_MOST_WORDS, _LONGEST = 12, 40
_SNIPPET_WORDS = 14
_START, _END = "\x02", "\x03"  # around what was found; no text of a course holds them
_COMMANDS = {
    "lesson": "tlcourse lesson show",
    "question": "tlcourse quiz take",
    "lab": "tlcourse lab show",
    "exercise": "tlcourse exercise show",
    "write": "tlcourse write show",
}


class Hit(Struct, frozen=True):
    """One place that has the words; `place` is what the app opens, `command` does the same without it."""

    kind: str
    title: str
    snippet: str
    """Some of its text in one line, what was found between `[` and `]`."""
    place: str
    command: str


class Index:
    """The index of one course. It may be made by one thread and asked by others: one at a time reaches the database.

    Raises:
        UnableError: this Python's SQLite has no FTS5.
    """

    def __init__(self, course: LoadedCourse, labs: dict[str, Lab]) -> None:
        # SQLite may have been built without locks of its own (sqlite3.threadsafety)
        self._one_at_a_time = threading.Lock()
        self.db = sqlite3.connect(":memory:", check_same_thread=False)
        try:
            self.db.execute(
                "CREATE VIRTUAL TABLE pages USING fts5(title, text, kind UNINDEXED, place UNINDEXED,"
                " tokenize = 'unicode61 remove_diacritics 2')"
            )
        except sqlite3.OperationalError as error:
            raise UnableError(
                "The course cannot be searched by this Python.",
                cause=f"its SQLite was built without FTS5 ({error}).",
                remedy="use a Python from python.org, uv or your system's packages; all else works without it.",
            ) from None
        self.db.executemany("INSERT INTO pages VALUES (?, ?, ?, ?)", _pages(course, labs))

    def find(self, words: str, most: int = MOST) -> list[Hit]:
        """Places that have all the words, or words that begin with them, the best first; any text may be asked."""
        query = _query(words)
        if not query:
            return []
        with self._one_at_a_time:
            rows = self.db.execute(
                "SELECT kind, title, snippet(pages, 1, ?, ?, '…', ?), place FROM pages WHERE pages MATCH ?"
                " ORDER BY bm25(pages, 4.0, 1.0) LIMIT ?",
                (_START, _END, _SNIPPET_WORDS, query, most),
            ).fetchall()
        return [Hit(kind, title, _shown(snippet), place, _command(kind, place)) for kind, title, snippet, place in rows]


def _query(words: str) -> str:
    """Each word in quotation marks, so that none is read as an operator; the last ones of a very long text are cut."""
    return " ".join(f'"{word[:_LONGEST]}"*' for word in _WORD.findall(words[:2000])[:_MOST_WORDS])


def _pages(course: LoadedCourse, labs: dict[str, Lab]) -> Iterator[tuple[str, str, str, str]]:
    for unit in course.about.units:
        if (lesson := course.lessons.get(unit.id)) is None:
            continue
        opening = lesson.body.partition("\n## ")[0]
        yield unit.title, f"{unit.summary}\n{plain_text(opening)}", "lesson", f"lesson/{unit.id}"
        for heading, text in sections(lesson.body):
            yield f"{unit.title}: {heading}", plain_text(text), "lesson", f"lesson/{unit.id}#{slug(heading)}"
    for name, quiz in course.quizzes.items():
        for question in quiz.questions:
            yield quiz.title, plain_text(question.topic()), "question", f"quiz/{name}"
    for name, lab in labs.items():
        yield lab.title, plain_text(lab.prediction.prompt), "lab", f"lab/{name}"
    for name, exercise in course.exercises.items():
        handout = (exercise.folder / "handout.md").read_text(encoding="utf-8")
        yield exercise.about.title, f"{exercise.about.summary}\n{plain_text(handout)}", "exercise", f"exercise/{name}"
    for one in course.write_its.values():
        yield one.title, f"{one.summary}\n{plain_text(statement(course, one))}", "write", one.key


def plain_text(text: str) -> str:
    """Without the marks of Markdown, and without control characters; of a figure its words, of a formula its names."""
    text = _FIGURE.sub(lambda found: alt_of(found[1]), text)
    text = _FORMULA.sub(lambda found: _COMMAND.sub(r" \1 ", found[0]).translate(_MARKS), text)
    text = re.sub(r"\[([^\[\]]*)\]\([^()]*\)", r"\1", text)
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f]|[*`#|]+|^ *- ", "", text, flags=re.MULTILINE)


def _shown(snippet: str) -> str:
    marked = " ".join(snippet.split())
    return marked.replace(_START, "[").replace(_END, "]")


def _command(kind: str, place: str) -> str:
    return f"{_COMMANDS[kind]} {place.partition('/')[2].partition('#')[0]}"
