"""`tlcourse start`: the terminal app."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from tlcourse.cli.options import CourseFolder
from tlcourse.errors import UsageError


def start(
    course: CourseFolder = None,
    ascii_only: Annotated[bool, typer.Option("--ascii", help="No character beyond ASCII.")] = False,
) -> None:
    """Open the course in the terminal."""
    served = os.environ.get("TEXTUAL_DRIVER", "").endswith(":WebDriver")  # `tlcourse serve`: the screen is a page
    if not served and (not (sys.stdin.isatty() and sys.stdout.isatty()) or os.environ.get("TERM") == "dumb"):
        raise UsageError(
            "tlcourse start needs a terminal, and this is none.",
            cause="input or output is piped, or runs in a job or an editor without a terminal.",
            remedy="use the commands instead: tlcourse lesson list, tlcourse quiz list, tlcourse exercise list, "
            "tlcourse grade ex2 PATH, tlcourse progress (each takes --plain and --json).",
        )
    from tlcourse.course.loader import load_course
    from tlcourse.tui.app import run

    code = run(load_course(course), course_folder=course, ascii=ascii_only)
    # Python would take as long again to throw away one by one what the app has made; the record is closed already.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
