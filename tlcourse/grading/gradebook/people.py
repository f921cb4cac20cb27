"""Everybody of a class, with a state: who handed in, who did not, who could not be matched, who is excused."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from msgspec import Struct

from tlcourse.errors import UsageError
from tlcourse.grading.gradebook.by_hand import ByHand
from tlcourse.grading.gradebook.records import OUTCOMES, BatchRecord, GradeStatus, HandInRecord, Override
from tlcourse.grading.lms.handins import HandIns
from tlcourse.grading.lms.roster import People, Person, loose_keys, orders, same_key, visible
from tlcourse.text import counted, typed

State = Literal[
    "graded", "waiting", "ours", "nothing", "unmatched", "elsewhere", "excused", "by hand", "to mark", "left"
]
STATES: dict[State, str] = {
    "graded": "graded",
    "by hand": "points set by hand",
    "to mark": "waits for marks by hand",
    "waiting": "not graded yet",
    "ours": "grader fault, not graded",
    "nothing": "handed in nothing",
    "unmatched": "not matched",
    "elsewhere": "graded in another batch",
    "excused": "excused",
    "left": "left the class",
}
_SURE_LETTERS = 4
_LISTED = 200


class Membership(Struct, frozen=True):
    """In which group somebody is from a moment on: as a list said, or where `counts`, as the staff decided."""

    id: int
    batch: int
    person: str
    group: str
    counts: bool
    why: str
    who: str
    at: str


class Look(NamedTuple):
    """What was said about a download: notes, and what could be matched with nobody, as `(folder, reason)`."""

    notices: list[str]
    unmatched: list[tuple[str, str]]


class PersonStatus(Struct, frozen=True):
    """One person of the class, and where their mark stands."""

    person: Person
    state: State
    points: float | None = None
    group: str = ""
    """By the newest list; "" where there is none."""
    owner: str = ""
    """The hand-in whose mark counts for them."""
    why: str = ""
    """Of the unmatched: which folder may be theirs, and why it is not sure. Of a decision: its reason. Of those who
    wait for marks by hand: for which."""
    hand: ByHand | None = None
    """What assistants set by hand for somebody without a hand-in."""
    shown: bool = False
    """Whether the reason of the decision is told to them."""

    @property
    def named(self) -> str:
        """`Jane Doe (400123)`."""
        name, key = visible(self.person.name), visible(self.person.id)
        return name if name == key else f"{name} ({key})"


def person_statuses(
    people: Sequence[Person],
    groups: Mapping[str, str],
    statuses: Sequence[GradeStatus],
    decided: Mapping[str, Override],
    unmatched: Sequence[tuple[str, str]],
    elsewhere: Mapping[str, str] | None = None,
    by_hand: Mapping[str, ByHand] | None = None,
    left: Mapping[str, tuple[Person, str]] | None = None,
) -> list[PersonStatus]:
    """Everybody in the order of `people`; then those whom a hand-in names and no list.

    Args:
        groups: by person, the group of the newest list.
        decided: what staff decided, by target.
        unmatched: folders of nobody, each with its reason.
        elsewhere: by person, which hand-in of another batch of the exercise is theirs.
        by_hand: by person, what was set for them alone, which counts without a hand-in, too.
        left: by id, who is in the class list no longer, and since when.
    """
    listed = bool(people)
    theirs = {one: status for status in statuses for one in status.handin.marked(class_known=listed)}
    known = {person.id: person for person in people}
    known |= (gone := {key: person for key, (person, _) in (left or {}).items()})
    everybody = [*people, *(Person(one) for one in theirs if one not in known), *gone.values()]
    found = []
    for person in everybody:
        status, group = theirs.get(person.id), groups.get(person.id, "")
        own = decided.get(f"person:{person.id}")
        if own is None and status is not None:
            own = status.override
        points = status.points_of(person.id) if status else (own.points if own else None)
        owner = status.handin.owner if status else ""
        hand = (by_hand or {}).get(person.id)
        if left and person.id in left:
            state: State = "left"
            why = f"since {left[person.id][1]}"
        elif own is not None:
            state = "excused" if own.excused else "by hand"
            why = own.why
        elif status is not None:
            state, why = _of_the_verdict(status, person.id), ", ".join(status.to_mark(person.id))
        elif why := may_be_in(person, group, unmatched):
            state = "unmatched"
        elif why := (elsewhere or {}).get(person.id, ""):
            state = "elsewhere"
        elif hand is not None and hand.anything:
            state, points, why = ("to mark" if hand.unset else "by hand"), hand.points, ", ".join(hand.unset)
        else:
            state = "nothing"
        shown = own is not None and bool(own.shown)
        found.append(PersonStatus(person, state, points, group, owner, why, None if status else hand, shown))
    return found


def _of_the_verdict(status: GradeStatus, person: str) -> State:
    if status.verdict is None:
        return "waiting"
    if not status.graded:
        return "ours"
    return "to mark" if status.to_mark(person) else "graded"


def without_handin(handins: HandIns, unmatched: Sequence[tuple[str, str]]) -> list[PersonStatus]:
    """Everybody of the lists in no hand-in of a download."""
    covered = {member for handin in handins.found for member in handin.members}
    rest = [person for person in handins.people if person.id not in covered]
    return person_statuses(rest, handins.groups, [], {}, unmatched)


def may_be_in(person: Person, group: str, unmatched: Sequence[tuple[str, str]]) -> str:
    """The first unmatched folder that may be somebody's, with its reason; "" where none has anything of theirs.

    Asked in doubt: who is taken to have handed in nothing gets no mark.
    """
    for folder, reason in unmatched:
        if f"({visible(person.id)})" in reason or _names(folder, person, group):
            return f"{visible(folder)}: {visible(reason)}"
    return ""


def _names(folder: str, person: Person, group: str) -> bool:
    inside = loose_keys(folder)
    words = {word for key in inside for word in key.split()}
    sure = [text for text in (person.id, person.username, person.platform_id) if len(text) >= _SURE_LETTERS]
    asked = [*orders(person.first, person.last), *sure, group]
    for text in filter(None, asked):
        for key in loose_keys(text):
            own = key.split()
            ends = len(own) > 1 and text != group and own[0] in words and own[-1] in words
            together = len(own) > 1 and text != group and "".join(own) in words  # as Canvas writes names
            if ends or together or any(f" {key} " in f" {one} " for one in inside):
                return True
    return False


def is_a_test_person(person: Person) -> bool:
    """Whether a platform made this person up for its staff, as Brightspace's *Demo Student*."""
    said = {same_key(text) for text in (*orders(person.first, person.last), person.username)}
    made = re.compile(r"(demo|test|preview|student view)[ .,_-]*(student|user|learner)?|student[ .,_-]*(demo|test)")
    return any(made.fullmatch(text) for text in said)


