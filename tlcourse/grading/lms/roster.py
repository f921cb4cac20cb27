"""Who is in the class: class lists and grade exports of Brightspace, Canvas and Moodle, and plain CSV; and their names,
compared as people compare them, whatever a file system or a platform did to them.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from msgspec import Struct

from tlcourse.errors import UsageError
from tlcourse.grading.lms.dates import parse_date
from tlcourse.grading.lms.table import Table, read_table
from tlcourse.text import line

# the headers that are known, the surest first: Canvas has both `SIS User ID` and its own `ID`
ID = (
    *("OrgDefinedId", "Organisation Defined ID", "Organization Defined ID", "SIS User ID", "ID number"),
    *("Student ID", "Student number", "Student no", "Studienummer", "Studentnummer", "Matrikelnummer"),
    *("ID", "Number", "Person"),
)
USERNAME = ("Username", "User name", "SIS Login ID", "Login ID", "Login", "User", "Brugernavn")
FIRST = ("First Name", "Given name", "Forename", "Fornavn", "Firstname")
LAST = ("Last Name", "Surname", "Family name", "Efternavn", "Lastname")
FULL = ("Full name", "Student", "Name", "Navn", "Member")
EMAIL = ("Email", "E-mail", "Email address", "E-mail address", "Mail")
_NOT_PEOPLE = re.compile(r"\s*(points possible|manual posting|student, test|test student)\s*\Z", re.IGNORECASE)


class Person(Struct, frozen=True):
    """Someone who takes the course; `platform_id` is Canvas's ID or Moodle's participant number, "" elsewhere."""

    id: str
    username: str = ""
    first: str = ""
    last: str = ""
    email: str = ""
    platform_id: str = ""

    @property
    def name(self) -> str:
        """`Jane Doe`, or whatever else is known."""
        return f"{self.first} {self.last}".strip() or self.username or self.id


class Roster(Struct, frozen=True):
    """The class, in the file's order."""

    people: tuple[Person, ...]
    platform: str = "csv"
    participant: str = ""
    """Moodle's word for a person whose name is hidden, in the site's language: that before the number."""
    times: dict[str, str] = {}
    """By id, when Moodle's grading worksheet says that somebody handed in: its folders' names say no time."""


class People:
    """An index of a roster: who is meant by an id, a user name, an address, or a name."""

    def __init__(self, people: Iterable[Person]) -> None:
        self.by_id: dict[str, Person] = {}
        self._ids: dict[str, set[str]] = defaultdict(set)
        self._sure: dict[str, set[str]] = defaultdict(set)
        self._platform_ids: dict[str, set[str]] = defaultdict(set)
        self._words: dict[str, set[str]] = defaultdict(set)
        self._names: dict[str, set[str]] = defaultdict(set)
        self._loose: dict[str, set[str]] = defaultdict(set)
        for person in people:
            self.by_id[person.id] = person
            self._ids[same_key(person.id)].add(person.id)
            for text in (person.id, person.username, person.email):
                if text:
                    self._sure[same_key(text)].add(person.id)
            if person.platform_id:
                self._platform_ids[same_key(person.platform_id)].add(person.id)
            for word in {word for key in loose_keys(f"{person.first} {person.last}") for word in key.split()}:
                self._words[word].add(person.id)
            for name in filter(None, orders(person.first, person.last)):
                self._names[same_key(name)].add(person.id)
                for key in loose_keys(name):
                    self._loose[key].add(person.id)

    def by_key(self, text: str) -> set[str]:
        """The ids of those with this very id, user name or address."""
        return self._sure.get(same_key(text), set())

    def by_platform_id(self, number: str) -> set[str]:
        """The ids of those with this number of the platform's own: no other number is taken for one."""
        return self._platform_ids.get(same_key(number), set())

    def by_word(self, word: str) -> set[str]:
        """The ids of those who have this word in their name."""
        return set().union(*(self._words.get(key, set()) for key in loose_keys(word)))

    def by_name(self, text: str) -> set[str]:
        """The ids of those with this name; where none has it, of those with one that is spelt like it."""
        exact = self._names.get(same_key(text), set())
        if exact:
            return exact
        return set().union(*(self._loose.get(key, set()) for key in loose_keys(text)))

    def find(self, text: str) -> set[str]:
        """By id, user name or address, and by name: what is the id of one and the name of another means both."""
        found = self.by_key(text)
        return found | self.by_name(text) if found else self.by_name(text)

    def meant(self, text: str) -> set[str]:
        """Whom staff mean: whose very id it is, whatever others are called; else as `find` says."""
        return self._ids.get(same_key(text)) or self.find(text)

    def names(self, ids: Iterable[str]) -> str:
        """`Jane Doe (400123), John Doe (400124)`, for a message."""
        return ", ".join(f"{visible(self.by_id[i].name)} ({visible(i)})" for i in sorted(ids) if i in self.by_id)


