"""Samples: what the data of an exercise look like, with their labels; keys draw the next ones."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from tlcourse.course.model import LoadedExercise
from tlcourse.tui.screens.frame import CourseScreen
from tlcourse.tui.widgets.gallery import Gallery

_MANY = 6


class SamplesScreen(CourseScreen):
    """The data of one exercise, as many samples as fit or one alone."""

    AREA = "exercises"
    CSS_PATH = "samples.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,space,j,down,pagedown", "turn(1)", "Next", id="samples.next"),
        Binding("left,k,up,pageup", "turn(-1)", "Before", id="samples.previous"),
        Binding("z", "size", "One or many", id="samples.size"),
        Binding("e", "exercise", "Exercise", id="samples.exercise"),
    ]

    def __init__(self, exercise: str) -> None:
        super().__init__()
        self.exercise = exercise

    @property
    def found(self) -> LoadedExercise:
        """The exercise."""
        return self.course_app.course.exercises[self.exercise]

    @property
    def path(self) -> list[str]:
        """Title and kind."""
        return [self.found.about.title, "samples"]

    @property
    def cli_equivalent(self) -> str:
        """The command that does the same."""
        shown = self.query_one(Gallery) if self.has_widgets else None
        range_ = f" --first {shown.first} --count {len(shown.examples)}" if shown and shown.examples else ""
        return f"tlcourse exercise samples {self.exercise}{range_}"

    def body(self) -> ComposeResult:
        """What is to be said, and the samples."""
        yield Static(id="samples-said", markup=False)
        yield Gallery(self.found.generator, _MANY, ascii_only=self.course_app.ascii_only, id="samples")

    @on(Gallery.Shown)
    def say(self, event: Gallery.Shown) -> None:
        """Which ones these are."""
        shown = [one.number for one in event.examples]
        which = "" if not shown else f"Sample {shown[0]}" if len(shown) == 1 else f"Samples {shown[0]} to {shown[-1]}"
        said = event.problem or f"{which}, from practice seeds: no run trains or is graded on them."
        self.query_one("#samples-said", Static).update(self.course_app.words(said))

    def action_turn(self, by: int) -> None:
        """The next ones, or those before."""
        gallery = self.query_one(Gallery)
        step = max(len(gallery.examples), 1)
        if by < 0 and gallery.first == 1:
            self.tell("These are the first ones.")
        else:
            gallery.turn_to(gallery.first + by * step)

    def action_size(self) -> None:
        """One alone and as large as it can be, or many."""
        gallery = self.query_one(Gallery)
        gallery.turn_to(gallery.first, 1 if gallery.most > 1 else _MANY)

    def action_exercise(self) -> None:
        """To the exercise; where one came from it, back."""
        from tlcourse.tui.screens.exercise import ExerciseScreen

        below = self.app.screen_stack[-2]
        if isinstance(below, ExerciseScreen) and below.exercise == self.exercise:
            self.course_app.back()
        else:
            self.course_app.go(f"exercise/{self.exercise}", instead=True)
