"""Grading from a notebook: `tlcourse.check()` in a cell, or `%load_ext tlcourse` and then `%%grade ex2` above code.

A grading is a process of its own, as from a terminal: a kernel that trains, or that has imported much, stays as it is,
and what was graded is kept with the attempts that the app and `tlcourse exercise attempts` show. Nothing heavy is
imported here: `import tlcourse` in a solution, too, comes to this file's names alone.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tlcourse.errors import InfraError, TlcourseError, UsageError
from tlcourse.own_process import own_command

if TYPE_CHECKING:
    from tlcourse.grading.result import Result

_TASK = re.compile(r"Task\.local\(\s*\\?[\"']([a-z0-9][a-z0-9_-]*)")
_COLAB_S = 20
_NOTEBOOK = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}}


class Verdict:
    """What a grading said; a notebook shows it as a small page, everything else as lines."""

    def __init__(self, result: Result, note: str = "") -> None:
        self.result = result
        """The result document."""
        self._note = note

    @property
    def passed(self) -> bool:
        """Whether every check was met."""
        return self.result.outcome == "pass"

    @property
    def points(self) -> float:
        """Of the checks."""
        return self.result.points

    def __repr__(self) -> str:
        from tlcourse.presenting.verdict import in_lines

        return "\n".join([*in_lines(self.result), *([self._note] if self._note else [])])

    def _repr_html_(self) -> str:
        from tlcourse.presenting.report.as_html import verdict_in_a_cell

        return verdict_in_a_cell(self.result, self._note)


def check(
    exercise: str = "",
    solution: str | Path | None = None,
    *,
    course: str | Path | None = None,
    sandbox: str = "auto",
    device: str = "auto",
    variant: str = "auto",
    on: str = "local",
) -> Verdict:
    """Grade this notebook, or `solution`, in a process of its own, and show the verdict. In a grading it does nothing.

    Args:
        exercise: Such as `ex2`; without it, the one that the notebook asks `Task.local` for, or whose folder this is.
        solution: A .py, a .ipynb, a folder or a ZIP. Without it this notebook as it was last saved (on Colab as it is),
            else solution.py or solution.ipynb in this folder.
        course: The folder of another course than the bundled one.
        sandbox: A kind of sandbox; auto is the strongest of this machine.
        device: Where to train. variant: mini, full or auto. on: this machine, or a profile for a cluster.
        variant: See `device`.
        on: See `device`.

    Raises:
        tlcourse.errors.TlcourseError: there is no verdict; a notebook shows what happened and what fixes it.
    """
    note = ""
    with tempfile.TemporaryDirectory(prefix="tlcourse-notebook-") as scratch:
        path = Path(solution) if solution is not None else None
        if path is None and (cells := _of_colab()) is not None:
            path = _written(Path(scratch), cells)
        elif path is None and (path := _of_jupyter()) is not None:
            saved = time.strftime("%H:%M:%S", time.localtime(path.stat().st_mtime))
            note = f"Graded as {path.name} was saved at {saved}."
        options = {"--course": course, "--sandbox": sandbox, "--device": device, "--variant": variant, "--on": on}
        return Verdict(_graded(exercise or _exercise_of(path, course), path, options), note)


def load_ipython_extension(shell: Any) -> None:
    """`%load_ext tlcourse`: from then on there is `%%grade`."""
    shell.register_magic_function(_grade_cell, magic_kind="cell", magic_name="grade")


def _grade_cell(line: str, cell: str) -> Verdict:
    """`%%grade ex2 [--sandbox landlock]` above a whole solution: the cell is graded, apart from all others."""
    words = line.split()
    if not words or words[0].startswith("-") or len(words) % 2 == 0:
        raise _shown(UsageError("%%grade needs an exercise.", remedy="%%grade ex2 – or %%grade ex2 --sandbox landlock"))
    options = dict(zip(words[1::2], words[2::2], strict=True))
    with tempfile.TemporaryDirectory(prefix="tlcourse-notebook-") as scratch:
        path = _written(Path(scratch), {**_NOTEBOOK, "cells": [_code(cell)]})
        return Verdict(_graded(words[0], path, options))


def _code(source: str) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "id": "solution",
        "metadata": {},
        "execution_count": None,
        "outputs": [],
        "source": source,
    }


def _written(folder: Path, notebook: Any) -> Path:
    path = folder / "solution.ipynb"
    path.write_text(json.dumps(notebook), encoding="utf-8")
    return path


# -- which notebook this is --------------------------------------------------------------------------------------------


def _of_colab() -> Any:
    """This notebook's JSON as Colab has it; None elsewhere."""
    if "google.colab" not in sys.modules:
        return None
    from google.colab import _message  # type: ignore[import-not-found]

    answer = _message.blocking_request("get_ipynb", request="", timeout_sec=_COLAB_S)
    return (answer or {}).get("ipynb")


