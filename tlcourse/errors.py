"""The errors of the application, and the exit codes they end in.

    TlcourseError              what happened · likely cause · the command that fixes it
    ├── UsageError             2    wrong usage, or input that cannot be read
    │   ├── ContentError       2    a course file is wrong; carries file and line
    │   └── SubmissionError    2    a hand-in cannot be read
    ├── UnableError            3    this machine cannot: a tool, a sandbox or data are missing
    └── InfraError             5    the grader or the cluster failed; nothing was counted

`tlcourse.cli.main` is the one place that turns them into a message and an exit code.
"""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What a command's exit status means, for every command."""

    OK = 0
    NOT_PASSED = 1
    USAGE = 2
    UNABLE = 3
    LIMIT = 4
    INFRA = 5
    INTERRUPTED = 130


class TlcourseError(Exception):
    """A message for people: what happened, the likely cause, the command that fixes it."""

    exit_code = ExitCode.INFRA

    def __init__(self, what: str, *, cause: str = "", remedy: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.cause = cause
        self.remedy = remedy

    def lines(self) -> list[str]:
        """The message, one fact a line."""
        parts = [self.what]
        if self.cause:
            parts.append(f"Likely cause: {self.cause}")
        if self.remedy:
            parts.append(f"Fix: {self.remedy}")
        return parts

    def __str__(self) -> str:
        return "\n".join(self.lines())


class UsageError(TlcourseError):
    """The command or its input is wrong."""

    exit_code = ExitCode.USAGE


class ContentError(UsageError):
    """A file of the course is wrong; `problems` are `file:line: what, and what was expected`."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(
            "\n".join(problems),
            cause="a file of the course does not say what the course model expects.",
            remedy="correct the named lines, then run: tlcourse author check",
        )
        self.problems = problems


class SubmissionError(UsageError):
    """A hand-in cannot be read."""


class UnableError(TlcourseError):
    """This machine cannot do what was asked."""

    exit_code = ExitCode.UNABLE


class InfraError(TlcourseError):
    """Our own fault, or the machine's: nothing was counted."""

    exit_code = ExitCode.INFRA
