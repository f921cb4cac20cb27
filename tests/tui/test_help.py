"""Help (`?`) and palette (`ctrl+p`): all that can be done here, found by its words, and done."""

from __future__ import annotations

import pytest
from drawn import work_of_keys
from textual.binding import Binding
from textual.css.stylesheet import Stylesheet
from textual.renderables.background_screen import BackgroundScreen

from tlcourse.tui.screens.help import keys_of
from tlcourse.tui.themes import PALETTES

PLACES = (
    "home lesson/source-and-target quiz/residual-connections exercise/ex2 lab/dann jobs progress search machine".split()
)


def titles(person) -> list[str]:
    return [command.title for command in person.app.get_system_commands(person.app.screen)]


@pytest.mark.slow
async def test_the_palette_has_every_action_of_the_screen_that_has_a_name_first(visit, no_doctor):
    async with visit(80, 24) as person:
        for place in PLACES:
            await person.go(place)
            screen = person.app.screen
            named = {one.description for one in type(screen).BINDINGS if isinstance(one, Binding) and one.id}
            if place == "search":
                named.remove("Words")  # the field has the focus, and `/` is a letter in it
            if place == "lab/dann":
                named.remove("Stop")  # nothing runs
            offered = titles(person)
            assert named <= set(offered), place
            assert len(offered) == len(set(offered)), place
            assert offered.index(min(named, key=offered.index)) == 0, place


@pytest.mark.slow
async def test_an_action_of_the_palette_does_what_its_key_does(visit):
    async with visit(100, 30) as person:
        await person.go("exercise/ex2")
        await person.choose("hint", "Hint…")
        await person.sees("Hint 1 of 3")


async def test_help_tells_the_keys_of_the_screen_from_those_of_what_has_the_focus_and_of_the_app(visit):
    async with visit(100, 30) as person:
        groups = keys_of(person.app.screen)
        assert list(groups) == ["This screen", "The list", "Everywhere"]
        assert ("n", "Quiz", "home.quiz") in groups["This screen"]
        assert "Select" in [what for _, what, _ in groups["The list"]]
        assert "Keys" in [what for _, what, _ in groups["Everywhere"]]
        await person.press("question_mark")
        shown = await person.press(*"quiz")
        assert "home.quiz" in shown
        assert "home.exercise" not in shown


@pytest.mark.slow
async def test_in_a_field_letters_are_letters_and_f1_shows_its_keys(visit):
    async with visit(100, 30) as person:
        await person.press("f", "q", "slash", "question_mark")
        assert person.app.screen.query_one("#filter").value == "q/?"
        line = person.screen.splitlines()[-1]
        assert "esc Back" in line
        assert "f1 Keys" in line
        groups = keys_of(person.app.screen)
        assert next(iter(groups)) == "The field"
        assert "home.quiz" not in str(groups)
        await person.press("f1")
        await person.sees("Move cursor left")


@pytest.mark.slow
@pytest.mark.parametrize("place", ["quiz/residual-connections", "search"])
async def test_a_slash_can_be_typed_into_every_field(visit, place):
    async with visit(100, 30) as person:
        await person.go(place)
        if place != "search":
            await person.press("b", "enter", "enter", "a", "enter", "enter")
            await person.sees("Question 3")
        await person.press("1", "slash", "2")
        assert person.app.screen.focused.value == "1/2"


@pytest.mark.slow
async def test_what_a_dialog_holds_is_styled_once_when_it_opens_first(visit, monkeypatch):
    styled = []
    apply = Stylesheet.apply
    monkeypatch.setattr(
        Stylesheet, "apply", lambda sheet, node, **how: styled.append(node.id) or apply(sheet, node, **how)
    )
    async with visit(120, 40) as person:
        await person.press("question_mark")
        first = styled.count("keys")
        styled.clear()
        await person.press("escape", "question_mark")
        assert (first, styled.count("keys")) == (1, 0)


@pytest.mark.slow
async def test_help_that_opens_again_begins_anew_and_tells_of_the_screen_below_it_now(visit):
    async with visit(120, 40) as person:
        assert "home.quiz" in await person.press("question_mark", *"home", "down", "down")
        await person.press("escape")
        await person.go("lab/dann")
        shown = await person.press("question_mark")
        assert "lab.many" in shown
        assert "home.quiz" not in shown
        assert "tlcourse lab run dann" in shown
        assert person.app.focused.value == ""
        assert "search" in shown  # the field is empty


@pytest.mark.slow
async def test_help_that_opens_again_has_the_theme_and_the_size_of_now(visit):
    async with visit(120, 40) as person:
        await person.press("question_mark", "escape")
        person.app.theme = "light"
        await person.pilot.resize_terminal(80, 24)
        await person.press("question_mark")
        dialog = person.app.screen.query_one(".dialog")
        assert dialog.styles.background.hex == PALETTES["light"].surface
        assert dialog.size.width + dialog.styles.gutter.width <= 76
        assert dialog.region.bottom <= 24


async def test_help_that_is_open_is_not_opened_over_itself(visit):
    async with visit(120, 40) as person:
        await person.press("question_mark", "f1")
        person.app.action_help()
        await person.press()
        assert len(person.app.screen_stack) == 2
        await person.press("escape")
        assert len(person.app.screen_stack) == 1


async def test_what_lies_below_a_dialog_is_dimmed_once_and_anew_at_another_size(visit, monkeypatch):
    drawn = []
    segments = BackgroundScreen.process_segments.__func__  # type: ignore[attr-defined]
    monkeypatch.setattr(
        BackgroundScreen, "process_segments", classmethod(lambda kind, *how: drawn.append(1) or segments(kind, *how))
    )
    async with visit(120, 40) as person:
        shown = await person.press("question_mark")
        assert "Course map" in shown  # still to be seen
        before = len(drawn)
        await person.press(*"lab", "down", "up")
        assert len(drawn) == before
        await person.pilot.resize_terminal(80, 24)
        await person.press()
        assert len(drawn) > before


async def test_help_and_the_style_sheets_of_all_screens_are_ready_before_the_first_key_asks_for_them(
    visit, no_doctor, monkeypatch
):
    async with visit(120, 40) as person:
        await person.app.get_screens_ready()
        await person.settled()
        parsed_again: list[str] = []
        monkeypatch.setattr(Stylesheet, "reparse", lambda _: parsed_again.append(str(person.app.screen)))
        (first,) = await work_of_keys(person, "question_mark")
        assert "Keys that work here" in person.screen
        assert "Continue" not in person.screen
        assert first["widgets"] <= 1  # its scroll bar
        await person.press("escape")
        for place in (*PLACES[1:], "present/dann", "labs", "play/dann"):
            await person.go(place)
        assert not parsed_again


@pytest.mark.slow
async def test_help_gets_ready_by_itself_where_the_app_has_its_process_to_itself(visit):
    async with visit(120, 40, owns_process=True) as person:
        await person.until(lambda: person.app.is_screen_installed("keys"), "help")
        assert "home.quiz" in await person.press("question_mark")
