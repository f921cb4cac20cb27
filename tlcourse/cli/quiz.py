"""`tlcourse quiz`: the quizzes without the app."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tlcourse.cli import out
from tlcourse.cli.options import CourseFolder, Json, Plain
from tlcourse.errors import UsageError

if TYPE_CHECKING:
    from tlcourse.course.model import Question
    from tlcourse.quiz.marking import Mark

app = typer.Typer(help="Be quizzed.", no_args_is_help=True, rich_markup_mode=None)


@app.command("list")
def list_quizzes(course: CourseFolder = None, json: Json = False, plain: Plain = False) -> None:
    """All quizzes of the course."""
    from tlcourse.course.loader import load_course

    loaded = load_course(course)
    rows = [
        {"id": name, "title": quiz.title, "unit": unit.id, "questions": len(quiz.questions)}
        for unit in loaded.about.units
        for name in unit.quizzes
        if (quiz := loaded.quizzes.get(name))
    ]
    if json:
        out.document({"schema": 1, "quizzes": rows})
        return
    for row in rows:
        out.say(f"{row['id']:<28} {row['questions']:>2} questions  {row['title']}")
    if not plain:
        out.say("\nTake one with: tlcourse quiz take NAME")


@app.command("take")
def take(
    name: Annotated[str, typer.Argument(metavar="NAME", help="See: tlcourse quiz list")],
    course: CourseFolder = None,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """Answer question by question; each answer is read as a line, and kept at once.

    A choice is answered by its letter, several by their letters together (ac), a number by the number.
    """
    from tlcourse.course.loader import load_course
    from tlcourse.progress import Progress
    from tlcourse.quiz.marking import mark

    loaded = load_course(course)
    if name not in loaded.quizzes:
        raise UsageError(
            f"There is no quiz {name!r}.", cause="a spelling mistake.", remedy="list them with: tlcourse quiz list"
        )
    quiz = loaded.quizzes[name]
    tell = out.note if json else out.say
    answers: list[dict[str, Any]] = []
    with Progress.open() as record:
        for number, question in enumerate(quiz.questions, start=1):
            tell(f"\n{number} of {len(quiz.questions)}  {question.prompt.strip()}")
            for letter, option in zip("abcdefghij", question.options, strict=False):
                tell(f"  {letter}) {option.text}")
            given = _ask(question, tell)
            if given is None:
                tell("\nStopped; the answers so far are kept.")
                break
            marked = mark(question, given)
            record.record_answer(loaded.about.id, name, question.id, given, correct=marked.correct)
            answers.append({"question": question.id, "answer": given, "correct": marked.correct, "mark": marked})
            _explain(question, marked, tell, plain=plain)
    right = sum(answer["correct"] for answer in answers)
    if json:
        out.document({"schema": 1, "quiz": name, "right": right, "of": len(quiz.questions), "answers": answers})
    else:
        out.say(f"\n{right} of {len(quiz.questions)} right.")


def _ask(question: Question, tell: Any) -> Any:
    """An answer that can be marked, or None at the end of the input. What cannot be read is asked for again."""
    letters = "abcdefghij"[: len(question.options)]
    wanted = {
        "single": f"one letter of {letters}",
        "multiple": f"letters of {letters}, such as {letters[:2]}",
        "numeric": "a number",
    }[question.type]
    while True:
        sys.stderr.write(f"Answer ({wanted}): ")
        sys.stderr.flush()
        line = sys.stdin.readline()
        if not line:
            return None
        text = line.strip().lower().replace(",", "" if question.type == "multiple" else ".")
        if question.type == "numeric":
            try:
                return float(text)
            except ValueError:
                tell(f"{line.strip()!r} is not a number.")
        else:
            chosen = sorted({letters.index(letter) for letter in text if letter in letters})
            odd = [letter for letter in text if letter not in letters and not letter.isspace()]
            if chosen and not odd and (question.type == "multiple" or len(chosen) == 1):
                return chosen if question.type == "multiple" else chosen[0]
            tell(f"{line.strip()!r} is not an answer; expected {wanted}.")


def _explain(question: Question, marked: Mark, tell: Any, *, plain: bool) -> None:
    """Right or wrong, and the reason of every option."""
    tell(("Right." if marked.correct else "Wrong.") + f"  (taught in {question.section})")
    for letter, option in zip("abcdefghij", question.options, strict=False):
        tell(f"  {letter}) {'right' if option.correct else 'wrong'}: {option.reason}")
    if question.type == "numeric":
        tolerance = f" ± {question.tolerance:g}" if question.tolerance else ""
        tell(f"  {question.answer:g}{tolerance}: {question.reason}")
