"""The student's record as every command opens it: what cannot be written is said, and stops nothing before its end."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tlcourse.cli import out
from tlcourse.errors import ExitCode

if TYPE_CHECKING:
    from tlcourse.student.record import Record


@contextlib.contextmanager
def own_record(*, matters: bool = False) -> Iterator[Record]:
    """The record, written to its file when the block ends.

    Args:
        matters: What the command does is what it writes: where that is lost, it ends as a fault of the machine.
    """
    import typer

    from tlcourse.student.record import Record

    with Record.open(tell=out.note) as record:
        if record.notice:
            out.note(record.notice)
        yield record
    if record.unwritten:
        out.complain(record.lost(), document=False)
        if matters:
            raise typer.Exit(ExitCode.INFRA)
