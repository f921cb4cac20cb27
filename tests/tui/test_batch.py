"""The Batch screen: what the gradebook has, live, for those who have one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tlcourse.grading.gradebook.by_hand import add_request, set_mark
from tlcourse.grading.gradebook.gradebook import Gradebook
from tlcourse.paths import gradebook_file

TESTS = Path(__file__).parents[1]
EXAMPLE = TESTS / "example_course"


def commands(person):
    """The titles of the palette."""
    return [command.title for command in person.app.get_system_commands(person.app.screen)]


async def test_students_without_a_gradebook_are_not_shown_a_batch(visit):
    async with visit(100, 30) as person:
        assert "Batch" not in commands(person)


@pytest.mark.parametrize(("columns", "rows"), [(140, 40), (90, 30), (60, 24)])
async def test_counts_causes_and_hand_ins_of_the_newest_batch(visit, graded, columns, rows):
    graded(anna="passes", bo="fails", cleo="crashes", dora="fails")
    async with visit(columns, rows, course=EXAMPLE) as person:
        assert "Batch" in commands(person)
        person.app.go("batch")
        await person.sees("4 of 4 graded, done")
        await person.sees("2 × fail: missed: z_error (bo, dora)")
        assert "✓ anna  PASS 2" in await person.sees("anna")


async def test_a_hand_in_opens_in_full_and_escape_leads_back(visit, graded):
    graded(anna="fails", bo="passes")
    async with visit(120, 40, course=EXAMPLE) as person:
        person.app.go("batch")
        await person.sees("anna")
        await person.press("enter")
        shown = await person.sees("1 of 2 points")
        assert "✗ failed  Mean absolute error of z" in shown
        assert "history: fail 1" in shown
        await person.press("escape")
        await person.sees("2 of 2 graded")


async def test_comments_and_requests_of_a_hand_in_are_shown(visit, graded):
    graded(anna="fails", bo="passes")
    with Gradebook.writing(gradebook_file(), "a test") as book:
        anna = next(one.target for one in book.handins(1) if one.owner == "anna")
        set_mark(book, "line", anna, "", None, "Nearly [red]there.", who="sofie", why="")
        add_request(book, "line", anna, "Is z not right?", who="sofie")
    async with visit(120, 40, course=EXAMPLE) as person:
        person.app.go("batch")
        await person.sees("1 open request: tlcourse ta requests line")
        await person.press("enter")
        shown = await person.sees("comment: Nearly [red]there.")
        assert "request 1 (open): " in shown
        assert "Is z not right?" in shown


async def test_what_is_graded_meanwhile_appears_without_a_key(visit, graded):
    graded(anna="passes", bo="passes")
    async with visit(120, 40, course=EXAMPLE) as person:
        person.app.go("batch")
        await person.sees("2 of 2 graded")
        graded(cleo="crashes")
        shown = await person.sees("3 of 3 graded")
        assert "✗ cleo  CRASH" in shown


async def test_keys_that_can_do_nothing_say_why_and_export_names_its_command(visit, graded):
    graded(anna="passes", bo="passes")
    async with visit(120, 40, course=EXAMPLE) as person:
        person.app.go("batch")
        await person.sees("2 of 2 graded")
        await person.press("r")
        await person.sees("Nothing ended in an internal error")
        await person.press("left_square_bracket")
        await person.sees("no older batch")
        await person.press("x")
        await person.sees("tlcourse ta export line")


async def test_the_place_where_a_batch_goes_on_is_chosen_among_this_machine_and_the_profiles(
    visit, graded, tmp_path, monkeypatch
):
    graded(anna="passes", bo="passes")
    config = tmp_path / "config.yaml"
    config.write_text("profiles:\n  moon:\n    host: moon\n")
    monkeypatch.setenv("TLCOURSE_CONFIG", str(config))
    async with visit(120, 40, course=EXAMPLE) as person:
        person.app.go("batch")
        await person.sees("graded on this machine")
        await person.press("p")
        await person.sees("g continues it on moon")
        await person.press("p")
        await person.sees("g continues it on this machine")
        await person.press("g")
        await person.sees("All of it is graded")


async def test_hostile_names_and_a_damaged_gradebook_are_shown_as_words(visit, graded):
    graded(**{"anna [red]x": "passes", "bo": "passes"})
    async with visit(120, 40, course=EXAMPLE) as person:
        person.app.go("batch")
        await person.sees("anna [red]x")
        gradebook_file().write_bytes(b"no database" * 1000)
        await person.sees("damaged")


@pytest.mark.slow
async def test_retry_grades_faults_again_in_a_process_of_its_own(visit, graded, monkeypatch):
    graded(anna="faults", bo="passes")
    with Gradebook.reading(gradebook_file()) as book:
        assert book.verdicts(1)[1].outcome == "infra"
    monkeypatch.setenv("TLCOURSE_SECRET", "a secret that is long enough for a test")
    async with visit(120, 40, course=EXAMPLE) as person:
        person.app.go("batch")
        await person.sees("1 of 2 graded, stopped")
        await person.press("r")
        shown = await person.sees("2 of 2 graded", 120)  # for real: a file that defines no `fit`
        assert "✗ anna  INVALID" in shown