def _of_jupyter() -> Path | None:
    """This notebook's file, where Jupyter or an editor says which it is; None where nobody does."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    names = [(shell.user_ns if shell else {}).get("__vsc_ipynb_file__"), os.environ.get("JPY_SESSION_NAME")]
    for name in names:
        if isinstance(name, str) and name.endswith(".ipynb"):
            for path in (Path(name), Path(Path(name).name)):  # Jupyter names it from where the server was started
                if path.is_file():
                    return path
    return None


def _exercise_of(path: Path | None, course: str | Path | None) -> str:
    """The exercise that a solution asks `Task.local` for, else the name of its folder."""
    from tlcourse.course.exercise import usual_solution
    from tlcourse.course.loader import load_course

    known = load_course(Path(course) if course else None).exercises
    if path is None:
        path = next(filter(None, map(usual_solution, known.values())), None)
    if path is not None and path.is_file() and path.suffix in (".py", ".ipynb"):
        for name in _TASK.findall(path.read_text(encoding="utf-8", errors="replace")):
            return str(name)
    folder = (path or Path("x")).resolve().parent.name
    if folder in known:
        return folder
    raise _shown(UsageError("Which exercise is it?", remedy=f'name it: tlcourse.check("{next(iter(known))}")'))


# -- the grading -------------------------------------------------------------------------------------------------------


def _graded(exercise: str, path: Path | None, options: dict[str, Any]) -> Result:
    """The result document of `tlcourse grade`; raises TlcourseError where it gives none."""
    said = [
        str(word) for name, value in options.items() if value not in (None, "auto", "local") for word in (name, value)
    ]
    command = own_command("tlcourse", "grade", exercise, *([str(path)] if path else []), "--events", *said)
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, start_new_session=True
        )
        try:
            found = _followed(process)
        except BaseException:  # the kernel was interrupted: asked to end, it ends the solution's processes first
            process.terminate()
            process.wait()
            raise
        finally:
            sys.stdout.write("\r\x1b[K")
            sys.stdout.flush()
        errors.seek(0)
        printed = errors.read().decode(errors="replace").strip().splitlines()
    if found is None:
        raise _shown(InfraError("The grading ended without a verdict.", cause=printed[-1] if printed else ""))
    if found["type"] == "error":
        raise _shown(UsageError(found["what"], cause=found.get("cause", ""), remedy=found.get("remedy", "")))
    from tlcourse.grading.result import read_result

    return read_result(found["result"])


def _followed(process: subprocess.Popen[bytes]) -> dict[str, Any] | None:
    """The last event, a verdict or an error; meanwhile one line that changes says what the run does."""
    begin, phase, last = time.monotonic(), "starting", None
    for event in _events(process):
        kind = event.get("type")
        if kind in ("verdict", "error"):
            last = event
        elif kind in ("phase", "metric"):
            from tlcourse.presenting.words import PHASES

            phase = PHASES.get(event.get("name", ""), phase)
            values = "  ".join(f"{name} {value}"[:30] for name, value in event.get("values", {}).items())
            sys.stdout.write(f"\r\x1b[K{time.monotonic() - begin:6.1f} s  {phase}  {values}"[:100])
            sys.stdout.flush()
    return last


def _events(process: subprocess.Popen[bytes]) -> Iterator[dict[str, Any]]:
    assert process.stdout is not None
    with process.stdout as stream:
        for line in stream:
            try:
                event = json.loads(line)
            except ValueError:
                continue
            if isinstance(event, dict):
                yield event
    process.wait()


def _shown(error: TlcourseError) -> TlcourseError:
    """An error that IPython shows in our words, without the lines of this file."""
    error._render_traceback_ = error.lines  # type: ignore[attr-defined]
    return error
