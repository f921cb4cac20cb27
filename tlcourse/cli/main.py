"""The command line: every command by name, and the one place where errors become a message and an exit code.

A command's module is imported when the command is used: `--help` needs only the lines that stand here.
"""

from __future__ import annotations

import atexit
import copy
import gc
import importlib
import os
import re
import sys
from collections.abc import Sequence
from typing import Annotated, Any, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup

from tlcourse.cli import out
from tlcourse.errors import ExitCode, TlcourseError, UsageError
from tlcourse.own_process import take_secret

GROUP = "app"


SECTIONS = {
    "start": "Learn",
    "exercise": "Solve, and be graded",
    "data": "This machine",
    "batch": "For assistants and lecturers",
}
"""Headings of the list of commands, by the first command below each."""


class WholeHelp(TyperGroup):
    """Lists commands under their headings, each with its whole sentence."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the list; a heading for all of them where they have none of their own."""
        found = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        rows = [
            (name, (one.help or "").partition("\n\n")[0]) for name, one in found if one is not None and not one.hidden
        ]
        heads = [number for number, (name, _) in enumerate(rows) if name in SECTIONS] if self.name == "tlcourse" else []
        for start, end in zip(heads or [0], [*heads[1:], len(rows)], strict=True):
            with formatter.section(SECTIONS[rows[start][0]] if heads else "Commands"):
                formatter.write_dl([(name, " ".join(help_.split())) for name, help_ in rows[start:end]])


