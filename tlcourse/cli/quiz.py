"""`tlcourse quiz`: the quizzes without the app."""

from __future__ import annotations

from typing import Annotated

import typer

from tlcourse.cli import exchange, out
from tlcourse.cli.options import CourseFolder, Json, Plain
from tlcourse.cli.prompt import ask_all
from tlcourse.errors import UsageError

app = typer.Typer(help="Be quizzed.", no_args_is_help=True, rich_markup_mode=None)
app.command("export")(exchange.export_quizzes)
app.command("import")(exchange.import_quizzes)


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

    A choice, and the wrong line of a listing, are answered by a letter; several choices by their letters together
    (ac); matches by one letter for each numbered line (bca); an order by all letters in the right order (dbac); a
    number by the number; a short answer by a line of text, and then by y or n to say whether it holds beside the
    model answer.
    """
    from tlcourse.course.loader import load_course
    from tlcourse.student.record import Record

    loaded = load_course(course)
    if name not in loaded.quizzes:
        raise UsageError(
            f"There is no quiz {name!r}.", cause="a spelling mistake.", remedy="list them with: tlcourse quiz list"
        )
    quiz = loaded.quizzes[name]
    tell = out.note if json else out.say
    with Record.open() as record:
        answers = ask_all([(name, question) for question in quiz.questions], loaded.about.id, record, tell)
    right = sum(answer["correct"] for answer in answers)
    if json:
        out.document({"schema": 1, "quiz": name, "right": right, "of": len(quiz.questions), "answers": answers})
    else:
        out.say(f"right: {right} of {len(quiz.questions)}" if plain else f"\n{right} of {len(quiz.questions)} right.")


@app.command("review")
def review(
    only_list: Annotated[
        bool, typer.Option("--list", help="Only say what is due and which objectives are weak.")
    ] = False,
    most: Annotated[int, typer.Option("--most", min=1, help="Questions in this round at most.")] = 20,
    course: CourseFolder = None,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """Answer what is due again: missed questions after ten minutes, others after days, when they would be forgotten.

    Answers are read as by `quiz take`. A question enters the schedule when it is first answered anywhere.
    """
    from tlcourse.course.loader import load_course
    from tlcourse.student.record import Record, now
    from tlcourse.student.review import due, in_words, next_due, weak_objectives

    loaded = load_course(course)
    tell = out.note if json else out.say
    with Record.open() as record:
        waiting = due(loaded, record, now())
        answers = [] if only_list else ask_all(waiting[:most], loaded.about.id, record, tell)
        at = now()
        left = due(loaded, record, at)
        coming = next_due(loaded, record, at)
        weak = weak_objectives(loaded, record, at)
    right = sum(answer["correct"] for answer in answers)
    if json:
        then = coming.isoformat() if coming else None
        out.document({"schema": 1, "due": len(left), "next": then, "right": right, "answers": answers, "weak": weak})
        return
    if answers:
        out.say(f"right: {right} of {len(answers)}" if plain else f"\n{right} of {len(answers)} right.")
    if plain:
        out.say(f"due: {len(left)}\nnext: {in_words(coming, at)}")
    else:
        out.say(f"Due now: {len(left)}. The next question comes back {in_words(coming, at)}.")
    for goal in weak[:5]:
        out.say(f"Weak: {goal.text} (recall {goal.recall:.0%}; read: tlcourse lesson show {goal.unit})")
