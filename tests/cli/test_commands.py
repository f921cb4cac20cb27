"""The list of commands: whole, true, and imported only as far as it is needed."""

from __future__ import annotations

import pytest
import typer

from tlcourse.cli.main import COMMANDS, GROUP, add_all, add_commands, application


def help_of(app: typer.Typer) -> dict[str, str]:
    from typer.main import get_command

    return {name: command.get_short_help_str(200) for name, command in get_command(app).commands.items()}


def test_every_command_is_there_and_its_line_of_help_begins_as_the_command_itself_does():
    whole, lines = application(), application()
    add_all(whole)
    add_commands(lines, ["--help"])
    real, shown = help_of(whole), help_of(lines)
    assert list(shown) == [command.name for command in COMMANDS]
    assert set(real) == set(shown)
    for command in COMMANDS:
        if command.function == GROUP:
            assert real[command.name] == shown[command.name]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_a_command_that_is_named_is_the_real_one(command):
    from typer.main import get_command

    app = application()
    add_commands(app, ["--plain", command.name, "lesson"])
    made = get_command(app).commands[command.name]
    assert made.params or getattr(made, "commands", None) or command.name in ("prewarm",)


@pytest.mark.parametrize(
    ("arguments", "count"),
    [(["progress"], 1), (["progress", "--help"], 1), (["-v", "progress"], 24), (["progres"], 24), ([], 24)],
)
def test_a_command_that_comes_first_is_the_only_one_that_is_made(arguments, count):
    from typer.main import get_command

    app = application()
    add_commands(app, arguments)
    assert len(get_command(app).commands) == count


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["exercise", "list", "--json"], {"list"}),
        (["exercise", "list", "--help"], {"list"}),
        (["ta", "report", "line"], {"report"}),
        (["quiz", "lst"], {"list", "take", "review", "export", "import"}),
        (["quiz", "--help"], {"list", "take", "review", "export", "import"}),
        (["quiz"], {"list", "take", "review", "export", "import"}),
        (["-v", "quiz", "list"], {"list", "take", "review", "export", "import"}),
    ],
)
def test_so_is_the_one_of_a_group_that_comes_next(arguments, names):
    from typer.main import get_command

    app, whole = application(), application()
    add_commands(app, arguments)
    group = next(one for one in arguments if not one.startswith("-"))
    assert set(get_command(app).commands[group].commands) == names
    add_all(whole)
    assert len(get_command(whole).commands["exercise"].commands) > 5, "only what was asked for is left out"


def test_help_lists_every_command_that_is_not_hidden(tl):
    shown = tl("--help", course=None).stdout
    for command in COMMANDS:
        assert (f"\n  {command.name} " in shown) is not command.hidden


def test_an_unknown_command_is_named_and_help_of_a_command_is_its_own(tl):
    wrong = tl("grad", course=None)
    assert wrong.returncode == 2
    assert "grad" in wrong.stderr
    assert "--sandbox" in tl("grade", "--help", course=None).stdout
    assert "fairness" in tl("ta", "--help", course=None).stdout
