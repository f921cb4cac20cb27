"""A lesson: the text, its contents at the side, and the way to its quiz and exercise."""

from __future__ import annotations

from typing import ClassVar

from msgspec.structs import replace
from rich.console import Group
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.geometry import Size
from textual.widget import Widget
from textual.widgets import Input, Markdown, OptionList, Static, TextArea
from textual.widgets.markdown import MarkdownFence
from textual.widgets.option_list import Option

from tlcourse.course.markdown import headings, slug
from tlcourse.course.model import Unit
from tlcourse.presenting.lesson import Placed, placed
from tlcourse.presenting.marks import plain, share_bar
from tlcourse.quiz.kinds.question import Answer, Mark
from tlcourse.quiz.kinds.short import Recalled
from tlcourse.student.overview import UnitState
from tlcourse.student.record import now
from tlcourse.student.review import Known, in_words, rate, recalled
from tlcourse.text import counted
from tlcourse.tui import routes
from tlcourse.tui.screens.dialogs import choose_exercise, choose_lab
from tlcourse.tui.screens.frame import CourseScreen
from tlcourse.tui.text import Text
from tlcourse.tui.widgets import course_map
from tlcourse.tui.widgets.choices import Choices
from tlcourse.tui.widgets.figure import FigureView
from tlcourse.tui.widgets.lesson_text import LessonParagraph, LessonText
from tlcourse.tui.widgets.question_pane import QuestionPane

_KEEP_S = 1.0
_READ = 12
"""Columns of the bar that says how much was read."""


