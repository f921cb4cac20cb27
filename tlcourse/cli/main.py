"""The command line: the commands, and the one place where errors become a message and an exit code."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from tlcourse.cli import out
from tlcourse.cli.commands import add_commands
from tlcourse.errors import ExitCode, InfraError, TlcourseError
from tlcourse.own_process import take_secret


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
        bool, typer.Option("--version", callback=_version, is_eager=True, help="The version, and end.")
    ] = False,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", callback=_verbose, help="As of each command.")] = False,
) -> None:
    """A course in a terminal, and its grader: transfer learning and multi-task learning."""


def application() -> typer.Typer:
    """The app without its commands."""
    app = typer.Typer(
        name="tlcourse",
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
    app = application()
    add_commands(app, sys.argv[1:])
    if os.environ.get("TLCOURSE_DEBUG"):
        from tlcourse import logs

        if logs.wanted():
            logs.start()
    try:
        app()
    except TlcourseError as error:
        out.complain(error)
        sys.exit(error.exit_code)
    except SystemExit as end:
        if end.code == ExitCode.INTERRUPTED:  # Typer makes this of a KeyboardInterrupt, and says nothing
            out.note("tlcourse: interrupted; nothing is left running on this machine.")
        raise
    except BrokenPipeError:
        # the reader of our output has gone (`tlcourse … | head`): say nothing, and nothing at exit either
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(ExitCode.OK)
    except Exception as error:
        out.complain(_our_mistake(error))
        sys.exit(ExitCode.INFRA)


def _our_mistake(error: Exception) -> InfraError:
    """A traceback belongs in a file that can be sent to us, never on the screen."""
    import tempfile
    import traceback

    if os.environ.get("TLCOURSE_DEBUG"):
        traceback.print_exception(error)
    with tempfile.NamedTemporaryFile("w", prefix="tlcourse-error-", suffix=".log", delete=False) as stream:
        traceback.print_exception(error, file=stream)
    return InfraError(
        f"tlcourse itself failed ({type(error).__name__}). This is not your mistake; nothing was counted.",
        cause=str(error).splitlines()[0][:300] if str(error) else "",
        remedy=f"report it with the log at {stream.name}",
    )
