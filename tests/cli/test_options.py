"""Options: each command has `-v`, and none takes an option that it ignores."""

from __future__ import annotations

import ast
import functools
import inspect
import textwrap
from pathlib import Path

import pytest
import typer

import tlcourse.cli
from tlcourse.cli.main import add_all, application
from tlcourse.cli.options import Group

SOURCES = [path.read_text(encoding="utf-8") for path in Path(tlcourse.cli.__file__).parent.glob("*.py")]
NOTHING_TO_ASK = {"prewarm", "author gradescope-grade"}  # hidden: the app and Gradescope give them, and no person


def commands() -> dict[str, object]:
    """Every command by its whole name."""
    app = application()
    add_all(app)
    found = {}

    def walk(command, name):
        for below, made in getattr(command, "commands", {}).items():
            walk(made, f"{name} {below}".strip())
        if not hasattr(command, "commands"):
            found[name] = command

    walk(typer.main.get_command(app), "")
    return found


COMMANDS = commands()


def reads(source: str) -> tuple[set[str], set[str]]:
    """The names, and the attributes, that a piece of code reads."""
    nodes = list(ast.walk(ast.parse(textwrap.dedent(source))))
    names = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    return names, {node.attr for node in nodes if isinstance(node, ast.Attribute)}


@functools.cache
def used_attributes() -> frozenset[str]:
    """What any command reads of anything: to read all of them takes a fifth of a second."""
    return frozenset().union(*(reads(source)[1] for source in SOURCES))


def function_of(command) -> object:
    """What is written in `tlcourse.cli`, behind what Typer and `expanded` wrap around it."""
    return inspect.unwrap(command.callback)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_uses_each_of_its_options(name):
    function = function_of(COMMANDS[name])
    definition = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    body = "\n".join(ast.unparse(statement) for statement in definition.body)
    parameters = inspect.signature(function, eval_str=True).parameters.values()
    ignored = {parameter.name for parameter in parameters} - reads(body)[0]
    for parameter in parameters:
        if isinstance(parameter.annotation, type) and issubclass(parameter.annotation, Group):
            ignored |= set(parameter.annotation.__struct_fields__) - used_attributes()
    assert not ignored


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_logs_when_asked_and_each_of_its_options_is_in_its_help_once(name):
    options = [option for parameter in COMMANDS[name].params for option in parameter.opts]
    assert {"-v", "--verbose"} <= set(options)
    assert len(options) == len(set(options))


def test_a_command_that_prints_facts_takes_both_forms():
    for name, command in COMMANDS.items():
        if name not in NOTHING_TO_ASK | {"start"}:
            assert {"--json", "--plain"} <= {option for parameter in command.params for option in parameter.opts}, name