class LessonScreen(CourseScreen):
    """The lesson of one unit; opened at `section`, else where it was left."""

    AREA = "lesson"
    CSS_PATH = "lesson.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "quiz", "Quiz", id="lesson.quiz"),
        Binding("e", "exercise", "Exercise", id="lesson.exercise"),
        Binding("x", "lab", "Lab", id="lesson.lab"),
        Binding("enter", "question", "Answer the question", id="lesson.question"),
        Binding("a", "answer", "Show the answer", id="lesson.answer", show=False),  # where it is folded, it says so
        Binding("Y", "knew('yes')", "The answer was known", id="lesson.knew", show=False),  # below it, it says so
        Binding("P", "knew('partly')", "It was known in part", id="lesson.partly", show=False),
        Binding("N", "knew('no')", "It was not known", id="lesson.unknown", show=False),
        Binding("v", "samples", "View samples of the exercise's data", id="lesson.samples", show=False),
        Binding("f", "figure", "Move the figure that is seen", id="lesson.figure", show=False),  # it says so itself
        Binding("f5", "present", "Present it as slides", id="lesson.present", key_display="F5", show=False),
        Binding("c", "contents", "Contents", id="lesson.contents"),
        Binding("left_square_bracket", "step(-1)", "Previous", key_display="[", id="lesson.previous", show=False),
        Binding("right_square_bracket", "step(1)", "Next", key_display="]", id="lesson.next"),
        Binding("j", "scroll('down')", "Down", show=False),
        Binding("k", "scroll('up')", "Up", show=False),
        Binding("space", "scroll('page_down')", "A page on", show=False),
        Binding("b", "scroll('page_up')", "A page back", show=False),
        Binding("right", "shift(8)", "Wide listings: right", id="lesson.right", show=False, priority=True),
        Binding("left", "shift(-8)", "Wide listings: left", id="lesson.left", show=False, priority=True),
    ]

    def __init__(self, unit: str, section: str = "") -> None:
        super().__init__()
        self.unit = unit
        self.section = section
        self._share = self._kept = 0.0
        self._slugs: list[str] = []
        self._sections: dict[str, str] = {}
        self._blocks: dict[str, str] = {}
        self._headers: dict[str, Widget] = {}
        self._tops: tuple[Size, dict[str, int]] = (Size(), {})
        """In which lines of the text they stand, as long as it has this size."""
        self._opened: list[tuple[LessonParagraph, Recalled]] = []
        """The answers that were shown, the last one last, as long as nobody has said whether they were known."""
        self._here = ""
        """The section that is read, by its slug."""

    @property
    def about(self) -> Unit:
        """The unit."""
        return next(unit for unit in self.course_app.course.about.units if unit.id == self.unit)

    @property
    def unit_state(self) -> UnitState:
        """How far the student is in it."""
        return next(unit for unit in self.course_app.state.units if unit.id == self.unit)

    @property
    def path(self) -> list[str]:
        """Unit and kind."""
        return [self.about.title, "lesson"]

    @property
    def cli_equivalent(self) -> str:
        """The command that does the same."""
        return f"tlcourse lesson show {self.unit}"

    def body(self) -> ComposeResult:
        """Contents and text."""
        with Horizontal():
            yield Choices(id="contents")
            with VerticalScroll(id="page"):
                yield LessonText(id="text")
                yield Static(id="end", markup=False)
            with VerticalScroll(id="beside", classes="pane", can_focus=False):
                yield Static(id="beside-text", markup=False)

    async def on_mount(self) -> None:  # type: ignore[override]
        """Show the text, and go where it was left."""
        super().on_mount()
        app = self.course_app
        app.record.keep_place(app.course.about.id, f"lesson/{self.unit}")
        app.changed()
        lesson = app.course.lessons[self.unit]
        text = f"# {lesson.title}\n\n*{counted(lesson.minutes, 'minute')}*\n\n{lesson.body}\n"
        if lesson.references:
            text += "\n## References\n\n" + "\n".join(f"- {reference}" for reference in lesson.references)
        contents = self.query_one("#contents", OptionList)
        found = headings(text)
        self._slugs = [slug(title) for _, title in found]
        self._sections = {slug(title): title for level, title in found if level == 2}
        contents.add_options([Option(app.words(title), id=name) for name, title in self._sections.items()])
        contents.border_title = "Contents"
        self.query_one("#beside").border_title = "This unit"
        self.query_one("#beside-text", Static).update(self._beside())
        self.query_one("#end", Static).update(self._end())
        page = self.query_one("#page", VerticalScroll)
        page.focus()
        self.query_one("#text", LessonText).ask = self._ask
        await self.query_one("#text", LessonText).show(text, (app.course.folder / (self.about.lesson or "")).parent)
        self.call_after_refresh(self._restore)
        self.watch(page, "scroll_y", self._scrolled, init=False)
        self.set_interval(_KEEP_S, self._keep)

    def _ask(self, name: str) -> QuestionPane | None:
        """The pane of a question that the text places; None of one that no quiz of the unit has."""
        app, course = self.course_app, self.course_app.course

        def draw() -> Placed:
            found = placed(course, self.unit, app.record.seed(course.about.id))[name]
            return replace(found, right=app.record.latest_answers(course.about.id, found.quiz).get(name))

        known = name in placed(course, self.unit, 0)
        return QuestionPane(draw, self._record, app.words) if known else None

    def _record(self, one: Placed, given: Answer, marked: Mark) -> None:
        """Write an answer into the record, as the quiz does that the question is of."""
        app, question = self.course_app, one.question
        app.record.record_answer(
            app.course.about.id, one.quiz, question.id, question.named(given), correct=marked.correct
        )
        app.changed()
        self.show_path()

    def works(self, action: str) -> bool:
        """Which keys the last line names: those of what this unit has."""
        if action == "question":
            return bool(self.query(QuestionPane)) and not self._answering
        if action in ("contents", "step(1)") and self._answering:
            return False  # it has keys of its own
        if action == "quiz":
            return bool(self.unit_state.quizzes)
        if action == "exercise":
            return bool(self.unit_state.exercises or self.unit_state.write_its)
        if action == "lab":
            return any(lab.unit == self.unit for lab in self.course_app.labs.values())
        return action != "step(1)" or self._neighbour(1) is not None

    def says(self, action: str) -> str:
        """What enter does in a question."""
        pane = self._answering if action == "submit" else None
        return "Back to the text" if pane is not None and pane.marked is not None else ""

    @property
    def _answering(self) -> QuestionPane | None:
        """The question that has the keys."""
        return next((pane for pane in self.query(QuestionPane) if pane.has_focus or pane.has_focus_within), None)

    def _end(self) -> str:
        ways = [f"n: quiz {self.course_app.course.quizzes[name].title}" for name in self.about.quizzes]
        methods = [f"write {one.id}" for one in self.course_app.course.write_its.values() if one.unit == self.unit]
        if solved := [*(f"exercise {name}" for name in self.about.exercises), *methods]:
            ways.append(f"e: {', '.join(solved)}")
        if following := self._neighbour(1):
            ways.append(f"]: {following.title}")
        return "End of the lesson.   " + "   ".join(ways)

    def _beside(self) -> Group:
        """What the unit is for and what belongs to it, beside the text where there is room."""
        app = self.course_app
        unit = self.unit_state
        labs = [lab.title for lab in app.labs.values() if lab.unit == self.unit]
        said = Text()
        for key, kind, titles in (
            ("n", "Quiz", [quiz.title for quiz in unit.quizzes]),
            ("x", "Lab", labs),
            ("e", "Exercise", [exercise.title for exercise in unit.exercises]),
        ):
            for title in titles:
                said.append(f"\n{key} ", style="bold $next").append(f"{kind}: ", style="$muted").append(
                    app.words(title)
                )
        return Group(course_map.goals(unit), said)

    def _restore(self) -> None:
        if self.section:
            self._to_section(self.section)
            return
        app = self.course_app
        share = app.record.position(app.course.about.id, self.unit)
        page = self.query_one("#page", VerticalScroll)
        page.scroll_to(y=share * page.max_scroll_y, animate=False)
        self.call_after_refresh(self._scrolled)

    @on(Markdown.TableOfContentsUpdated)
    def note_headings(self, event: Markdown.TableOfContentsUpdated) -> None:
        """Which widget is which heading; both lists are in the order of the text."""
        blocks = [block for _, _, block in event.table_of_contents if block]
        self._blocks = dict(zip(self._slugs, blocks, strict=False))

    def _to_section(self, name: str) -> None:
        block = self._blocks.get(name)
        for header in self.query(f"#{block}") if block else ():
            self.query_one("#page", VerticalScroll).scroll_to_widget(header, top=True, animate=False)

    def _scrolled(self) -> None:
        """The lesson is read when its end was seen."""
        page = self.query_one("#page", VerticalScroll)
        app = self.course_app
        self._share = page.scroll_y / page.max_scroll_y if page.max_scroll_y else 0.0
        if self.has_class("-wide"):
            page.border_subtitle = f"{plain(share_bar(self._share, _READ))} {self._share:.0%}"
            self._mark_section(page.scroll_y)
        if page.scroll_y >= page.max_scroll_y - 1 and page.virtual_size.height > 3:
            course = app.course.about.id
            if not app.record.read_units(course) & {self.unit}:
                app.record.mark_read(course, self.unit)
                app.changed()
                self.show_path()

    def _mark_section(self, top: float) -> None:
        """In the contents, the section that is read."""
        if not self._headers:  # once: a search through a lesson's widgets for each line that is scrolled would be felt
            named = {block: name for name, block in self._blocks.items() if name in self._sections}
            self._headers = {named[one.id]: one for one in self.query_one("#text").children if one.id in named}
        size = self.query_one("#page").virtual_size
        if self._tops[0] != size:  # Textual places all of the text anew to tell where one is, each time it is scrolled
            self._tops = size, {name: one.virtual_region.y for name, one in self._headers.items()}
        here = next((name for name, at in reversed(self._tops[1].items()) if at <= top + 2), "")
        if here == self._here:
            return
        contents = self.query_one("#contents", OptionList)
        for name, mark in ((self._here, ""), (here, "▸ ")):
            if name in self._sections:
                contents.replace_option_prompt(name, mark + self.course_app.words(self._sections[name]))
        self._here = here

    def action_answer(self) -> None:
        """Show the answer that is folded on the screen, or the next one below."""
        page = self.query_one("#page", VerticalScroll)
        folded = [one for one in self.query(LessonParagraph) if one.has_class("-folded")]
        below = [one for one in folded if one.region.bottom > page.region.y]
        if not below:
            self.tell("No answer is folded here or below.")
            return
        below[0].unfold()
        self.call_after_refresh(page.scroll_to_widget, below[0], animate=False)

    @on(LessonParagraph.Unfolded)
    def ask_whether_known(self, event: LessonParagraph.Unfolded) -> None:
        """Once an answer is shown: whether it was known, for the review."""
        answers = [one for one in self.query(LessonParagraph) if one.answers]
        asked = recalled(self.course_app.course, self.unit)
        if len(answers) != len(asked):  # one that only a list or a quotation makes look like an answer
            return
        self._opened.append((event.paragraph, asked[answers.index(event.paragraph)]))
        note = Text("Did you know it?  ", style="bold").append("Y", style="bold $next").append(" yes · ")
        note.append("P", style="bold $next").append(" partly · ").append("N", style="bold $next").append(" no")
        event.paragraph.add(note.visualize())

    def action_knew(self, known: Known) -> None:
        """Say whether an answer on the screen was known, the last that was shown; what was not comes back."""
        page = self.query_one("#page", VerticalScroll).region
        seen = [one for one in self._opened if one[0].region.y < page.bottom and one[0].region.bottom > page.y]
        if not seen:
            self.tell("Show an answer first: a.")
            return
        app, (paragraph, question) = self.course_app, seen[-1]
        when = in_words(rate(app.record, app.course.about.id, question, known), now())
        said, role = {
            "yes": ("✓ Known", "done"),
            "partly": ("◐ Known in part", "partial"),
            "no": ("✗ Not known", "wrong"),
        }[known]
        paragraph.add(Text(app.words(f"{said}; the review asks it {when}."), style=f"${role}").visualize())
        self._opened.remove(seen[-1])
        app.changed()
        self.show_path()

    def _keep(self) -> None:
        if self._share != self._kept:
            self._kept = self._share
            self.course_app.record.keep_position(self.course_app.course.about.id, self.unit, self._share)

    def on_unmount(self) -> None:
        """Keep the position at once."""
        self._keep()

    @on(OptionList.OptionSelected, "#contents")
    def to_section(self, event: OptionList.OptionSelected) -> None:
        """Go to the chosen section."""
        self._to_section(event.option.id or "")
        self.query_one("#page", VerticalScroll).focus()

    @on(Markdown.LinkClicked)
    def follow(self, event: Markdown.LinkClicked) -> None:
        """Links to lessons, labs, quizzes and exercises open here; others are shown: there may be no browser."""
        name, _, section = event.href.partition("#")
        if not name and section:
            self._to_section(section)
        elif not routes.follow(self.course_app, event.href):
            self.notify(event.href, title="Link", timeout=15, markup=False)

    def action_contents(self) -> None:
        """To the contents, or back to the text."""
        contents = self.query_one("#contents", OptionList)
        if contents.has_focus:
            contents.remove_class("-open")
            self.query_one("#page", VerticalScroll).focus()
        else:
            contents.add_class("-open")
            contents.highlighted = contents.highlighted or 0
            contents.focus()

    def action_quiz(self) -> None:
        """The unit's quiz."""
        state = self.unit_state
        if not state.quizzes:
            self.tell("This unit has no quiz. 3 opens the quizzes.")
            return
        wanted = next((quiz for quiz in state.quizzes if quiz.right < quiz.questions), state.quizzes[0])
        self.course_app.go(f"quiz/{wanted.id}")

    def action_exercise(self) -> None:
        """The unit's exercise, or its method to write; where it has both, one is chosen."""
        if not choose_exercise(self.course_app, self.unit_state):
            self.tell("This unit has no exercise, and no method to write. 4 opens the exercises.")

    def action_samples(self) -> None:
        """What the data of its exercise look like."""
        state = self.unit_state
        if state.exercises:
            self.course_app.go(f"samples/{(state.exercise_to_do or state.exercises[0]).id}")
        else:
            self.tell("This unit has no exercise. 4 opens the exercises.")

    def action_lab(self) -> None:
        """The unit's lab; of several one is chosen."""
        if not choose_lab(self.course_app, self.unit):
            self.tell("This unit has no lab. 5 shows all labs.")

    def action_present(self) -> None:
        """The lesson on the projector."""
        self.course_app.go(f"present/{self.unit}")

    def action_step(self, by: int) -> None:
        """The next or the previous lesson that is written."""
        unit = self._neighbour(by)
        if unit is None:
            self.tell("This is the last lesson." if by > 0 else "This is the first lesson.")
        else:
            self.course_app.go(f"lesson/{unit.id}", instead=True)

    def _neighbour(self, by: int) -> Unit | None:
        units = [unit for unit in self.course_app.course.about.units if unit.id in self.course_app.course.lessons]
        index = units.index(self.about) + by
        return units[index] if 0 <= index < len(units) else None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A figure or a field that has the focus takes the arrows."""
        return not (action == "shift" and isinstance(self.focused, FigureView | Input | TextArea))

    def action_question(self) -> None:
        """To the question on the screen, or to the next one below that is not answered yet."""
        page = self.query_one("#page", VerticalScroll)
        below = [pane for pane in self.query(QuestionPane) if pane.region.bottom > page.region.y]
        open_ones = [pane for pane in below if pane.marked is None] or below
        if open_ones:
            open_ones[0].begin()
        else:
            self.tell("No question stands here or below.")

    def action_figure(self) -> None:
        """To the first figure on the screen that can be moved, or the next one."""
        movable = [figure for figure in self.query(FigureView) if figure.movable]
        later = movable[movable.index(self.focused) + 1 :] if self.focused in movable else []
        wanted = later or [figure for figure in movable if figure.seen] or movable
        if wanted:
            wanted[0].focus()
        else:
            self.tell("No figure of this lesson can be moved.")

    def action_shift(self, by: int) -> None:
        """Listings keep their layout; where they are wider than the terminal, all of them move together."""
        for listing in self.query(MarkdownFence):
            listing.scroll_relative(x=by, animate=False)

    def action_scroll(self, way: str) -> None:
        """Scroll the text, or move in the contents."""
        contents = self.query_one("#contents", OptionList)
        if contents.has_focus and way in ("up", "down"):
            (contents.action_cursor_down if way == "down" else contents.action_cursor_up)()
            return
        page = self.query_one("#page", VerticalScroll)
        {
            "down": page.scroll_down,
            "up": page.scroll_up,
            "page_down": page.scroll_page_down,
            "page_up": page.scroll_page_up,
        }[way](animate=False)
