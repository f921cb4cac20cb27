"""What a student has of an exercise: the file to begin with, how chance is dealt with, after a pass the explanation.

The explanation, the reference and the wrong solutions lie beside the grader as files, or, in a wheel, packed into one
archive there. It keeps them out of searches and accidental reading. It is not a secret: whoever wants to can open it.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct

from tlcourse.course.model import Exercise, LoadedExercise
from tlcourse.course.packages import imported_as, missing
from tlcourse.errors import UnableError, UsageError
from tlcourse.storage import begin_file, write_atomically
from tlcourse.text import typed
from tlcourse.torch_install import require_torch

GIVEN = ("numpy", "torch", "torchvision", "safetensors", "PIL")
"""Packages that every grading has, by the names that `import` uses; Python's own library is there too."""


def packages(about: Exercise) -> tuple[str, ...]:
    """What a solution may import, beside Python's own library, by the names that `import` uses."""
    return tuple(dict.fromkeys((*GIVEN, *map(imported_as, about.packages))))


def packages_in_words(about: Exercise) -> str:
    """What a solution may import, in a sentence."""
    named = (*GIVEN, *(one for one in about.packages if one not in GIVEN))
    return f"{', '.join(named)}, and Python's own library; others may be missing where it is graded."


def require_packages(about: Exercise, *, marks: bool = False) -> None:
    """Raise UnableError where torch, or a package that the exercise promises, is not installed here: nobody's fault.

    Functions are called without torch, too; but for `marks` all of `GIVEN` must be there: any solution may import it.
    """
    if about.model is not None or (marks and about.functions is not None):
        require_torch(f"Running a solution of {about.id}")
    require_promised(about)


def require_promised(about: Exercise) -> None:
    """Raise UnableError where a package that the exercise promises is not installed here, or in another version."""
    if lacking := missing(about.packages):
        raise UnableError(
            f"{about.id} promises packages that are not installed here: {', '.join(lacking)}.",
            cause="its exercise.yaml names them under `packages`, and solutions may import them.",
            remedy="install what provides them into the environment of tlcourse, then try again.",
        )


def require_hidden_data(exercise: LoadedExercise) -> None:
    """Raise UnableError where hand-ins are measured on hidden files and those are not here: nothing would be a mark."""
    if exercise.about.hidden_data and exercise.data.hidden is None:
        raise UnableError(
            f"The hidden data of {exercise.about.id} are not here.",
            cause=f"there is no folder graders/{exercise.folder.name}/data: this is a copy for students, or it is not "
            "kept together with the course.",
            remedy="put the folder beside the graders, then try again.",
        )


def policy_in_words(about: Exercise) -> Iterator[str]:
    """How chance is dealt with, as students read it, one sentence an entry."""
    policy = about.policy
    yield (
        f"A check passes unless the measurement says, at {100 * (1 - policy.doubt):g} %, that the true value misses "
        "the bar: a bit less than the bar suffices, and the doubt is yours."
    )
    yield f"A model whose true value is at the bar fails with a probability of at most {policy.doubt:.2g}."
    if policy.seeds > 1:
        yield (
            f"A miss that chance explains more often than {policy.clear:.2g} is run again, with up to {policy.seeds} "
            "seeds in all, and decided on all runs together, in whatever order."
        )
    yield (
        f"Up to {policy.attempts} hand-ins are graded, each on other data. Try as often as you like on your own: "
        "the same file, seed, device and number of threads give the same verdict."
    )


def policy_section(about: Exercise) -> str:
    """The same as a section that stands at the end of a handout."""
    return "\n## How chance is dealt with\n\n" + "".join(f"- {sentence}\n" for sentence in policy_in_words(about))


def usual_solution(exercise: LoadedExercise) -> Path | None:
    """The solution in the working folder, or in the folder there named like the exercise."""
    places = [Path(inner, name) for inner in (".", exercise.about.id) for name in ("solution.py", "solution.ipynb")]
    return next((place for place in places if place.is_file()), None)


