"""Reports without names: a pseudonym for each person and group, and known names taken out of texts and code.

A pseudonym is an HMAC of an id with a key that is kept in the gradebook: the same in every report of it, another in
every other gradebook, and without the gradebook nobody can tell whose it is, not even by trying all ids of a class.
"""

from __future__ import annotations

import base64
import builtins
import hashlib
import hmac
import keyword
import re
import unicodedata
from collections.abc import Iterable, Iterator

from msgspec import Struct
from msgspec.structs import replace

from tlcourse.grading.gradebook.by_hand import ByHand, HandMark, Request
from tlcourse.grading.gradebook.gradebook import Gradebook
from tlcourse.grading.gradebook.people import Look, PersonStatus
from tlcourse.grading.gradebook.records import OUTCOMES, GradeStatus, HandInRecord, Override
from tlcourse.grading.lms.roster import Person, same_key
from tlcourse.grading.similarity import pieces_of
from tlcourse.presenting.report.report_data import Report
from tlcourse.presenting.report.similar_handins import SAME, Similar
from tlcourse.presenting.report.whole_course import WholeCourse

HIDDEN = "(not shown)"
CANNOT = (
    "Without names: people and groups have pseudonyms, which the gradebook alone can turn back. Reasons, comments, "
    "requests, dates and folders are not shown; known names are taken out of messages and code, and so are comments, "
    "docstrings and paths in code. What this cannot hide: nicknames, misspelt names, short names inside other words, "
    "names of people who are in no list, the way in which somebody writes code, and points that a reader knows "
    "somebody to have."
)
_OF_ALL = (*OUTCOMES, "all", "newer attempts")
_SHORTEST = 3
_LONG, _LONGEST = 5, 30
_RUN = re.compile(r"[^\W_]+")
_PART = re.compile(r"[A-ZÀ-Þ]*[^\W\d_A-ZÀ-Þ]+|[A-ZÀ-Þ]+|\d+|.", re.DOTALL)  # of a name in code
_CODE = {*keyword.kwlist, *keyword.softkwlist, *(name for name in dir(builtins) if name.islower()), "self", "torch"}


class Names(Struct, frozen=True):
    """What is known of a class, and the key of its pseudonyms."""

    key: bytes
    words: frozenset[str]
    """Words of people's names and ids, folded."""

    def person(self, identifier: str) -> str:
        """`person-4k2xq7da`."""
        return self._made("person", identifier)

    def group(self, name: str) -> str:
        """`group-4k2xq7da`; nothing for no group."""
        return self._made("group", name) if name else ""

    def earlier(self, owner: str) -> str:
        """Of a hand-in of another class."""
        text, same, _ = owner.partition(SAME)
        return self._made("earlier", text) + same

    def _made(self, kind: str, text: str) -> str:
        made = hmac.new(self.key, f"{kind}:{same_key(text)}".encode("utf-8", "replace"), hashlib.sha256).digest()
        return f"{kind}-{base64.b32encode(made)[:8].decode().lower()}"

    def owner(self, handin: HandInRecord) -> str:
        """Whoever handed in: a person alone, else a group."""
        if len(handin.members) == 1:
            return self.person(handin.members[0])
        return self.person(handin.owner) if handin.kind == "person" else self.group(handin.owner)

    def text(self, text: str) -> str:
        """`text` without the words of known names, also where they are part of a name in code."""
        return _RUN.sub(self._without, text)

    def _without(self, found: re.Match[str]) -> str:
        run = found[0]
        if self._known(run):
            return "…"
        return "".join("…" if self._known(part) or self._holds(part) else part for part in _PART.findall(run))

    def _holds(self, word: str) -> bool:
        """Whether a word begins or ends with a known one that is long enough to be no chance: `netcecilia`."""
        plain = folded(word)
        ends = range(_LONG, min(len(plain), _LONGEST))
        return any(plain[:n] in self.words or plain[-n:] in self.words for n in ends)

    def _known(self, word: str) -> bool:
        return len(word) >= _SHORTEST and folded(word) in self.words

    def code(self, source: str) -> str:
        """A solution line for line, without comments, docstrings and paths, and without known names."""
        return "".join(self._piece(kind, text) for kind, text in pieces_of(source))

    def _piece(self, kind: str, text: str) -> str:
        if kind == "space" and text.startswith("#"):
            return "# …"
        if kind == "text":
            if text.endswith(('"""', "'''")) or "\n" in text:
                return '"""…' + "\n" * text.count("\n") + '"""'
            if "/" in text or "\\" in text:
                return '"…"'
        return self.text(text)


