"""Newer attempts of hand-ins that a batch has already, as later downloads bring them.

Each is a row with its date, and is graded in a round of its own. The newest counts, from the moment at which it comes
in: until it has a verdict the hand-in has none. What earlier attempts gave stays in the hand-in's history.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from tlcourse.grading.gradebook.gradebook import Gradebook
from tlcourse.grading.gradebook.records import HandInRecord
from tlcourse.storage import now


class Attempt(Struct, frozen=True):
    """A newer attempt, and what the one before it gave."""

    handin: int
    owner: str
    number: int
    """2 for the first that came later."""
    round: int
    """The one in which it is graded."""
    folder_name: str
    submitted_at: str
    at: str
    """When it came into the batch."""
    who: str
    why: str
    before: str
    """The final outcome of the attempt before; "" where it has none."""
    points_before: float | None


def add_attempts(book: Gradebook, batch: int, newer: Sequence[HandInRecord], *, who: str, why: str) -> int:
    """Append newer attempts, each under the id of its hand-in, whole or not at all; returns the round of them."""
    with book.appending() as db:
        cursor = db.execute(
            "INSERT INTO regrades (batch, selection, why, who, at) VALUES (?, 'newer attempts', ?, ?, ?)",
            (batch, why, who, now()),
        )
        number = int(cursor.lastrowid or 0)
        db.executemany("INSERT INTO regraded VALUES (?, ?)", [(number, one.id) for one in newer])
        db.executemany(
            "INSERT INTO attempts (handin, regrade, folder_name, path, submitted_at, twins, problem, at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    *(one.id, number, one.folder_name, one.path, one.submitted_at),
                    *(msgspec.json.encode(one.twins).decode(), one.problem, now()),
                )
                for one in newer
            ],
        )
    return number


def attempts(book: Gradebook, batch: int) -> list[Attempt]:
    """All newer attempts of a batch, in the order in which they came."""
    rows = book.rows(
        "SELECT h.id, h.owner, (SELECT COUNT(*) + 1 FROM attempts b WHERE b.handin = h.id AND b.id <= a.id),"
        " a.regrade, a.folder_name, a.submitted_at, a.at, g.who, g.why, COALESCE(r.outcome, ''), r.points"
        " FROM attempts a JOIN handins h ON h.id = a.handin JOIN regrades g ON g.id = a.regrade"
        " LEFT JOIN results r ON r.id = (SELECT id FROM results WHERE handin = h.id AND round < a.regrade"
        " AND outcome != 'infra' ORDER BY round DESC, id DESC LIMIT 1) WHERE h.batch = ? ORDER BY a.id",
        (batch,),
    )
    return [Attempt(*row) for row in rows]


def folders(book: Gradebook, batch: int) -> dict[int, list[tuple[str, str]]]:
    """Of each hand-in the attempts that the batch had, the first one first: folder and date."""
    rows = book.rows(
        "SELECT id, folder_name, submitted_at, 0 FROM handins WHERE batch = ? UNION ALL"
        " SELECT a.handin, a.folder_name, a.submitted_at, a.id FROM attempts a JOIN handins h ON h.id = a.handin"
        " WHERE h.batch = ? ORDER BY 4",
        (batch, batch),
    )
    found: dict[int, list[tuple[str, str]]] = {}
    for handin, folder_name, submitted_at, _ in rows:
        found.setdefault(handin, []).append((folder_name, submitted_at))
    return found


def hashes(book: Gradebook, batch: int) -> dict[int, list[tuple[int, str]]]:
    """Of each hand-in what was graded of it: rounds, and SHA-256s, which are "" of what could not be read."""
    found: dict[int, list[tuple[int, str]]] = {}
    rows = book.rows(
        "SELECT r.handin, r.round, r.sha256 FROM results r JOIN handins h ON h.id = r.handin"
        " WHERE h.batch = ? AND r.outcome != 'infra' ORDER BY r.round, r.id",
        (batch,),
    )
    for handin, round_, sha256 in rows:
        found.setdefault(handin, []).append((round_, sha256))
    return found
