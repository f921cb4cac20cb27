"""How the tests are shared out among test processes: a file at a time, the longest first, and some files in parts."""

from __future__ import annotations

from typing import Any

from xdist.scheduler import LoadFileScheduling

IN_PARTS = ("tests/labs/test_labs.py", "tests/graders/test_every_exercise.py")
"""Files whose tests of one name train something else each, and share nothing: one after another they bound the end."""

LONGEST = (
    "tests/attacks/test_attacks.py",
    "tests/graders/test_every_exercise.py",
    "tests/cli/test_class.py",
    "tests/cluster/test_faults.py",
    "tests/cluster/",
    "tests/graders/",
    "tests/labs/test_labs.py::test_a_seed",
    "tests/exercises/",
    "tests/grading/intake/test_malformed.py",
    "tests/execution/test_pool.py",
    "tests/course/test_authoring_walk.py",
    "tests/test_own_process.py",
    "tests/labs/test_full_data.py",
    "tests/tui/test_visit.py",
    "tests/grading/batch/test_killed.py",
    "tests/grading/test_determinism.py",
    "tests/methods/test_in_context.py",
    "tests/tui/test_killed.py",
    "tests/tui/test_lesson_width.py",
    "tests/test_wheel.py",
    "tests/browser/",
)
"""Begun in this order: they hold few tests that take long, and xdist by itself begins with what holds many."""


def share_of(test: str) -> str:
    """What goes to one process as a whole with the test of this id: its file, or of some files itself alone."""
    file, _, name = test.partition("::")
    return test if file in IN_PARTS and "[" in name else file


def rank_of(share: str) -> int:
    """Its place among the longest; all others come after them."""
    return next((place for place, start in enumerate(LONGEST) if share.startswith(start)), len(LONGEST))


class Shares(LoadFileScheduling):  # type: ignore[misc]  # xdist has no types
    """xdist's `--dist loadfile`, with these shares in this order."""

    def _split_scope(self, nodeid: str) -> str:
        return share_of(nodeid)

    def _assign_work_unit(self, node: Any) -> None:
        self.workqueue.move_to_end(min(self.workqueue, key=rank_of), last=False)
        super()._assign_work_unit(node)
