"""The autograder ZIP of Gradescope: two scripts, this tlcourse as a wheel, the course, and one exercise's secret.

Gradescope unpacks it to /autograder/source when it builds the image, runs `setup.sh` there once, and `run_autograder`
for every hand-in, both as root. Staff alone can download it, and it is as secret as the graders are. Of the staff's
secret it holds what was derived for this one exercise: nothing leads back from that, or to another exercise.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.metadata
import io
import json
import math
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
from msgspec import Struct

from tlcourse import __version__
from tlcourse.course import packages
from tlcourse.course.hand_out import travelling
from tlcourse.course.model import Exercise, LoadedExercise
from tlcourse.course.packages import imported_as
from tlcourse.errors import UnableError
from tlcourse.grading.grader import Grader
from tlcourse.grading.lms.gradescope import Visibility, not_graded
from tlcourse.grading.reference import PRACTICE
from tlcourse.paths import exercises_folder, graders_folder
from tlcourse.sandbox.interpreter import PACKAGE
from tlcourse.text import typed

SETTINGS, COURSE = "autograder.json", "course"
_DATE = (1980, 1, 1, 0, 0, 0)  # the same course is the same ZIP
_PRIVATE, _FILE, _PROGRAM = 0o600, 0o644, 0o755
_UV, _PYTHON = "0.13.9", f"{sys.version_info.major}.{sys.version_info.minor}"
"""Python as here, since torch and NumPy are pinned to what is here: the image's own, or one that uv fetches."""
_PINNED = ("torch", "torchvision", "numpy")
_LEFT_OUT = frozenset({"__pycache__", "references", "wrong", "solutions.zip"})
"""Of a course: what no grading needs, and nobody should find."""
_USUAL_MIN, _MOST_MIN = 10, 40
"""Gradescope's own limit for a hand-in: what it is, and the most that can be set."""
_SPARE_S = 45
"""Before that limit is reached we stop, and say so: Gradescope itself would give 0 points."""
_OVERHEAD_MB = 700
"""Beside the run: what grades, and torch before a solution did anything."""


class Settings(Struct, frozen=True):
    """What is graded there, and how: `autograder.json`."""

    exercise: str
    seed: int
    run_key: str
    visibility: Visibility = "visible"
    leaderboard: bool = False
    minutes: int = _USUAL_MIN
    own_course: bool = False
    """Whether the course is in the ZIP; else it is the one that comes with tlcourse."""
    schema: int = 1


def minutes_for(about: Exercise) -> int:
    """The time-out that a hand-in needs in Gradescope: all its runs at their limit, within what can be set there."""
    longest = about.policy.seeds * about.limits.wall_time_s + 2 * _SPARE_S
    return min(max(math.ceil(longest / 60), _USUAL_MIN), _MOST_MIN)


def memory_for(about: Exercise) -> int:
    """The memory, in MB, that its container needs."""
    return math.ceil(about.limits.memory_mb) + _OVERHEAD_MB


def autograder(exercise: LoadedExercise, course: Path | None, settings: Settings) -> bytes:
    """The ZIP. Raises UnableError where this tlcourse is not installed, so that nobody knows what it needs."""
    wheel, data = own_wheel(with_graders=course is None)
    files = [
        ("setup.sh", _setup(exercise.about, wheel).encode(), _PROGRAM),
        ("run_autograder", _run(exercise.about, settings).encode(), _PROGRAM),
        (SETTINGS, msgspec.json.format(msgspec.json.encode(settings), indent=1), _PRIVATE),
        (wheel, data, _FILE),
    ]
    if course is not None:
        files += [(f"{COURSE}/{name}", path.read_bytes(), _PRIVATE) for name, path in _files_of_course(course)]
        if answers := Grader(exercise).practice(settings.seed):  # no reference goes there
            files.append((f"{COURSE}/graders/{exercise.folder.name}/{PRACTICE}", answers, _PRIVATE))
    return _packed(files)


def _files_of_course(course: Path) -> Iterator[tuple[str, Path]]:
    """What students get of a course, and its graders with their data: no hand-ins or marks that lie beside them.

    Raises UnableError for a link that would be missing there, as one to a folder of hidden data elsewhere.
    """
    found = dict(travelling(course))
    found |= {f"graders/{name}": path for name, path in _files(course / "graders")}
    for path in (path for top in ("exercises", "graders") for path in sorted((course / top).rglob("*"))):
        name = path.relative_to(course)
        if path.is_symlink() and name.as_posix() not in found and _belongs(name) and name.stem != "solution":
            raise UnableError(
                f"{name.as_posix()} is a link that the ZIP cannot hold.",
                cause="it leads to a folder, out of the course, or nowhere.",
                remedy="put the files themselves there, then try again.",
            )
    yield from sorted(found.items())