_LOCAL = re.compile(r"""Task\.local\((\\?["'])([\w-]+)\\?["'](?:, course=\\?["'][^"'\\\n]*\\?["'])?(?=[,)])""")
"""The line of a solution or notebook that asks for its data: in a notebook's file the quotes are escaped."""


def naming_course(text: str, course: Path | None) -> str:
    """A solution whose `Task.local("NAME")` names the folder of its course; with None, none."""
    where = course.expanduser().resolve().as_posix() if course else ""
    home = Path.home().as_posix()
    where = f"~{where.removeprefix(home)}" if where.startswith(f"{home}/") else where  # nobody's name is handed in
    if any(sign in where for sign in "\"'\\\n"):
        return text
    named = f", course=\\1{where}\\1" if where else ""
    return _LOCAL.sub(rf"Task.local(\1\2\1{named}", text)


def name_course(solution: Path, course: Path) -> bool:
    """Have a solution that is there name the folder of its course, and say whether that changed it.

    Raises UsageError where it cannot be read or written.
    """
    try:
        before = solution.read_bytes()
        after = naming_course(before.decode("utf-8"), course).encode()
        if after != before:
            write_atomically(solution, after, mode=solution.stat().st_mode & 0o777)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{solution} cannot be changed: {error}.", remedy="name a file that you may write to."
        ) from None
    return after != before


def begin(
    exercise: LoadedExercise,
    folder: Path | None = None,
    *,
    notebook: bool = False,
    again: bool = False,
    course: Path | None = None,
) -> tuple[Path, Path | None]:
    """Copy the starter into `folder`, and return its path and that of the backup of what stood there.

    `course`: the folder of another course than the bundled one, which the copy then names.

    Raises:
        UsageError: there is a solution already and `again` is false, the folder cannot be written to, or nothing of
        the exercise is run, so that there is nothing to begin with.
    """
    if not (exercise.folder / "starter.py").is_file():
        named = ", ".join(exercise.about.files_alone) or "nothing"
        raise UsageError(
            f"There is nothing to begin {exercise.about.id} with.",
            cause="no code of it is run.",
            remedy=f"what is handed in: {named}; tlcourse exercise show {exercise.about.id} says what it shall hold.",
        )
    folder = folder or Path(exercise.about.id)
    suffix = ".ipynb" if notebook else ".py"
    target = folder / f"solution{suffix}"
    command = f"tlcourse init {exercise.about.id} {typed(str(folder))} --force"
    backup = begin_file(target, exercise.folder / f"starter{suffix}", again=again, command=command)
    if course is not None:
        name_course(target, course)
    return target, backup


MATCHER = {
    "owner": "tlcourse",
    "source": "tlcourse",
    "severity": "error",
    "fileLocation": ["autoDetect", "${workspaceFolder}"],
    "pattern": {"regexp": "^problem: (.+?):(\\d+): (.+)$", "file": 1, "line": 2, "message": 3},
}
"""How VS Code finds what is to be mended in what `grade --plain` and `author check --plain` print."""


def begin_tasks(exercise: str, solution: Path, course: Path | None = None, folder: Path = Path()) -> Path | None:
    """Give VS Code a task that grades `solution`; see `add_task`."""
    given = ["--course", str(course)] if course else []
    return add_task(folder, f"tlcourse: grade {exercise}", ["grade", exercise, str(solution), "--plain", *given])


def add_task(folder: Path, label: str, arguments: list[str]) -> Path | None:
    """Give VS Code a task of tlcourse, in `.vscode/tasks.json` of `folder`; returns that file.

    Tasks that are there stay. None where they cannot be read, as with comments, and so were left as they are. Raises
    UsageError where nothing can be written.
    """
    task = {
        "label": label,
        "type": "process",
        "command": sys.executable,  # an environment that is not active is on no PATH
        "args": ["-m", "tlcourse", *arguments],
        "group": "test",
        "presentation": {"clear": True},
        "problemMatcher": MATCHER,
    }

    def added(kept: dict[str, Any]) -> dict[str, Any]:
        others = [one for one in kept.get("tasks", []) if one.get("label") != label]
        return {"version": "2.0.0", **kept, "tasks": [*others, task]}

    return change_json(folder / ".vscode" / "tasks.json", added)


