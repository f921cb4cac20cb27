"""The gradebook's reading and writing: one transaction a fact, rows appended, never changed."""

from __future__ import annotations

import contextlib
import math
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from tlcourse.course.parts import ManualItem
from tlcourse.errors import UsageError
from tlcourse.grading.gradebook import file
from tlcourse.grading.gradebook.by_hand import by_hand, hand_marks, in_force
from tlcourse.grading.gradebook.changes import alone, as_given_over, decisions, who_left
from tlcourse.grading.gradebook.deadlines import Lates, lates
from tlcourse.grading.gradebook.people import Look, Membership, PersonStatus, person_statuses
from tlcourse.grading.gradebook.records import BatchRecord, GradeStatus, HandInRecord, Override, Regrade, Verdict
from tlcourse.grading.lms.roster import Person, same_key
from tlcourse.grading.result import Result, read_result
from tlcourse.storage import BUSY_S, now, transaction

Manual = Mapping[str, Sequence[ManualItem]]
_VERDICT = "r.id, r.handin, r.round, r.outcome, r.points, r.max_points, r.cause, r.sha256, r.wall_time_s, r.cpu_s, r.at"
_ROUND = "COALESCE((SELECT MAX(regrade) FROM attempts WHERE handin = h.id), 0)"
_COUNTS = f"""SELECT id FROM results WHERE handin = h.id AND round >= {_ROUND}
    ORDER BY outcome = 'infra', round DESC, id DESC LIMIT 1"""  # noqa: S608
"""The verdict that counts: of the newest attempt, the final one of the latest round; else the latest internal error."""
_HANDINS = """SELECT h.id, h.batch, h.key, h.owner, h.kind, h.members, COALESCE(a.folder_name, h.folder_name),
    COALESCE(a.path, h.path), COALESCE(a.submitted_at, h.submitted_at), COALESCE(a.twins, h.twins),
    COALESCE(a.problem, h.problem), (SELECT COUNT(*) FROM attempts WHERE handin = h.id) + 1, COALESCE(a.regrade, 0)
    FROM handins h LEFT JOIN attempts a ON a.id = (SELECT MAX(id) FROM attempts WHERE handin = h.id)"""
"""Hand-ins with what is said of their newest attempts."""

UNREADABLE = "its kept result cannot be read"
"""The cause of a verdict that is none: as older versions kept a measurement that was not finite. A regrade mends it."""


