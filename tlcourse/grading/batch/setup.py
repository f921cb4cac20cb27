"""Before the first submission runs: who is in the class, the seed, the batch's row in the gradebook, what is left."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import astuple, replace

from tlcourse.course.model import LoadedExercise
from tlcourse.errors import UsageError
from tlcourse.grading.batch.engine import Work
from tlcourse.grading.batch.joining import Compared, compare, earlier, said_of, source_text
from tlcourse.grading.batch.same_grader import same_grader
from tlcourse.grading.grade import Options
from tlcourse.grading.gradebook.attempts import add_attempts, folders
from tlcourse.grading.gradebook.changes import as_staff_said, give_over, note_class, refuse_other_ids, who_left
from tlcourse.grading.gradebook.deadlines import Extension, Kept, extensions, kept_deadline
from tlcourse.grading.gradebook.gradebook import Gradebook
from tlcourse.grading.gradebook.people import PersonStatus
from tlcourse.grading.gradebook.records import DERIVATION, BatchRecord, HandInRecord
from tlcourse.grading.grader import Grader
from tlcourse.grading.lms.roster import Person, same_key, visible
from tlcourse.grading.result import storable
from tlcourse.grading.secret import DataSeed, fingerprint, new_salt
from tlcourse.text import harmless, typed

if TYPE_CHECKING:
    from tlcourse.grading.lms.groups import Groups
    from tlcourse.grading.lms.handins import HandIns
    from tlcourse.grading.lms.newest_attempt import HandIn
    from tlcourse.grading.lms.roster import Roster

_log = logging.getLogger(__name__)


class ClassLists(Struct, frozen=True):
    """The class list and the groups, as files."""

    roster: Path | None = None
    groups: Path | None = None
    known: dict[str, str] = {}
    """Whose a folder is, where the staff said so before."""
    given: dict[str, str] = {}
    """The same, said now: each must be in the download."""
    category: str = ""
    """Which set of groups, where the file has several."""
    rows: tuple[HandInRecord, ...] = ()
    """The hand-ins of the batch that goes on."""

    def find(self, submissions: Path, into: Path) -> HandIns:
        """Everybody's newest attempt."""
        from tlcourse.grading.lms.groups import read_groups
        from tlcourse.grading.lms.handins import find_handins
        from tlcourse.grading.lms.roster import read_roster

        people = read_roster(self.roster) if self.roster else None
        groups = read_groups(self.groups, people, category=self.category) if self.groups else None
        if people is not None and groups is not None:
            self._refuse_other_people(people, groups)
        known = {**self.known, **self.given}
        found = find_handins(submissions, into, roster=people, groups=groups, known=known)
        if strange := [name for name in self.given if same_key(name) not in {same_key(one) for one in found.settled}]:
            raise UsageError(
                f"{submissions} has no folder called {visible(strange[0])}.",
                cause="a spelling mistake, or another download.",
                remedy="copy the name from the line that says NOT MATCHED.",
            )
        return as_staff_said(found, self.rows) if self.rows else found

    def _refuse_other_people(self, people: Roster, groups: Groups) -> None:
        """Raises UsageError where nobody of the groups is in the class list: everybody would have handed in nothing."""
        listed = {person.id for person in people.people}
        members = [member for group in groups.groups for member in group.members]
        if members and listed and listed.isdisjoint(members):
            raise UsageError(
                f"Nobody of {self.groups} is in {self.roster}: {visible(members[0])}, for one, is not.",
                cause="they call people by different things, or are of different classes; "
                f"the class list begins with {visible(people.people[0].id)}.",
                remedy="name people in both by their id, user name, address or full name; a class list that says who "
                "is in which group can be both: --groups FILE, as --roster FILE.",
            )

    def settings(self) -> dict[str, str]:
        """What is kept, so that --resume finds the same owners without being told."""
        named = {"roster": self.roster, "groups": self.groups}
        kept = {name: str(path.resolve()) for name, path in named.items() if path is not None}
        return kept | ({"category": self.category} if self.category else {})


def begun_as(
    gradebook: Path, exercise: str, submissions: Path, batch: BatchRecord | None = None
) -> tuple[ClassLists, str]:
    """The lists and the backend of a batch; by default of the one that these submissions are in."""
    try:
        with Gradebook.reading(gradebook) as book:
            before = batch or earlier(book, exercise, submissions)
            known = book.settled(before.id) if before else {}
            kept = {**before.settings, **book.latest_lists(before.id)} if before else {}
            rows = tuple(book.handins_as_owned(before.id)) if before else ()
    except UsageError:  # there is no gradebook: a batch begins
        known, kept, rows = {}, {}, ()
    roster, groups = (Path(kept[name]) if name in kept else None for name in ("roster", "groups"))
    return ClassLists(roster, groups, known, category=kept.get("category", ""), rows=rows), kept.get("on", "local")


def deadlines_before(gradebook: Path, exercise: str, batch: BatchRecord | None) -> tuple[Kept | None, list[Extension]]:
    """The deadline that is kept with a batch, and every extension of the exercise."""
    try:
        with Gradebook.reading(gradebook) as book:
            return kept_deadline(book, batch.id) if batch else None, extensions(book, exercise)
    except UsageError:  # there is no gradebook
        return None, []


