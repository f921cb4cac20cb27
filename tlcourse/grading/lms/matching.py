"""Whose hand-in it is: from what a folder is called to a person or a group, or to the reason why not."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

from tlcourse.errors import UsageError
from tlcourse.grading.lms.groups import Group, Groups
from tlcourse.grading.lms.roster import (
    People,
    Person,
    Roster,
    agrees,
    loose_keys,
    orders,
    run_together,
    same_key,
    visible,
)

_DASH = re.compile(r"(?<!\s)\s++-\s+")
_SURE_LETTERS = 4
NOBODY = "nobody"
"""The word by which staff say that a folder belongs to none of the class."""
_DAY = re.compile(r"(?:19|20)\d{6}")
# what people write beside their names, and is nobody's
_NOBODYS = frozenset(
    """assignment submission solution exercise homework handin project final version latest attempt notebook
    python copy group team code main master opgave øvelse aflevering løsning gruppe endelig kopi lösning lösung abgabe
    übung tp""".split()
)
_NEEDS = {
    "canvas": "Canvas runs names together, and only its own numbers are sure: name its gradebook as --roster",
    "moodle": "if Moodle writes names otherwise, name its grading worksheet as --roster",
}


class Owner(Struct, frozen=True):
    """A person or a group; `by` is the one who handed in where that is known."""

    kind: Literal["person", "group"]
    name: str
    members: tuple[str, ...] = ()
    """Roster ids; without lists what the platform says is somebody's id, if it does."""
    by: str = ""
    key: str = ""
    """What tells a group from others that has no name of its own."""


class ClassIndex(Struct, frozen=True):
    """The roster and the groups, indexed. Either may be missing."""

    people: People
    has_roster: bool
    groups: tuple[Group, ...]
    by_group: dict[str, list[Group]]
    groups_of: dict[str, list[Group]]
    platform: str = "csv"
    """Whose numbers the people's `platform_id` are."""
    participant: str = ""


class Label(Struct, frozen=True):
    """What a download says of whose something is, and of what kind that is."""

    who: str
    platform: str = ""
    number: str = ""
    """The platform's own number, of a person or of a group."""
    ids: tuple[str, ...] = ()
    """Ids, user names or addresses that the platform says are the person's."""
    dash: str = " - "
    """What separates a group's name from that of the member who handed in."""
    loosely: bool = False
    """Also look for a name or an id within `who`, as in `ex2_doej`; for files that people named."""
    common: frozenset[str] = frozenset()
    """Words of so many names of the download that they are nobody's."""
    shared: frozenset[str] = frozenset()
    """What stands before the dash in several names: groups, as no list says so."""


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
    if roster is None:
        return ClassIndex(People(people), False, known, by_group, groups_of)
    return ClassIndex(People(people), True, known, by_group, groups_of, roster.platform, roster.participant)


def owner_of(label: Label, class_: ClassIndex) -> Owner | str:
    """The person or group that is meant, or why there is none.

    A number or an id counts only as what the platform means by it, and only if the words of the name beside it agree.
    What could be somebody else's is nobody's, with the reason.
    """
    who, people = label.who, class_.people
    if not class_.has_roster and not class_.groups:
        return Owner("person", " ".join(who.split()), label.ids[:1])  # two of one name are two
    if label.ids:
        return _identified(label, class_)
    holders = people.by_platform_id(label.number) if class_.platform in (label.platform, "csv") else set()
    if label.number and len(holders) == 1:
        return _numbered(label, next(iter(holders)), class_)
    if label.platform == "canvas" and class_.has_roster:  # letters run together are no name
        return _nobody(label, class_)
    found = _named(who, label, class_)
    if (group := _group(who, class_)) is not None:
        return _as_group(group, found, class_)
    if len(found) == 1:
        return _with_group(next(iter(found)), class_)
    if (owner := _group_and_member(label, class_)) is not None:
        return owner
    if not found and label.loosely:
        found, rest = _within(who, people, label.common)
        if rest:
            return f"it may be {people.names(found)}, but for {visible(' '.join(rest))}: nobody is guessed"
        if len(found) == 1:
            return _with_group(next(iter(found)), class_)
    if found:
        return f"several people are meant: {people.names(found)}"
    return _nobody(label, class_)


