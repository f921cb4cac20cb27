"""`tlcourse quiz`: the quizzes without the app – listed, taken line by line, and reviewed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tlcourse.cli import out, quiz_exchange
from tlcourse.cli.options import CourseFolder, Json, Plain
from tlcourse.cli.own_record import own_record
from tlcourse.errors import UsageError
from tlcourse.text import misspelt

if TYPE_CHECKING:
    from tlcourse.quiz.kinds import Question
    from tlcourse.quiz.kinds.question import Answer, Mark, OwnWords
    from tlcourse.student.record import Record

Tell = Callable[[str], None]
_NAMED = 12


def ask_all(
    questions: Sequence[tuple[str, Question]], course: str, record: Record, tell: Tell, *, shaded: bool = False
) -> list[dict[str, Any]]:
    """Ask each (quiz, question) in turn, keep each answer at once, and tell its reasons; ends with the input.

    Args:
        questions: What is asked.
        course: Under whose name answers are kept.
        record: Where they are kept.
        tell: Says a line.
        shaded: Whether the cells of tables have shades: on a terminal, which knows whether it has colours.

    Returns:
        One row for each answer given.
    """
    from tlcourse.presenting.prompt import in_words

    answers: list[dict[str, Any]] = []
    seed = record.seed(course)
    for number, (quiz, plain) in enumerate(questions, start=1):
        question = plain.realise(seed)
        tell(f"\n{number} of {len(questions)}  {in_words(question.prompt.strip())}")
        lines = question.sheet()
        if shaded and (listing := question.listing()):
            _show_shaded(listing)
            lines = lines[len(listing.splitlines()) :]
        for line in lines:
            tell(line)
        given = _ask(question, tell)
        if given is None:
            tell("\nStopped; the answers so far are kept.")
            break
        marked = question.mark(given)
        kept, right = question.named(given), question.named(marked.expected)
        record.record_answer(course, quiz, question.id, kept, correct=marked.correct)
        answers.append({"question": question.id, "answer": kept, "correct": marked.correct, "expected": right})
        _explain(question, given, marked, tell)
    return answers


def _shaded(json: bool, plain: bool) -> bool:
    return not json and not plain and sys.stdout.isatty()


def _show_shaded(listing: str) -> None:
    """A listing on the terminal, the cells of a table shaded by value."""
    from rich.console import Console
    from rich.text import Text

    from tlcourse.presenting.lesson import for_a_terminal
    from tlcourse.presenting.marks import heated

    for line in heated(listing):
        runs = ((run.text, for_a_terminal(run.style)) for run in line)
        Console(highlight=False).print(Text.assemble("    ", *runs), no_wrap=True, overflow="ignore", crop=False)


def _ask(question: Question, tell: Tell) -> Answer | None:
    """An answer that can be marked, or None at the end of the input. What cannot be read is asked for again."""
    while True:
        line = _line(f"Answer ({question.wanted()}): ")
        if line is None:
            return None
        if question.form == "words":
            if line.strip():
                return _own_words(question, line, tell)
            tell("Write a line first, in your own words.")
            continue
        try:
            return question.read(line)
        except ValueError as error:
            tell(str(error))


def _own_words(question: Question, text: str, tell: Tell) -> OwnWords | None:
    """The model answer, and the student's own judgement beside it."""
    from tlcourse.quiz.kinds.question import OwnWords

    for reason in question.reasons():
        tell(f"  {reason.label}: {reason.text}")
    while True:
        line = _line("Does yours say the same? (y or n): ")
        if line is None:
            return None
        if (word := line.strip().lower()) in ("y", "yes", "n", "no"):
            return OwnWords(text.strip(), word.startswith("y"))
        tell("y or n is expected.")


def _line(prompt: str) -> str | None:
    sys.stderr.write(prompt)
    sys.stderr.flush()
    return sys.stdin.readline() or None


def _explain(question: Question, given: Answer, marked: Mark, tell: Tell) -> None:
    """Right or wrong, and the reason of every option."""
    tell(("Right." if marked.correct else "Wrong.") + f"  (read: tlcourse lesson show {question.section})")
    if question.form == "words":
        return  # its reasons were shown before it was marked
    for reason in question.reasons(given):
        word = {None: ":", True: " right:", False: " wrong:"}[reason.right]
        tell(f"  {reason.label}{word} {reason.text}")


app = typer.Typer(help="Be quizzed.", no_args_is_help=True, rich_markup_mode=None)


