"""A quiz: one question at a time, the reason of every option after it, and another round of what was missed."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Input, Static

from tlcourse.course.model import Quiz
from tlcourse.quiz.kinds import Question
from tlcourse.quiz.kinds.question import LETTERS, Answer, AnswerInput, Mark, OwnWords
from tlcourse.quiz.session import Session
from tlcourse.tui.screens.frame import CourseScreen
from tlcourse.tui.text import Text
from tlcourse.tui.widgets.choices import AnswerLine, AnswerLines, OwnWordsField


class QuizScreen(CourseScreen):
    """A visit to one quiz. Every answer is in the record before its reason is shown."""

    AREA = "quizzes"
    CSS_PATH = "quiz.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "Submit / next", id="quiz.submit"),
        Binding("space", "choose_here", "Choose", id="quiz.choose"),
        Binding("r", "retry", "Retry missed", id="quiz.retry"),
        Binding("a", "letter('a')", "All again", id="quiz.all", show=False),
        Binding("l", "lesson", "Lesson", id="quiz.lesson"),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("shift+down,J", "carry(1)", "Carry down", id="quiz.carry-down", show=False),
        Binding("shift+up,K", "carry(-1)", "Carry up", id="quiz.carry-up", show=False),
        Binding("y", "judge(True)", "Mine says the same", id="quiz.same", show=False),
        Binding("n", "judge(False)", "Mine does not", id="quiz.different", show=False),
        *(Binding(letter, f"letter('{letter}')", f"Option {letter}", show=False) for letter in LETTERS[1:]),
    ]

    def __init__(self, quiz: str) -> None:
        super().__init__()
        self.name_of_quiz = quiz
        self.answer_input: AnswerInput | None = None
        """The answer to the present question, as far as it was given with keys."""
        self._own = ""
        """A short answer that waits for its author's mark."""
        self._marked: Mark | None = None

    @property
    def quiz(self) -> Quiz:
        """What is asked."""
        return self.course_app.course.quizzes[self.name_of_quiz]

    @property
    def path(self) -> list[str]:
        """Title and kind."""
        return [self.quiz.title, "quiz"]

    @property
    def cli_equivalent(self) -> str:
        """The command that does the same."""
        return f"tlcourse quiz take {self.name_of_quiz}"

    def body(self) -> ComposeResult:
        """Heading, prompt, listing, the lines or a field for the answer, and what follows it."""
        with VerticalScroll(id="sheet", can_focus=False):
            yield Static(id="heading", markup=False)
            yield Static(id="prompt", markup=False)
            yield Static(id="listing", markup=False)
            yield AnswerLines(id="lines")
            yield Input(id="number", select_on_focus=False)
            yield OwnWordsField(id="own")
            yield Static(id="remark", markup=False)

    def on_mount(self) -> None:
        """Continue at the first question that was never answered."""
        super().on_mount()
        self.session = self.begin()
        self._show()

    def begin(self) -> Session:
        """The questions of this visit."""
        app = self.course_app
        app.record.keep_place(app.course.about.id, f"quiz/{self.name_of_quiz}")
        app.changed()
        course = app.course.about.id
        latest = app.record.latest_answers(course, self.name_of_quiz)
        return Session(self.quiz.questions, latest, app.record.seed(course))

    # -- showing ---------------------------------------------------------------------------------------------------

    def _show(self) -> None:
        """Show the present question, or the summary."""
        question = self.session.question
        self.answer_input = question.answer_input() if question else None
        self._marked, self._own = None, ""
        self._show_fields(question)
        if question is None:
            self._show_summary()
            return
        self._say("#heading", f"{self.heading(question)} · {question.asks}")
        self._say("#prompt", question.prompt.strip())
        self._say("#remark", question.hint)
        self.query_one("#sheet", VerticalScroll).scroll_home(animate=False)

    def heading(self, question: Question) -> str:
        """Which question this is."""
        left = f"{self.session.left} to go" if self.session.left > 1 else "the last one"
        return f"Question {self.session.position(question)} of {len(self.session.questions)} · {left}"

    def _show_fields(self, question: Question | None) -> None:
        """The lines, the field for a number or the one for own words: whichever the question needs."""
        form = question.form if question else "keys"
        number, own = self.query_one("#number", Input), self.query_one("#own", OwnWordsField)
        for field, shown in ((number, form == "line"), (own, form == "words")):
            field.display, field.disabled = shown, not shown
        number.value, own.text = "", ""
        number.placeholder = question.wanted() if question else ""
        listing = self.query_one("#listing", Static)
        text = question.listing() if question else ""
        listing.display = bool(text)
        listing.update(self.course_app.words(text))
        self._draw()
        self.set_focus(number if form == "line" else own if form == "words" else None)

    def _say(self, where: str, text: str) -> None:
        self.query_one(where, Static).update(self.course_app.words(text))

    def _draw(self, given: Answer | None = None) -> None:
        lines = self.answer_input.lines(given) if self.answer_input else []
        cursor = self.answer_input.cursor if self.answer_input and given is None else -1
        self.query_one(AnswerLines).fill(lines, cursor, self.course_app.words)

    def _show_summary(self) -> None:
        self._say("#heading", "The round is over" if self.session.questions else "Nothing to ask")
        self._say("#prompt", "\n".join(self.summary()))
        self._say("#remark", "")
        self.show_path()

    def summary(self) -> list[str]:
        """What is said at the end of a round."""
        missed = self.session.missed()
        lines = [f"{self.session.right} of {len(self.session.questions)} right."]
        if missed:
            lines.append(f"\nMissed: {len(missed)}. r asks them again.\n")
            lines += [f"• {question.topic()}\n  taught in {question.section}" for question in missed]
        else:
            lines.append("\nNothing is missed.")
        return [*lines, "\na asks everything again · l opens the lesson · esc goes back"]

    # -- answering -------------------------------------------------------------------------------------------------

    @property
    def _open(self) -> AnswerInput | None:
        """The answer, as long as keys can change it."""
        found = self.answer_input
        return found if self._marked is None and found and found.count else None

    @on(AnswerLine.Clicked)
    def clicked(self, event: AnswerLine.Clicked) -> None:
        """A click on a line does what space does there."""
        if self._open:
            self._open.cursor = event.place
            self.action_choose_here()

    def action_letter(self, letter: str) -> None:
        """Choose by letter; at the end of a round `a` asks everything again."""
        if self.session.question is None:
            if letter == "a":
                self.session.restart()
                self._show()
        elif self._open:
            self._open.letter(LETTERS.index(letter))
            self._redraw()

    def action_choose_here(self) -> None:
        """Choose the line under the cursor."""
        if self._open:
            self._open.space()
            self._redraw()

    def action_move(self, by: int) -> None:
        """Move the cursor; where there is none, scroll."""
        if self._open:
            self._open.move(by)
            self._redraw()
        else:
            sheet = self.query_one("#sheet", VerticalScroll)
            (sheet.scroll_down if by > 0 else sheet.scroll_up)(animate=False)

    def action_carry(self, by: int) -> None:
        """Carry a line of an order."""
        if self._open:
            self._open.carry(by)
            self._redraw()

    def _redraw(self) -> None:
        self._draw()
        self.query_one(AnswerLines).show_cursor()

    def action_submit(self) -> None:
        """Submit the answer; once it is marked, show the next question."""
        question = self.session.question
        if question is None or self.answer_input is None:
            self.tell("The round is over: r asks what was missed, esc goes back.")
        elif self._marked is not None:
            self.session.advance()
            self._show()
        elif question.form == "words":
            self._compare(question)
        else:
            try:
                self._mark(question, self._given(question, self.answer_input))
            except ValueError as error:
                self.tell(str(error))

    def _given(self, question: Question, answer_input: AnswerInput) -> Answer:
        if question.form == "keys":
            return answer_input.answer()
        text = self.query_one("#number", Input).value
        if not text.strip():
            raise ValueError(f"Type {question.wanted()} first.")
        return question.read(text)

    @on(Input.Submitted, "#number")
    @on(OwnWordsField.Submitted)
    def submitted(self, event: Input.Submitted | OwnWordsField.Submitted) -> None:
        """Enter in a field submits."""
        event.stop()
        self.action_submit()

    def _compare(self, question: Question) -> None:
        """Own words beside the model answer; their author says whether they hold."""
        own = self.query_one("#own", OwnWordsField)
        if self._own:
            self.tell("y if yours says the same, n if it does not.")
            return
        if not own.text.strip():
            self.tell("Write a line first, in your own words.")
            return
        self._own, own.disabled = own.text.strip(), True
        text = Text()
        for reason in question.reasons():
            text.append(f"{reason.label}: ", style="bold").append(self.course_app.words(reason.text) + "\n\n")
        self._remark(text.append("Does yours say the same?  y yes · n no", style="bold"))

    def action_judge(self, right: bool) -> None:
        """Mark a short answer as its author says."""
        question = self.session.question
        if question is not None and self._own and self._marked is None:
            self._mark(question, OwnWords(self._own, right))

    def _mark(self, question: Question, given: Answer) -> None:
        app = self.course_app
        marked = self.session.answer(given)
        self.keep(question, given, marked)
        app.changed()
        self._marked = marked
        self._draw(given)
        self.query_one("#number", Input).disabled = True
        word, colour = ("✓ Right.", "$good") if marked.correct else ("✗ Wrong.", "$bad")
        if question.form == "words":
            word = "✓ You marked it right." if marked.correct else "✗ You marked it wrong."
        text = Text().append(app.words(word), style=f"bold {colour}")
        if question.form != "keys":  # whose reasons stand beside the lines
            for reason in question.reasons(given):
                text.append(app.words(f"\n{reason.label}: {reason.text}"))
        text.append(app.words(f"\nTaught in {question.section} (l).   enter continues."), style="$muted")
        self._remark(text)
        self.show_path()

    def keep(self, question: Question, given: Answer, marked: Mark) -> None:
        """Write the answer into the record."""
        app = self.course_app
        app.record.record_answer(
            app.course.about.id, self.name_of_quiz, question.id, question.named(given), correct=marked.correct
        )

    def _remark(self, text: Text) -> None:
        remark = self.query_one("#remark", Static)
        remark.update(text)
        self.set_focus(None)
        self.call_after_refresh(remark.scroll_visible, animate=False)

    def action_retry(self) -> None:
        """Another round of what was missed."""
        if not self.session.missed():
            self.tell("Nothing was missed so far.")
        elif self.session.question is not None and self._marked is None and not self.session.complete:
            self.tell("Finish the round first; then r asks what was missed.")
        else:
            self.session.retry_missed()
            self._show()

    def action_lesson(self) -> None:
        """The section of the lesson where the question is taught."""
        question = self.session.question
        if question is None:
            place = self.place_after()
        elif self._marked is None:
            self.tell("Answer first; then l opens the section that teaches it.")
            return
        else:
            place = question.section
        if place.partition("#")[0] in self.course_app.course.lessons:
            self.course_app.go(f"lesson/{place}")
        else:
            self.tell("That lesson is not written yet.")

    def place_after(self) -> str:
        """The unit to read in after a round."""
        return next(unit.id for unit in self.course_app.course.about.units if self.name_of_quiz in unit.quizzes)
