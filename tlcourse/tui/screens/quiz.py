"""A quiz: one question at a time, the reason of every option after it, and another round of what was missed."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Input, Static

from tlcourse.course.model import Question, Quiz
from tlcourse.quiz.marking import Answer, Mark
from tlcourse.quiz.session import Session
from tlcourse.tui.screens.frame import CourseScreen

_LETTERS = "abcdefghij"
_KINDS = {"single": "one answer is right", "multiple": "several may be right", "numeric": "a number"}


class ReasonLine(Static):
    """Whether an option is right, and why; shown after the answer."""


class OptionLine(Static):
    """One option: a mark, a letter and its text."""

    def __init__(self, index: int) -> None:
        super().__init__(classes="option", markup=False)
        self.index = index

    def on_click(self, event: events.Click) -> None:
        """A click chooses."""
        screen = self.screen
        if isinstance(screen, QuizScreen):
            screen.choose(self.index)


class QuizScreen(CourseScreen):
    """A visit to one quiz. Every answer is in the record before its reason is shown."""

    CSS_PATH = "quiz.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "Submit / next", id="quiz.submit"),
        Binding("space", "choose_here", "Choose", id="quiz.choose"),
        Binding("r", "retry", "Retry missed", id="quiz.retry"),
        Binding("a", "letter('a')", "All again", id="quiz.all", show=False),
        Binding("l", "lesson", "Lesson", id="quiz.lesson"),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("up,k", "move(-1)", "Up", show=False),
        *(Binding(letter, f"letter('{letter}')", f"Option {letter}", show=False) for letter in _LETTERS[1:9]),
    ]

    def __init__(self, quiz: str) -> None:
        super().__init__()
        self.name_of_quiz = quiz
        self._chosen: set[int] = set()
        self._cursor = 0
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
    def twin(self) -> str:
        """The command that does the same."""
        return f"tlcourse quiz take {self.name_of_quiz}"

    def body(self) -> ComposeResult:
        """Heading, prompt, options or a field for a number, and what follows the answer."""
        with VerticalScroll(id="sheet", can_focus=False):
            yield Static(id="heading", markup=False)
            yield Static(id="prompt", markup=False)
            for index in range(len(_LETTERS)):
                yield OptionLine(index)
                yield ReasonLine(classes="reason", markup=False)
            yield Input(id="number", placeholder="a number, such as 0.25", select_on_focus=False)
            yield Static(id="remark", markup=False)

    def on_mount(self) -> None:
        """Go on at the first question that was never answered."""
        super().on_mount()
        app = self.course_app
        course = app.course.about.id
        app.record.keep_place(course, f"quiz/{self.name_of_quiz}")
        app.changed()
        self.session = Session(self.quiz, app.record.latest_answers(course, self.name_of_quiz))
        self._show()

    # -- showing ---------------------------------------------------------------------------------------------------

    def _show(self) -> None:
        """The present question afresh, or the summary."""
        self._chosen, self._cursor, self._marked = set(), 0, None
        question = self.session.question
        number = self.query_one("#number", Input)
        number.display = question is not None and question.type == "numeric"
        number.disabled = not number.display
        number.value = ""
        self.query_one("#remark", Static).update("")
        if question is None:
            self._show_summary()
            return
        of = len(self.quiz.questions)
        position = self.quiz.questions.index(question) + 1
        left = f"{self.session.left} to go" if self.session.left > 1 else "the last one"
        kind = {"single": "one answer is right", "multiple": "several may be right", "numeric": "a number"}[
            question.type
        ]
        self._say("#heading", f"Question {position} of {of} · {left} · {kind}")
        self._say("#prompt", question.prompt.strip())
        self._draw_options(question)
        if number.display:
            number.focus()
        else:
            self.set_focus(None)
        self.query_one("#sheet", VerticalScroll).scroll_home(animate=False)

    def _say(self, where: str, text: str) -> None:
        self.query_one(where, Static).update(self.course_app.words(text))

    def _draw_options(self, question: Question | None) -> None:
        for line, reason in zip(self.query(OptionLine), self.query(ReasonLine), strict=True):
            line.display = question is not None and line.index < len(question.options)
            reason.display = line.display and self._marked is not None
            if line.display and question is not None:
                line.update(self._option(question, line.index))
                reason.update(self._reason(question, line.index))
                line.set_class(line.index == self._cursor and self._marked is None, "-cursor")

    def _option(self, question: Question, index: int) -> Text:
        chosen = index in self._chosen
        box = ("[x]" if chosen else "[ ]") if question.type == "multiple" else ("(•)" if chosen else "( )")
        return Text(f"{box} {_LETTERS[index]})  {self.course_app.words(question.options[index].text)}")

    def _reason(self, question: Question, index: int) -> Text:
        option = question.options[index]
        word, colour = ("✓ right", "#009E73") if option.correct else ("✗ wrong", "#D55E00")
        mine = ", your answer" if index in self._chosen else ""
        text = Text(f"{word}{mine}: ", style=f"bold {colour}")
        return text.append(self.course_app.words(option.reason), style="not bold #E6E6E6")

    def _show_summary(self) -> None:
        session = self.session
        self._draw_options(None)
        of = len(self.quiz.questions)
        self._say("#heading", "The round is over")
        lines = [f"{session.right} of {of} right."]
        missed = session.missed()
        if missed:
            lines.append(f"\nMissed: {len(missed)}. r asks them again.\n")
            lines += [f"• {question.prompt.strip()}\n  taught in {question.section}" for question in missed]
        else:
            lines.append("\nNothing is missed.")
        lines.append("\na asks everything again · l opens the lesson · esc goes back")
        self._say("#prompt", "\n".join(lines))
        self.set_focus(None)
        self.show_path()

    # -- answering -------------------------------------------------------------------------------------------------

    def choose(self, index: int) -> None:
        """Take an option, or take it back."""
        question = self.session.question
        if question is None or self._marked is not None or index >= len(question.options):
            return
        self._cursor = index
        if question.type == "multiple":
            self._chosen ^= {index}
        else:
            self._chosen = {index}
        self._draw_options(question)

    def action_letter(self, letter: str) -> None:
        """Choose by letter; at the end of a round `a` asks everything again."""
        if self.session.question is None:
            if letter == "a":
                self.session.restart()
                self._show()
            return
        self.choose(_LETTERS.index(letter))

    def action_choose_here(self) -> None:
        """Choose the option under the cursor."""
        self.choose(self._cursor)

    def action_move(self, by: int) -> None:
        """Move the cursor; after the answer, scroll."""
        question = self.session.question
        if question is None or self._marked is not None or not question.options:
            sheet = self.query_one("#sheet", VerticalScroll)
            (sheet.scroll_down if by > 0 else sheet.scroll_up)(animate=False)
            return
        self._cursor = (self._cursor + by) % len(question.options)
        self._draw_options(question)
        self.query(OptionLine)[self._cursor].scroll_visible(animate=False)

    def action_submit(self) -> None:
        """Hand in the answer; once it is marked, go on."""
        question = self.session.question
        if question is None:
            self.tell("The round is over: r asks what was missed, esc goes back.")
        elif self._marked is not None:
            self.session.advance()
            self._show()
        elif question.type == "numeric":
            self._submit_number(self.query_one("#number", Input).value)
        elif not self._chosen:
            self.tell("Choose first: a letter, or space on an option.")
        else:
            given: Answer = sorted(self._chosen) if question.type == "multiple" else next(iter(self._chosen))
            self._mark(question, given)

    @on(Input.Submitted, "#number")
    def number_submitted(self, event: Input.Submitted) -> None:
        """Enter in the field hands in the number."""
        event.stop()
        self.action_submit()

    def _submit_number(self, text: str) -> None:
        question = self.session.question
        try:
            value = float(text.strip().replace(",", ".").replace("−", "-"))
        except ValueError:
            self.tell(f"{text.strip()!r} is not a number." if text.strip() else "Type a number first.")
            return
        if question is not None:
            self._mark(question, value)

    def _mark(self, question: Question, given: Answer) -> None:
        app = self.course_app
        marked = self.session.answer(given)
        app.record.record_answer(app.course.about.id, self.name_of_quiz, question.id, given, correct=marked.correct)
        app.changed()
        self._marked = marked
        self._draw_options(question)
        number = self.query_one("#number", Input)
        number.disabled = True
        text = Text()
        word, colour = ("✓ Right.", "#009E73") if marked.correct else ("✗ Wrong.", "#D55E00")
        text.append(word, style=f"bold {colour}")
        if question.type == "numeric":
            slack = f" ± {question.tolerance:g}" if question.tolerance else ""
            text.append(app.words(f" {question.answer:g}{slack}. {question.reason}"))
        text.append(app.words(f"\nTaught in {question.section} (l).   enter goes on."), style="dim")
        remark = self.query_one("#remark", Static)
        remark.update(text)
        self.set_focus(None)
        self.show_path()
        self.call_after_refresh(remark.scroll_visible, animate=False)

    def action_retry(self) -> None:
        """Another round of what was missed."""
        if not self.session.missed():
            self.tell("Nothing was missed so far.")
        elif (
            self.session.question is not None
            and self._marked is None
            and self.session.answered < len(self.quiz.questions)
        ):
            self.tell("Finish the round first; then r asks what was missed.")
        else:
            self.session.retry_missed()
            self._show()

    def action_lesson(self) -> None:
        """The section of the lesson where the question is taught."""
        question = self.session.question
        if question is None:
            unit = next(unit for unit in self.course_app.course.about.units if self.name_of_quiz in unit.quizzes)
            place = unit.id
        elif self._marked is None:
            self.tell("Answer first; then l opens the section that teaches it.")
            return
        else:
            place = question.section
        if place.partition("#")[0] in self.course_app.course.lessons:
            self.course_app.go(f"lesson/{place}")
        else:
            self.tell("That lesson is not written yet.")
