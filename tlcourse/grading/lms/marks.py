"""Marks of people and the rows of the staff's own export, and the proof that each person has exactly one mark."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from tlcourse.errors import UsageError
from tlcourse.grading.lms.roster import People, Person, Roster, loose_keys, person_of, same_key, visible
from tlcourse.grading.lms.table import Table, number, read_table

_LISTED = 200


class Mark(Struct, frozen=True):
    """One person's points; None leaves the platform's cell as it is, as for one who is excused."""

    person_id: str
    points: float | None
    feedback: str = ""
    outcome: str = ""
    owner: str = ""
    """The hand-in, or the group, that the mark is from: named where a person has two."""
    given: bool = True
    """Graded or decided, and so due to reach somebody; False of what is put where nobody gave a mark."""
    parts: dict[str, float] = {}
    """The points of checks, and of items marked by hand, as far as there are some."""
    submitted_at: str = ""
    """ISO 8601, as the platform says; "" where it does not."""
    days_late: int | None = None
    """None: there is no deadline, or no known time."""
    before: float | None = None
    """The points, where being late took something off."""
    late: str = ""
    """Words: what was taken off and by which rule, or how late it is."""


class Absent(Struct, frozen=True):
    """What becomes of people without a mark, where all that was handed in belongs to somebody, or is named."""

    points: float | None
    """None leaves the platform's cell as it is."""
    unclear: Callable[[Person], str]
    """What could be this person's, and belongs to nobody so far; "" where nothing could."""
    made_up: Callable[[Person], bool]
    """Whether a platform made this person up, as it does for staff who look at a course as a student."""
    tell: Callable[[str], None]
    """Gets a line for everybody who is left out."""
    elsewhere: Mapping[str, str] = {}
    """By id, where else somebody has a mark: they get no points for having none here."""


def one_mark_each(
    marks: Sequence[Mark],
    roster: Roster | None,
    rows: Sequence[Person] | None,
    absent: Absent | None = None,
    *,
    most: float = math.inf,
) -> list[tuple[Person, Mark]]:
    """Every person with the one mark, in the order of the rows, else of the roster, else of the marks.

    Args:
        rows: the people of the staff's own export, where there is one: each of them needs a mark, and no one else.
        absent: what becomes of people without one; None: they are problems.
        most: the points above which the platform would refuse a row.

    Raises:
        UsageError: lists everyone who is unmatched, missing, in two groups or marked twice, and impossible points.
    """
    problems = [problem for mark in marks if (problem := _points(mark, most))]
    problems += _twice(marks)
    class_ = {person.id: person for person in roster.people} if roster else None
    index = People(roster.people) if roster else None
    pairs = []
    for mark in marks:
        if (person := _in_class(mark, index)) is not None:
            pairs.append((person, mark))
        elif mark.given:
            problems.append(f"{visible(mark.person_id)}: marked, and not in the class list")
        elif absent is not None:
            absent.tell(f"{visible(mark.person_id)} has no mark, is not in the class list, and was left out.")
    marked = {person.id for person, _ in pairs}
    without = [person for key, person in (class_ or {}).items() if key not in marked]
    if absent is not None:
        problems += [f"{_named(one)}: {said}" for one in without if (said := absent.unclear(one))]
        pairs += [
            (one, Mark(one.id, None if one.id in absent.elsewhere else absent.points, given=False)) for one in without
        ]
        without = []
    problems += [f"{_named(person)}: no mark" for person in without]
    if rows is not None:
        settled, wrong = _into_rows(pairs, rows, without, absent)
        problems += wrong
    elif class_ is not None:
        order = {key: place for place, key in enumerate(class_)}
        settled = sorted(pairs, key=lambda pair: order[pair[0].id])
    else:
        settled = pairs
    if problems:
        raise _blocked(list(dict.fromkeys(problems)))
    return settled


def _in_class(mark: Mark, index: People | None) -> Person | None:
    """Whose mark it is: by the id, else by a name that only one has; None where the class list has nobody such."""
    if index is None:
        return Person(mark.person_id)
    found = {mark.person_id} if mark.person_id in index.by_id else index.find(mark.person_id)
    return index.by_id[next(iter(found))] if len(found) == 1 else None


def _into_rows(
    pairs: list[tuple[Person, Mark]], rows: Sequence[Person], without: list[Person], absent: Absent | None
) -> tuple[list[tuple[Person, Mark]], list[str]]:
    """The marks in the rows of the staff's export, and what does not fit; those `without` a mark are listed already."""
    index = People(rows)
    listed = set[str]().union(*(_rows_of(person, index) for person in without))
    of: dict[str, list[tuple[Person, Mark]]] = defaultdict(list)
    problems = []
    for person, mark in pairs:
        found = _rows_of(person, index)
        if len(found) == 1:
            of[next(iter(found))].append((person, mark))
        elif absent is not None and not mark.given and not found:
            absent.tell(f"{_named(person)} has no mark, is not in the template, and was left out.")
        else:
            said = "not in the template" if not found else f"could be {index.names(found)} of the template"
            problems.append(f"{_named(person)}: marked, and {said}")
    settled = []
    for row in rows:
        own = of[row.id]
        if row.id in listed and not own:
            continue
        if not own and absent is not None:
            if said := "" if absent.made_up(row) else absent.unclear(row):
                problems.append(f"{_named(row)}: {said}")
            absent.tell(f"{_named(row)} is in the template and not in the graded class: left as the platform has it.")
            settled.append((row, Mark(row.id, None, given=False)))
        elif not own:
            problems.append(f"{_named(row)}: in the template, and no mark")
        elif len({person.id for person, _ in own}) > 1:
            names = " and ".join(_named(person) for person, _ in own)
            problems.append(f"{_named(row)}: the marks of {names} belong to this row of the template")
        else:
            settled.append((row, own[0][1]))
    return settled, problems