class NumbersToo(TyperCommand):
    """Takes `-1` for an argument: no option is called like a number, and what is wrong with one the command can say."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """As any command; once more where what was taken for an option is a number."""
        given = list(args)
        try:
            return super().parse_args(ctx, args)
        except Exception as error:  # Typer's own class of it is not public
            if not re.match(r"-[\d.]", getattr(error, "option_name", "")):
                raise
        ctx.ignore_unknown_options = True
        return super().parse_args(ctx, given)


class Command(NamedTuple):
    """Its name, the module of `tlcourse.cli` and the function that carry it out (`app`: a group), its line of help."""

    name: str
    module: str
    function: str
    help: str
    hidden: bool = False


COMMANDS = (
    Command("start", "start", "start", "Open the course in the terminal."),
    Command("serve", "start", "serve", "Show the course in a browser of this machine."),
    Command("lesson", "lesson", GROUP, "Read the lessons."),
    Command("quiz", "quiz", GROUP, "Answer questions, and review what is due."),
    Command("lab", "lab", GROUP, "Run the lecture's methods, each beside its control."),
    Command("search", "lesson", "search", "Search lessons, questions, labs and exercises."),
    Command("exercise", "exercise", GROUP, "The exercises and their hints."),
    Command("write", "write", GROUP, "Write the lecture's methods yourself, checked in seconds."),
    Command("init", "exercise", "init", "Make a solution.py (or a notebook) to start from."),
    Command("run", "grade", "run", "Train a solution and try its outputs, without scoring it."),
    Command("grade", "grade", "grade", "Train a solution apart from the labels, and score it."),
    Command("watch", "grade", "watch", "Grade a solution now, and again whenever its file changes."),
    Command("jobs", "jobs", GROUP, "Your runs on clusters."),
    Command("progress", "lesson", "progress", "What was read, answered and passed."),
    Command("data", "data", GROUP, "Real data: what is here, getting it, checking it."),
    Command("doctor", "config", "doctor", "Say what works on this machine, and what would fix the rest."),
    Command("config", "config", GROUP, "The configuration file: profiles of clusters, and the app's theme."),
    Command("batch", "batch", "batch", "Grade a class: find each newest attempt, train and score all."),
    Command("pack", "pack", "pack", "Write a class into a folder that any scheduler can serve."),
    Command("collect", "pack", "collect", "Grade what was run in such a folder."),
    Command("ta", "ta", GROUP, "Marks, reports, feedback and exports, and what staff decide."),
    Command("groups", "groups", GROUP, "Who hands in together."),
    Command("author", "author", GROUP, "Write a course, and check it."),
    Command("prewarm", "start", "prewarm", "Wait for one request, and carry it out.", hidden=True),
)


def add_commands(app: typer.Typer, arguments: Sequence[str]) -> None:
    """Give `app` the commands: the one that `arguments` name for good, the others as lines of help.

    Where a command comes first, nothing asks for the others, and where one of a group comes next, nothing for the
    others of the group. Where the shell asks how a line continues, all of them are imported.
    """
    named = next((one for one in arguments if not one.startswith("-")), "")
    completing = any(name.endswith("_COMPLETE") for name in os.environ)
    alone = [one for one in COMMANDS if not completing and [one.name] == list(arguments[:1])]
    for command in alone or COMMANDS:
        if completing or command.name == named:
            _add(app, command, below=arguments[1] if alone and arguments[1:] else "")
        else:
            app.command(command.name, help=command.help, hidden=command.hidden)(_line_of_help)


def add_all(app: typer.Typer) -> None:
    """Give `app` every command for good."""
    for command in COMMANDS:
        _add(app, command)


def _add(app: typer.Typer, command: Command, below: str = "") -> None:
    from tlcourse.cli.options import expanded

    module = importlib.import_module(f"tlcourse.cli.{command.module}")
    if command.function == GROUP:
        module.app.info.cls = WholeHelp
        group = _alone(module.app, below)
        _expand(group)
        app.add_typer(group, name=command.name, help=command.help, hidden=command.hidden)
    else:
        app.command(command.name, cls=NumbersToo, hidden=command.hidden)(expanded(getattr(module, command.function)))


def _alone(group: typer.Typer, name: str) -> typer.Typer:
    """The group as if the command of that name were all of it; as it is where it has none."""
    named = [one for one in group.registered_commands if one.name == name]
    if not named:
        return group
    group = copy.copy(group)
    group.registered_commands, group.registered_groups = named, []
    return group


def _expand(group: typer.Typer) -> None:
    from tlcourse.cli.options import expanded

    for command in group.registered_commands:
        command.cls = NumbersToo
        if command.callback is not None:
            command.callback = expanded(command.callback)
    for below in group.registered_groups:
        if below.typer_instance is not None:
            _expand(below.typer_instance)


def _line_of_help() -> None:
    raise AssertionError("a line of help was called: `add_commands` was given other arguments than the app")


def _version(wanted: bool) -> None:
    if wanted:
        from tlcourse import __version__

        out.say(f"tlcourse {__version__}")
        raise typer.Exit


def _verbose(wanted: bool) -> None:
    if wanted:
        from tlcourse import logs

        logs.start()


def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("-v", "--verbose", callback=_verbose, help="Log what is decided, and why.")
    ] = False,
) -> None:
    """A course in a terminal, and its grader: transfer learning and multi-task learning."""


def application() -> typer.Typer:
    """The app without its commands."""
    app = typer.Typer(
        name="tlcourse",
        cls=WholeHelp,
        help="A course in a terminal, and its grader: transfer learning and multi-task learning.",
        epilog="Begin with: tlcourse start",
        no_args_is_help=True,
        rich_markup_mode=None,  # plain help is faster, and kinder to screen readers
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(options)
    return app


def main() -> None:
    """Run the command line, and end the process with one of the codes of `ExitCode`."""
    take_secret()
    atexit.register(gc.freeze)  # at its end Python would look once more through all that there is
    app = application()
    add_commands(app, sys.argv[1:])
    if os.environ.get("TLCOURSE_DEBUG"):
        from tlcourse import logs

        if logs.wanted():
            logs.start()
    try:
        code = app(standalone_mode=False)
        sys.exit(code if isinstance(code, int) else ExitCode.OK)
    except TlcourseError as error:
        out.complain(error)
        sys.exit(error.exit_code)
    except SystemExit as end:
        if end.code == ExitCode.INTERRUPTED:  # Typer makes this of a KeyboardInterrupt, and says nothing
            out.note("tlcourse: interrupted; nothing is left running on this machine.")
        raise
    except typer.Abort:
        sys.exit(1)
    except BrokenPipeError:
        # the reader of our output has gone (`tlcourse … | head`): say nothing, and nothing at exit either
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(ExitCode.OK)
    except Exception as error:
        if (usage := _usage(error)) is not None:
            out.complain(usage)
            sys.exit(usage.exit_code)
        from tlcourse.logs import our_mistake

        out.complain(our_mistake(error))
        sys.exit(ExitCode.INFRA)


def _usage(error: Exception) -> UsageError | None:
    """A wrong option or a missing argument in our words; Typer's own class of it is not public. None: another error."""
    said = getattr(error, "format_message", None)
    if said is None:
        return None
    context = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError":
        out.say(context.get_help() if context else said())
        sys.exit(ExitCode.USAGE)
    command = context.command_path if context else "tlcourse"
    words = said()
    for kind, number in (
        ("int", "a whole number"),
        ("integer", "a whole number"),
        ("float", "a number with a point before its decimals"),
    ):
        words = words.replace(f"is not a valid {kind} range.", f"is not {number}.")
        words = words.replace(f"is not a valid {kind}.", f"is not {number}.")
    words = re.sub(r"is not in the range (\S+)<=x<=(\S+)\.", r"is not from \1 to \2.", words)
    words = re.sub(r"is not in the range x>=(\S+)\.", r"is not \1 or more.", words)
    return UsageError(words, remedy=f"{command.replace('python -m tlcourse', 'tlcourse')} --help")
