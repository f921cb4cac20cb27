"""Hand-ins that share code: with each other, with known solutions, and with those of earlier classes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from tlcourse.course.exercise import solutions
from tlcourse.course.model import LoadedExercise
from tlcourse.errors import UsageError
from tlcourse.grading.gradebook.file import archived, is_gradebook
from tlcourse.grading.gradebook.gradebook import Gradebook
from tlcourse.grading.gradebook.records import BatchRecord, GradeStatus
from tlcourse.grading.gradebook.submission_store import SubmissionStore
from tlcourse.grading.lms.roster import Person
from tlcourse.grading.similarity import MAX_SOURCE, MOST_PAIRS, Pair, similar_pairs
from tlcourse.text import counted, line

SAME = ", handed in by the same person"


class Similar(Struct, frozen=True):
    """Hand-ins that share code, and which were not compared, and why."""

    pairs: list[Pair]
    not_compared: list[str]
    gone: int = 0
    """How many were not compared, of whichever class."""
    texts: dict[str, str] = {}
    """What each of the pairs holds, by key."""


class Earlier(Struct, frozen=True):
    """Hand-ins of another class, and solutions that were found somewhere."""

    sources: dict[str, str] = {}
    owners: dict[str, str] = {}
    members: dict[str, list[str]] = {}
    known: dict[str, str] = {}
    people: list[Person] = []
    """Those whom the lists of the other class name."""
    not_compared: list[str] = []
    gone: int = 0


def similar_of(
    book: Gradebook,
    statuses: Sequence[GradeStatus],
    exercise: LoadedExercise,
    most: int = MOST_PAIRS,
    earlier: Earlier | None = None,
) -> Similar:
    """The pairs that share most, the starter's code discounted, the staff's solutions compared as well."""
    before = earlier or Earlier()
    sources, not_compared = _kept(book, statuses)
    starter = exercise.folder / "starter.py"
    given = [starter.read_text(encoding="utf-8")] if starter.is_file() else []
    owners = {status.handin.key: status.handin.owner for status in statuses} | before.owners
    known = known_solutions(exercise) | before.known
    pairs = similar_pairs(sources, owners, given, known, most, earlier=before.sources)
    ours = {status.handin.key: set(status.handin.members) for status in statuses}
    pairs = [_with_same_people(pair, ours, before) for pair in pairs]
    texts = {**sources, **before.sources, **known}
    return Similar(
        pairs,
        [*not_compared, *before.not_compared],
        len(not_compared) + before.gone,
        {key: texts[key] for pair in pairs for key in pair.keys},
    )


def _kept(book: Gradebook, statuses: Sequence[GradeStatus]) -> tuple[dict[str, str], list[str]]:
    """The kept solutions by key, and a line for each that cannot be compared."""
    kept = SubmissionStore(book.path)
    sources: dict[str, str] = {}
    not_compared: list[str] = []
    for status in statuses:
        sha256 = status.verdict.sha256 if status.verdict else ""
        if sha256 and (source := kept.source(sha256, MAX_SOURCE)) is not None:
            sources[status.handin.key] = source
        elif sha256:
            no_code = "no code was handed in" if kept.kept(sha256) else "its copy is gone"
            why = f"too large (more than {MAX_SOURCE // 1000} kB)" if kept.has(sha256) else no_code
            not_compared.append(f"{line(status.handin.owner)}: not compared: {why}")
        elif not status.graded or status.outcome == "invalid":
            why = "nothing of it could be read" if status.graded else "it is not graded yet"
            not_compared.append(f"{line(status.handin.owner)}: not compared: {why}")
    return sources, not_compared


def _with_same_people(pair: Pair, ours: dict[str, set[str]], before: Earlier) -> Pair:
    """Whoever takes a course again may hand in their own code again: said beside the pair."""
    one, other = pair.keys
    if not pair.earlier or not ours[one] & set(before.members[other]):
        return pair
    return replace(pair, owners=(pair.owners[0], pair.owners[1] + SAME))


def earlier_handins(paths: Sequence[Path], exercise: LoadedExercise, book: Gradebook, batch: BatchRecord) -> Earlier:
    """What files hold: gradebooks of other classes, with the hand-ins beside them, and solutions as Python files.

    Of the gradebook itself, its other batches count. Raises UsageError where a file is neither, or holds no batch of
    the exercise.
    """
    found = Earlier()
    for path in paths:
        if path.suffix == ".py" and path.is_file():
            found.known[f"the file {line(path.name, 80)}"] = _text(path)
        elif is_gradebook(path):
            found = _with_gradebook(found, path, exercise, book, batch)
        else:
            raise UsageError(
                f"{path} is neither a gradebook nor a Python file.",
                cause="it is not there, or something else.",
                remedy="name an earlier year's gradebook.sqlite, with the folder gradebook.sqlite.handins beside it.",
            )
    return found


def _with_gradebook(
    found: Earlier, path: Path, exercise: LoadedExercise, book: Gradebook, batch: BatchRecord
) -> Earlier:
    here = path.resolve() == book.path.resolve()
    with archived(path) as db:
        other = Gradebook(db, path)
        name = exercise.about.id
        batches = [one for one in other.batches(name) if not here or one.source != batch.source]
        if not batches:
            raise UsageError(
                f"{path} has no {'other ' if here else ''}batch of {name}.",
                cause="another exercise or another file was meant.",
                remedy=f"exercises in it: {', '.join(sorted({one.exercise for one in other.batches()})) or 'none'}.",
            )
        not_compared = list[str]()
        seen = set[tuple[str, str]]()
        for one in batches:
            statuses = [s for s in other.statuses(one) if _new(s, seen)]
            sources, lines = _kept(other, statuses)
            found.people.extend(other.people(one.id))
            found.people.extend(Person(member) for status in statuses for member in status.handin.members)
            not_compared += lines
            for status in statuses:
                handin, key = status.handin, f"{path.name}:{len(found.owners)}:{status.handin.key}"
                if handin.key in sources:
                    found.sources[key] = sources[handin.key]
                    found.owners[key] = f"{handin.owner} of {path.name}, batch {one.id} of {one.at[:10]}"
                    found.members[key] = handin.members
    said = list(_of_another(path.name, not_compared))
    return replace(found, not_compared=[*found.not_compared, *said], gone=found.gone + len(not_compared))


def _new(status: GradeStatus, seen: set[tuple[str, str]]) -> bool:
    """Whether nobody's hand-in of the same bytes was met before: a class graded anew is one class."""
    known = (status.handin.owner, status.verdict.sha256 if status.verdict else "")
    new = known not in seen
    seen.add(known)
    return new


