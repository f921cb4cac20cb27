"""A quiz: one question at a time, the reason of every option after it, and another round of what was missed."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import Input, Static

from tlcourse.course.model import Quiz
from tlcourse.presenting.marks import share_bar
from tlcourse.quiz.kinds import Question
from tlcourse.quiz.kinds.question import LETTERS, Answer, AnswerInput, Mark, OwnWords
from tlcourse.quiz.session import Session
from tlcourse.text import counted
from tlcourse.tui.routes import place_in_words
from tlcourse.tui.screens.frame import CourseScreen
from tlcourse.tui.text import Text
from tlcourse.tui.widgets import round_view
from tlcourse.tui.widgets.choices import ANSWER_KEYS, AnswerLine, AnswerLines, OwnWordsField

_RESULT = 40
"""Columns of the bar of a result."""


class QuizScreen(CourseScreen):
    """A visit to one quiz. Every answer is in the record before its reason is shown."""

    AREA = "quizzes"
    CSS_PATH = "quiz.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "Submit", id="quiz.submit"),
        Binding("space", "choose_here", "Choose", id="quiz.choose"),
        Binding("r", "retry", "Retry missed", id="quiz.retry"),
        Binding("a", "letter('a')", "All again", id="quiz.all"),
        Binding("l", "lesson", "Lesson", id="quiz.lesson"),
        Binding("m", "mixed", "Mixed quiz", id="quiz.mixed"),
        *ANSWER_KEYS,
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
        self._before: dict[str, bool | None] = {}
        """Whether each question was right before this visit; None where it was never answered."""

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
        with Horizontal(id="quiz-panes"):
            with VerticalScroll(id="sheet", classes="pane", can_focus=False):
                yield Static(id="heading", markup=False)
                yield Static(id="prompt", markup=False)
                yield Static(id="listing", markup=False)
                yield AnswerLines(id="lines")
                yield Input(id="number", select_on_focus=False)
                yield OwnWordsField(id="own")
                yield Static(id="remark", markup=False)
            with Vertical(id="quiz-side"):
                yield Static(id="round", classes="pane", markup=False)
                yield Static(id="aim", classes="pane", markup=False)

    def on_mount(self) -> None:
        """Continue at the first question that was never answered."""
        super().on_mount()
        self.query_one("#round").border_title = "This round"
        self.query_one("#aim").border_title = "What it is about"
        self.session = self.begin()
        self._before = {
            question.id: mark for question, mark in zip(self.session.questions, self.session.marks, strict=True)
        }
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
        self.query_one("#sheet").border_title = f"Question {self.session.position(question)}"
        self._show_heading(f"{self.heading(question)} · {question.asks}")
        self._show_side(question)
        self.query_one("#prompt", Static).update(round_view.prompt(question, self.course_app.words))
        self._say("#remark", question.hint)
        self.query_one("#sheet", VerticalScroll).scroll_home(animate=False)

    def _show_heading(self, said: str) -> None:
        """The dots of the round, and which question this is."""
        text = round_view.dots(self.session, marked=self._marked is not None)
        self.query_one("#heading", Static).update(text.append(self.course_app.words(said), style="$muted"))

    def _show_side(self, question: Question | None) -> None:
        """What stands beside the question where there is room: the score, and what the question is about."""
        self.query_one("#round", Static).update(round_view.score(self.session))
        aim = self.query_one("#aim", Static)
        aim.display = question is not None
        if question is not None:
            goals = round_view.goals_of(self.course_app.course)
            said = Text(self.course_app.words(goals.get(question.objective, "")))
            if self._marked is not None:
                said.append(f"\n\n{self._where(question)} (l)", style="$muted")
            aim.update(said)

    def _where(self, question: Question) -> str:
        return round_view.taught_in(self.course_app.course, question)

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
        listing.update(round_view.listing(self.course_app.words(text)))
        self._draw()
        self.keys_changed()
        self.set_focus(number if form == "line" else own if form == "words" else None)

    def _say(self, where: str, text: str) -> None:
        self.query_one(where, Static).update(self.course_app.words(text))

    def _draw(self, given: Answer | None = None) -> None:
        lines = self.answer_input.lines(given) if self.answer_input else []
        cursor = self.answer_input.cursor if self.answer_input and given is None else -1
        self.query_one(AnswerLines).fill(lines, cursor, self.course_app.words)

    def _show_summary(self) -> None:
        self.query_one("#sheet").border_title = "Result"
        self._show_heading("The round is over" if self.session.questions else "Nothing to ask")
        self._show_side(None)
        text = Text(self.course_app.words("\n".join(self.summary())))
        if self.session.questions:
            share = self.session.right / len(self.session.questions)
            text = Text.of(share_bar(share, _RESULT)).append("\n\n").append_text(text)
            text.no_wrap, text.overflow = False, None
            words = self.course_app.words
            goals = {name: words(goal) for name, goal in round_view.goals_of(self.course_app.course).items()}
            text.append_text(round_view.by_objective(self.session, self._before, goals))
        if self.next_place:
            text.append(f"\n⏎ Next: {place_in_words(self.course_app.course, self.next_place)}", style="bold $next")
        self.query_one("#prompt", Static).update(text)
        self._say("#remark", "")
        self.query_one("#sheet", VerticalScroll).scroll_home(animate=False)
        self.show_path()
        self.keys_changed()

    @property
    def next_place(self) -> str:
        """Where enter leads after a round: what is not done yet in this unit, or after it."""
        return self.course_app.state.next_after(f"quiz/{self.name_of_quiz}")

    def works(self, action: str) -> bool:
        """Which keys the last line names: those that do something now."""
        over, asked = self.session.question is None, self._marked is None
        name = action.partition("(")[0]
        if name == "judge":
            return bool(self._own) and asked
        if name == "letter":
            return over and bool(self.session.questions) and action == "letter('a')"
        if name == "choose_here":
            return self._open is not None
        if name == "retry":
            return over and bool(self.session.missed())
        if name == "lesson":
            return over or not asked
        if name == "mixed":
            return over and bool(self.unit_of_mixed())
        if name == "submit":
            return not over or bool(self.next_place)
        return True

    def says(self, action: str) -> str:
        """What enter does now."""
        if action != "submit":
            return ""
        return "Next" if self.session.question is None or self._marked is not None else "Submit"

    def summary(self) -> list[str]:
        """What is said at the end of a round."""
        missed = self.session.missed()
        lines = [f"{self.session.right} of {len(self.session.questions)} right."]
        if missed:
            lines.append(f"\nMissed: {counted(len(missed), 'question')}. r asks again.\n")
            lines += [f"• {question.topic()}\n  {self._where(question)}" for question in missed]
        else:
            lines.append("\nNothing is missed.")
        if unit := self.unit_of_mixed():
            title = self.course_app.course.title_of_mixed(f"mixed-{unit}")
            lines.append(f"\nm goes on with the {title[0].lower()}{title[1:]}.")
        return lines

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
            if self.next_place:
                self.course_app.go(self.next_place, instead=True)
            else:
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
        self._remark(round_view.to_compare(question, self.course_app.words))

    def action_judge(self, right: bool) -> None:
        """Mark a short answer as its author says."""
        question = self.session.question
        if question is not None and self._own and self._marked is None:
            self._mark(question, OwnWords(self._own, right))

    def _mark(self, question: Question, given: Answer) -> None:
        app = self.course_app
        marked = self.session.answer(given)
        kept = app.course.about.id, self.quiz_of(question), question.id, question.named(given)
        app.record.record_answer(*kept, correct=marked.correct)
        app.changed()
        self._marked = marked
        self._draw(given)
        self.query_one("#number", Input).disabled = True
        text = round_view.marked(question, given, marked, app.words)
        text.append(app.words(f"\nTaught in {self._where(question)} (l).   enter continues."), style="$muted")
        self._show_heading(f"{self.heading(question)} · {question.asks}")
        self._show_side(question)
        self._remark(text)
        self.show_path()

    def quiz_of(self, question: Question) -> str:
        """Under which quiz its answer is kept."""
        return self.name_of_quiz

    def _remark(self, text: Text) -> None:
        remark = self.query_one("#remark", Static)
        remark.update(text)
        self.set_focus(None)
        self.keys_changed()
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

    def unit_of_mixed(self) -> str:
        """The quiz's unit where it ends with a mixed quiz, and else nothing."""
        units = self.course_app.course.about.units
        return next((unit.id for unit in units if unit.mixed and self.name_of_quiz in unit.quizzes), "")

    def action_mixed(self) -> None:
        """The mixed quiz after the quiz's unit, once its round is over."""
        if (unit := self.unit_of_mixed()) and self.session.question is None:
            self.course_app.go(f"mixed/{unit}")
        else:
            self.tell("A mixed quiz comes at the end of some units, after their quizzes; ctrl+p has them all.")

    def place_after(self) -> str:
        """The unit to read in after a round."""
        return next(unit.id for unit in self.course_app.course.about.units if self.name_of_quiz in unit.quizzes)