def read_roster(path: Path) -> Roster:
    """The people of a class list or grade export, in whatever dialect of CSV.

    Raises:
        UsageError: it cannot be read, names nobody, or gives two people one id.
    """
    table = read_table(path)
    people = [person for row in table.rows if (person := person_of(table, row)) is not None]
    if table.column("GroupCategory", "Group Category") is not None:  # a line for each group that someone is in
        people = list(dict.fromkeys(people))
    if not people:
        raise UsageError(
            f"{path} names nobody.",
            cause=f"no known column is filled in: its headers are {visible(', '.join(table.headers))}.",
            remedy="export the class list again, or name the columns id, username, first name, last name, email.",
        )
    twice = [key for key, count in Counter(same_key(person.id) for person in people).items() if count > 1]
    if twice:
        raise UsageError(
            f"{path} names {len(twice)} people twice: {visible(', '.join(twice[:10]))}.",
            cause="two exports were joined, or the ids are no ids.",
            remedy="remove the doubled lines.",
        )
    return Roster(tuple(people), _platform(table), _participant(table), dict(_times(table)))


def _times(table: Table) -> Iterator[tuple[str, str]]:
    at = table.column("Last modified (submission)")
    if at is None:
        return
    for row in table.rows:
        # the day of the week comes first, and is not needed: `Friday, 3 October 2025, 11:07 AM`
        when = parse_date(row[at]) or parse_date(re.sub(r"\A[^\d,]+,", "", row[at]))
        if when is not None and (person := person_of(table, row)) is not None:
            yield person.id, when.isoformat()


def person_of(table: Table, row: tuple[str, ...]) -> Person | None:
    """The person of one row; None for a row that is nobody's, such as Canvas's points possible."""

    def get(names: tuple[str, ...]) -> str:
        # the first of these columns that is filled in: Canvas leaves SIS User ID empty where there is none
        for name in names:
            at = table.column(name)
            if at is not None and (text := unmarked(row[at])):
                return text
        return ""

    full = get(FULL)
    if _NOT_PEOPLE.match(full):
        return None
    first, last = get(FIRST), get(LAST)
    if not first and not last:
        first, last = split_name(full)
    identifier = get(ID)
    username, email = get(USERNAME), get(EMAIL)
    platform_id = _platform_id(table, row)
    known = identifier or username or email or platform_id or f"{first} {last}".strip()
    return Person(known, username, first, last, email, platform_id) if known else None


def unmarked(text: str) -> str:
    """A cell without the `#` by which Brightspace marks text."""
    return text.strip().removeprefix("#").strip()


def split_name(full: str) -> tuple[str, str]:
    """First and last name of `Doe, Jane` or `Jane Doe`."""
    if "," in full:
        last, _, first = full.partition(",")
        return first.strip(), last.strip()
    first, _, last = full.strip().rpartition(" ")
    return first.strip(), last.strip()


