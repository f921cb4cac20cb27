"""Where the parts of a course lie: in a checkout, in an installed wheel, or in a folder named with `--course`."""

from __future__ import annotations

from pathlib import Path

from tlcourse.errors import UsageError

_PACKAGE = Path(__file__).resolve().parent.parent


def content_folder(course: Path | None) -> Path:
    """The folder with `course.yaml`."""
    if course is None:
        return _PACKAGE / "content"
    folder = course.expanduser()
    if not (folder / "course.yaml").is_file():
        raise UsageError(
            f"{folder} is not a course: it has no course.yaml.",
            cause="--course names another folder than that of a course.",
            remedy="name the folder that holds course.yaml.",
        )
    return folder.resolve()


def _staff_or_student_folder(course: Path | None, name: str) -> Path:
    if course is not None:
        return course.expanduser().resolve() / name
    bundled = _PACKAGE / "_bundled" / name
    return bundled if bundled.is_dir() else _PACKAGE.parent / name


def exercises_folder(course: Path | None) -> Path:
    """What a student gets: one folder an exercise."""
    return _staff_or_student_folder(course, "exercises")


def graders_folder(course: Path | None) -> Path:
    """What staff keep: graders, references, wrong solutions. It may be absent, and is never shown to a submission."""
    return _staff_or_student_folder(course, "graders")
