"""Spaced review: what is due, from all quizzes, in one round."""

from __future__ import annotations

from tlcourse.quiz.kinds import Question
from tlcourse.quiz.session import Session
from tlcourse.student.record import now
from tlcourse.student.review import due, in_words, mixed, next_due, weak_objectives
from tlcourse.tui.screens.quiz import QuizScreen

MOST = 20
"""Questions in one round: about a quarter of an hour."""


class ReviewScreen(QuizScreen):
    """A round over the questions that are due; answers are kept under the quiz that each comes from."""

    AREA = "quizzes"

    def __init__(self) -> None:
        super().__init__("")
        self._from: dict[str, str] = {}
        self._round: list[Question] = []

    @property
    def path(self) -> list[str]:
        """One word."""
        return ["Review"]

    @property
    def cli_equivalent(self) -> str:
        """The command that does the same."""
        return "tlcourse quiz review"

    def chosen(self) -> list[tuple[str, Question]]:
        """(quiz, question) of this round: what is due by now."""
        app = self.course_app
        return due(app.course, app.record, now())[:MOST]

    def begin(self) -> Session:
        """The round; the questions keep the quizzes that they come from."""
        app = self.course_app
        for quiz, question in self.chosen():
            self._from[question.id] = quiz
            self._round.append(question)
        return Session(self._round, {}, app.record.seed(app.course.about.id))

    def quiz_of(self, question: Question) -> str:
        """Its own."""
        return self._from[question.id]

    def summary(self) -> list[str]:
        """What comes next, and which objectives are weak."""
        app, at = self.course_app, now()
        left = len(due(app.course, app.record, at))
        asked = len(self._round)
        lines = [f"{self.session.right} of {asked} right." if asked else "Nothing is due."]
        if left:
            lines.append(f"{left} more {'is' if left == 1 else 'are'} due.")
        lines.append(f"The next question comes back {in_words(next_due(app.course, app.record, at), at)}.")
        weak = weak_objectives(app.course, app.record, at)
        if weak:
            lines.append("\nWeak objectives, the weakest first:\n")
            lines += [f"• {goal.text} ({goal.recall:.0%}, {goal.unit})" for goal in weak[:5]]
        return [*lines, "\nl opens the lesson of the weakest."] if weak else lines

    def place_after(self) -> str:
        """The unit of the weakest objective, or the first one."""
        app = self.course_app
        weak = weak_objectives(app.course, app.record, now())
        return weak[0].unit if weak else app.course.about.units[0].id


class MixedScreen(ReviewScreen):
    """A round over all units so far, weak objectives first; answers are kept under the quiz that each comes from."""

    def __init__(self, unit: str) -> None:
        super().__init__()
        self._mixed = f"mixed-{unit}"

    @property
    def path(self) -> list[str]:
        """Title and kind."""
        return [self.course_app.course.title_of_mixed(self._mixed), "quiz"]

    @property
    def cli_equivalent(self) -> str:
        """The command that does the same."""
        return f"tlcourse quiz take {self._mixed}"

    def chosen(self) -> list[tuple[str, Question]]:
        """(quiz, question) of this round."""
        app = self.course_app
        return mixed(app.course, app.record, self._mixed, now())
