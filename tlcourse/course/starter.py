"""The student's own file: where it usually lies, and how it is begun."""

from __future__ import annotations

import shutil
from pathlib import Path

from tlcourse.course.model import LoadedExercise
from tlcourse.errors import UsageError


def usual_solution(exercise: LoadedExercise, folder: Path | None = None) -> Path | None:
    """The solution in `folder` (default: the working folder), or in the folder there named like the exercise."""
    here = folder or Path()
    places = [here / inner / name for inner in (".", exercise.about.id) for name in ("solution.py", "solution.ipynb")]
    return next((place for place in places if place.is_file()), None)


def begin(
    exercise: LoadedExercise, folder: Path | None = None, *, notebook: bool = False, again: bool = False
) -> tuple[Path, Path | None]:
    """Copy the starter into `folder`, and return its path and that of the backup of what stood there.

    Raises:
        UsageError: there is a solution already and `again` is false, or the folder cannot be written to.
    """
    folder = folder or Path(exercise.about.id)
    suffix = ".ipynb" if notebook else ".py"
    target = folder / f"solution{suffix}"
    if target.exists() and not again:
        raise UsageError(
            f"{target} is there already; it was left as it is.",
            cause="the exercise was begun before.",
            remedy=f"go on with it, or begin again: tlcourse init {exercise.about.id} '{folder}' --force "
            "(keeps a backup).",
        )
    backup = None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if target.exists():
            numbered = (folder / f"solution.backup{number}{suffix}" for number in range(1, 10_000))
            backup = next(path for path in numbered if not path.exists())
            target.rename(backup)
        shutil.copyfile(exercise.folder / f"starter{suffix}", target)
    except OSError as error:
        raise UsageError(
            f"{target} cannot be written: {error.strerror}.", remedy="name a folder that you may write to."
        ) from None
    return target, backup