def many_attempts(handins: HandIns, budget: int, found: Compared | None = None) -> Iterator[str]:
    """Who hands in more often than the exercise's budget allows: said, and decided by a person; no mark is lowered.

    Counted are the attempts of a download, and where it comes into a batch those that are graded then: `found`.
    """
    newer = {handin.key for handin in found.newer} if found else set()
    for handin in handins.found:
        times = 1 + len(handin.older)
        graded = (found.attempts.get(handin.key, 0) if found else 0) + (handin.key in newer)
        if max(times, graded) > budget:
            said = f"handed in {times} times" if times >= graded else f"has {graded} graded attempts with this one"
            yield (
                f"{harmless(handin.owner)} {said}, and the exercise allows {budget}; "
                "the newest is graded, and what follows is yours to decide (tlcourse ta override)"
            )


def begin(
    book: Gradebook,
    exercise: LoadedExercise,
    handins: HandIns,
    source: Path,
    options: Options,
    seed: DataSeed,
    *,
    who: str,
    settings: dict[str, Any],
) -> BatchRecord:
    """Append a new batch."""
    salt = new_salt()
    batch = BatchRecord(
        id=0,
        exercise=exercise.about.id,
        variant=options.variant,
        source=source_text(source),
        platform=handins.platform,
        max_points=exercise.about.checked_points,
        seed_source=seed.source,
        salt=salt,
        fingerprint=fingerprint(seed.material, salt),
        grader_sha256=Grader(exercise).sha256,
        settings={
            "device": options.device,
            "threads": options.threads,
            "wall_time_s": options.wall_time_s,
            "derivation": DERIVATION,
            **settings,
        },
        notices=_notices(handins),
        who=who,
        at="",
    )
    begun = book.begin_batch(batch, [_row(handin) for handin in handins.found])
    lists = {str(name): str(settings[name]) for name in ("roster", "groups", "category") if name in settings}
    _note(book, begun, handins, source, lists, who)
    _note_class(book, begun, handins, who)
    return begun


def _note(book: Gradebook, batch: BatchRecord, handins: HandIns, source: Path, lists: dict[str, str], who: str) -> None:
    """Append what was said about the download, before anything of it comes in: so it is known if that is cut short."""
    # folders that are in the batch have their owners, whatever new lists make of their names
    known = {row.folder_name for row in book.handins(batch.id)}
    notices = {**_notices(handins), "lists": lists}
    notices["unmatched"] = [one for one in notices["unmatched"] if one[0] not in known]
    book.note_look(batch.id, source_text(source), notices, storable(handins.settled), who)


def _note_class(book: Gradebook, batch: BatchRecord, handins: HandIns, who: str) -> list[str]:
    """Append the class; returns a line for those who left, and for each person who moved."""
    before = book.groups(batch.id)
    people, groups = _storable_people(handins.people), storable(handins.groups)
    why = "the list of groups"
    left = note_class(book, batch.id, people, groups, listed=storable(handins.listed), who=who, why=why)
    return [*left, *_moved(book, batch, before)]


def _moved(book: Gradebook, batch: BatchRecord, before: dict[str, str]) -> Iterator[str]:
    """Who is in another group than before, and whose mark counts for them."""
    people, left = {person.id: person for person in book.people(batch.id)}, who_left(book, batch.id)
    in_force = {member: handin.owner for handin in book.handins(batch.id) for member in handin.members}
    after = book.groups(batch.id)
    for person, group in before.items():
        if (now := after.get(person, "")) == group or person in left:
            continue
        named = PersonStatus(people.get(person, Person(person)), "graded").named
        line = f"{named} moved from {visible(group)} to {visible(now) or 'no group'}"
        owner = in_force.get(person, "")
        if owner and owner != now:
            line += f", handed in with {visible(owner)}, and has its mark"
            if now:
                line += f"; if not: tlcourse ta move {batch.exercise} {typed(person)} {typed(now)} --why …"
        yield f"{line}."


