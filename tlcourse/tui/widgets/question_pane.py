"""A question that a lesson places below a section: answered there with the keys of a quiz, marked, and explained."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, Static

from tlcourse.presenting.lesson import Placed
from tlcourse.quiz.kinds import Question
from tlcourse.quiz.kinds.question import LETTERS, Answer, AnswerInput, Mark, OwnWords
from tlcourse.tui.text import Text
from tlcourse.tui.widgets import round_view
from tlcourse.tui.widgets.choices import ANSWER_KEYS, AnswerLine, AnswerLines, OwnWordsField

Keep = Callable[[Placed, Answer, Mark], None]
"""What is done with a marked answer, before its reasons are shown."""
_BEFORE = {True: "✓ right last time", False: "↻ wrong last time", None: ""}


class QuestionPane(Vertical, can_focus=True):
    """One question. On a slide nobody answers: there its answer is folded, and `unfold` shows it.

    Args:
        draw: The question as it is asked now, in another order each time.
        keep: Writes an answer into the record; None: it is on a slide.
        words: How a text is shown on this terminal.
    """

    DEFAULT_CSS = """
    QuestionPane {
        height: auto;
        padding: 0 1;
        border: round $line;
        border-title-color: $muted;
        border-title-style: bold;
        border-subtitle-color: $muted;
        &:focus, &:focus-within {
            border: round $next;
            border-title-color: $next;
        }
        & > .prompt {
            margin: 0 0 1 0;
        }
        & > .listing {
            margin: 0 0 1 2;
        }
        & > .remark {
            margin: 1 0 0 0;
        }
        & > Input {
            width: 40;
            max-width: 100%;
        }
        & > OwnWordsField {
            height: 5;
        }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "Submit", id="quiz.submit"),
        Binding("space", "choose_here", "Choose", id="quiz.choose"),
        Binding("r", "retry", "Ask again", id="quiz.retry"),
        *ANSWER_KEYS,
        Binding("escape", "leave", "Back to the text", show=False),
        *(Binding(letter, f"letter('{letter}')", f"Option {letter}", show=False) for letter in LETTERS),
    ]

    def __init__(self, draw: Callable[[], Placed], keep: Keep | None, words: Callable[[str], str]) -> None:
        super().__init__()
        self._draw_anew, self._keep, self._words = draw, keep, words
        self.can_focus = keep is not None
        self.set_class(keep is None, "-folded")
        self._begin()

    def _begin(self) -> None:
        self.placed = self._draw_anew()
        self.answer_input: AnswerInput = self.question.answer_input()
        self.marked: Mark | None = None
        self._own = ""
        """A short answer that waits for its author's mark."""

    @property
    def question(self) -> Question:
        """As it is asked now."""
        return self.placed.question

    def compose(self) -> ComposeResult:
        """Prompt, listing, the lines or the field of the answer, and what is said below them."""
        yield Static(classes="prompt", markup=False)
        if self.question.listing():
            yield Static(classes="listing", markup=False)
        if lines := self.answer_input.lines():
            yield AnswerLines(len(lines))
        if self._keep is not None and self.question.form == "line":
            yield Input(select_on_focus=False)
        elif self._keep is not None and self.question.form == "words":
            yield OwnWordsField()
        yield Static(classes="remark", markup=False)

    def on_mount(self) -> None:
        """Ask; where the pane goes with its screen meanwhile, its lines have not come."""
        self.border_title = "Question"
        if self.children:
            self._show()

    def _show(self) -> None:
        words, question = self._words, self.question
        self.border_subtitle = _BEFORE[self.placed.right]
        self.query_one(".prompt", Static).update(round_view.prompt(question, words, "bold"))
        for listing in self.query(".listing").results(Static):
            listing.update(round_view.listing(words(question.listing())))
        for field in self._fields:
            field.disabled = False
        for number in self.query(Input):
            number.value, number.placeholder = "", question.wanted()
        for own in self.query(OwnWordsField):
            own.text = ""
        self._redraw()
        self._say_how()

    @property
    def _fields(self) -> list[Input | OwnWordsField]:
        return [*self.query(Input), *self.query(OwnWordsField)]

    @property
    def _active(self) -> bool:
        return self.has_focus or self.has_focus_within

    def _say_how(self) -> None:
        if self._keep is None:
            self._remark(Text())
            return
        said = self.question.hint if self._active else f"⏎ answers it here. {self.question.asks.capitalize()}."
        self._remark(Text(self._words(said), style="$muted" if self._active else "$next"))

    def _remark(self, text: Text) -> None:
        remark = self.query_one(".remark", Static)
        remark.display = bool(text)
        remark.update(text)

    def _redraw(self, given: Answer | None = None) -> None:
        cursor = self.answer_input.cursor if self._open and self.has_focus else -1
        for lines in self.query(AnswerLines):
            lines.fill(self.answer_input.lines(given), cursor, self._words)

    # -- the focus -------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Go to the answer: to the field where it is typed, else to the lines."""
        waiting = [field for field in self._fields if not field.disabled]
        (waiting[0] if waiting else self).focus()
        self.call_after_refresh(self.scroll_visible, animate=False)

    def on_descendant_focus(self) -> None:
        """A field of it is written in."""
        self._look_alive()

    def on_descendant_blur(self) -> None:
        """Another place has the keys."""
        self._look_alive()

    def on_focus(self) -> None:
        """The cursor shows which line is meant."""
        self._look_alive()

    def on_blur(self) -> None:
        """Another place has the keys."""
        self._look_alive()

    def _look_alive(self) -> None:
        if self.is_mounted and self.marked is None and not self._own:
            self._redraw()
            self._say_how()

    def action_leave(self) -> None:
        """Back to the text."""
        self.screen.query_one("#page").focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What does nothing here is left to the lesson: its keys mean what they always do."""
        if action in ("letter", "choose_here", "carry"):
            return self._open and bool(self.answer_input.count)
        if action == "move":
            return self._open and self.answer_input.count > 1
        if action == "judge":
            return bool(self._own) and self.marked is None
        return self.marked is not None if action == "retry" else True

    # -- answering -------------------------------------------------------------------------------------------------

    @property
    def _open(self) -> bool:
        return self.marked is None and self._keep is not None

    @on(AnswerLine.Clicked)
    def clicked(self, event: AnswerLine.Clicked) -> None:
        """A click on a line does what space does there."""
        event.stop()
        if self._open and self.answer_input.count:
            self.focus()
            self.answer_input.cursor = event.place
            self.action_choose_here()

    def action_letter(self, letter: str) -> None:
        """Choose by letter."""
        self.answer_input.letter(LETTERS.index(letter))
        self._redraw()

    def action_choose_here(self) -> None:
        """Choose the line under the cursor."""
        self.answer_input.space()
        self._redraw()

    def action_move(self, by: int) -> None:
        """Move the cursor."""
        self.answer_input.move(by)
        self._redraw()
        for lines in self.query(AnswerLines):
            lines.show_cursor()

    def action_carry(self, by: int) -> None:
        """Carry a line of an order."""
        self.answer_input.carry(by)
        self._redraw()

    def action_submit(self) -> None:
        """Mark the answer; once it is marked, go back to the text."""
        if self.marked is not None:
            self.action_leave()
        elif self.question.form == "words":
            self._compare()
        else:
            try:
                self._mark(self._given())
            except ValueError as error:
                self._tell(str(error))

    def _given(self) -> Answer:
        if self.question.form == "keys":
            return self.answer_input.answer()
        text = self.query_one(Input).value
        if not text.strip():
            raise ValueError(f"Type {self.question.wanted()} first.")
        return self.question.read(text)

    @on(Input.Submitted)
    @on(OwnWordsField.Submitted)
    def submitted(self, event: Input.Submitted | OwnWordsField.Submitted) -> None:
        """Enter in a field submits."""
        event.stop()
        self.action_submit()

    def _compare(self) -> None:
        own = self.query_one(OwnWordsField)
        if self._own:
            self._tell("y if yours says the same, n if it does not.")
        elif not own.text.strip():
            self._tell("Write a line first, in your own words.")
        else:
            self._own = own.text.strip()
            self._answered()
            self._remark(round_view.to_compare(self.question, self._words))
            self.call_after_refresh(self._show_what_came)

    def action_judge(self, right: bool) -> None:
        """Mark a short answer as its author says."""
        self._mark(OwnWords(self._own, right))

    def _mark(self, given: Answer) -> None:
        self.marked = self.question.mark(given)
        if self._keep is not None:
            self._keep(self.placed, given, self.marked)
        self._answered()
        self._redraw(given)
        self.border_subtitle = ""
        text = round_view.marked(self.question, given, self.marked, self._words)
        self._remark(text.append(self._words("\n⏎ back to the text · r asks it again"), style="$muted"))
        self.call_after_refresh(self._show_what_came)

    def _answered(self) -> None:
        """Fields are closed, and the pane itself has the keys."""
        for field in self._fields:
            field.disabled = True
        self.focus(scroll_visible=False)
        self.screen.refresh_bindings()

    def _show_what_came(self) -> None:
        """As much of the pane as there is room for, its end first: once it is as tall as it gets."""
        for remark in self.query(".remark"):
            remark.call_after_refresh(remark.scroll_visible, animate=False)

    def action_retry(self) -> None:
        """Ask it again, in another order."""
        self._begin()
        self._show()
        self.screen.refresh_bindings()
        self.begin()

    def unfold(self) -> None:
        """On a slide: show what is right, and why."""
        self.remove_class("-folded")
        given = self.question.solution()
        self._redraw(given)
        text = Text()
        if self.question.form != "keys":
            for reason in self.question.reasons(given):
                text.append(f"{self._words(reason.label)}: ", style="bold $good")
                text.append(f"{self._words(reason.text)}\n")
        self._remark(text)

    def _tell(self, text: str) -> None:
        self.notify(text, severity="warning", timeout=4, markup=False)