def owner_by_staff(who: str, class_: ClassIndex) -> Owner:
    """Whom the staff named as the owner of a folder: by id, user name, name or group; raises UsageError."""
    if not class_.has_roster and not class_.groups:
        return Owner("person", " ".join(who.split()))
    found = class_.people.meant(who)
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
    """By id, user name, address or name; also with an id or user name before the name, if both are one person's."""
    if found := people.find(who):
        return found | _namesakes(who, found, people)
    head, tail = _head(who)
    return {one for one in people.by_key(head) if tail and _goes_with(head, tail, one, people)}


def _named(who: str, label: Label, class_: ClassIndex) -> set[str]:
    """Who is called so on the platform: Moodle writes names alone, two others no user name without one."""
    bare = label.platform in ("brightspace", "gradescope") and not any(c.isdigit() or c == "@" for c in who)
    if class_.has_roster and (label.platform == "moodle" or (bare and class_.people.by_key(who))):
        return class_.people.by_name(who)
    return find_person(who, class_.people)


def _head(who: str) -> tuple[str, str]:
    """The first word, and what follows it and a dash."""
    head, _, tail = who.strip().partition(" ")
    return head, tail.strip().removeprefix("- ").strip()


def _goes_with(key: str, name: str, identifier: str, people: People) -> bool:
    """Whether a name beside someone's id or user name is theirs."""
    if identifier in people.by_name(name):
        return True
    if not any(letter.isdigit() for letter in key):  # `anne`, a user name, is also the first word of many names
        return False
    person = people.by_id[identifier]
    return agrees(name, person) or (len(key) >= _SURE_LETTERS and not person.first and not person.last)


def _namesakes(key: str, found: set[str], people: People) -> set[str]:
    """Whose name has the word that is somebody's user name."""
    return people.by_word(key) - found if found <= people.by_key(key) else set()


def _identified(label: Label, class_: ClassIndex) -> Owner | str:
    """By what the platform says is an id, a user name or an address, if the name beside it agrees."""
    people = class_.people
    found = set[str]().union(*(people.by_key(one) for one in label.ids))
    if len(found) > 1:
        return f"several people are meant: {people.names(found)}"
    if not found:
        by_name = people.by_name(label.who) if label.who not in label.ids else set()
        return _with_group(next(iter(by_name)), class_) if len(by_name) == 1 else _nobody(label, class_)
    one = next(iter(found))
    if label.who in label.ids or one in people.by_name(label.who) or agrees(label.who, people.by_id[one]):
        return _with_group(one, class_)
    return f"{visible(label.ids[0])} is {people.names(found)}, and the name beside it is {visible(label.who)}"


def _numbered(label: Label, holder: str, class_: ClassIndex) -> Owner | str:
    """A number that is a person's in the class list: theirs, a group's that has the same number, or nobody's."""
    who, people = label.who, class_.people
    person, group = people.by_id[holder], _group(who, class_)
    if label.platform == "canvas":
        if run_together(who) & {one for name in orders(person.first, person.last) for one in run_together(name)}:
            return _with_group(holder, class_)
        for own in class_.groups_of.get(holder, []):
            if run_together(who) & run_together(own.name):
                return Owner("group", own.name, own.members, holder)
    else:
        if group is None and (same_key(who) == class_.participant or holder in people.by_name(who)):
            return _with_group(holder, class_)
        for left, right in _splits(who, label.dash):
            if holder in people.by_name(right) or same_key(right) == class_.participant:
                if not class_.groups and (label.dash == " - " or _is_group(left, label)):
                    return Owner("group", left, (holder,), holder)
                named = _group(left, class_)
                if named is not None and holder not in named.members:
                    return f"{people.names([holder])} handed in for {visible(named.name)} without being a member"
                if named is not None:
                    return Owner("group", named.name, named.members, holder)
                return _with_group(holder, class_)
        if group is not None:
            return _as_group(group, people.by_name(who), class_)
        if not people.by_name(who) and agrees(who, person, least=2):
            return _with_group(holder, class_)
    named_ = people.by_name(who)
    other = f"the name that of {people.names(named_)}" if named_ else f"and {visible(who)} is not their name"
    if not class_.groups and not named_:
        other += "; if it is a group's: name the groups with --groups"
    return f"the number {label.number} is that of {people.names([holder])}, {other}"


def _is_group(left: str, label: Label) -> bool:
    """Whether a word before a hyphen is a group's name, and not half of a person's."""
    return same_key(left) in label.shared or any(letter.isdigit() for letter in left)