def resume(
    book: Gradebook,
    exercise: LoadedExercise,
    handins: HandIns,
    batch: BatchRecord,
    seed: DataSeed,
    *,
    source: Path | None = None,
    lists: ClassLists | None = None,
    who: str = "",
    take_unclear: bool = False,
) -> list[str]:
    """Prepare to go on with a batch, with hand-ins and newer attempts that its download, or another one, brings.

    Returns lines about what changed. `take_unclear`: what differs from what was graded is newer, also where nothing
    says so. Raises UsageError where marks would not compare.
    """
    same_secret(batch, seed)
    same_grader(book, batch, exercise)
    refuse_other_ids(book, batch, _storable_people(handins.people))
    source = source or Path(batch.source)
    rows = book.handins(batch.id)
    found = compare(book, batch, handins, exercise, take_unclear=take_unclear)
    known = {row.key: row for row in rows}
    if rows and handins.people and len(found.new) == len(handins.found) and not book.people(batch.id):
        raise UsageError(
            f"Batch {batch.id} was begun without a class list and groups.",
            cause="it knows people by what their folders are called; --roster or --groups would make others of them.",
            remedy="give none – or begin a new batch with --again.",
        )
    # who handed in with one group and is now in another keeps the mark of the first
    over = {one.handin: one.owner.members if one.owner else () for one in handins.given_over}
    elsewhere = {member: row.key for row in rows for member in over.get(row.id, row.members)}
    new = [
        replace(row, members=[one for one in row.members if one not in elsewhere])
        for row in (_row(handin) for handin in found.new)
    ]
    said_now = {storable(name) for name in handins.settled}
    _same_owners(batch, new, {name for had in folders(book, batch.id).values() for name, _ in had} - said_now)
    newer = [_row(handin) for handin in found.newer]
    given = give_over(book, handins.given_over, who=who)
    _note(book, batch, handins, source, lists.settings() if lists else {}, who)
    if new:
        book.add_handins(batch.id, new)
    if newer:
        newer = [replace(row, id=known[row.key].id) for row in newer]
        add_attempts(book, batch.id, newer, who=who, why=harmless(source.name))
    moved = _note_class(book, batch, handins, who)
    _log.debug("batch %s: of %s hand-ins %s", batch.id, len(handins.found), found.counts)
    return [*given, *said_of(found, rows), *moved]


def _same_owners(batch: BatchRecord, new: list[HandInRecord], known_folders: set[str]) -> None:
    """Raises UsageError where folders of the batch would come in again under other owners."""
    if again := [row for row in new if row.folder_name in known_folders]:
        raise UsageError(
            f"{len(again)} hand-ins of batch {batch.id} have other owners now, such as {visible(again[0].owner)} for "
            f"{visible(again[0].folder_name)}.",
            cause="another --roster or --groups was given than when the batch was begun.",
            remedy="give the same lists, or none; or begin a new batch with --again.",
        )


def refuse_of_older(batch: BatchRecord) -> None:
    """Raises UsageError where an older version graded the batch, on data that cannot be drawn any more."""
    if not batch.can_go_on:
        raise UsageError(
            f"Batch {batch.id} was begun by an older tlcourse, which drew other data from the same secret.",
            cause="how seeds are derived has changed; marks on other data do not compare.",
            remedy=f"begin a new batch: tlcourse batch {batch.exercise} SUBMISSIONS --again – or set marks by hand: "
            f"tlcourse ta override {batch.exercise} WHO --points N --why …",
        )


def same_secret(batch: BatchRecord, seed: DataSeed) -> None:
    """Raises UsageError where a batch was graded on other data than the seed would give."""
    refuse_of_older(batch)
    if seed.source != batch.seed_source or fingerprint(seed.material, batch.salt) != batch.fingerprint:
        raise UsageError(
            f"Batch {batch.id} was begun with another secret or seed.",
            cause="another --secret or --seed was given, or TLCOURSE_SECRET has changed.",
            remedy="give the one that it was begun with, or begin a new batch with --again.",
        )


def options_of(batch: BatchRecord, seed: DataSeed, options: Options) -> Options:
    """Options with what the batch was begun with: a resumed or repeated grading must not differ."""
    kept = batch.settings
    return replace(
        options,
        variant=batch.variant,
        device=kept["device"],
        threads=kept["threads"],
        wall_time_s=kept.get("wall_time_s", kept.get("wall_s")),  # its name in gradebooks of version 1
        seed=seed.value,
        seed_source=seed.source,
        run_key=seed.run_key,
    )


def work_left(book: Gradebook, batch: BatchRecord, handins: HandIns) -> list[Work]:
    """What has no final result, and where it lies now: a ZIP is unpacked to another folder each time."""
    lie = {(one.key, storable(one.folder_name), one.submitted_at): Path(one.path) for one in handins.found}
    left = [
        Work(row, lie.get((row.key, row.folder_name, row.submitted_at), Path(row.path)))
        for row in book.open_handins(batch.id)
    ]
    if _log.isEnabledFor(logging.DEBUG):
        open_ids = {work.handin.id for work in left}
        for row in book.handins(batch.id):
            word = "is graded" if row.id in open_ids else "skipped, since it has a final result"
            _log.debug("batch %s: hand-in %s of %s %s", batch.id, row.id, row.owner, word)
    return left


def _row(handin: HandIn) -> HandInRecord:
    return HandInRecord(
        id=0,
        batch=0,
        key=handin.key,
        owner=storable(handin.owner),
        kind=handin.kind,
        members=storable(handin.members),
        folder_name=storable(handin.folder_name),
        path=storable(str(handin.path)),
        submitted_at=handin.submitted_at,
        twins=storable(handin.twins),
        problem=storable(handin.problem),
    )


def _storable_people(people: Sequence[Person]) -> list[Person]:
    return [Person(*(storable(text) for text in astuple(person))) for person in people]


def _notices(handins: HandIns) -> dict[str, Any]:
    return {
        "notices": storable(handins.notices),
        "unmatched": [[storable(one.name), storable(one.reason)] for one in handins.unmatched],
        "missing": storable(handins.missing),
    }
