"""Finding everyone's hand-in in what a platform, or a folder, has: the newest attempt of each person or group.

Nothing is dropped in silence. Whatever belongs to nobody is in `unmatched` with its reason, whoever handed in nothing
is in `missing`, and both are known before anything is graded.
"""

from __future__ import annotations

import datetime
import hashlib
import os
import re
import shutil
import stat
import unicodedata
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from tlcourse.errors import UsageError
from tlcourse.grading.intake.names import is_left_behind
from tlcourse.grading.lms.download_listing import (
    SOLUTIONS,
    DownloadEntry,
    download_listing,
    is_named_by_a_platform,
    root_of_handins,
)
from tlcourse.grading.lms.groups import Groups
from tlcourse.grading.lms.matching import NOBODY, ClassIndex, Label, Owner, index_class, owner_by_staff, owner_of
from tlcourse.grading.lms.roster import Person, Roster, same_key, visible
from tlcourse.grading.lms.unpacking import unpack
from tlcourse.storage import sha256_of_file
from tlcourse.text import counted

_NAMED = 5
"""How many of those whom one notice concerns are named."""


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


class Unmatched(Struct, frozen=True):
    """Something that nobody can be said to have handed in."""

    name: str
    reason: str


class GivenOver(Struct, frozen=True):
    """A hand-in that a batch has already, and whose the staff said it is."""

    handin: int
    folder_name: str
    before: str
    """The owner so far."""
    owner: Owner | None
    """None: it is nobody's."""


class HandIns(Struct, frozen=True):
    """A class's hand-ins; `missing` are the roster ids of those without one."""

    found: list[HandIn]
    unmatched: list[Unmatched]
    missing: list[str]
    notices: list[str]
    platform: str
    settled: dict[str, str] = {}
    """Folders whose owner the staff named, and whom they named."""
    people: tuple[Person, ...] = ()
    """Everybody of the lists."""
    groups: dict[str, str] = {}
    """The group of each person, by the list of groups."""
    listed: tuple[str, ...] | None = None
    """The ids of those in the class list; None without one."""
    owners: dict[str, Owner | None] = {}
    """Who the staff named for each folder of `settled`; None for nobody."""
    given_over: list[GivenOver] = []
    """Hand-ins of the batch that are somebody else's from now on, as the staff said."""


def find_handins(
    path: Path,
    into: Path,
    *,
    roster: Roster | None = None,
    groups: Groups | None = None,
    known: Mapping[str, str] | None = None,
) -> HandIns:
    """Find the newest attempt of every person, or of every group.

    Args:
        path: a platform's download, as a ZIP or unpacked; a folder of folders; a folder of files.
        into: where a ZIP is unpacked, once; a later run with the same ZIP finds it there again.
        groups: where given, what any member hands in is the group's.
        known: whose a folder is, where the staff said so: an id, a name or a group by the folder's name, or `nobody`.

    Raises:
        UsageError: the path cannot be read, or holds nothing that could be a hand-in.
        UnableError: the ZIP cannot be unpacked, since the disk is full.
    """
    class_ = index_class(roster, groups)

    def is_handin(name: str) -> bool:
        if is_named_by_a_platform(name):
            return True
        known = class_.has_roster or bool(class_.groups)
        return known and isinstance(owner_of(Label(name, loosely=True), class_), Owner)

    refused: dict[str, str] = {}
    if _is_folder(path):
        folder = root_of_handins(path, is_handin)
    else:
        unpacked = unpack(path, into, is_handin)
        folder, refused = into / unpacked.folder, unpacked.refused
    found = download_listing(folder, into)
    if not found.entries:
        raise UsageError(
            f"{path} holds no hand-ins.",
            cause="another folder was named, or the download is empty.",
            remedy="name the download of the exercise, or a folder with a folder or file for each person.",
        )
    by_owner: dict[tuple[str, str], list[tuple[Owner, DownloadEntry]]] = defaultdict(list)
    unmatched = []
    owners: dict[str, Owner | None] = {}
    settled, by_staff = {}, {same_key(name): who for name, who in (known or {}).items()}
    for entry in found.entries:
        if (who := by_staff.get(same_key(entry.folder_name))) is not None:
            settled[entry.folder_name] = who
            owners[entry.folder_name] = named = None if who == NOBODY else owner_by_staff(who, class_)
            if named is None:
                continue
            by_owner[_identity(named)].append((named, entry))
            continue
        owner = entry.nobodys or (_owner_of_all(entry, class_) if entry.others else owner_of(entry.label, class_))
        if isinstance(owner, str):
            unmatched.append(Unmatched(entry.folder_name, owner))
        else:
            by_owner[_identity(owner)].append((owner, entry))
    unmatched += [Unmatched(name, why) for name, why in refused.items() if not os.path.lexists(folder / name)]
    notices = list(found.notices)
    handins = []
    for identity, attempts in by_owner.items():
        newest = _newest(identity, attempts, into, refused, notices)
        if isinstance(newest, str):
            unmatched.extend(Unmatched(entry.folder_name, newest) for _, entry in attempts)
        else:
            handins.append(newest)
    if roster is not None and roster.times and found.platform == "moodle":
        handins = [replace(one, submitted_at=one.submitted_at or _time_of(one, roster)) for one in handins]
    handins.sort(key=lambda handin: (same_key(handin.owner), handin.key))
    covered = {member for handin in handins for member in handin.members}
    missing = [person.id for person in roster.people if person.id not in covered] if roster else []
    notices.extend(_notices(class_, handins))
    notices.extend(f"{visible(name)} is {visible(who)}'s, as the staff said." for name, who in settled.items())
    everybody, teams = _lists(roster, groups)
    listed = tuple(person.id for person in roster.people) if roster else None
    return HandIns(handins, unmatched, missing, notices, found.platform, settled, everybody, teams, listed, owners)