def _of_another(name: str, not_compared: list[str]) -> Iterator[str]:
    """One line for each reason, however many hand-ins it is of."""
    for end, why in (
        ("gone", f"their copies are not beside {name}, in {name}.handins"),
        ("yet", "not graded yet"),
        ("read", "nothing of them could be read"),
        ("kB)", f"too large (more than {MAX_SOURCE // 1000} kB)"),
    ):
        if number := sum(said.endswith(end) for said in not_compared):
            yield f"{counted(number, 'hand-in')} of {name}: not compared: {why}"


def _text(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_SOURCE + 1)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.", remedy="name another file.") from None
    if len(data) > MAX_SOURCE:
        raise UsageError(f"{path} is larger than {MAX_SOURCE // 1000} kB.", remedy="name a solution alone.")
    return data.decode("utf-8", "replace")


def no_pair(looked: Similar) -> str:
    """That nothing was found; of what was not compared nothing is said."""
    said = "No pair shares more than the starter's code."
    if not looked.not_compared:
        return said
    return f"Of those that were compared: {said[0].lower()}{said[1:]} Not compared: {looked.gone}."


def known_solutions(exercise: LoadedExercise) -> dict[str, str]:
    """The staff's solutions by what a report calls them."""
    return {
        "the reference solution" if one.kind == "reference" else f"the wrong solution {one.name}": one.text
        for one in solutions(exercise)
    }