def folded(word: str) -> str:
    """A word without its case and accents."""
    plain = unicodedata.normalize("NFKD", word.casefold())
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


def names_of(book: Gradebook, people: Iterable[Person], handins: Iterable[HandInRecord]) -> Names:
    """The key of a gradebook, and the names of a class."""
    ((key,),) = book.rows("SELECT value FROM keys WHERE name = 'pseudonyms'")
    words = {word for text in _texts(people, handins) for word in _words(text)}
    return Names(bytes(key), frozenset(words - _CODE))


def _texts(people: Iterable[Person], handins: Iterable[HandInRecord]) -> Iterator[str]:
    for one in people:
        yield from (one.id, one.username, one.first, one.last, one.email.partition("@")[0], one.platform_id)
        yield from (f"{one.first}{one.last}", f"{one.last}{one.first}")  # as platforms and people write names together
    for handin in handins:
        yield from handin.members
        if handin.kind == "person":
            yield handin.owner


def _words(text: str) -> Iterator[str]:
    for run in _RUN.findall(text):
        for word in (run, *_PART.findall(run)):
            if len(word) >= _SHORTEST:
                yield folded(word)
                yield f"{folded(word)}s"  # Jane's network


def without_names(report: Report, names: Names) -> Report:
    """A report in which nobody is named; people and hand-ins are in the order of their pseudonyms."""
    owners = {status.handin.owner: names.owner(status.handin) for status in report.statuses}
    keys = {status.handin.key: owners[status.handin.owner] for status in report.statuses}

    def target(text: str) -> str:
        kind, _, person = text.partition("person:")
        return f"person:{names.person(person)}" if not kind and person else keys.get(text, HIDDEN)

    statuses = sorted((_status(one, names) for one in report.statuses), key=lambda one: one.handin.key)
    numbers = {one.handin.id: number for number, one in enumerate(statuses, start=1)}  # ids are in the class's order
    state = replace(
        report.state,
        running=[],
        slowest=[],
        failures=[
            replace(one, cause=names.text(one.cause), owners=sorted(owners.get(name, HIDDEN) for name in one.owners))
            for one in report.state.failures
        ],
    )
    regrades = [
        replace(one, selection=one.selection if one.selection in _OF_ALL else HIDDEN, why=HIDDEN)
        for one in report.regrades
    ]
    return replace(
        report,
        batch=replace(report.batch, source="", settings={}, notices={}),
        state=state,
        statuses=[replace(one, handin=replace(one.handin, id=numbers[one.handin.id])) for one in statuses],
        overrides=[replace(_override(one), target=target(one.target)) for one in report.overrides],
        replaced=[replace(_override(one), target=target(one.target)) for one in report.replaced],
        regrades=regrades,
        similar=report.similar and similar_without_names(report.similar, names, owners),
        people=sorted((_person_status(one, names, owners) for one in report.people), key=lambda one: one.person.id),
        memberships=[
            replace(one, person=names.person(one.person), group=names.group(one.group), why=HIDDEN)
            for one in report.memberships
        ],
        attempts=[
            replace(
                one,
                handin=numbers.get(one.handin, 0),
                owner=owners.get(one.owner, HIDDEN),
                folder_name="",
                submitted_at="",
                why=HIDDEN,
            )
            for one in report.attempts
        ],
        look=Look([CANNOT], [(f"folder {n}", HIDDEN) for n, _ in enumerate(report.look.unmatched, start=1)]),
        given_over=[(HIDDEN, owners.get(owner, HIDDEN), who, at) for _, owner, who, at in report.given_over],
        hand_marks=[replace(_mark(one), target=target(one.target)) for one in report.hand_marks],
        changed=[(owners.get(owner, HIDDEN), items) for owner, items in report.changed],
        requests=[_request(one, target(one.target)) for one in report.requests],
        extensions=[replace(one, target=_extended(one.target, names), why=HIDDEN) for one in report.extensions],
    )


