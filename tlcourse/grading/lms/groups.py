"""Who hands in together, and whether the groups are as the course wants them: two to four, one with an exception."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Literal

from msgspec import Struct

from tlcourse.errors import UsageError
from tlcourse.grading.lms.roster import People, Roster, person_of, same_key, unmarked, visible
from tlcourse.grading.lms.table import Table, header_key, read_table
from tlcourse.text import typed

_GROUP = ("Group Name", "GroupName", "Group", "Group Code", "Gruppe", "Groups", "Team")
_EXCEPTION = ("Exception", "Reason", "Undtagelse", "Note")
_NO_GROUP = ("", "-", "none", "default group", "no group")
Kind = Literal["small", "large", "empty", "twice", "missing", "unknown", "unclear"]


class Group(Struct, frozen=True):
    """People who hand in together; `members` are roster ids, or what the file says where the roster knows nobody so."""

    name: str
    members: tuple[str, ...]
    exception: str = ""
    """Why it may be smaller than the policy says; empty where nothing is recorded."""


class Groups(Struct, frozen=True):
    """All groups of the class, in the file's order."""

    groups: tuple[Group, ...]


class GroupProblem(Struct, frozen=True):
    """One breach of the policy, with the people whom it concerns."""

    kind: Kind
    group: str
    people: tuple[str, ...]
    message: str


def read_groups(path: Path, roster: Roster | None = None, *, category: str = "") -> Groups:
    """Groups from Brightspace (ENROLL rows, or a class list with GroupName), Moodle, or a plain CSV.

    A plain CSV has one line a member (`group` and any of id, username, e-mail, name), or one line a group
    (`group, member 1, member 2, …`); a column `exception` records why a group may be smaller.

    Raises:
        UsageError: it cannot be read, has no column of groups, or several sets of groups and none is chosen.
    """
    table = read_table(path)
    at = table.column(*_GROUP)
    if at is None:
        raise UsageError(
            f"{path} names no groups.",
            cause=f"none of its headers is a group: {visible(', '.join(table.headers))}.",
            remedy="export the groups again, or name a column 'group'.",
        )
    table = _of_category(table, category)
    people = People(roster.people if roster else ())
    columns = [i for i, header in enumerate(table.headers) if header_key(header).startswith("member")]
    reason = table.column(*_EXCEPTION)
    members: dict[str, dict[str, None]] = defaultdict(dict)
    names: dict[str, str] = {}
    reasons: dict[str, str] = {}
    cells = _of_set(table, at, category)
    for row, own in zip(table.rows, cells, strict=True):
        for name in own:
            key = same_key(name)
            if key in _NO_GROUP:
                continue
            names.setdefault(key, name)
            if reason is not None and row[reason]:
                reasons[key] = row[reason]
            found = _members(table, row, columns, people)
            for member in found:
                members[key][member] = None
            if _leaves(table, row):
                for member in found:
                    members[key].pop(member, None)
    return Groups(tuple(Group(names[key], tuple(members[key]), reasons.get(key, "")) for key in names))


def _of_category(table: Table, category: str) -> Table:
    """The rows of one category: a course has several sets of groups, and each person is in one group of each."""
    at = table.column("GroupCategory", "Group Category")
    if at is None:
        return table
    categories = {same_key(unmarked(row[at])): unmarked(row[at]) for row in table.rows if unmarked(row[at])}
    chosen = same_key(category) or (next(iter(categories)) if len(categories) == 1 else "")
    if categories and chosen not in categories:
        raise UsageError(
            f"{table.path} has {len(categories)} categories of groups"
            + (f", and none is called {category!r}." if category else "."),
            cause="the course has several sets of groups, and only one is that of the exercise.",
            remedy=f"choose one with --category: {visible(', '.join(categories.values()))}",
        )
    kept = tuple(row for row in table.rows if same_key(unmarked(row[at])) == chosen)
    return Table(table.path, table.headers, kept, table.delimiter, table.bom)


def _of_set(table: Table, at: int, category: str) -> list[list[str]]:
    """The groups that each row names; Moodle's `Groups` has all of a person, of whatever set, with commas between."""
    if header_key(table.headers[at]) != "groups":
        return [[unmarked(row[at])] for row in table.rows]
    cells = [[name.strip() for name in unmarked(row[at]).split(",")] for row in table.rows]
    if category:
        return [[name for name in own if same_key(name).startswith(same_key(category))] for own in cells]
    several = [own for own in cells if len(own) > 1]
    if several:
        raise UsageError(
            f"{table.path} has {len(several)} people in several groups, such as {visible(' and '.join(several[0]))}.",
            cause="the course has several sets of groups, and only one is that of the exercise.",
            remedy="choose one with --category and how the names of its groups begin: "
            f"--category {typed(several[0][0].split()[0] if several[0][0] else 'NAME')}",
        )
    return cells


def _members(table: Table, row: tuple[str, ...], columns: list[int], people: People) -> list[str]:
    """Whom a row names, as roster ids where the roster knows one such person."""
    if len(columns) > 1:
        said = [unmarked(row[i]) for i in columns if unmarked(row[i])]
    else:
        person = person_of(table, row)
        if person is None:
            return []
        for text in (person.id, person.username, person.email):
            if text and len(found := people.by_key(text)) == 1:
                return list(found)
        if len(found := people.by_platform_id(person.platform_id)) == 1:
            return list(found)
        said = [f"{person.first} {person.last}".strip() or person.id]
        if person.id != said[0] and not people.by_name(said[0]):
            said = [person.id]
    return [next(iter(found)) if len(found := people.find(text)) == 1 else text for text in said]


def _leaves(table: Table, row: tuple[str, ...]) -> bool:
    """Whether a row of Brightspace takes its person out of the group."""
    at = table.column("Action")
    return at is not None and row[at].casefold() == "unenroll"


def check_groups(groups: Groups, roster: Roster | None, *, smallest: int = 2, largest: int = 4) -> list[GroupProblem]:
    """Every breach of the policy. Without a roster nobody can be missing or unknown."""
    problems = [problem for group in groups.groups if (problem := _size(group, smallest, largest))]
    of: dict[str, list[str]] = defaultdict(list)
    for group in groups.groups:
        for member in group.members:
            of[member].append(group.name)
    people = People(roster.people if roster else ())

    def named(member: str) -> str:
        return people.names([member]) or visible(member)

    for member, names in of.items():
        if len(names) > 1:
            where = " and ".join(map(visible, names))
            problems.append(GroupProblem("twice", names[0], (member,), f"{named(member)} is in {where}."))
        if roster and member not in people.by_id:
            several = people.find(member)
            kind: Kind = "unclear" if several else "unknown"
            said = f"could be {people.names(several)}" if several else "is not in the class list"
            problems.append(GroupProblem(kind, names[0], (member,), f"{visible(member)} {said}."))
    for identifier in people.by_id:
        if identifier not in of:
            problems.append(GroupProblem("missing", "", (identifier,), f"{named(identifier)} is in no group."))
    return problems


def _size(group: Group, smallest: int, largest: int) -> GroupProblem | None:
    count, name = len(group.members), visible(group.name)
    if not count:
        return GroupProblem("empty", group.name, (), f"{name} has no members.")
    if count > largest:
        return GroupProblem("large", group.name, group.members, f"{name} has {count} members; {largest} are allowed.")
    if count < smallest and not group.exception:
        said = f"{name} has {count} member{'s' * (count > 1)}; {smallest} are needed, or a recorded exception."
        return GroupProblem("small", group.name, group.members, said)
    return None
