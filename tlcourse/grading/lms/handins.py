"""Finding everyone's hand-in in what a platform, or a folder, has: the newest attempt of each person or group.

Nothing is dropped in silence. Whatever belongs to nobody is in `unmatched` with its reason, whoever handed in nothing
is in `missing`, and both are known before anything is graded.
"""

from __future__ import annotations

import os
import stat
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from tlcourse.errors import UsageError
from tlcourse.grading.lms.download_listing import (
    DownloadEntry,
    download_listing,
    is_named_by_a_platform,
    root_of_handins,
)
from tlcourse.grading.lms.groups import Groups
from tlcourse.grading.lms.matching import NOBODY, ClassIndex, Label, Owner, index_class, owner_by_staff, owner_of
from tlcourse.grading.lms.newest_attempt import HandIn, identity_of, newest_attempt
from tlcourse.grading.lms.roster import Person, Roster, same_key, visible
from tlcourse.grading.lms.unpacking import unpack
from tlcourse.text import counted

_NAMED = 5
"""How many of those whom one notice concerns are named."""


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
            by_owner[identity_of(named)].append((named, entry))
            continue
        owner = entry.nobodys or (_owner_of_all(entry, class_) if entry.others else owner_of(entry.label, class_))
        if isinstance(owner, str):
            unmatched.append(Unmatched(entry.folder_name, owner))
        else:
            by_owner[identity_of(owner)].append((owner, entry))
    unmatched += [Unmatched(name, why) for name, why in refused.items() if not os.path.lexists(folder / name)]
    notices = list(found.notices)
    handins = []
    for identity, attempts in by_owner.items():
        newest = newest_attempt(identity, attempts, into, refused, notices)
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
    if all(identity_of(owner) == identity_of(owners[0]) for owner in owners):
        return owners[0]
    names = [visible(owner.name) for owner in owners]
    if any(owner.kind == "group" for owner in owners):
        return f"it is of {', '.join(dict.fromkeys(names))}, who are in no group together"
    members = tuple(dict.fromkeys(member for owner in owners for member in owner.members))
    key = "\0".join(sorted(identity_of(owner)[1] for owner in owners))
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
