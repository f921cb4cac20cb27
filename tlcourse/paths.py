"""Where everything of ours is kept: one function for each folder and file.

TLCOURSE_HOME moves all of it into one folder, the configuration included. Without it, each kind of file is where the
system keeps that kind. TLCOURSE_CONFIG, TLCOURSE_GRADEBOOK and TLCOURSE_DATA override their own file or folder;
TLCOURSE_SECRET holds the staff's secret itself (`grading/secret.py`).
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tlcourse.errors import UsageError

HOME, CONFIG, GRADEBOOK, DATA = "TLCOURSE_HOME", "TLCOURSE_CONFIG", "TLCOURSE_GRADEBOOK", "TLCOURSE_DATA"
STARTED = "started"
"""The name of `first_start_file`."""
_PACKAGE = Path(__file__).resolve().parent


def data_folder() -> Path:
    """What must not be lost: the record, the gradebook, the secret, submissions that are on their way."""
    if (home := _named(HOME)) is not None:
        return home
    import platformdirs

    return platformdirs.user_data_path("tlcourse", appauthor=False)


def cache_folder() -> Path:
    """What can be made again."""
    if (home := _named(HOME)) is not None:
        return home / "cache"
    import platformdirs

    return platformdirs.user_cache_path("tlcourse", appauthor=False)


def config_file() -> Path:
    """The configuration: theme, keys, profiles."""
    if (file := _named(CONFIG)) is not None:
        return file
    if (home := _named(HOME)) is not None:
        return home / "config.yaml"
    import platformdirs

    file = platformdirs.user_config_path("tlcourse", appauthor=False) / "config.yaml"
    # the first versions kept it in a folder more on Windows: …/tlcourse/tlcourse
    earlier = platformdirs.user_config_path("tlcourse") / "config.yaml"
    return earlier if earlier.is_file() and not file.exists() else file


def record_file() -> Path:
    """What the student read, answered and handed in."""
    return data_folder() / "progress.sqlite"


def first_start_file() -> Path:
    """An empty file: it is there once the app has been started."""
    return data_folder() / STARTED


def gradebook_file() -> Path:
    """Every verdict on a class, and what staff decided about it."""
    return _named(GRADEBOOK) or data_folder() / "gradebook.sqlite"


def secret_file() -> Path:
    """The staff's own secret, from which hidden data are drawn."""
    return data_folder() / "secret"


def agreed_folder() -> Path:
    """The courses whose programs may run here: a file for each."""
    return data_folder() / "courses"


def jobs_folder() -> Path:
    """Submissions that were sent to a cluster, and what came back."""
    return data_folder() / "jobs"


def labs_folder() -> Path:
    """Runs of labs, to be played again: a folder for each lab."""
    return data_folder() / "labs"


def boards_folder() -> Path:
    """Places of a class, without names, that the student was given: a folder for each course."""
    return data_folder() / "boards"


def app_log() -> Path:
    """Where the app logs, when it is asked to."""
    return data_folder() / "app.log"


def runs_folder() -> Path:
    """What the app's processes print while they run."""
    return data_folder() / "runs"


def own_real_data() -> Path:
    """Where `tlcourse data get` puts real data."""
    return data_folder() / "data"


def real_data_folders() -> list[Path]:
    """The folders in which real data are looked for, in this order; they need not exist."""
    named = _named(DATA)
    return [*([named] if named else []), own_real_data()]


def find_real_data(name: str) -> Path | None:
    """The file or folder of that name in the first folder that has one."""
    return next((folder / name for folder in real_data_folders() if (folder / name).exists()), None)


def document(name: str) -> Path:
    """A page of `docs/`: of the checkout, or where an installation has it."""
    places = (_PACKAGE.parent / "docs", Path(sys.prefix) / "share" / "doc" / "tlcourse")
    return next((folder / name for folder in places if (folder / name).is_file()), Path("docs", name))


def content_folder(course: Path | None) -> Path:
    """The folder with `course.yaml`: the bundled course's, or `course` itself. Raises UsageError."""
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


def exercises_folder(course: Path | None) -> Path:
    """What a student gets: one folder an exercise."""
    return _beside_content(course, "exercises")


def graders_folder(course: Path | None) -> Path:
    """What staff keep: graders, references, wrong solutions. It may be absent, and is never shown to a submission."""
    return _beside_content(course, "graders")


def _beside_content(course: Path | None, name: str) -> Path:
    """In a course's folder; of the bundled course, in the wheel or in a checkout."""
    if course is not None:
        return course.expanduser().resolve() / name
    bundled = _PACKAGE / "_bundled" / name
    return bundled if bundled.is_dir() else _PACKAGE.parent / name


def _named(variable: str) -> Path | None:
    """The path in an environment variable, None where it is unset or empty."""
    value = os.environ.get(variable)
    return Path(value).expanduser() if value else None
