"""The staff's own export: which column is the exercise's, whose each row is, what its points are worth."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from tlcourse.errors import UsageError
from tlcourse.grading.lms.names import same_key, visible
from tlcourse.grading.lms.roster import Person, person_of
from tlcourse.grading.lms.table import Table, number, read_table


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
            f"{path} names " + (f"people twice: {visible(', '.join(twice))}." if twice else "nobody."),
            cause="it is no grade export of the platform, or two were joined.",
            remedy="export the grades again, with ids or user names.",
        )
    return Template(table, [person for person, _ in pairs], {person.id: row for person, row in pairs})


def item_column(template: Template, item: str, bare: Callable[[str], str | None]) -> int:
    """Where the item's column stands. `bare` gives a header's item without decorations, None if it is no item.

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