def own_wheel(*, with_graders: bool) -> tuple[str, bytes]:
    """This copy of tlcourse as a wheel, and its file name; from a checkout as from an installation.

    `with_graders`: those of the bundled course, without references and wrong solutions. Raises UnableError where it is
    not installed.
    """
    try:
        about = importlib.metadata.distribution("tlcourse")
        metadata, entries = about.read_text("METADATA"), about.read_text("entry_points.txt")
    except importlib.metadata.PackageNotFoundError:
        metadata = entries = None
    if not metadata or not entries:
        raise UnableError(
            "This tlcourse is not installed, so that nobody knows which packages it needs.",
            cause="it is run from a checkout.",
            remedy="python3 -m pip install -e .",
        )
    files = [(f"tlcourse/{name}", path.read_bytes()) for name, path in _files(PACKAGE)]
    bundled = [("exercises", exercises_folder(None)), *([("graders", graders_folder(None))] * with_graders)]
    for kind, folder in bundled:
        found = [(name, path) for name, path in _files(folder) if not name.startswith("write/")]  # references, too
        files += [(f"tlcourse/_bundled/{kind}/{name}", path.read_bytes()) for name, path in found]
    named = f"tlcourse-{__version__}"
    own = f"{named}.dist-info"
    files += [
        (f"{own}/METADATA", metadata.encode()),
        (f"{own}/entry_points.txt", entries.encode()),
        (f"{own}/WHEEL", b"Wheel-Version: 1.0\nGenerator: tlcourse\nRoot-Is-Purelib: true\nTag: py3-none-any\n"),
    ]
    record = "".join(f"{name},sha256={_digest(data)},{len(data)}\n" for name, data in files) + f"{own}/RECORD,,\n"
    files.append((f"{own}/RECORD", record.encode()))
    return f"{named}-py3-none-any.whl", _packed([(name, data, _FILE) for name, data in files])


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """What of a folder belongs to a course or a package, by its name in it."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if path.is_file() and _belongs(name) and name.parts[0] != "_bundled":
            yield name.as_posix(), path


def _belongs(name: Path) -> bool:
    hidden = any(part.startswith(".") for part in name.parts)
    return not hidden and _LEFT_OUT.isdisjoint(name.parts) and ".sqlite" not in name.name


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def _packed(files: list[tuple[str, bytes, int]]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data, mode in files:
            info = zipfile.ZipInfo(name, _DATE)
            info.external_attr = (0o100000 | mode) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            packed.writestr(info, data)
    return stream.getvalue()


def typed_uv() -> str:
    """The installer that knows torch's CPU build by name, in the version that this was tried with."""
    return f"uv=={_UV}"


def providers(about: Exercise) -> list[str]:
    """What is installed for the packages that an exercise promises, by the names of distributions.

    Raises UnableError where one is not installed here: an index may know something else by the name that `import` uses.
    """
    known = importlib.metadata.packages_distributions() if about.packages else {}
    wanted = {one: imported_as(one) for one in about.packages}
    if missing := packages.missing(about.packages) or [one for one, name in wanted.items() if name not in known]:
        raise UnableError(
            f"{about.id} promises packages that are not installed here: {', '.join(missing)}.",
            cause="what has to be installed for them is looked up here.",
            remedy="install what provides them into the environment of tlcourse, then try again.",
        )
    return sorted({name for one in wanted.values() for name in known[one]} - set(_PINNED))


def pinned(*more: str) -> list[str]:
    """Torch, NumPy and `more` as they are here, so that a hand-in trains there as it does in a batch here."""
    found = []
    for name in (*_PINNED, *more):
        try:
            found.append(f"{name}=={importlib.metadata.version(name).split('+')[0]}")
        except importlib.metadata.PackageNotFoundError:  # whichever fits what tlcourse needs
            found.append(name)
    return found


def _setup(about: Exercise, wheel: str) -> str:
    wanted = " ".join(map(typed, pinned(*providers(about))))
    return f"""#!/usr/bin/env bash
# Once, when the image is built: a Python of its own with tlcourse and the CPU build of torch, and bubblewrap.
# Made by: tlcourse author gradescope {about.id}
set -euo pipefail
source=$(cd "$(dirname "$0")" && pwd)
place=$(dirname "$source")/tlcourse
export DEBIAN_FRONTEND=noninteractive UV_PYTHON_INSTALL_DIR="$place/python" UV_LINK_MODE=copy UV_NO_CACHE=1
apt-get update
apt-get install -y --no-install-recommends bubblewrap ca-certificates python3-venv
python3 -m venv "$place/uv"
"$place/uv/bin/pip" install --no-cache-dir {typed_uv()}
"$place/uv/bin/uv" venv --python '{_PYTHON}' "$place/venv"
"$place/uv/bin/uv" pip install --python "$place/venv/bin/python" --torch-backend cpu {wanted} "$source/{wheel}"
# student code runs as a user of its own: it may pass here, and look nowhere else
chmod a+x "$(dirname "$source")" "$place"
chmod -R go= "$source"
"$place/venv/bin/python" -I -m tlcourse --version
"""


def _run(about: Exercise, settings: Settings) -> str:
    document = json.dumps(not_graded(FAILED), indent=1, ensure_ascii=True)
    return f"""#!/usr/bin/env bash
# One hand-in of {about.id}, graded. Made by: tlcourse author gradescope {about.id}
# What it prints is for staff alone; what students read stands in results/results.json.
umask 022
root=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$root/results"
# if all that follows should fail or be killed, this is left: no score, and nobody's fault but ours
cat >"$root/results/results.json" <<'DOCUMENT'
{document}
DOCUMENT
TLCOURSE_HOME=$(mktemp -d)
export TLCOURSE_HOME TLCOURSE_TRUST_COURSE=1
timeout --signal=TERM --kill-after=15 {settings.minutes * 60 - _SPARE_S} \\
    "$root/tlcourse/venv/bin/python" -I -m tlcourse author gradescope-grade "$root"
status=$?
[ "$status" -eq 0 ] || echo "tlcourse ended with status $status; the submission has no score."
rm -rf "$TLCOURSE_HOME"
exit 0
"""


FAILED = (
    "Your hand-in was not graded, and that is not your fault: what grades it here failed. Nothing is counted, and what "
    "you handed in is kept. Your course's staff can see why, and will have it graded again."
)
"""What students read where we failed."""
