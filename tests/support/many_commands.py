"""Many commands of `tlcourse` in one process: each is forked from it, so that nothing is imported twice.

    python many_commands.py <COMMANDS >OUTCOMES

COMMANDS is a JSON list of lists of arguments. OUTCOMES is a list of [exit status, stdout, stderr].
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import tempfile
import traceback
from typing import Any

from tlcourse.cli.main import COMMANDS, main

SHARED = (
    "tlcourse.cli.batch_display",
    "tlcourse.grading.author_check",
    "tlcourse.grading.batch.run",
    "tlcourse.grading.remote_grading",
    "tlcourse.presenting.machine",
    "tlcourse.presenting.report.report_files",
    "tlcourse.student.record",
)
"""What many of them import when they are given."""


def outcome(arguments: list[str]) -> list[Any]:
    """What a command prints, and how it ends; a traceback of what is no SystemExit is in its stderr."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as errors:
        child = os.fork()
        if child == 0:
            status = 99
            try:
                os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
                os.dup2(out.fileno(), 1)
                os.dup2(errors.fileno(), 2)
                sys.argv = ["tlcourse", *arguments]
                main()
            except SystemExit as end:
                status = end.code if isinstance(end.code, int) else 98
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(status)
        _, status = os.waitpid(child, 0)
        out.seek(0)
        errors.seek(0)
        return [os.waitstatus_to_exitcode(status), out.read(), errors.read()]


if __name__ == "__main__":
    for module in (*(f"tlcourse.cli.{one.module}" for one in COMMANDS), *SHARED):
        importlib.import_module(module)
    json.dump([outcome(arguments) for arguments in json.load(sys.stdin)], sys.stdout)
