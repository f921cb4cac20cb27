"""How the tests are shared out among test processes: a file at a time, the longest first, and some files in parts."""

from __future__ import annotations

import re
from typing import Any

from xdist.scheduler import LoadFileScheduling

IN_PARTS = ("tests/labs/test_labs.py", "tests/graders/test_every_exercise.py")
"""Files whose tests of one name train something else each, and share nothing: one after another they bound the end."""

ATTACKS = "tests/attacks/test_attacks.py"
"""In six parts: the cases of one sandbox and one user are made at once. One part at a time, whatever processes there
are: what an attack may use up (processes, memory) is the machine's.
"""
_SETTING = re.compile(r"\[([a-z-]+?-(?:ordinary|root))-")

LONGEST = (
    "tests/graders/test_every_exercise.py::"
    "test_the_starter_fails_the_reference_passes_and_every_wrong_solution_fails_for_its_reason[ex2]",
    ATTACKS,
    "tests/cli/test_class.py",
    "tests/cluster/test_faults.py",
    "tests/cluster/",
    "tests/graders/test_every_exercise.py",
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
    """What goes to one process as a whole with the test of this id: its file, or of some files itself or a part."""
    file, _, name = test.partition("::")
    if file == ATTACKS and (setting := _SETTING.search(name)):
        return f"{file}::{setting[1]}"
    return test if file in IN_PARTS and "[" in name else file


def rank_of(share: str) -> int:
    """Its place among the longest; all others come after them."""
    return next((place for place, start in enumerate(LONGEST) if share.startswith(start)), len(LONGEST))


class Shares(LoadFileScheduling):  # type: ignore[misc]  # xdist has no types
    """xdist's `--dist loadfile`, with these shares in this order."""

    def _split_scope(self, nodeid: str) -> str:
        return share_of(nodeid)

    def _assign_work_unit(self, node: Any) -> None:
        waiting = [share for work in self.assigned_work.values() for share, done in work.items() if not _over(done)]
        mine = [share for share, done in self.assigned_work.get(node, {}).items() if not _over(done)]
        chosen = next_share(list(self.workqueue), mine, waiting)
        self.workqueue.move_to_end(chosen, last=False)
        super()._assign_work_unit(node)


def _over(done: dict[str, bool]) -> bool:
    return all(done.values())


def next_share(left: list[str], mine: list[str], waiting: list[str]) -> str:
    """Which of the shares that are left comes next, of those that wait or run: in this process, in any.

    xdist asks before a process has done its last two tests. Where these are long ones, nothing long is put behind them:
    another process would be free for it first.
    """
    free = [share for share in left if not share.startswith(ATTACKS)] if _attacks(waiting) else left
    if any(rank_of(share) < len(LONGEST) for share in mine):
        return max(reversed(free or left), key=rank_of)
    return min(free or left, key=rank_of)


def _attacks(shares: list[str]) -> bool:
    return any(share.startswith(ATTACKS) for share in shares)
