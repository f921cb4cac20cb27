"""Two gradebooks of one class become one: what another has and this one lacks is appended, and nothing twice.

Rows are carried table by table, as `APPENDED` lists them, with their references renumbered; which column refers to
which table is read from the file. A row is there already where one is equal to it. Where two assistants decided
differently about the same, nothing is written until it is said whose decision holds.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct

from tlcourse.errors import UsageError
from tlcourse.grading.gradebook.file import APPENDED
from tlcourse.grading.gradebook.gradebook import Gradebook
from tlcourse.grading.gradebook.records import BatchRecord
from tlcourse.grading.gradebook.submission_store import SubmissionStore
from tlcourse.grading.rules import changes, kept_rules
from tlcourse.storage import now
from tlcourse.text import counted

Prefer = Literal["mine", "theirs"]
Row = dict[str, Any]

DECIDED = {
    "overrides": ("exercise", "target"),
    "hand_marks": ("exercise", "target", "item"),
    "memberships": ("batch", "person", "counts"),
    "identities": ("batch", "folder_name"),
    "deadlines": ("batch",),
    "extensions": ("exercise", "target"),
    "owners": ("handin",),
}
"""Tables whose last row about the same is in force, and the columns that say about what."""
ADDED: tuple[str, ...] = (
    "batches",
    "handins",
    "regrades",
    "regraded",
    "results",
    "checks",
    "documents",
    "people",
    "looks",
    "attempts",
)
ADDED += ("requests", "answers", "keys")
"""All others: a row more takes nothing back."""
_ALSO = {("results", "round"): "regrades"}  # 0 refers to none, so that it is no foreign key
_SAID = {"id", "who", "at", "why", "seen"}  # of a decision: not what was decided
_OF_RESULT = ("checks", "documents")


class Conflict(Struct, frozen=True):
    """What the two decided differently about the same."""

    id: str
    """Made of what is said: the same as long as both decisions stand, whatever else is merged."""
    said: str
    holds: Prefer | None
    """Whose is in force; None while nobody said so."""


class Choice(Struct, frozen=True):
    """Whose decisions hold, where two differ."""

    all: Prefer | None = None
    """Of those that are not named one by one."""
    one: Mapping[str, Prefer] = {}
    """By the id of a conflict."""

    def of(self, said: str) -> Conflict:
        """A conflict, and whose decision is to hold."""
        name = hashlib.sha256(said.encode()).hexdigest()[:6]
        return Conflict(name, said, self.one.get(name, self.all))


class Merged(Struct, frozen=True):
    """What came of it."""

    rows: dict[str, int]
    """Rows that were appended, by table."""
    handins: int
    """Kept hand-ins that came along."""
    conflicts: list[Conflict]


def merge(
    mine: Gradebook, theirs: Gradebook, *, who: str, choice: Choice, same_secret: Callable[[str, str], bool]
) -> Merged:
    """Append what `theirs` has more. `same_secret(salt, fingerprint)`: whether a fingerprint is of the own secret.

    Raises:
        UsageError: one batch in both was graded by two graders, by other rules, or on two secrets; or the two decided
            differently and `choice` does not say of each whose decision holds, or names one that is none. Nothing is
            written then.
    """
    carried = _Carried(mine, theirs)
    carried.match_batches(same_secret)
    with mine.appending() as db:
        conflicts = carried.carry(db, choice)
        conflicts += carried.settle_verdicts(db, choice, who)
        _refuse_unsettled(conflicts, choice)  # which takes back all of it
        carried.settle_decisions(db, who)
    handins = SubmissionStore(mine.path).bring(SubmissionStore(theirs.path))
    return Merged(carried.count, handins, conflicts)


def _refuse_unsettled(conflicts: list[Conflict], choice: Choice) -> None:
    left = [one for one in conflicts if one.holds is None]
    unknown = sorted(set(choice.one) - {one.id for one in conflicts})
    if unknown:
        known = ", ".join(one.id for one in conflicts) or "none"
        raise UsageError(
            f"Nothing was merged: no decisions that differ are called {', '.join(unknown)}.",
            cause="one of them has been changed since, or was settled in an earlier merge, or it is misspelt.",
            remedy=f"those that differ now: {known}. Without --prefer, each is shown.",
        )
    if left:
        raise UsageError(
            f"Nothing was merged: {counted(len(left), 'decision differs', 'decisions differ')}.\n"
            + "\n".join(f"  {one.id}  {one.said}" for one in left[:200]),
            cause="two assistants decided about the same.",
            remedy=f"--prefer {left[0].id}=mine, or =theirs, says it of one; --prefer mine, or theirs, of all others. "
            "What does not hold stays on record, if only in words.",
        )


class _Carried:
    """One merge: what each row of theirs is called here."""

    def __init__(self, mine: Gradebook, theirs: Gradebook) -> None:
        self.mine, self.theirs = mine, theirs
        self.ids: dict[str, dict[int, int]] = {table: {} for table in APPENDED}
        self.new: dict[str, set[int]] = {table: set() for table in APPENDED}
        self.count: dict[str, int] = {}
        self.again: list[tuple[str, Row]] = []
        self.verdicts: list[tuple[int, int]] = []

    def match_batches(self, same_secret: Callable[[str, str], bool]) -> None:
        """Batches of one exercise and one download are one; raises UsageError where they cannot be."""
        own, other = (book.batches() for book in (self.mine, self.theirs))
        free = {one.id: one for one in own}
        for batch in reversed(other):
            same = [
                one for one in free.values() if (one.salt, one.at, one.source) == (batch.salt, batch.at, batch.source)
            ]
            alike = [
                one
                for one in free.values()
                if (one.exercise, one.variant) == (batch.exercise, batch.variant)
                and Path(one.source).name == Path(batch.source).name
            ]
            if not (found := (same or alike)[-1:]):
                continue
            one = found[0]
            if one.grader_sha256 != batch.grader_sha256:
                raise _not_one(f"Batch {one.id} here and batch {batch.id} there were graded by different graders.")
            self._refuse_other_rules(one, batch)
            known = (one.salt, one.fingerprint) == (batch.salt, batch.fingerprint)
            if not known and not (
                same_secret(one.salt, one.fingerprint) and same_secret(batch.salt, batch.fingerprint)
            ):
                raise _not_one(f"Batch {one.id} here and batch {batch.id} there are not known to be of one secret.")
            self.ids["batches"][batch.id] = one.id
            del free[one.id]

    def _refuse_other_rules(self, one: BatchRecord, batch: BatchRecord) -> None:
        """Raises UsageError where no rules are behind marks of both: nothing was regraded in one of them alone."""
        here, there = kept_rules(self.mine, one.id), kept_rules(self.theirs, batch.id)
        found = [changes(before, now, word="there") for before in here for now in there]
        if found and all(found):
            raise UsageError(
                f"Batch {one.id} here and batch {batch.id} there were graded by different rules: {found[0]}. "
                "Nothing was merged.",
                cause="exercise.yaml was changed in between, and marks by different rules do not compare.",
                remedy=f"grade one of them by the rules of the other: tlcourse ta regrade {one.exercise} "
                f"--batch {batch.id} --only all --gradebook FILE – or keep the gradebooks apart.",
            )

    def carry(self, db: sqlite3.Connection, choice: Choice) -> list[Conflict]:
        """Append the rows of all tables; returns the decisions that differ."""
        conflicts: list[Conflict] = []
        before = {one.id: self.mine.verdicts(one.id) for one in self.mine.batches()}
        for table in APPENDED:
            conflicts += self._carry(db, table, choice)
        for there, here in self.ids["batches"].items():
            for handin, verdict in self.theirs.verdicts(there).items():
                own = before.get(here, {}).get(self.ids["handins"][handin])
                if own and "infra" not in (own.outcome, verdict.outcome):
                    self.verdicts.append((own.id, verdict.id))
        return conflicts

    def _carry(self, db: sqlite3.Connection, table: str, choice: Choice) -> list[Conflict]:
        refers = {row[3]: row[2] for row in db.execute(f"PRAGMA foreign_key_list({table})")}
        refers |= {column: to for (of, column), to in _ALSO.items() if of == table}
        own, other = _rows(self.mine, table), _rows(self.theirs, table)
        known = {_plain(row): row.get("id", 0) for row in own}
        by_key = {(row["batch"], row["key"]): row["id"] for row in own} if table == "handins" else {}
        translated = []
        for row in other:
            moved = {**row}
            for column, to in refers.items():
                if row[column]:
                    moved[column] = self.ids[to].get(row[column], 0)
            translated.append(moved)
        said = self._differing(table, own, translated, choice)
        for row, moved in zip(other, translated, strict=True):
            number = row.get("id", 0)
            if number in self.ids[table]:  # a batch that is matched
                continue
            found = known.get(_plain(moved)) or by_key.get((moved.get("batch"), moved.get("key")))
            if found is not None:
                self.ids[table][number] = found
            elif table not in _OF_RESULT or moved["result"] in self.new["results"]:
                self._append(db, table, number, moved)
        return said

    def _append(self, db: sqlite3.Connection, table: str, number: int, row: Row) -> None:
        values = {name: value for name, value in row.items() if name != "id"}
        cursor = db.execute(
            f"INSERT OR IGNORE INTO {table} ({', '.join(values)}) VALUES ({', '.join('?' * len(values))})",  # noqa: S608
            list(values.values()),
        )
        if cursor.rowcount == 1:
            self.count[table] = self.count.get(table, 0) + 1
            if "id" in row:
                self.ids[table][number] = int(cursor.lastrowid or 0)
                self.new[table].add(self.ids[table][number])

    def _differing(self, table: str, own: list[Row], other: list[Row], choice: Choice) -> list[Conflict]:
        """Decisions about the same that differ, where neither knew of the other's."""
        columns = DECIDED.get(table)
        if columns is None:
            return []
        mine, theirs = ({tuple(row[c] for c in columns): row for row in rows} for rows in (own, other))
        ours, known = {_plain(row) for row in own}, {_plain(row) for row in other}
        said = []
        for about, row in theirs.items():
            before = mine.get(about)
            if before is None or _plain(row) in ours or _plain(before) in known:
                continue
            if _decided(before) == _decided(row):
                continue
            names = " ".join(str(part) for part in about)
            words = f"{table} of {names}: mine {_words(before, columns)}; theirs {_words(row, columns)}"
            said.append(choice.of(words))
            if said[-1].holds == "mine":
                self.again.append((table, before))
        return said

    def settle_decisions(self, db: sqlite3.Connection, who: str) -> None:
        """Where mine hold, append them again behind theirs: the last row is in force."""
        for table, row in self.again:
            why = {"why": f"{row['why']} (kept in a merge)"} if "why" in row else {}
            self._append(db, table, 0, {**row, **why, "who": who, "at": now()})

    def settle_verdicts(self, db: sqlite3.Connection, choice: Choice, who: str) -> list[Conflict]:
        """Append the verdict that holds of each hand-in that both graded with another outcome, as a regrade."""
        own = {row["id"]: row for row in _rows(self.mine, "results")}
        other = {row["id"]: row for row in _rows(self.theirs, "results")}
        settled = {row["why"] for row in _rows(self.mine, "regrades") if row["selection"] == "merge"}
        theirs_are_mine = {self.ids["results"].get(number) for number in other}
        conflicts = []
        for mine, theirs in self.verdicts:
            one, two = own[mine], other[theirs]
            here = self.ids["results"].get(theirs, 0)
            if (one["outcome"], one["points"]) == (two["outcome"], two["points"]):
                continue
            if mine in theirs_are_mine or (here and here not in self.new["results"]):
                continue  # one of them went on from the other
            handin = db.execute("SELECT * FROM handins WHERE id = ?", (one["handin"],)).fetchone()
            words = f"{handin[3]}: mine {one['outcome']} {one['points']:g}; theirs {two['outcome']} {two['points']:g}"
            why = f"{words} ({two['at']})"
            if any(text.startswith(why) for text in settled):
                continue
            conflicts.append(choice.of(f"verdict of {words}"))
            if (holds := conflicts[-1].holds) is not None:
                self._regrade(db, handin, f"{why}: {holds}", one if holds == "mine" else two, holds, who)
        return conflicts

    def _regrade(
        self, db: sqlite3.Connection, handin: Sequence[Any], why: str, row: Row, prefer: Prefer, who: str
    ) -> None:
        cursor = db.execute(
            "INSERT INTO regrades (batch, selection, why, who, at) VALUES (?, 'merge', ?, ?, ?)",
            (handin[1], why, who, now()),
        )
        number = int(cursor.lastrowid or 0)
        db.execute("INSERT INTO regraded VALUES (?, ?)", (number, handin[0]))
        self._append(db, "results", -number, {**row, "handin": handin[0], "round": number})
        book = self.mine if prefer == "mine" else self.theirs
        for table in _OF_RESULT:
            for one in _rows(book, table, row["id"]):
                self._append(db, table, 0, {**one, "result": self.ids["results"][-number]})


def _rows(book: Gradebook, table: str, result: int | None = None) -> list[Row]:
    names = [row[1] for row in book.rows(f"PRAGMA table_info({table})")]
    only = "" if result is None else f" WHERE result = {int(result)}"
    return [dict(zip(names, row, strict=True)) for row in book.rows(f"SELECT * FROM {table}{only} ORDER BY rowid")]  # noqa: S608


def _plain(row: Row) -> tuple[Any, ...]:
    """All that a row says, without its number."""
    return tuple(value for name, value in row.items() if name != "id")


def _decided(row: Row) -> Row:
    return {name: value for name, value in row.items() if name not in _SAID}


def _words(row: Row, columns: Sequence[str]) -> str:
    said = ", ".join(f"{name} {value}" for name, value in _decided(row).items() if name not in columns and value)
    return f"{said or 'withdrawn'} (by {row['who']}, {row['at']})"


def _not_one(what: str) -> UsageError:
    return UsageError(
        f"{what} Nothing was merged.",
        cause="marks of two graders, or on two sets of hidden data, do not compare.",
        remedy="--secret FILE names the secret of both; or keep the gradebooks apart.",
    )