def settles(folder: str, exercise: str, batch: BatchRecord | None = None) -> str:
    """The one command that says whose a folder is: in its batch, or where that cannot go on, in a new one."""
    how = "--resume" if batch is None or batch.can_go_on else "--again"
    return f"tlcourse batch {exercise} SUBMISSIONS {how} --is {typed(f'{folder}=ID')}"


def refuse_unclear(people: Sequence[PersonStatus], unmatched: Sequence[tuple[str, str]], batch: BatchRecord) -> None:
    """Raise UsageError while something is handed in that may be somebody's who has no hand-in."""
    if graded := [one for one in people if one.state == "elsewhere"]:
        listed = "\n".join(f"  {one.named}: {one.why}" for one in graded[:_LISTED])
        raise UsageError(
            f"Nothing was exported: {len(graded)} people have no hand-in in this batch, and one in another.\n{listed}",
            cause="the batch is of a part of the class, such as a later download.",
            remedy=f"tlcourse batch {batch.exercise} THE-OTHER-DOWNLOAD --join – or leave these people out: --partial",
        )
    unclear = [one for one in people if one.state == "unmatched"]
    if unclear:
        listed = "\n".join(f"  {one.named}: not matched; {one.why}" for one in unclear[:_LISTED])
        raise UsageError(
            f"Nothing was exported: {len(unclear)} people may have handed in what is matched with nobody.\n{listed}",
            cause="a folder's name does not say whose it is.",
            remedy=f"{settles(unmatched[0][0], batch.exercise, batch)} (or =nobody) – or set their marks by hand: "
            f"tlcourse ta override {batch.exercise} WHO --points N --why … – or leave them out: --partial",
        )


def left_out(
    people: Sequence[PersonStatus], unmatched: Sequence[tuple[str, str]], *, zero_asked: bool
) -> Iterator[str]:
    """A line for each kind of people whom an export gives no graded points, and for each folder of nobody."""
    nothing = "get 0 points" if zero_asked else "are left blank (--missing zero gives them 0)"
    if unmatched:  # any of them may be anybody's, whatever it is called
        nothing = "are left blank"
        nobodys = ", ".join(visible(folder) for folder, _ in unmatched[:_LISTED])
        if zero_asked:
            yield f"--missing zero gives nobody 0 while {counted(len(unmatched), 'folder')} may be anybody's: {nobodys}"
    kinds: tuple[tuple[State, str], ...] = (
        ("nothing", nothing),
        ("excused", "are left as the platform has them"),
        ("left", "are left out"),
        ("unmatched", "are left as the platform has them"),
        ("elsewhere", "are left as the platform has them"),
        ("waiting", "have no verdict, and are left as the platform has them"),
        ("to mark", "lack marks by hand, and are left as the platform has them"),
        ("ours", "have no verdict by a grader fault, and are left as the platform has them"),
    )
    for state, what in kinds:
        named = [one.named for one in people if one.state == state]
        if named:
            more = f" and {len(named) - _LISTED} more" if len(named) > _LISTED else ""
            yield f"{STATES[state]}: {len(named)} {what}: {', '.join(named[:_LISTED])}{more}"
    for folder, reason in unmatched:
        yield f"in no mark: {visible(folder)}: {visible(reason)}"


