"""The newest attempt of a person or a group, or why none can be called that; what of it is graded."""

from __future__ import annotations

import datetime
import hashlib
import os
import re
import shutil
import unicodedata
from pathlib import Path
from typing import Literal

from msgspec import Struct

from tlcourse.grading.intake.names import is_left_behind
from tlcourse.grading.lms.download_listing import SOLUTIONS, DownloadEntry
from tlcourse.grading.lms.matching import Owner
from tlcourse.grading.lms.roster import same_key, visible
from tlcourse.storage import sha256_of_file


class HandIn(Struct, frozen=True):
    """What one person or group handed in last. Names are as written: `visible` makes them fit to be shown."""

    key: str
    """Stable across runs, safe as a file's name, unique in the class."""
    owner: str
    kind: Literal["person", "group"]
    members: tuple[str, ...]
    """Roster ids of those whose mark it is; without lists the ids that the platform gives, or none."""
    path: Path
    """The newest attempt: a file or a folder."""
    folder_name: str
    """What the platform called its folder: feedback goes back under that name."""
    submitted_at: str = ""
    """ISO 8601, in the site's time; "" where the download does not say."""
    older: tuple[Path, ...] = ()
    twins: tuple[str, ...] = ()
    """Folders in which the same attempt lies again, as for every member of a group in Moodle."""
    problem: str = ""
    """Why it could not be unpacked: it is to end as `invalid` with this as its message, ungraded; `path` is empty."""
    called_late: bool | None = None
    """Whether the platform calls it late; None where it never says so."""
    older_at: tuple[str, ...] = ()
    """When the older attempts were handed in, as far as that is known."""


def identity_of(owner: Owner) -> tuple[str, str]:
    """Equal for what belongs together: a person by id, a group by its name, those named together by who they are."""
    own = owner.members[0] if owner.kind == "person" and owner.members else owner.key
    return owner.kind, own or same_key(owner.name)


def newest_attempt(
    identity: tuple[str, str],
    attempts: list[tuple[Owner, DownloadEntry]],
    into: Path,
    refused: dict[str, str],
    notices: list[str],
) -> HandIn | str:
    """The newest attempt with the others kept; or why none can be called the newest."""
    key = _key(identity, attempts[0][0].name)
    attempts = sorted(attempts, key=lambda pair: (pair[1].when is not None, pair[1].when, pair[1].ids), reverse=True)
    if first := attempts[0][1].when:  # of an hour that came twice the numbers say more than the clock
        alike = [pair for pair in attempts if pair[1].when and in_an_hour_that_came_twice(pair[1].when, first)]
        alike.sort(key=lambda pair: pair[1].ids, reverse=True)
        attempts = alike + attempts[len(alike) :]
    placed = [(owner, entry, _place(entry, key, into)) for owner, entry in attempts]
    owner, newest, path = placed[0]
    rivals = [
        (entry, other)
        for _, entry, other in placed[1:]
        if entry.when is None
        or entry.when == newest.when
        or newest.when is None
        or in_an_hour_that_came_twice(entry.when, newest.when)
    ]
    twins = [entry.folder_name for entry, other in rivals if _same(path, other)]
    different = [entry for entry, _ in rivals if entry.folder_name not in twins]
    name = visible(owner.name)
    undated = [entry for entry in (newest, *different) if entry.when is None]
    if different and undated:
        return f"{len(attempts)} hand-ins of {name}, and nothing says which is the newest"
    if different:
        when = (
            "in one minute" if all(entry.when == newest.when for entry in different) else "in an hour that came twice"
        )
        notices.append(
            f"{name}: {len(different) + 1} attempts {when}; "
            f"{visible(newest.folder_name)} counts, as its number is the highest."
        )
    by = {one.by for one, _ in attempts if one.by}
    if owner.kind == "group" and len(by) > 1 and not twins:
        notices.append(f"{name}: {len(by)} members handed in; the newest, {visible(newest.folder_name)}, counts.")
    if newest.date and newest.when is None:
        notices.append(f"{visible(newest.folder_name)}: the date {visible(newest.date)!r} was not understood.")
    if not holds_a_solution(path) and (older := next((p for p in placed[1:] if holds_a_solution(p[2])), None)):
        notices.append(
            f"{name}: the newest attempt, {visible(newest.folder_name)}, counts and holds no .py, .ipynb or ZIP; "
            f"an older one does: {visible(older[1].folder_name)}."
        )
    members = tuple(dict.fromkeys(member for one, _ in attempts for member in one.members))
    return HandIn(
        key,
        owner.name,
        owner.kind,
        members,
        path,
        newest.folder_name,
        newest.when.isoformat() if newest.when else "",
        tuple(other for _, entry, other in placed[1:] if entry.folder_name not in twins),
        tuple(twins),
        next((refused[path.name] for path in newest.paths if path.name in refused), newest.problem),
        newest.called_late,
        tuple(entry.when.isoformat() for _, entry, _ in placed[1:] if entry.when is not None),
    )


