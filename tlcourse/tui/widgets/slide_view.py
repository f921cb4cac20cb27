"""What stands on one slide. It is made before it is shown: to make and style its widgets takes as long as all else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, cast

from textual import on
from textual.app import ComposeResult
from textual.containers import Container
from textual.content import Content
from textual.geometry import Size
from textual.widgets import Static

from tlcourse.presenting.lesson import Placed
from tlcourse.presenting.slides import Slide
from tlcourse.tui.text import spelt_out
from tlcourse.tui.widgets.figure import FigureView
from tlcourse.tui.widgets.lab_stage import Stage
from tlcourse.tui.widgets.lesson_text import LessonParagraph, LessonText
from tlcourse.tui.widgets.question_pane import QuestionPane

if TYPE_CHECKING:
    from tlcourse.tui.app import CourseApp

Folded = LessonParagraph | QuestionPane
"""What has an answer."""


class KeptFigure(FigureView):
    """A figure that was shown before, beside the text; or below it, with no line where it would have to be scrolled."""

    def __init__(self, code: str, spell: Callable[[str], str] | None, beside: Callable[[], bool]) -> None:
        super().__init__(code, spell, beside)
        self._above = 0
        """Blank lines before it, where it stands below a text."""

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """The lines of the drawing; below a text blank ones before them, for an answer: nothing moves when it comes."""
        lines = super().get_content_height(container, viewport, width)
        self._above = 0
        if self._spread():
            return lines
        view = next(one for one in self.ancestors if isinstance(one, SlideView))
        taken = 0
        for text in view.query(LessonText):
            most = text.styles.max_width
            wide = min(width, most.cells if most is not None and most.cells else width)
            taken += text.get_content_height(container, viewport, wide)
            self._above += sum(one.hidden_lines(wide) for one in text.query(LessonParagraph))
        self._above += 1
        lines += self._above
        return lines if taken + lines <= view.room else 0

    def render(self) -> Content:
        """The drawing."""
        return Content("\n" * self._above) + super().render()


class SlideView(Container):
    """One slide. It is hidden at first.

    Args:
        slide: What stands on it.
        text: Its text in Markdown.
        folder: Where the files of its images lie.
        ask: Gives the question of the unit's quizzes that it asks; None where it asks none.
    """

    def __init__(self, slide: Slide, text: str, folder: Path, ask: Callable[[], Placed] | None) -> None:
        super().__init__(classes=f"slide -{slide.kind}")
        self.slide, self._text, self._folder, self._ask = slide, text, folder, ask
        self.room = 0
        """Lines of the page that it stands on."""
        self.used = False
        """Whether something was played or answered on it: it is made anew for whoever comes back to it."""
        self.display = False

    def compose(self) -> ComposeResult:
        """A figure, the text in one or two columns, a question, a lab."""
        slide, app = self.slide, cast("CourseApp", self.app)
        spell = spelt_out if app.ascii_only else None
        if slide.figure:
            yield Container(FigureView(slide.figure, spell, self._beside), classes="figure")
        texts = [LessonText(classes=half) for half, text in (("", self._text), ("more", slide.more)) if text]
        if not slide.kept or slide.figure:
            yield from texts
        else:
            kind = "figure -kept" if slide.more else "figure -kept -beside"
            kept = Container(KeptFigure(slide.kept, spell, self._beside), classes=kind)
            yield from (kept, *texts) if self._beside() else (*texts, kept)
        if self._ask is not None:
            yield QuestionPane(self._ask, None, app.words)
        if slide.lab:
            yield Static(id="slide-verdict", markup=False)
            yield Stage(app.labs[slide.lab], motion=app.motion, keys="y holds it, and goes on")

    async def write(self) -> None:
        """Write its texts."""
        texts = [text for text in (self._text, self.slide.more) if text]
        for text, column in zip(texts, self.query(LessonText), strict=False):  # it has none where it goes meanwhile
            column.folder = self._folder
            await column.update(text)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As tall as all that stands on it."""
        if self.room not in (0, container.height):  # how its parts are arranged is kept by the width alone
            self.fit()
        self.room = container.height
        return super().get_content_height(container, viewport, width)

    def _beside(self) -> bool:
        """Whether there is room for a figure beside the text."""
        return self.screen.has_class("-two")

    def place(self) -> None:
        """At another size: a figure that was shown before comes first where it stands beside the text."""
        for kept in self.query(".-kept"):
            others, first = [one for one in self.children if one is not kept], self.children[0] is kept
            if others and self._beside() and not first:
                self.move_child(kept, before=others[0])
            elif others and first and not self._beside():
                self.move_child(kept, after=others[-1])
        self.fit()

    @on(LessonParagraph.Unfolded)
    def fit(self) -> None:
        """There is more room, or less."""
        for figure in self.query(FigureView):
            figure.refresh(layout=True)

    @property
    def folded(self) -> list[Folded]:
        """The answers that are not shown yet."""
        found = [*self.query(LessonParagraph), *self.query(QuestionPane)]
        return [one for one in found if one.has_class("-folded")]
