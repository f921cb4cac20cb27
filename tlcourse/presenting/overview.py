"""How far a student is, in words: for the command, the screen, and as a document."""

from __future__ import annotations

from collections.abc import Iterator

from tlcourse.student.overview import Overview


def lines(state: Overview) -> Iterator[str]:
    """The overview, one fact a line."""
    yield f"{state.title}: {totals(state)}"
    for unit in state.units:
        facts = []
        if unit.written:
            facts.append("read" if unit.read else f"not read ({unit.minutes} min)")
        facts += [f"quiz {quiz.id}: {quiz.words}" for quiz in unit.quizzes]
        facts += [f"exercise {exercise.id}: {exercise.words}" for exercise in unit.exercises]
        facts += [f"write {one.id}: {one.words}" for one in unit.write_its]
        yield f"{unit.number:2}  {unit.title}: {'; '.join(facts) or 'not written yet'}"
    for unit in state.units:
        for quiz in unit.quizzes:
            if quiz.missed:
                yield f"To review: {len(quiz.missed)} missed in {quiz.title}: tlcourse quiz take {quiz.id}"
    if state.due:
        yield f"Due for review: {state.due}: tlcourse quiz review"
    yield f"Next: {_command(state.next)}" if state.next else "All that is written is done."


def totals(state: Overview) -> str:
    """The three totals in one line."""
    (read, lessons), (right, questions), (passed, exercises) = state.lessons, state.questions, state.exercises
    asked = f"{right} of {questions} questions right"
    written, methods = state.write_its
    also = f", {written} of {methods} methods written" if methods else ""
    return f"{read} of {lessons} lessons read, {asked}, {passed} of {exercises} exercises passed{also}"


def _command(place: str) -> str:
    """The command that does what a place of the app does."""
    kind, _, name = place.partition("/")
    words = {"lesson": "tlcourse lesson show", "quiz": "tlcourse quiz take", "exercise": "tlcourse exercise show"}
    return f"{words[kind]} {name}"


def markdown(state: Overview) -> str:
    """The overview as a Markdown document."""
    rows = ["| unit | lesson | quizzes | exercises | methods to write |", "|---|---|---|---|---|"]
    for unit in state.units:
        lesson = ("read" if unit.read else "not read") if unit.written else "not written yet"
        quizzes = ", ".join(f"{quiz.title}: {quiz.words}" for quiz in unit.quizzes)
        exercises = ", ".join(f"{exercise.title}: {exercise.words}" for exercise in unit.exercises)
        written = ", ".join(f"{one.title}: {one.words}" for one in unit.write_its)
        rows.append(f"| {unit.number}. {unit.title} | {lesson} | {quizzes} | {exercises} | {written} |")
    asked = [(unit, objective) for unit in state.units for objective in unit.objectives if objective.answered]
    text = f"# {state.title}\n\n{totals(state)}.\n\n" + "\n".join(rows) + "\n"
    if asked:
        text += "\n## By learning objective\n\n| objective | right | answered |\n|---|---|---|\n"
        text += "".join(f"| {goal.text} | {goal.right} | {goal.answered} of {goal.questions} |\n" for _, goal in asked)
    return text