def _platform_id(table: Table, row: tuple[str, ...]) -> str:
    """Canvas's ID, or the number in Moodle's `Participant 12345`."""
    if _platform(table) == "canvas" and (at := table.column("ID")) is not None:
        return row[at]
    if (at := table.column("Identifier")) is not None and (found := re.search(r"\d+", row[at])):
        return found.group()
    return ""


def _participant(table: Table) -> str:
    """`participant` of Moodle's `Participant 12345`."""
    at = table.column("Identifier")
    words = {same_key(re.sub(r"\d+", "", row[at])) for row in table.rows} - {""} if at is not None else set()
    return next(iter(words)) if len(words) == 1 else ""


def _platform(table: Table) -> str:
    if table.column("SIS User ID", "SIS Login ID") is not None:
        return "canvas"
    if table.column("Identifier") is not None and table.column("Full name", "Maximum Grade") is not None:
        return "moodle"
    if table.column("OrgDefinedId", "End-of-Line Indicator") is not None:
        return "brightspace"
    return "csv"


_SPELT_OUT = str.maketrans(
    {"æ": "ae", "ø": "oe", "å": "aa", "ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ð": "d", "þ": "th", "ł": "l"}
)
_BARE = str.maketrans({"ø": "o", "æ": "ae", "ß": "ss", "ð": "d", "þ": "th", "ł": "l"})
_DROPPED = re.compile(r"""[&<>"`|':\\/]""")  # what Moodle leaves out of names of files
# what keyboards and word processors make of a hyphen and an apostrophe
_SAME = {**dict.fromkeys(map(ord, "‐‑‒–—−"), "-"), **dict.fromkeys(map(ord, "’‘`´"), "'")}


def same_key(name: str) -> str:
    """Equal for names that look the same: one normal form, no case, no invisible characters, single spaces."""
    shown = "".join(c for c in name if unicodedata.category(c) not in ("Cf", "Cc") or c.isspace())
    # decomposed before the case is folded, as Unicode asks for caseless matching (definition D145)
    text = unicodedata.normalize("NFD", shown).translate(_SAME).casefold()
    return unicodedata.normalize("NFC", " ".join(text.split()))


def loose_keys(name: str) -> set[str]:
    """Keys shared by names that a platform may have turned into each other: Ærø, Aeroe, Aero, Ærø_; O'Lund, OLund."""
    whole = same_key(name)
    bare = {
        spelt
        for key in {whole, _DROPPED.sub("", whole)}
        for spelt in (_letters(key.translate(_SPELT_OUT)), _letters(_without_marks(key)))
    }
    return {found for found in bare if found}


def _without_marks(text: str) -> str:
    """Letters without their accents: å is a, é is e; ø and æ, which have none, are o and ae."""
    plain = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
    return plain.translate(_BARE)


def _letters(text: str) -> str:
    """Words of letters and digits alone, in their order."""
    return " ".join("".join(c if c.isalnum() else " " for c in text).split())


def agrees(text: str, person: Person, *, least: int = 1) -> bool:
    """Whether the words of `text` are among those of the person's name, or the other way round, and `least` of them."""
    theirs = [frozenset(key.split()) for key in loose_keys(f"{person.first} {person.last}")]
    ours = [frozenset(key.split()) for key in loose_keys(text)]
    return any(
        one == other or (min(len(one), len(other)) >= least and (one <= other or other <= one))
        for one in ours
        for other in theirs
    )


def run_together(name: str) -> set[str]:
    """The letters of a name without what is between them, as Canvas writes it."""
    return {key.replace(" ", "") for key in loose_keys(name)}


def orders(first: str, last: str) -> Iterator[str]:
    """The ways to write a name: `Jane Doe`, `Doe Jane`, `Doe, Jane`."""
    yield f"{first} {last}".strip()
    if first and last:
        yield f"{last} {first}"
        yield f"{last}, {first}"


def visible(name: str) -> str:
    """`name` on one line for a message: no control characters, nothing that reorders the line, at most 200 long."""
    return line(name, 200)