def _rows_of(person: Person, index: People) -> set[str]:
    """The rows of a person: by what is sure, else by the name. A number of another kind is nobody's."""
    for key in filter(None, (person.id, person.username, person.email)):
        if found := {row for row in index.by_key(key) if _may_be(person, index.by_id[row])}:
            return found
    return index.by_platform_id(person.platform_id) or index.by_name(person.name)


def _may_be(person: Person, row: Person) -> bool:
    """Whether a row with the same id can be the person's: a word of their names is the same, where both have names."""
    if row.id == row.platform_id and not row.first + row.last:
        return person.platform_id == row.platform_id
    ours, theirs = (
        {word for key in loose_keys(f"{one.first} {one.last}") for word in key.split()} for one in (person, row)
    )
    return not ours or not theirs or bool(ours & theirs)


def _points(mark: Mark, most: float) -> str:
    if mark.points is None:
        return ""
    if not (math.isfinite(mark.points) and mark.points >= 0):
        return f"{visible(mark.person_id)}: {mark.points} are no points"
    return f"{visible(mark.person_id)}: {mark.points:g} points of {most:g}" if mark.points > most else ""


def _twice(marks: Sequence[Mark]) -> list[str]:
    """A person in two groups, or with two hand-ins, has two marks."""
    of: dict[str, list[Mark]] = defaultdict(list)
    for mark in marks:
        of[mark.person_id].append(mark)
    problems = []
    for key, own in of.items():
        if len(own) > 1:
            owners = [visible(mark.owner) for mark in own if mark.owner]
            said = f"from {' and '.join(owners)}" if owners else "as in two groups"
            problems.append(f"{visible(key)}: {len(own)} marks, {said}")
    return problems


def _named(person: Person) -> str:
    return visible(person.name) if person.name == person.id else f"{visible(person.name)} ({visible(person.id)})"


def _blocked(problems: list[str]) -> UsageError:
    listed = problems[:_LISTED]
    if len(problems) > _LISTED:
        listed.append(f"… and {len(problems) - _LISTED} more")
    count = f"{len(problems)} problem{'s' * (len(problems) > 1)}"
    return UsageError(
        f"Nothing was exported: {count} with people or points.\n" + "\n".join(f"  {line}" for line in listed),
        cause="the class list, the groups or the template are not those of the graded class.",
        remedy="correct the lists, or set a mark: tlcourse ta override EXERCISE WHO --points N --why … (or --excuse)",
    )


class Template(Struct, frozen=True):
    """A platform's export: its people, and the row of each by id."""

    table: Table
    people: list[Person]
    rows: dict[str, tuple[str, ...]]


def read_template(path: Path) -> Template:
    """The export's people, in its order; raises UsageError if it names nobody, or somebody twice."""
    table = read_table(path)
    pairs = [(person, row) for row in table.rows if (person := person_of(table, row)) is not None]
    counts = Counter(same_key(person.id) for person, _ in pairs)
    twice = [key for key, count in counts.items() if count > 1]
    if not pairs or twice:
        raise UsageError(
            f"{path} names people twice: {visible(', '.join(twice))}."
            if twice
            else f"{path}: nothing says whose its {len(table.rows)} rows are.",
            cause="two exports were joined."
            if twice
            else f"no column of ids, user names or names is known or filled in: {visible(', '.join(table.headers))}.",
            remedy="export the grades again, with ids or user names"
            + ("." if twice else ", in English where its headers are in another language."),
        )
    return Template(table, [person for person, _ in pairs], {person.id: row for person, row in pairs})


def item_column(template: Template, item: str, bare: Callable[[str], str | None]) -> int:
    """Where the item's column stands. `bare` gives a header's item without decorations, None if it is not an item.

    Raises:
        UsageError: there is none, or several: another header would make a new item in the platform.
    """
    headers = template.table.headers
    items = {i: name for i, header in enumerate(headers) if (name := bare(header)) is not None}
    found = [i for i, name in items.items() if same_key(item) in (same_key(name), same_key(headers[i]))]
    if len(found) == 1:
        return found[0]
    several = f"{len(found)} items are" if found else "no item is"
    choices = [headers[i] for i in found] if found else list(items.values())
    raise UsageError(
        f"{template.table.path}: {several} called {visible(item)!r}.",
        cause="the platform's gradebook calls the exercise otherwise, or its export is of another course.",
        remedy=f"name one with --item: {visible('; '.join(choices)) or 'there are none in this export'}",
    )


def factor(template: Template, worth: str, max_points: float, scale: bool) -> float:
    """What to multiply points by, so that they fit the platform's maximum `worth`, "" where it is not said.

    Raises:
        UsageError: the maximum differs from the exercise's, and `scale` does not allow to convert.
    """
    match = re.search(r"\d+(?:[.,]\d+)?", worth)
    maximum = float(match.group().replace(",", ".")) if match else max_points
    if maximum == max_points:
        return 1.0
    if scale and maximum > 0 and max_points > 0:
        return maximum / max_points
    raise UsageError(
        f"{template.table.path}: the item is worth {number(maximum)} points, the exercise {number(max_points)}.",
        cause="another item was named, or the platform's item has another maximum.",
        remedy="set the item's maximum in the platform, or convert the points with --scale",
    )


def points(mark_points: float | None, factor: float, before: str = "") -> str:
    """The cell for a mark; what was there `before` where there is none to give."""
    return before if mark_points is None else number(mark_points * factor)
