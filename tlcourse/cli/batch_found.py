"""What `tlcourse batch` found, for people and for `--json`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tlcourse.grading.lms.handins import HandIns


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
