"""What `tlcourse batch` was given: the lists of people, the hand-ins that were found, and how it was begun."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tlcourse.errors import UsageError

if TYPE_CHECKING:
    from tlcourse.grading.lms.handins import HandIns


class Lists(NamedTuple):
    """The class list and the groups, as files."""

    roster: Path | None = None
    groups: Path | None = None

    def find(self, submissions: Path, into: Path) -> HandIns:
        """Everybody's newest attempt."""
        from tlcourse.grading.lms.groups import read_groups
        from tlcourse.grading.lms.handins import find_handins
        from tlcourse.grading.lms.roster import read_roster

        people = read_roster(self.roster) if self.roster else None
        groups = read_groups(self.groups, people) if self.groups else None
        return find_handins(submissions, into, roster=people, groups=groups)

    def settings(self) -> dict[str, str]:
        """What is kept, so that --resume finds the same owners without being told."""
        named = {"roster": self.roster, "groups": self.groups}
        return {name: str(path.resolve()) for name, path in named.items() if path is not None}


def begun_as(gradebook: Path, exercise: str, submissions: Path) -> tuple[Lists, str]:
    """The lists and the place with which the batch of these submissions was begun."""
    from tlcourse.grading.batch.opening import earlier
    from tlcourse.grading.gradebook.gradebook import Gradebook

    try:
        with Gradebook.reading(gradebook) as book:
            before = earlier(book, exercise, submissions)
    except UsageError:  # there is no gradebook: a batch begins
        before = None
    kept = before.settings if before else {}
    roster, groups = (Path(kept[name]) if name in kept else None for name in ("roster", "groups"))
    return Lists(roster, groups), kept.get("on", "local")


def found_lines(handins: HandIns) -> Iterator[str]:
    """What was found, for people: the counts, then notes, what belongs to nobody, and who handed in nothing."""
    from tlcourse.text import harmless

    groups = sum(1 for handin in handins.found if handin.kind == "group")
    people = sum(len(handin.members) for handin in handins.found)
    yield (
        f"{len(handins.found)} hand-ins found ({groups} of groups) for {people} people; download of: {handins.platform}"
    )
    for word, listed in (
        ("note", handins.notices),
        ("NOT MATCHED", [f"{one.name}: {one.reason}" for one in handins.unmatched]),
        ("handed in nothing", handins.missing),
    ):
        for one in listed:
            yield f"  {word}: {harmless(one)}"


def found_document(handins: HandIns) -> dict[str, Any]:
    """The same for `--json`."""
    from msgspec import to_builtins

    from tlcourse.grading.batch.document import storable

    document = {
        "found": [
            {"key": h.key, "owner": h.owner, "kind": h.kind, "members": h.members, "folder": h.folder_name}
            for h in handins.found
        ],
        "unmatched": handins.unmatched,
        "missing": handins.missing,
        "notices": handins.notices,
    }
    return dict(storable(to_builtins(document)))


def many_attempts(handins: HandIns, budget: int) -> Iterator[str]:
    """Who handed in more often than the exercise's budget allows: said, and decided by a person; no mark is lowered."""
    from tlcourse.text import harmless

    for handin in handins.found:
        if (times := 1 + len(handin.older)) > budget:
            yield (
                f"{harmless(handin.owner)} handed in {times} times, and the exercise allows {budget}; "
                "the newest is graded, and what follows is yours to decide (tlcourse ta override)"
            )