def change_json(path: Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Path | None:
    """Change a file of an editor's; None where it cannot be read as JSON, as with comments: then it stays as it is.

    Raises UsageError where it cannot be written.
    """
    try:
        changed = change(json.loads(path.read_text(encoding="utf-8")) if path.exists() else {})
    except (OSError, ValueError, TypeError, AttributeError, KeyError, RecursionError):
        return None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, f"{json.dumps(changed, indent=2, ensure_ascii=False)}\n".encode(), mode=0o644)
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written: {error.strerror}.", remedy="name a folder that you may write to."
        ) from None
    return path


class Explanation(Struct, frozen=True):
    """The explanation as Markdown, and the reference solution as Python."""

    text: str
    reference: str

    @property
    def page(self) -> str:
        """Both as one Markdown document."""
        return f"{self.text.strip()}\n\n## The reference\n\n```python\n{self.reference.strip()}\n```\n"


def explanation(exercise: LoadedExercise, *, passed: bool) -> Explanation:
    """The explanation of an exercise that was `passed`.

    Raises:
        UsageError: it was not passed yet.
        UnableError: this copy of the course was made without the staff's files.
    """
    name = exercise.about.id
    if not passed:
        raise UsageError(
            f"The explanation of {name} is shown once you have passed it.",
            cause="no attempt in your record on this machine has passed.",
            remedy=f"tlcourse grade {name} – or a hint: tlcourse exercise hint {name}",
        )
    missing = [
        f"graders/references/{exercise.folder.name}{suffix}"
        for suffix, path in ((".md", exercise.explanation), (".py", exercise.reference))
        if path is None
    ]
    if exercise.explanation is None or exercise.reference is None:
        raise UnableError(
            f"There is no explanation of {name} here: {' and '.join(missing)} are missing.",
            cause="they are kept by the course's staff, and this copy of the course was made without them.",
            remedy="ask the staff of your course for them.",
        )
    return Explanation(staff_text(exercise.explanation), staff_text(exercise.reference))


PACKED = "solutions.zip"
"""What `hatch_build.py` packs `references/` and `wrong/` into, beside the graders of a wheel."""


def staff_files(graders: Path, folder: str) -> list[Path]:
    """The files in `references` or `wrong/NAME` of a folder of graders, sorted: plain ones, or such in the archive.

    Raises UnableError where the archive cannot be read.
    """
    plain = sorted(path for path in (graders / folder).glob("*") if path.is_file())
    if plain or not (graders / PACKED).is_file():
        return plain
    import zipfile  # a checkout has them unpacked

    try:
        with zipfile.ZipFile(graders / PACKED) as packed:
            inside = sorted(name for name in packed.namelist() if name.rpartition("/")[0] == folder)
    except (OSError, zipfile.BadZipFile) as error:
        raise _damaged(graders / PACKED, error) from None
    return [graders / PACKED / name for name in inside]


def _damaged(path: Path, error: Exception) -> UnableError:
    return UnableError(
        f"{path} cannot be read: {error}.",
        cause="the installation was changed or is incomplete.",
        remedy="install tlcourse again.",
    )


def staff_text(path: Path) -> str:
    """The text of one of `staff_files`; raises UnableError where it cannot be read."""
    import zipfile

    archive = next((above for above in path.parents if above.name == PACKED), None)
    try:
        if archive is None:
            return path.read_text(encoding="utf-8")
        with zipfile.ZipFile(archive) as packed:
            return packed.read(path.relative_to(archive).as_posix()).decode("utf-8")
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise _damaged(path, error) from None


class Solution(Struct, frozen=True):
    """A solution of the staff's."""

    kind: Literal["reference", "wrong"]
    name: str
    """Of its file."""
    text: str


def solutions(exercise: LoadedExercise) -> Iterator[Solution]:
    """The reference, if there is one, and the wrong solutions by name."""
    if exercise.reference is not None:
        yield Solution("reference", exercise.reference.name, staff_text(exercise.reference))
    for path in staff_files(exercise.staff, f"wrong/{exercise.folder.name}"):
        if path.suffix == ".py":
            yield Solution("wrong", path.name, staff_text(path))