class Gradebook:
    """Reads, and where it was opened for writing, appends."""

    def __init__(self, db: sqlite3.Connection, path: Path, manual: Manual | None = None) -> None:
        self._db = db
        self.path = path
        self.manual = manual or {}
        self._readable: dict[int, bool] = {}

    @classmethod
    @contextlib.contextmanager
    def writing(
        cls, path: Path, what: str, wait_s: float = BUSY_S, manual: Manual | None = None
    ) -> Iterator[Gradebook]:
        """The gradebook for its one writer; `what` is said to another one, which waits for so long."""
        with file.writing(path, what, wait_s) as db:
            yield cls(db, path, manual)

    @classmethod
    @contextlib.contextmanager
    def reading(cls, path: Path, manual: Manual | None = None) -> Iterator[Gradebook]:
        """The gradebook for looking only; `manual`: what the course marks by hand, by exercise."""
        with file.reading(path) as db:
            yield cls(db, path, manual)

    def keep_copy(self) -> None:
        """Keep a copy of the whole beside it."""
        file.keep_copy(self._db, self.path)

    @contextlib.contextmanager
    def appending(self) -> Iterator[sqlite3.Connection]:
        """One transaction, for whoever keeps a kind of fact here: extensions, marks by hand, requests."""
        with file.explained(self.path), transaction(self._db):
            yield self._db

    def rows(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """What a query finds, for the same."""
        return list(self._db.execute(query, values))

    # -- writing ---------------------------------------------------------------------------------------------------

    def begin_batch(self, batch: BatchRecord, handins: Sequence[HandInRecord]) -> BatchRecord:
        """Append a batch with its hand-ins; ids are given here."""
        with self.appending():
            cursor = self._db.execute(
                "INSERT INTO batches (exercise, variant, source, platform, max_points, seed_source, salt, fingerprint,"
                " grader_sha256, settings, notices, who, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    *(batch.exercise, batch.variant, batch.source, batch.platform, batch.max_points),
                    *(batch.seed_source, batch.salt, batch.fingerprint, batch.grader_sha256),
                    *(_json(batch.settings), _json(batch.notices), batch.who, now()),
                ),
            )
            number = int(cursor.lastrowid or 0)
            self._add_handins(number, handins)
        return self.batch(number)

    def add_handins(self, batch: int, handins: Sequence[HandInRecord]) -> None:
        """Append hand-ins that a batch did not have yet."""
        with self.appending():
            self._add_handins(batch, handins)

    def _add_handins(self, batch: int, handins: Sequence[HandInRecord]) -> None:
        self._db.executemany(
            "INSERT INTO handins (batch, key, owner, kind, members, folder_name, path, submitted_at, twins, problem)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    *(batch, h.key, h.owner, h.kind, _json(h.members), h.folder_name, h.path, h.submitted_at),
                    *(_json(h.twins), h.problem),
                )
                for h in handins
            ],
        )

    def record(self, handin: int, round_: int, result: Result, cause: str) -> None:
        """Append a result; raises sqlite3.IntegrityError where this round has a final one already."""
        with self.appending():
            cursor = self._db.execute(
                "INSERT INTO results (handin, round, outcome, points, max_points, cause, sha256, wall_time_s, cpu_s,"
                " at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    *(handin, round_, result.outcome, result.points, result.max_points, cause),
                    *(result.submission.sha256, sum(run.wall_time_s for run in result.runs)),
                    *(sum(run.cpu_s for run in result.runs), now()),
                ),
            )
            self._db.executemany(
                "INSERT INTO checks VALUES (?, ?, ?, ?, ?, ?, ?)",
                [
                    (cursor.lastrowid, c.id, c.title, int(c.passed), c.value, c.points, c.max_points)
                    for c in result.checks
                ],
            )
            self._db.execute(
                "INSERT INTO documents VALUES (?, ?)", (cursor.lastrowid, msgspec.json.encode(result).decode())
            )

    def begin_regrade(self, batch: int, handins: Iterable[int], *, selection: str, who: str, why: str) -> int:
        """Append a regrade; returns its number, which is the round of its results."""
        with self.appending():
            cursor = self._db.execute(
                "INSERT INTO regrades (batch, selection, why, who, at) VALUES (?, ?, ?, ?, ?)",
                (batch, selection, why, who, now()),
            )
            number = int(cursor.lastrowid or 0)
            self._db.executemany("INSERT INTO regraded VALUES (?, ?)", [(number, handin) for handin in handins])
        return number

    def move(self, batch: int, person: str, group: str, *, who: str, why: str) -> None:
        """Append that somebody's mark is that of a group's hand-in, whichever they handed in with."""
        with self.appending():
            self._db.execute(
                "INSERT INTO memberships (batch, person, team, counts, why, who, at) VALUES (?, ?, ?, 1, ?, ?, ?)",
                (batch, person, group, why, who, now()),
            )

    def note_look(self, batch: int, source: str, notices: dict[str, Any], settled: dict[str, str], who: str) -> None:
        """Append what was said about a download, and whose a folder is by what staff said: `settled`, by folder."""
        before = self.settled(batch)
        with self.appending():
            self._db.execute(
                "INSERT INTO looks (batch, source, notices, who, at) VALUES (?, ?, ?, ?, ?)",
                (batch, source, _json(notices), who, now()),
            )
            self._db.executemany(
                "INSERT INTO identities (batch, folder_name, means, who, at) VALUES (?, ?, ?, ?, ?)",
                [(batch, name, means, who, now()) for name, means in settled.items() if before.get(name) != means],
            )

    def tell(self, batch: int, live: dict[str, Any]) -> None:
        """What a running batch is at, for those who look."""
        with self.appending():
            self._db.execute("INSERT OR REPLACE INTO live VALUES (?, ?)", (batch, _json(live)))

    # -- reading ---------------------------------------------------------------------------------------------------

    def batches(self, exercise: str | None = None) -> list[BatchRecord]:
        """All batches, the oldest first."""
        rows = self._db.execute("SELECT * FROM batches WHERE ? IS NULL OR exercise = ? ORDER BY id", (exercise,) * 2)
        return [_batch(row) for row in rows]

    def batch(self, number: int) -> BatchRecord:
        """One batch; raises UsageError where there is none of that number."""
        row = self._db.execute("SELECT * FROM batches WHERE id = ?", (number,)).fetchone()
        if row is None:
            known = ", ".join(str(batch.id) for batch in self.batches()) or "none"
            raise UsageError(f"There is no batch {number} in {self.path}.", remedy=f"batches there: {known}.")
        return _batch(row)

    def batch_of(self, exercise: str, number: int) -> BatchRecord:
        """The same, which must be of that exercise; else raises UsageError, too."""
        batch = self.batch(number)
        if batch.exercise != exercise:
            raise UsageError(
                f"Batch {number} is of {batch.exercise}, not of {exercise}.", remedy="name the other exercise."
            )
        return batch

    def latest_batch(self, exercise: str) -> BatchRecord:
        """The newest batch of an exercise; raises UsageError where there is none."""
        row = self._db.execute(
            "SELECT * FROM batches WHERE exercise = ? ORDER BY id DESC LIMIT 1", (exercise,)
        ).fetchone()
        if row is None:
            graded = sorted({batch.exercise for batch in self.batches()})
            raise UsageError(
                f"No batch of {exercise} is in {self.path}.",
                cause=f"graded so far: {', '.join(graded)}." if graded else "nothing was graded so far.",
                remedy=f"tlcourse batch {exercise} SUBMISSIONS",
            )
        return _batch(row)

    def handins(self, batch: int) -> list[HandInRecord]:
        """The hand-ins of a batch with their newest attempts, in the order of the first; members as staff decided."""
        return self._with_members(batch, self.handins_as_owned(batch))

    def handins_as_owned(self, batch: int) -> list[HandInRecord]:
        """The same with those who handed in, wherever they were moved since."""
        rows = self._db.execute(f"{_HANDINS} WHERE h.batch = ? ORDER BY h.id", (batch,))
        return as_given_over(self, batch, [_handin(row) for row in rows])

    def _with_members(self, batch: int, handins: list[HandInRecord]) -> list[HandInRecord]:
        """Each moved person in the group that the staff named last, and in no other."""
        lonely = alone(self, self.batch(batch).exercise)
        handins = [replace(one, alone=lonely[one.key]) if one.key in lonely else one for one in handins]
        moved = {one.person: same_key(one.group) for one in self.memberships(batch) if one.counts}
        if not moved:
            return handins
        found = []
        for handin in handins:
            here = same_key(handin.owner)
            stay = [one for one in handin.members if moved.get(one, here) == here]
            come = [one for one, group in moved.items() if group == here and one not in stay]
            members = [] if handin.left_behind else stay + come
            gone = handin.left_behind or (bool(handin.members) and not members)
            found.append(replace(handin, members=members, left_behind=gone))
        return found

    def memberships(self, batch: int) -> list[Membership]:
        """Every change of a group, the oldest first."""
        rows = self._db.execute("SELECT * FROM memberships WHERE batch = ? ORDER BY id", (batch,))
        return [
            Membership(number, of, person, group, bool(counts), why, by, at)
            for number, of, person, group, counts, why, by, at in rows
        ]

    def groups(self, batch: int) -> dict[str, str]:
        """The group of each person by the newest list."""
        return {one.person: one.group for one in self.memberships(batch) if not one.counts and one.group}

    def people(self, batch: int) -> list[Person]:
        """Everybody of the class, as the newest list has them."""
        rows = self._db.execute(
            "SELECT person, username, first, last, email, platform_id, gone FROM people WHERE batch = ? ORDER BY id",
            (batch,),
        )
        found = [Person(*row[:6]) for row in {row[0]: row for row in rows}.values() if not row[6]]
        # earlier editions kept the ids of those who handed in nothing
        return found or [Person(one) for one in self.batch(batch).notices.get("missing", [])]

    def settled(self, batch: int) -> dict[str, str]:
        """Whose a folder is, by what staff said last."""
        rows = self._db.execute("SELECT folder_name, means FROM identities WHERE batch = ? ORDER BY id", (batch,))
        return dict(rows.fetchall())

    def latest_lists(self, batch: int) -> dict[str, str]:
        """The files of the class list and the groups that a batch was given last, by what they are."""
        lists: dict[str, str] = {}
        for (notices,) in self._db.execute("SELECT notices FROM looks WHERE batch = ? ORDER BY id", (batch,)):
            lists.update(msgspec.json.decode(notices)["lists"])
        return lists

    def look(self, batch: BatchRecord) -> Look:
        """What was said last about each download of a batch."""
        rows = self._db.execute("SELECT source, notices FROM looks WHERE batch = ? ORDER BY id", (batch.id,))
        latest = {source: msgspec.json.decode(notices) for source, notices in rows}
        notices, unmatched = list[str](), dict[str, str]()
        for said in latest.values() or [{"unmatched": [], **batch.notices}]:
            notices += said.get("notices", [])
            # earlier editions kept each as one text
            unmatched.update(one.partition(": ")[::2] if isinstance(one, str) else one for one in said["unmatched"])
        for handin in self.handins(batch.id):  # another download, or a word of the staff, brought it in
            for name in (handin.folder_name, *handin.twins):
                unmatched.pop(name, None)
        return Look(list(dict.fromkeys(notices)), list(unmatched.items()))

    def person_statuses(self, batch: BatchRecord, statuses: Sequence[GradeStatus]) -> list[PersonStatus]:
        """Where each person of the class stands."""
        people = self.people(batch.id)
        decided, unmatched = self.overrides(batch.exercise), self.look(batch).unmatched
        marks, items = in_force(hand_marks(self, batch.exercise)), self.manual.get(batch.exercise, ())
        own = {one.id: by_hand(items, marks, f"person:{one.id}") for one in people}
        given = people, self.groups(batch.id), statuses, decided, unmatched
        return person_statuses(*given, self.elsewhere(batch), own, who_left(self, batch.id))

    def elsewhere(self, batch: BatchRecord) -> dict[str, str]:
        """By person, which hand-in of another batch is theirs; the same submissions, graded anew, are no other."""
        others = [one for one in self.batches(batch.exercise) if one.source != batch.source]
        return {
            person: f"handed in with batch {one.id}, as {handin.owner}"
            for one in others
            for handin in self.handins(one.id)
            for person in handin.members
        }

    def open_handins(self, batch: int, round_: int = 0) -> list[HandInRecord]:
        """Those of a batch whose newest attempt has no final result; or those of a regrade that have none of it."""
        if round_ == 0:
            chosen, done = "h.batch = :batch", f"r.outcome != 'infra' AND r.round >= {_ROUND}"
        else:
            chosen = "h.id IN (SELECT handin FROM regraded WHERE regrade = :round)"
            done = "r.outcome != 'infra' AND r.round = :round"
        rows = self._db.execute(
            f"{_HANDINS} WHERE {chosen} AND NOT EXISTS"  # noqa: S608
            f" (SELECT 1 FROM results r WHERE r.handin = h.id AND {done}) ORDER BY h.id",
            {"batch": batch, "round": round_},
        )
        return self._with_members(batch, as_given_over(self, batch, [_handin(row) for row in rows]))

    def unfinished_regrade(self, batch: int) -> Regrade | None:
        """The newest regrade of a batch, where some of it has no final result."""
        newest = self.regrades(batch)[-1:]
        return newest[0] if newest and self.open_handins(batch, newest[0].id) else None

    def regrades(self, batch: int) -> list[Regrade]:
        """All regrades of a batch; rounds of newer attempts are none."""
        query = "SELECT * FROM regrades WHERE batch = ? AND id NOT IN (SELECT regrade FROM attempts) ORDER BY id"
        return [Regrade(*row) for row in self._db.execute(query, (batch,))]

    def verdicts(self, batch: int) -> dict[int, Verdict]:
        """The verdict that counts of each hand-in that has one, by the hand-in's id."""
        rows = self._db.execute(
            f"SELECT {_VERDICT} FROM handins h JOIN results r ON r.id = ({_COUNTS}) WHERE h.batch = ?",  # noqa: S608
            (batch,),
        )
        return {row[1]: self._as_read(Verdict(*row)) for row in rows}

    def _as_read(self, verdict: Verdict) -> Verdict:
        """A verdict whose document cannot be read says nothing: it is a grader fault, and no mark."""
        if verdict.id not in self._readable:  # documents never change: each is looked at once
            try:
                self._readable[verdict.id] = bool(self.document(verdict.id))
            except (msgspec.MsgspecError, LookupError, TypeError, ValueError):
                self._readable[verdict.id] = False
        if self._readable[verdict.id]:
            return verdict
        return replace(verdict, outcome="infra", points=0.0, cause=UNREADABLE, readable=False)

    def history(self, handin: int) -> list[Verdict]:
        """Every result of a hand-in, the oldest first."""
        rows = self._db.execute(f"SELECT {_VERDICT} FROM results r WHERE handin = ? ORDER BY id", (handin,))  # noqa: S608
        return [Verdict(*row) for row in rows]

    def overrides(self, exercise: str) -> dict[str, Override]:
        """The decision that holds for each target; withdrawn ones are absent."""
        latest = {one.target: one for one in decisions(self, exercise)}
        return {target: one for target, one in latest.items() if one.points is not None or one.excused}

    def statuses(self, batch: BatchRecord) -> list[GradeStatus]:
        """Where each hand-in of a batch stands."""
        verdicts, overrides = self.verdicts(batch.id), self.overrides(batch.exercise)
        marks, items = in_force(hand_marks(self, batch.exercise)), self.manual.get(batch.exercise, ())
        handins = self.handins(batch.id)
        late, in_time = lates(self, batch, handins, overrides), Lates()
        return [
            GradeStatus(
                handin,
                verdicts.get(handin.id),
                overrides.get(handin.target),
                {
                    person: decided
                    for person in handin.members
                    if (decided := overrides.get(f"person:{person}")) and decided.target != handin.target
                },
                by_hand(items, marks, handin.target),
                {
                    person: by_hand(items, marks, own, handin.target)
                    for person in handin.members
                    if (own := f"person:{person}") in marks and own != handin.target
                },
                late.get(handin.id, in_time).late,
                dict(late.get(handin.id, in_time).members),
            )
            for handin in handins
        ]

    def document(self, result: int) -> Result:
        """The result document."""
        return read_result(self.raw_document(result))

    def raw_document(self, result: int) -> bytes:
        """The same as JSON, for those who need a part of it, many times."""
        rows = self._db.execute("SELECT CAST(document AS BLOB) FROM documents WHERE result = ?", (result,))
        return bytes(rows.fetchone()[0])

    def pass_rates(self, batch: int) -> list[tuple[str, str, int, int, list[float]]]:
        """Of each check: its name, title, how many passed, of how many, and the values; by the verdicts that count."""
        rows = self._db.execute(
            "SELECT c.name, c.title, c.passed, c.value FROM handins h"  # noqa: S608
            f" JOIN checks c ON c.result = ({_COUNTS}) WHERE h.batch = ? ORDER BY c.rowid",
            (batch,),
        )
        found: dict[str, tuple[str, str, int, int, list[float]]] = {}
        for name, title, passed, value in rows:
            _, _, right, n, values = found.get(name, (name, title, 0, 0, []))
            found[name] = (name, title, right + passed, n + 1, values)
            if value is not None and math.isfinite(value):  # older ones may be infinite
                values.append(value)
        return list(found.values())

    def live(self, batch: int) -> dict[str, Any]:
        """What a batch said last about itself; empty where it said nothing."""
        row = self._db.execute("SELECT state FROM live WHERE batch = ?", (batch,)).fetchone()
        return dict(msgspec.json.decode(row[0])) if row else {}


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _batch(row: Sequence[Any]) -> BatchRecord:
    fields = list(row)
    fields[10], fields[11] = msgspec.json.decode(row[10]), msgspec.json.decode(row[11])
    return BatchRecord(*fields)


def _handin(row: Sequence[Any]) -> HandInRecord:
    fields = list(row)
    fields[5], fields[9] = msgspec.json.decode(row[5]), msgspec.json.decode(row[9])
    return HandInRecord(*fields)