def _extended(target: str, names: Names) -> str:
    kind, _, name = target.partition(":")
    known = {"person": names.person, "group": names.group}
    return f"{kind}:{known[kind](name) if kind in known else HIDDEN}"


def _status(status: GradeStatus, names: Names) -> GradeStatus:
    handin, pseudonym = status.handin, names.owner(status.handin)
    return replace(
        status,
        handin=replace(
            handin,
            key=pseudonym,
            owner=pseudonym,
            members=sorted(map(names.person, handin.members)),
            alone=names.person(handin.alone) if handin.alone else "",
            folder_name="",
            path="",
            submitted_at="",
            twins=[],
            problem="",
        ),
        verdict=status.verdict and replace(status.verdict, cause=names.text(status.verdict.cause), sha256=""),
        override=status.override and _override(status.override),
        overrides_of_members={
            names.person(key): replace(_override(one), target=f"person:{names.person(key)}")
            for key, one in status.overrides_of_members.items()
        },
        hand=_hand(status.hand),
        lates_of_members={names.person(key): one for key, one in status.lates_of_members.items()},
        hands_of_members={names.person(key): _hand(one) for key, one in status.hands_of_members.items()},
    )


def _person_status(one: PersonStatus, names: Names, owners: dict[str, str]) -> PersonStatus:
    return replace(
        one,
        person=Person(names.person(one.person.id)),
        group=names.group(one.group),
        owner=owners.get(one.owner, HIDDEN) if one.owner else "",
        why=one.why if one.state in ("to mark", "left") else "",
        hand=one.hand and _hand(one.hand),
    )


def _override(one: Override) -> Override:
    return replace(one, target=HIDDEN, why=HIDDEN, team="")


def _mark(one: HandMark) -> HandMark:
    return replace(one, target=HIDDEN, comment=one.comment and HIDDEN, why=one.why and HIDDEN, seen="")


def _hand(hand: ByHand) -> ByHand:
    return replace(hand, marks={item: _mark(one) for item, one in hand.marks.items()})


def _request(one: Request, target: str) -> Request:
    return replace(one, target=target, text=HIDDEN, answer=one.answer and HIDDEN)


def similar_without_names(looked: Similar, names: Names, owners: dict[str, str]) -> Similar:
    """Pairs by pseudonyms, their code without comments and names; `owners`: the pseudonyms by owner."""
    texts: dict[str, str] = {}
    pairs = []
    for pair in looked.pairs:
        one, other = pair.owners
        second = (
            names.text(other) if pair.known else names.earlier(other) if pair.earlier else owners.get(other, HIDDEN)
        )
        shown = (owners.get(one, HIDDEN), second)
        for key, said in zip(pair.keys, shown, strict=True):
            texts[said] = names.code(looked.texts.get(key, ""))
        pairs.append(replace(pair, keys=shown, owners=shown))
    not_compared = [_named_in(said, owners) for said in looked.not_compared]
    return replace(looked, pairs=pairs, texts=texts, not_compared=sorted(not_compared))


def _named_in(said: str, owners: dict[str, str]) -> str:
    """`OWNER: not compared: why` by pseudonym; a line of another gradebook names nobody."""
    owner, between, why = said.rpartition(": not compared: ")
    return f"{owners.get(owner, owner if ' of ' in owner else HIDDEN)}{between}{why}"


def course_without_names(course: WholeCourse, names: Names) -> WholeCourse:
    """The table of all exercises in which nobody is named."""
    rows = [
        replace(
            row,
            person=Person(names.person(row.person.id)),
            cells={key: replace(one, handin=HIDDEN if one.handin else "") for key, one in row.cells.items()},
        )
        for row in course.rows
    ]
    hidden = [CANNOT, *([f"{len(course.notices)} notes name somebody, and are not shown"] if course.notices else [])]
    return replace(course, rows=sorted(rows, key=lambda row: row.person.id), notices=hidden)