def _as_group(group: Group, found: set[str], class_: ClassIndex) -> Owner | str:
    """A group that is called so; unless someone else is called so, too."""
    if found and not found & set(group.members):
        return f"it may be {class_.people.names(found)}, or the group {visible(group.name)}"
    return Owner("group", group.name, group.members, next(iter(found & set(group.members)), ""))


def _group(text: str, class_: ClassIndex) -> Group | None:
    exact = class_.by_group.get(same_key(text), [])
    close = [group for key in loose_keys(text) for group in class_.by_group.get(key, [])]
    found = exact or close
    return found[0] if found and all(group.name == found[0].name for group in found) else None


def _group_and_member(label: Label, class_: ClassIndex) -> Owner | str | None:
    """`Group 7 - Jane Doe`, where either may have a dash in it."""
    people = class_.people
    for left, right in _splits(label.who, label.dash):
        members = _named(right, label, class_)
        group = _group(left, class_)
        if group is not None:
            if members and not members & set(group.members):
                return f"{people.names(members)} handed in for {visible(group.name)} without being a member"
            if not members and label.dash != " - " and class_.has_roster:
                return f"{visible(right)}, after the name of {visible(group.name)}, is in no list"
            by = next(iter(members & set(group.members)), "")
            return Owner("group", group.name, group.members, by)
        if len(members) == 1 and not class_.groups and (label.dash == " - " or _is_group(left, label)):
            return Owner("group", left, tuple(members), next(iter(members)))
    return None


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


def _within(who: str, people: People, common: frozenset[str]) -> tuple[set[str], list[str]]:
    """Those whose id, or whole name, is part of `who`; and the words beside it that may be another's name."""
    words = re.findall(r"[^\W_]+", unicodedata.normalize("NFC", who))
    # a short id, such as 2, is also the number of an exercise or a day
    keys = [word for word in words if len(word) >= _SURE_LETTERS and people.by_key(word)]
    if keys:
        found = set[str]().union(
            *(people.by_key(word) | _namesakes(word, people.by_key(word), people) for word in keys)
        )
        said = [word for word in words if word in keys or not _says_nothing(word, common)]
        rest = [word for word in said if word not in keys]
        if rest and not people.by_name(" ".join(rest)) & found:  # beside half a name a user name may be its other half
            rest = [word for word in said if word not in keys or word.isalpha()]
        same = len(found) == 1 and (
            found == people.by_name(" ".join(said)) or _goes_with(keys[0], " ".join(rest), next(iter(found)), people)
        )
        return found, [] if same else rest
    for length in range(len(words), 1, -1):
        named: set[str] = set()
        rest = []
        for start in range(len(words) - length + 1):
            if found := people.by_name(" ".join(words[start : start + length])):
                named |= found
                beside = words[:start] + words[start + length :]
                rest = [word for word in beside if not _says_nothing(word, common)]
        if named:
            return named, rest
    return set(), []


def _says_nothing(word: str, common: frozenset[str]) -> bool:
    """Whether a word beside a name is no part of one: `ex2`, `final`, `v3`, a date, or what stands in most names."""
    key = same_key(word)
    figures = any(letter.isdigit() for letter in key) and (len(key) <= _SURE_LETTERS or bool(_DAY.fullmatch(key)))
    return figures or key in _NOBODYS or key in common


def _nobody(label: Label, class_: ClassIndex) -> str:
    """Why nobody was found: the most likely cause, so that staff can correct it."""
    people = class_.people
    head, tail = _head(label.who)
    one, other = people.by_key(head), people.by_name(tail)
    if label.platform == "moodle" and not label.number:
        return "it is of somebody who is in no group on Moodle, and Moodle does not say of whom"
    if label.platform == "canvas" and label.who.startswith("anon_"):
        return "Canvas hid the names: show them for this assignment, and download it again"
    if label.platform in _NEEDS and class_.has_roster and class_.platform != label.platform:
        return f"nobody in the class list is called so; {_NEEDS[label.platform]}"
    if one and other:
        return f"the id is that of {people.names(one)}, the name that of {people.names(other)}"
    if one and tail and label.platform not in _NEEDS:
        return f"{visible(head)} is the id or user name of {people.names(one)}, and {visible(tail)} is not their name"
    if not class_.has_roster:
        return "nobody in the list of groups is called so; with --roster, names and ids are known"
    return "nobody in the class list has this name, id or user name"