@app.command("list")
def list_quizzes(course: CourseFolder = None, json: Json = False, plain: Plain = False) -> None:
    """All quizzes of the course."""
    from tlcourse.course.loader import load_course

    loaded = load_course(course)
    rows: list[dict[str, Any]] = []
    for unit in loaded.about.units:
        for name in unit.quizzes:
            quiz = loaded.quizzes[name]
            rows.append({"id": name, "title": quiz.title, "unit": unit.id, "questions": len(quiz.questions)})
        if unit.mixed:
            name = f"mixed-{unit.id}"
            title = loaded.title_of_mixed(name)
            rows.append({"id": name, "title": title, "unit": unit.id, "questions": unit.mixed})
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
    only: Annotated[
        str, typer.Option("--question", metavar="ID", help="Ask this one alone, as lessons place it.")
    ] = "",
    course: CourseFolder = None,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """Answer question by question; each answer is read as a line, and kept at once.

    A choice, and the wrong line of a listing, are answered by a letter; several choices by their letters together
    (ac); matches by one letter for each numbered line (bca); an order by all letters in the right order (dbac); a
    number by the number; a short answer by a line of text, and then by y or n to say whether it holds beside the
    model answer. A mixed quiz asks about all units so far, weak objectives first; lesson/UNIT asks what that lesson
    asks above the answers that the app folds.

    Options stand in another order at each visit; --json and the record name them by their text.
    """
    from tlcourse.course.loader import load_course
    from tlcourse.student.record import now
    from tlcourse.student.review import LESSON, mixed, recalled

    loaded = load_course(course)
    unit = name.removeprefix(LESSON) if name.startswith(LESSON) else ""
    lesson = recalled(loaded, unit) if unit in loaded.lessons else []
    if name not in loaded.quizzes and name not in loaded.mixed and not lesson:
        raise UsageError(
            f"There is no quiz {name!r}.",
            cause=misspelt(name, [*loaded.quizzes, *loaded.mixed, *(LESSON + unit for unit in loaded.lessons)]),
            remedy="list them with: tlcourse quiz list",
        )
    tell = out.note if json else out.say
    with own_record(matters=True) as record:
        if name in loaded.mixed:
            asked = mixed(loaded, record, name, now())
        elif lesson:
            asked = [(name, question) for question in lesson]
        else:
            asked = [(name, question) for question in loaded.quizzes[name].questions]
        if only:
            ids = [question.id for _, question in asked]
            if only not in ids:
                raise UsageError(
                    f"There is no question {only!r} in the quiz {name}.",
                    cause=misspelt(only, ids),
                    remedy=f"one of: {', '.join(ids[:_NAMED])}{', …' * (len(ids) > _NAMED)}",
                )
            asked = [one for one in asked if one[1].id == only]
        answers = ask_all(asked, loaded.about.id, record, tell, shaded=_shaded(json, plain))
        right = sum(answer["correct"] for answer in answers)
        if json:
            out.document({"schema": 2, "quiz": name, "right": right, "of": len(asked), "answers": answers})
        else:
            out.say(f"right: {right} of {len(asked)}" if plain else f"\n{right} of {len(asked)} right.")


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
    from tlcourse.student.record import now
    from tlcourse.student.review import due, in_words, next_due, weak_objectives

    loaded = load_course(course)
    tell = out.note if json else out.say
    with own_record(matters=True) as record:
        waiting = due(loaded, record, now())
        answers: list[dict[str, Any]] = []
        if not only_list:
            answers = ask_all(waiting[:most], loaded.about.id, record, tell, shaded=_shaded(json, plain))
        at = now()
        left = due(loaded, record, at)
        coming = next_due(loaded, record, at)
        weak = weak_objectives(loaded, record, at)
        right = sum(answer["correct"] for answer in answers)
        if json:
            then = coming.isoformat() if coming else None
            out.document(
                {"schema": 2, "due": len(left), "next": then, "right": right, "answers": answers, "weak": weak}
            )
            return
        if answers:
            out.say(f"right: {right} of {len(answers)}" if plain else f"\n{right} of {len(answers)} right.")
        if plain:
            out.say(f"due: {len(left)}\nnext: {in_words(coming, at)}")
        else:
            out.say(f"Due now: {len(left)}. The next question comes back {in_words(coming, at)}.")
        for goal in weak[:5]:
            out.say(f"Weak: {goal.text} (recall {goal.recall:.0%}; read: tlcourse lesson show {goal.unit})")


quiz_exchange.add_to(app)