def targets_of(
    handins: Sequence[HandInRecord], people: Iterable[Person], groups: Mapping[str, str], word: str
) -> list[str]:
    """Whom a word of the staff means: `person:ID` of whoever is meant alone, however the word is written; else the key
    of a hand-in; `person:ID` of each of a group that has none.

    Taken are an owner, a folder, a group, and of a person the id, user name, address or name. Raises UsageError where
    it is nobody, or several.
    """
    key = same_key(word)
    named = [h for h in handins if key in (h.key, same_key(h.owner), same_key(h.folder_name))]
    if len(named) == 1:
        return [named[0].target]
    if named:
        several = ", ".join(visible(handin.folder_name) for handin in named[:5])
        raise UsageError(f"{visible(word)} means {len(named)} hand-ins: {several}.", remedy="name the folder.")
    known = {person.id: person for person in people}
    for handin in handins:
        for member in handin.members:
            known.setdefault(member, Person(member))
    index = People(known.values())
    found = index.meant(word)
    if len(found) == 1:
        return [f"person:{one}" for one in found]
    if found:
        raise UsageError(
            f"{visible(word)} means {len(found)} people: {index.names(found)}.", remedy="name the id or user name."
        )
    together = [person for person, group in groups.items() if same_key(group) == key]
    if together:
        return [f"person:{person}" for person in together]
    near = [visible(h.owner) for h in handins if key and key in same_key(h.owner)]
    near += [visible(person.name) for person in known.values() if key and key in same_key(person.name)]
    raise UsageError(
        f"Nobody of this batch is called {visible(word)}.",
        cause=f"perhaps meant: {', '.join(near[:5])}." if near else "a spelling mistake, or another batch.",
        remedy="name the owner as the report shows it, the folder, the group, or somebody's id, user name or name.",
    )


def person_of(handins: Sequence[HandInRecord], people: Iterable[Person], word: str) -> str:
    """The id of the one person whom a word means; raises UsageError."""
    known = {person.id: person for person in people}
    known |= {one: Person(one) for handin in handins for one in handin.members if one not in known}
    found = People(known.values()).meant(word)
    if len(found) != 1:
        said = f"means {len(found)} people" if found else "is nobody of this batch"
        if not known:
            raise UsageError(
                f"{visible(word)} {said}, which knows nobody's name.",
                cause="it was graded without a class list and groups.",
                remedy="give the lists: tlcourse batch EXERCISE SUBMISSIONS --roster FILE --groups FILE, with --resume "
                "or --again – or set a mark by hand: tlcourse ta override",
            )
        raise UsageError(f"{visible(word)} {said}.", remedy="name an id or user name of the class list.")
    return next(iter(found))


def group_of(handins: Sequence[HandInRecord], groups: Mapping[str, str], word: str) -> str:
    """The group that is called so, as it is written; raises UsageError."""
    known = {same_key(h.owner): h.owner for h in handins if h.kind == "group"}
    known |= {same_key(group): group for group in groups.values()}
    if same_key(word) not in known:
        named = ", ".join(sorted(map(visible, known.values())))
        raise UsageError(
            f"No group of this batch is called {visible(word)}.",
            remedy=f"groups: {named}." if named else "it has none; a mark is set by hand with: tlcourse ta override",
        )
    return known[same_key(word)]


def selected(
    statuses: Sequence[GradeStatus], only: str, people: Iterable[Person] = (), groups: Mapping[str, str] | None = None
) -> list[GradeStatus]:
    """The hand-ins of an outcome (`waiting` counts as `infra`), `all`, or one that a word means; raises UsageError."""
    if only == "all":
        chosen = list(statuses)
    elif only in OUTCOMES:
        wanted = ("infra", "waiting") if only == "infra" else (only,)
        chosen = [status for status in statuses if status.outcome in wanted]
    else:
        meant = targets_of([status.handin for status in statuses], people, groups or {}, only)
        chosen = [s for s in statuses if {s.handin.key, *(f"person:{one}" for one in s.handin.members)} & set(meant)]
        if not chosen:
            raise UsageError(f"{visible(only)} handed in nothing.", remedy="set points by hand: tlcourse ta override")
    if not chosen:
        raise UsageError(
            f"No hand-in of this batch ended as {only}.",
            cause="there is nothing to grade again.",
            remedy="--only all, another outcome, or somebody's name.",
        )
    return chosen
