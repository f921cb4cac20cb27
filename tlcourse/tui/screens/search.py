"""Search: words at the top, the places that have them below; enter opens one."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from tlcourse.course.search import Hit, Index
from tlcourse.errors import TlcourseError
from tlcourse.tui.screens.frame import CourseScreen
from tlcourse.tui.text import Text
from tlcourse.tui.widgets.choices import Choices

_SYMBOLS = {"lesson": "≡", "question": "?", "lab": "▶", "exercise": "◐", "write": "□"}


class SearchScreen(CourseScreen):
    """Lessons, questions, labs and exercises by their words."""

    CSS_PATH = "search.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Open", id="search.open", priority=True),
        Binding("slash", "words", "Words", key_display="/", id="search.words"),
        Binding("down", "move(1)", "Down", show=False),
        Binding("up", "move(-1)", "Up", show=False),
        Binding("j", "move(1)", "Down", show=False),
        Binding("k", "move(-1)", "Up", show=False),
    ]

    def __init__(self, words: str = "") -> None:
        super().__init__()
        self._first = words
        self._index: Index | None = None
        self._problem = ""
        self.hits: list[Hit] = []

    @property
    def path(self) -> list[str]:
        """One word."""
        return ["Search"]

    @property
    def cli_equivalent(self) -> str:
        """The command that does the same."""
        return "tlcourse search WORDS"

    def body(self) -> ComposeResult:
        """The field, what is to be said, and the hits."""
        yield Input(self._first, placeholder="Words, or their beginnings; esc goes back", id="words")
        yield Static(id="said", markup=False)
        yield Choices(id="hits")

    def on_mount(self) -> None:
        """Have the index made, and wait for words."""
        super().on_mount()
        self.query_one("#words").focus()
        self._say("Reading the course …")
        self.run_worker(self._make_index(), group="index", exclusive=True, exit_on_error=False)

    async def _make_index(self) -> None:
        """In another thread, so that typing can begin at once; what was typed meanwhile is then looked for."""
        app = self.course_app
        try:
            self._index = await asyncio.to_thread(lambda: Index(app.course, app.labs))
        except TlcourseError as error:
            self._problem = "\n".join(error.lines())
            self._say(self._problem)
            return
        self._find(self.query_one("#words", Input).value)

    def _say(self, text: str) -> None:
        self.query_one("#said", Static).update(self.course_app.words(text))

    @on(Input.Changed, "#words")
    def search(self, event: Input.Changed) -> None:
        """The list follows what is typed, once there is an index."""
        if self._index is not None:
            self._find(event.value)

    def _find(self, words: str) -> None:
        assert self._index is not None, "nobody looks before it is made"
        self.hits = self._index.find(words)
        hits = self.query_one("#hits", OptionList)
        hits.clear_options()
        hits.add_options([Option(self._line(hit)) for hit in self.hits])
        hits.highlighted = 0 if self.hits else None
        if self.hits:
            self._say(f"{len(self.hits)} found; enter opens the one under the cursor.")
        elif words.strip():
            self._say("Nothing has all these words. Fewer words, or the beginning of one, find more.")
        else:
            self._say("Lessons, the prompts of questions, labs and exercises.")

    def _line(self, hit: Hit) -> Text:
        words = self.course_app.words
        text = Text(words(f"{_SYMBOLS[hit.kind]} {hit.kind}: {hit.title}\n"))
        return text.append(words(f"    {hit.snippet}"), style="dim")

    @on(OptionList.OptionSelected, "#hits")
    def chosen(self) -> None:
        """A click; the key itself is taken before field and list see it."""
        self.action_open()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """In the field `/` is a letter; see the app's."""
        return not (action == "words" and isinstance(self.focused, Input))

    def action_open(self) -> None:
        """Open the place under the cursor."""
        at = self.query_one("#hits", OptionList).highlighted
        if at is None or not self.hits:
            reading = self._index is None and not self._problem
            self.tell("The course is still being read." if reading else "Type words that the course may have.")
        else:
            self.course_app.go(self.hits[at].place)

    def action_words(self) -> None:
        """Back to the field."""
        self.query_one("#words").focus()

    def action_move(self, by: int) -> None:
        """Up or down in the hits, from the field too."""
        hits = self.query_one("#hits", OptionList)
        (hits.action_cursor_down if by > 0 else hits.action_cursor_up)()
