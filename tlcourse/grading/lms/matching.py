"""Whose hand-in it is: from what a folder is called to a person or a group, or to the reason why not."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

from tlcourse.errors import UsageError
from tlcourse.grading.lms.groups import Group, Groups
from tlcourse.grading.lms.roster import People, Person, Roster, loose_keys, same_key, visible

_DASH = re.compile(r"(?<!\s)\s++-\s+")
_SURE_LETTERS = 4
NOBODY = "nobody"
"""The word by which staff say that a folder belongs to none of the class."""


class Owner(Struct, frozen=True):
    """A person or a group; `members` are roster ids, `by` the one who handed in where that is known."""

    kind: Literal["person", "group"]
    name: str
    members: tuple[str, ...] = ()
    by: str = ""


class ClassIndex(Struct, frozen=True):
    """The roster and the groups, indexed. Either may be missing."""

    people: People
    has_roster: bool
    groups: tuple[Group, ...]
    by_group: dict[str, list[Group]]
    groups_of: dict[str, list[Group]]


def index_class(roster: Roster | None, groups: Groups | None) -> ClassIndex:
    """Index a class for `owner_of`."""
    known = groups.groups if groups else ()
    people = roster.people if roster else tuple(Person(m) for m in dict.fromkeys(m for g in known for m in g.members))
    by_group: dict[str, list[Group]] = defaultdict(list)
    groups_of: dict[str, list[Group]] = defaultdict(list)
    for group in known:
        for key in {same_key(group.name), *loose_keys(group.name)}:
            by_group[key].append(group)
        for member in group.members:
            groups_of[member].append(group)
    return ClassIndex(People(people), roster is not None, known, by_group, groups_of)


def owner_of(
    who: str, class_: ClassIndex, *, dash: str = " - ", number: str = "", loosely: bool = False
) -> Owner | str:
    """The person or group that `who` means, or why there is none.

    Args:
        dash: what separates a group's name from that of the member who handed in.
        number: the platform's own number of the person.
        loosely: also look for a name or an id within `who`, as in `ex2_doej`; for files that people named.
    """
    if not class_.has_roster and not class_.groups:
        return Owner("person", " ".join(who.split()))
    if number and len(found := class_.people.by_key(number)) == 1:
        return _numbered(who, next(iter(found)), class_, dash)
    found = find_person(who, class_.people)
    if len(found) == 1:
        return _with_group(next(iter(found)), class_)
    if (group := _group(who, class_)) is not None:
        return Owner("group", group.name, group.members)
    if (owner := _group_and_member(who, class_, dash)) is not None:
        return owner
    if not found and loosely:
        found = _within(who, class_.people)
        if len(found) == 1:
            return _with_group(next(iter(found)), class_)
    if found:
        return f"several people are meant: {class_.people.names(found)}"
    return _nobody(who, class_)


def owner_by_staff(who: str, class_: ClassIndex) -> Owner:
    """Whom the staff named as the owner of a folder: by id, user name, name or group; raises UsageError."""
    if not class_.has_roster and not class_.groups:
        return Owner("person", " ".join(who.split()))
    found = {key for key in class_.people.by_id if same_key(key) == same_key(who)} or class_.people.find(who)
    owner = _with_group(next(iter(found)), class_) if len(found) == 1 else ""
    if not found and (group := _group(who, class_)) is not None:
        owner = Owner("group", group.name, group.members)
    if isinstance(owner, str):
        several = f"it may be {class_.people.names(found)}" if len(found) > 1 else "nobody of the lists is called so"
        raise UsageError(
            f"--is names {visible(who)}, which is nobody for sure.",
            cause=f"{owner or several}.",
            remedy=f"name an id of the class list, a group, or {NOBODY}.",
        )
    return owner


def find_person(who: str, people: People) -> set[str]:
    """By id, user name, address or name; also with an id or user name before the name."""
    if found := people.find(who):
        return found
    head, _, tail = who.strip().partition(" ")
    found = people.by_key(head)
    if found and tail:
        named = people.by_name(_DASH.sub(" ", f" {tail}", count=1)) or people.by_name(tail)
        # an id of one and the name of another: nobody, rather than one of the two
        return found if not named or found & named else set()
    return found


def _group(text: str, class_: ClassIndex) -> Group | None:
    exact = class_.by_group.get(same_key(text), [])
    close = [group for key in loose_keys(text) for group in class_.by_group.get(key, [])]
    found = exact or close
    return found[0] if found and all(group.name == found[0].name for group in found) else None


def _group_and_member(who: str, class_: ClassIndex, dash: str) -> Owner | str | None:
    """`Group 7 - Jane Doe`, where either may have a dash in it."""
    for left, right in _splits(who, dash):
        members = find_person(right, class_.people)
        group = _group(left, class_)
        if group is not None:
            if members and not members & set(group.members):
                return f"{class_.people.names(members)} handed in for {visible(group.name)} without being a member"
            by = next(iter(members & set(group.members)), "")
            return Owner("group", group.name, group.members, by)
        if len(members) == 1 and not class_.groups:
            return Owner("group", left, tuple(members), next(iter(members)))
    return None


def _numbered(who: str, identifier: str, class_: ClassIndex, dash: str) -> Owner | str:
    """The person with the platform's number; or the group that is named before, where no list says who is in it."""
    named = class_.people.by_name(who)
    if not class_.groups and identifier not in named:
        owner = _group_and_member(who, class_, dash)
        if isinstance(owner, Owner) and owner.by == identifier:
            return owner
    return _with_group(identifier, class_)


def _splits(who: str, dash: str) -> Iterator[tuple[str, str]]:
    places = list(_DASH.finditer(who) if dash == " - " else re.finditer(re.escape(dash), who))
    for place in places:
        left, right = who[: place.start()].strip(), who[place.end() :].strip()
        if left and right:
            yield left, right


def _with_group(identifier: str, class_: ClassIndex) -> Owner | str:
    """The person; or the group, where groups hand in: a mark is every member's."""
    person = class_.people.by_id[identifier]
    groups = class_.groups_of.get(identifier, [])
    if len(groups) > 1:
        names = " and ".join(visible(group.name) for group in groups)
        return f"{class_.people.names([identifier])} is in two groups: {names}"
    if groups:
        return Owner("group", groups[0].name, groups[0].members, identifier)
    return Owner("person", person.name, (identifier,), identifier)


def _within(who: str, people: People) -> set[str]:
    """Those whose id, or whole name, is part of `who`."""
    words = re.findall(r"[^\W_]+", who)
    # a short id, such as 2, is also the number of an exercise or a day
    sure = {found for word in words if len(word) >= _SURE_LETTERS for found in people.by_key(word)}
    if sure:
        return sure
    for length in range(len(words), 1, -1):
        named = {
            found
            for start in range(len(words) - length + 1)
            for found in people.by_name(" ".join(words[start : start + length]))
        }
        if named:
            return named
    return set()


def _nobody(who: str, class_: ClassIndex) -> str:
    """Why nobody was found: the most likely cause, so that staff can correct it."""
    head, _, tail = who.strip().partition(" ")
    one, other = class_.people.by_key(head), class_.people.by_name(tail)
    if one and other:
        return f"the id is that of {class_.people.names(one)}, the name that of {class_.people.names(other)}"
    if not class_.has_roster:
        return "nobody in the list of groups is called so; with --roster, names and ids are known"
    return "nobody in the class list has this name, id or user name"
