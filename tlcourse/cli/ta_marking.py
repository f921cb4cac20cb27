"""What `tlcourse ta mark` says: what is left to mark in a class, and of one hand-in what there is to look at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from tlcourse.cli import out
from tlcourse.text import counted, line, typed

if TYPE_CHECKING:
    from tlcourse.course.model import Exercise, LoadedExercise
    from tlcourse.grading.gradebook.gradebook import Gradebook
    from tlcourse.grading.gradebook.records import BatchRecord, GradeStatus


def seen_by(about: Exercise, book: Gradebook, record: BatchRecord, targets: Sequence[str], item: str) -> dict[str, str]:
    """By target, what whoever marks an item has before them: its hashes, for the mark to keep."""
    from tlcourse.grading.gradebook.submission_store import SubmissionStore
    from tlcourse.grading.parts.manual import seen

    store, statuses = SubmissionStore(book.path), book.statuses(record)
    found = {}
    for target in targets:
        status = _of_target(statuses, target)
        sha256 = status.verdict.sha256 if status and status.verdict else ""
        found[target] = seen(about, sha256, store.kept(sha256)).get(item, "")
    return found


def _of_target(statuses: Sequence[GradeStatus], target: str) -> GradeStatus | None:
    person = target.removeprefix("person:")
    return next(
        (one for one in statuses if target in (one.handin.key, one.handin.target) or person in one.handin.members), None
    )


def say_todo(about: Exercise, book: Gradebook, record: BatchRecord, *, json: bool, plain: bool) -> None:
    """Every hand-in, and everybody without one, of whom an item is not marked, or changed since it was."""
    from tlcourse.grading.gradebook.submission_store import SubmissionStore
    from tlcourse.grading.parts.manual import changed

    store, statuses = SubmissionStore(book.path), book.statuses(record)
    found: list[dict[str, Any]] = []
    for status in statuses:
        unset, since = status.to_mark(""), changed(about, store, status)
        own = {person: left for person in status.hands_of_members if (left := status.to_mark(person)) != unset and left}
        if unset or since or own:
            found.append({"who": status.handin.owner, "unset": unset, "members": own, "changed": since})
    inside = {person for status in statuses for person in status.handin.marked(class_known=True)}
    for one in book.person_statuses(record, statuses):
        if one.state == "to mark" and one.person.id not in inside and one.hand is not None:
            found.append({"who": one.named, "unset": one.hand.unset, "members": {}, "changed": []})
    if json:
        out.document({"schema": 1, "exercise": about.id, "hand_ins": len(statuses), "todo": found})
        return
    for row in found:
        who = line(row["who"])
        said = [", ".join(row["unset"])] if row["unset"] else []
        said += [f"{line(person)}: {', '.join(left)}" for person, left in row["members"].items()]
        said += [f"changed since it was marked: {', '.join(row['changed'])}"] if row["changed"] else []
        out.say(f"todo: {who}: {'; '.join(said)}" if plain else f"{who}: {'; '.join(said)}")
    if not about.manual:
        out.note(f"Nothing of {about.id} is marked by hand.")
    elif not plain:
        first = typed(line(found[0]["who"])) if found else ""
        number = counted(len(found), "is", "are")
        out.note(
            f"{number} still to be marked: tlcourse ta mark {about.id} {first}" if found else "All of it is marked."
        )


def still_unset(about: Exercise, book: Gradebook, record: BatchRecord, target: str) -> list[str]:
    """The items without points: of a member those that the whole group lacks, too."""
    from tlcourse.grading.gradebook.by_hand import by_hand, hand_marks, in_force

    status = _of_target(book.statuses(record), target)
    own = [target, *([status.handin.target] if status else [])]
    return by_hand(about.manual, in_force(hand_marks(book, about.id)), *own).unset


def say_sheet(
    exercise: LoadedExercise, book: Gradebook, record: BatchRecord, whom: str, *, json: bool, plain: bool
) -> None:
    """What one hand-in has to be marked, part by part, with the rubric and what is in force."""
    from tlcourse.grading.gradebook.by_hand import by_hand, hand_marks, in_force, meant
    from tlcourse.grading.gradebook.submission_store import SubmissionStore
    from tlcourse.grading.parts.manual import changed, materials

    about, store = exercise.about, SubmissionStore(book.path)
    target = meant(book, record.id, whom)[0]
    status = _of_target(book.statuses(record), target)
    sha256 = status.verdict.sha256 if status and status.verdict else ""
    folder = store.kept(sha256)
    found = materials(about, folder)
    since = changed(about, store, status) if status else []
    own = [target, *([status.handin.target] if status else [])]
    hand = by_hand(about.manual, in_force(hand_marks(book, about.id)), *own)
    parts = about.manual_parts
    if json:
        document = {
            "target": target,
            "folder": folder and str(folder),
            "parts": [msgspec.to_builtins(found[part.id]) for part in parts],
            "items": [
                {"part": part.id, "item": item.id, "title": item.title, "points": hand.points_of(item.id)}
                | {"max_points": item.max_points, "comment": hand.comment_on(item.id), "changed": item.id in since}
                for part in parts
                for item in part.rubric
            ],
        }
        out.document({"schema": 1, "exercise": about.id, **document})
        return
    if not parts:
        out.note(f"Nothing of {about.id} is marked by hand.")
    for part in parts:
        out.say(f"part: {part.id}" if plain else f"\n{part.title or part.id}")
        for piece in found[part.id].pieces:
            head = " ".join(one for one in (f"[{piece.kind}]", piece.title) if one)
            body = piece.text.split("\n") if piece.text else []
            out.say("\n".join([head, *(f"  | {row}" for row in body)]))
        for item in part.rubric:
            got, mark = hand.points_of(item.id), hand.marks.get(item.id)
            by = f", {line(mark.who)}" if mark is not None and got is not None else ""
            said = f" {line(mark.comment, 2000)}" if mark is not None and mark.comment else ""
            changed_words = " – changed since it was marked" if item.id in since else ""
            points = f"{'–' if got is None else f'{got:g}'} of {item.max_points:g}{by}{changed_words}"
            out.say(f"{part.id}/{item.id}: {item.title}: {points}{f':{said}' if said else ''}")
            if item.rubric:
                out.say(f"  {item.rubric}")
    if folder is not None and not plain:
        out.note(f"It is kept in {folder}: look, and write nothing there.")