def _key(identity: tuple[str, str], name: str) -> str:
    """A readable part, and a hash that makes it unique whatever the name."""
    plain = unicodedata.normalize("NFKD", name.casefold()).translate({ord("ø"): "o", ord("æ"): "ae"})
    slug = re.sub(r"[^a-z0-9]+", "-", "".join(c for c in plain if not unicodedata.combining(c))).strip("-")[:40]
    digest = hashlib.sha256("\0".join(identity).encode("utf-8", "surrogatepass")).hexdigest()[:10]
    return f"{slug.strip('-') or 'handin'}-{digest}"


def _place(entry: DownloadEntry, key: str, into: Path) -> Path:
    """Where an attempt lies; several files of one person, side by side in a download without folders, get a folder."""
    if len(entry.paths) == 1:
        return _what_to_grade(entry.paths[0])
    folder = into / "gathered" / _key(("", entry.folder_name), key)
    folder.mkdir(parents=True, exist_ok=True)
    for path, name in zip(entry.paths, entry.files, strict=True):
        if path.is_file() and not path.is_symlink():
            shutil.copyfile(path, folder / (name or path.name))
    return folder


def _what_to_grade(path: Path) -> Path:
    """What to grade of a folder: its only file, its only folder's content, else all of it, as a report beside a ZIP."""
    while path.is_dir():
        inside = sorted(child for child in path.iterdir() if not is_left_behind(child.name))
        if len(inside) != 1 or inside[0].is_symlink():
            return path
        path = inside[0]
    return path


def in_an_hour_that_came_twice(one: datetime.datetime, other: datetime.datetime) -> bool:
    """Whether the clock may have been put back between two times of one night, so that it does not order them.

    It is in Europe (the last Sunday of October), America (the first of November), and Australia (the first of April).
    """
    day = one.date()
    change = {4: range(1, 8), 10: range(25, 32), 11: range(1, 8)}.get(day.month, range(0))
    is_night = day.weekday() == 6 and day.day in change and 1 <= one.hour <= 3
    return is_night and day == other.date() and one.hour == other.hour and one.tzinfo is None


def holds_a_solution(path: Path) -> bool:
    """Whether there is anything in an attempt that could be graded."""
    if not path.is_dir():
        return path.suffix.lower() in SOLUTIONS
    return any(name.lower().endswith(SOLUTIONS) for _, _, files in os.walk(path) for name in files)


def _same(one: Path, other: Path) -> bool:
    """Whether two attempts have the same files with the same bytes."""
    return _contents(one) == _contents(other)


def _contents(path: Path) -> dict[str, str]:
    files = [path] if path.is_file() else [Path(top, name) for top, _, names in os.walk(path) for name in names]
    digests = {}
    for file in files:
        if not file.is_symlink() and file.is_file():
            digests[os.fsdecode(file.relative_to(path))] = sha256_of_file(file)
    return digests
