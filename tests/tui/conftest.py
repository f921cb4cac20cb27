"""The app driven as by a person: keys in, words on the screen out."""

from __future__ import annotations

import contextlib
import importlib.util
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from answers import right_letters, wrong_letter
from drawn import lines_of, settle
from textual.css import stylesheet
from textual.pilot import Pilot

from tlcourse.course.loader import load_course
from tlcourse.paths import gradebook_file
from tlcourse.tui.app import CourseApp

TESTS = Path(__file__).parents[1]


class Visit:
    """A person at the app."""

    def __init__(self, pilot: Pilot[int]) -> None:
        self.pilot = pilot
        assert isinstance(pilot.app, CourseApp)
        self.app = pilot.app

    @property
    def screen(self) -> str:
        """What is on the screen, line by line."""
        return lines_of(self.app.screen)

    async def press(self, *keys: str) -> str:
        """Press keys, and see what is shown."""
        for key in keys:
            await self.pilot.press(key)
            await self.pilot.pause()
        return await self.settled()

    async def settled(self) -> str:
        """What is on the screen once all of it is there."""
        await self.pilot.pause()
        await settle(self.pilot)
        return self.screen

    async def go(self, route: str) -> str:
        """Open a place of the course, as the palette does."""
        self.app.go(route)
        return await self.settled()

    async def type(self, text: str) -> str:
        """Type into a field."""
        names = {".": "full_stop", ",": "comma", "-": "minus", " ": "space"}
        return await self.press(*(names.get(letter, letter) for letter in text))

    @property
    def question(self) -> Any:
        """The question on the screen, as it is asked at this visit."""
        return self.app.screen.session.question

    async def answer(self, *, rightly: bool) -> str:
        """Answer the choice on the screen, and submit."""
        keys = right_letters(self.question) if rightly else wrong_letter(self.question)
        return await self.press(*keys, "enter")

    async def choose(self, words: str, best: str) -> str:
        """Type into the palette, wait until `best` is its first hit, and take it."""
        await self.press("ctrl+p")
        await self.type(words)
        await self.until(lambda: self._best_hit() == best, best)
        return await self.press("enter")

    def _best_hit(self) -> str:
        below = self.screen.partition("🔎")[2].splitlines()[1:]
        return next((line.strip() for line in below if line.strip()), "")

    async def until(self, holds: Callable[[], object], what: str = "it", seconds: float = 60.0) -> None:
        """Wait until `holds()` is true."""
        end = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < end, f"{what!r} did not come:\n{self.screen}"
            await self.pilot.pause(0.05)

    async def sees(self, words: str, seconds: float = 60.0) -> str:
        """Wait until `words` are on the screen, and with them what comes with them."""
        await self.until(lambda: words in self.screen, words, seconds)
        return await self.settled()

    async def loses(self, words: str, seconds: float = 60.0) -> None:
        """Wait until `words` are no longer on the screen."""
        until = time.monotonic() + seconds
        while words in self.screen:
            assert time.monotonic() < until, f"{words!r} stays:\n{self.screen}"
            await self.pilot.pause(0.05)


@pytest.fixture(scope="session", autouse=True)
def parsed_once() -> Iterator[None]:
    """A style sheet is parsed once a process and theme, and not once an app: a seventh of a short visit's time."""
    parse, found = stylesheet.parse, {}
    colours: dict[int, tuple[object, str]] = {}

    def parsed(scope: str, css: str, read_from: Any, variable_tokens: Any = None, **how: Any) -> list[Any]:
        if id(variable_tokens) not in colours:
            values = {name: [token.value for token in tokens] for name, tokens in (variable_tokens or {}).items()}
            colours[id(variable_tokens)] = (variable_tokens, repr(values))  # kept: else another could get its number
        key = (scope, css, read_from, colours[id(variable_tokens)][1], *how.values())
        if key not in found:
            found[key] = list(parse(scope, css, read_from, variable_tokens=variable_tokens, **how))
        return found[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stylesheet, "parse", parsed)
        yield


Open = Callable[..., contextlib.AbstractAsyncContextManager[Visit]]


@pytest.fixture
def visit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    """`async with visit(80, 24) as person:` opens the bundled course in an empty folder; nothing runs on after it."""
    monkeypatch.chdir(tmp_path)

    @contextlib.asynccontextmanager
    async def opened(
        columns: int = 80, rows: int = 24, *, course: Path | None = None, **how: bool
    ) -> AsyncIterator[Visit]:
        app = CourseApp(load_course(course), course_folder=course, **how)
        try:
            async with app.run_test(size=(columns, rows), notifications=True) as pilot:
                await pilot.pause()
                yield Visit(pilot)
        finally:
            app.let_go(30.0)
            for run in app.background.runs.values():
                run.ask_to_stop()
                if not run.child.wait(60.0 if run.remote else 5.0):
                    run.child.kill()
                    run.child.wait(60)
            app.background.wait_for_left(30.0)
            app.record.close()

    return opened


@pytest.fixture(scope="session")
def fork_server_works() -> None:
    """For tests of what a fork server does; where none can be built they say why."""
    if sys.platform != "linux":
        pytest.skip("a fork server needs Linux")
    from tlcourse.sandbox.fork_server import probe

    if not (found := probe()).available:
        pytest.skip(found.detail)


@pytest.fixture
def graded(own_home, tmp_path):
    """A small class, graded into the assistant's own gradebook; call it again to go on."""
    path = TESTS / "grading" / "batch" / "quick_batch.py"
    spec = importlib.util.spec_from_file_location("quick_batch", path)
    quick = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(quick)

    def grade(**words):
        for name, word in words.items():
            (tmp_path / "handins" / name).mkdir(parents=True, exist_ok=True)
            (tmp_path / "handins" / name / "solution.py").write_text(f"# {word}")
        quick.batch(gradebook_file(), tmp_path / "handins", TESTS / "example_course")

    return grade


@pytest.fixture
def no_doctor(monkeypatch: pytest.MonkeyPatch) -> None:
    """The findings of a machine on which little works, at once."""
    from tour import FINDINGS

    from tlcourse.presenting.machine import MachineFinding

    async def examined() -> list[MachineFinding]:
        return [MachineFinding(*finding) for finding in FINDINGS]

    monkeypatch.setattr("tlcourse.tui.screens.machine.examined", examined)
