"""Marks of people, and the proof that each person has exactly one: nobody is dropped, nobody is marked twice."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence

from msgspec import Struct

from tlcourse.errors import UsageError
from tlcourse.grading.lms.names import visible
from tlcourse.grading.lms.roster import People, Person, Roster

_LISTED = 200


class Mark(Struct, frozen=True):
    """One person's points; None leaves the platform's cell as it is, as for one who is excused."""

    person_id: str
    points: float | None
    feedback: str = ""
    outcome: str = ""
    owner: str = ""
    """The hand-in, or the group, that the mark is from: named where a person has two."""


def settle(
    marks: Sequence[Mark], roster: Roster | None, rows: Sequence[Person] | None, *, most: float = math.inf
) -> list[tuple[Person, Mark]]:
    """Every person with the one mark, in the order of the rows, else of the roster, else of the marks.

    Args:
        rows: the people of the staff's own export, where there is one: each of them needs a mark, and no one else.
        most: the points above which the platform would refuse a row.

    Raises:
        UsageError: lists everyone who is unmatched, missing, in two groups or marked twice, and impossible points.
    """
    problems = [problem for mark in marks if (problem := _points(mark, most))]
    problems += _twice(marks)
    class_ = {person.id: person for person in roster.people} if roster else None
    people = [class_.get(mark.person_id) if class_ else Person(mark.person_id) for mark in marks]
    problems += [
        f"{visible(mark.person_id)}: marked, and not in the class list"
        for mark, person in zip(marks, people, strict=True)
        if person is None
    ]
    pairs = [(person, mark) for mark, person in zip(marks, people, strict=True) if person is not None]
    marked = {mark.person_id for mark in marks}
    without = [person for key, person in (class_ or {}).items() if key not in marked]
    problems += [f"{_named(person)}: no mark" for person in without]
    if rows is not None:
        settled, wrong = _into_rows(pairs, rows, without)
        problems += wrong
    elif class_ is not None:
        order = {key: place for place, key in enumerate(class_)}
        settled = sorted(pairs, key=lambda pair: order[pair[0].id])
    else:
        settled = pairs
    if problems:
        raise _blocked(list(dict.fromkeys(problems)))
    return settled


def _into_rows(
    pairs: list[tuple[Person, Mark]], rows: Sequence[Person], without: list[Person]
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
        else:
            said = "not in the template" if not found else f"could be {index.names(found)} of the template"
            problems.append(f"{_named(person)}: marked, and {said}")
    settled = []
    for row in rows:
        own = of[row.id]
        if row.id in listed and not own:
            continue
        if not own:
            problems.append(f"{_named(row)}: in the template, and no mark")
        elif len({person.id for person, _ in own}) > 1:
            names = " and ".join(_named(person) for person, _ in own)
            problems.append(f"{_named(row)}: the marks of {names} belong to this row of the template")
        else:
            settled.append((row, own[0][1]))
    return settled, problems


def _rows_of(person: Person, index: People) -> set[str]:
    """The rows of a person: by what is sure, else by the name."""
    keys = (person.id, person.username, person.email, person.platform_id)
    sure = next((ids for key in keys if key and (ids := index.by_key(key))), None)
    return sure or index.by_name(person.name)


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
        remedy="mend the lists, or set a mark: tlcourse ta override",
    )