def _time_of(handin: HandIn, roster: Roster) -> str:
    """When it was handed in by the worksheet: of members who differ the earliest, since it costs nobody anything."""
    return min((roster.times[one] for one in handin.members if one in roster.times), default="")


def _lists(roster: Roster | None, groups: Groups | None) -> tuple[tuple[Person, ...], dict[str, str]]:
    """Everybody of the lists, and the group of each person."""
    teams = {member: group.name for group in (groups.groups if groups else ()) for member in group.members}
    people = {person.id: person for person in (roster.people if roster else ())}
    return (*people.values(), *(Person(one) for one in teams if one not in people)), teams


def _owner_of_all(entry: DownloadEntry, class_: ClassIndex) -> Owner | str:
    """The group of those who are named together; or they are one, as the platform says and no list does."""
    owners = []
    for label in (entry.label, *entry.others):
        owner = owner_of(label, class_)
        if isinstance(owner, str):
            return f"{visible(label.who)}: {owner}"
        owners.append(owner)
    if all(_identity(owner) == _identity(owners[0]) for owner in owners):
        return owners[0]
    names = [visible(owner.name) for owner in owners]
    if any(owner.kind == "group" for owner in owners):
        return f"it is of {', '.join(dict.fromkeys(names))}, who are in no group together"
    members = tuple(dict.fromkeys(member for owner in owners for member in owner.members))
    key = "\0".join(sorted(_identity(owner)[1] for owner in owners))
    return Owner("group", " and ".join(names), members, owners[0].by, key)


def _is_folder(path: Path) -> bool:
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {error.strerror}.",
            cause="the path is misspelt, or not yours to read.",
            remedy="name the platform's ZIP, or the folder of hand-ins.",
        ) from None
    if not stat.S_ISDIR(mode) and not stat.S_ISREG(mode):
        raise UsageError(f"{path} is neither a file nor a folder.", remedy="name a ZIP or a folder of hand-ins.")
    return stat.S_ISDIR(mode)


def _identity(owner: Owner) -> tuple[str, str]:
    """Equal for what belongs together: a person by id, a group by its name, those named together by who they are."""
    own = owner.members[0] if owner.kind == "person" and owner.members else owner.key
    return owner.kind, own or same_key(owner.name)


def _newest(
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


def _notices(class_: ClassIndex, handins: list[HandIn]) -> list[str]:
    """What staff may want to correct before they grade."""
    notices = []
    if not class_.has_roster and not class_.groups:
        notices.append("Without --roster and --groups, everyone is taken to be called as the folder is.")
    if class_.groups:
        for member, own in class_.groups_of.items():
            if len(own) > 1:
                who = class_.people.names([member]) or visible(member)
                notices.append(f"{who} is in two groups: {' and '.join(visible(group.name) for group in own)}.")
        if class_.has_roster and (strange := [one for one in class_.groups_of if one not in class_.people.by_id]):
            told = ", ".join(f"{visible(one)} ({visible(class_.groups_of[one][0].name)})" for one in strange[:_NAMED])
            more = f" and {len(strange) - _NAMED} more" if len(strange) > _NAMED else ""
            count = counted(len(strange), "of the groups' members is", "of the groups' members are")
            notices.append(f"{count} not in the class list: {told}{more}.")
        alone = [visible(handin.owner) for handin in handins if handin.kind == "person"]
        notices.extend(f"{name} handed in and is in no group." for name in alone)
    else:
        unknown = [visible(handin.owner) for handin in handins if handin.kind == "group"]
        if unknown:
            several = f"{len(unknown)} hand-ins are groups' ({unknown[0]}, …): --groups says who is in them."
            one = f"One hand-in is a group's ({unknown[0]}): --groups says who is in it."
            notices.append(several if len(unknown) > 1 else one)
    return notices
