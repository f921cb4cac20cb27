"""Keys that a person has changed in the configuration file."""

from __future__ import annotations

from pathlib import Path

import pytest
from drawn import notices_of

from tlcourse.tui.app import CourseApp
from tlcourse.tui.settings import names, problems

EXAMPLE = Path(__file__).parents[1] / "example_course"


@pytest.fixture
def configured(tmp_path, monkeypatch):
    """`configured("keys: …")` is the configuration file from now on."""

    def write(text: str) -> None:
        path = tmp_path / "config.yaml"
        path.write_text(text, encoding="utf-8")
        monkeypatch.setenv("TLCOURSE_CONFIG", str(path))

    return write


@pytest.mark.slow
async def test_a_changed_key_works_the_old_one_no_longer_and_the_help_shows_its_name(visit, configured):
    configured("keys:\n  home.jobs: z,0\n  help: f1\n")
    async with visit(100, 30, course=EXAMPLE) as person:
        await person.press("f1")
        await person.sees("Keys that work here")
        await person.type("home.j")
        await person.sees("Jobs on clusters  home.jobs")
        await person.press("escape", "o")
        assert "› Jobs" not in person.screen
        await person.press("0")
        await person.sees("› Jobs")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("keys:\n  exercise.graed: g\n", "'exercise.graed' is not the name of a key"),
        ("keys:\n  exercise.grade: z\n  exercise.run: z\n", "'z' is given to exercise.grade and to exercise.run"),
        ("keys:\n  quit: z\n  exercise.run: z\n", "'z' is given to exercise.run and to quit"),
        ("keys: 3\n", "keys"),
        ("keys:\n  quit: ''\n", "config.yaml:1: keys"),
    ],
)
async def test_what_is_wrong_is_said_once_and_the_app_works(visit, configured, text, said):
    configured(text)
    async with visit(100, 30, course=EXAMPLE) as person:
        await person.pilot.pause(1.5)
        told = notices_of(person.app)
        assert [said in message for message in told] == [True], told
        await person.press("6")
        await person.sees("› Progress")


def test_two_screens_may_use_one_key():
    known = names(CourseApp)
    assert problems({"exercise.run": "z", "home.review": "z"}, known) == []
    assert known["exercise.grade"] == "Grade"
