"""Earlier runs of a lab beside the present one, in lines of text: `tlcourse lab run NAME --overlay RUN`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from tlcourse.errors import UsageError

if TYPE_CHECKING:
    from tlcourse.course.lab import Lab
    from tlcourse.labs.kept import KeptRun
    from tlcourse.labs.result import LabResult

MOST = 3
"""Earlier runs at a time; with more nobody could tell them apart on the screen."""


def chosen(lab: Lab, numbers: Sequence[int]) -> list[KeptRun]:
    """The kept runs of these numbers, before anything is trained; raises UsageError where one has nothing to show."""
    from tlcourse.labs.kept import kept_run

    if len(set(numbers)) > MOST:
        raise UsageError(f"--overlay was given {len(numbers)} runs, expected at most {MOST}.")
    runs = [kept_run(lab.id, number) for number in dict.fromkeys(numbers)]
    for run in runs:
        if run.result is None:
            raise UsageError(
                f"Run {run.number} of {lab.id} ended without a result.",
                cause="it was stopped, diverged, or another version of the course kept it.",
                remedy=f"tlcourse lab show {lab.id} --runs lists the others.",
            )
    return runs


def lines(result: LabResult, earlier: Sequence[KeptRun], *, plain: bool) -> Iterator[str]:
    """Each earlier run: what was set otherwise, and every arm's mean with its distance from the present one."""
    present = {arm.id: arm.mean for arm in result.arms}
    for run in earlier:
        assert run.result is not None
        other = [
            f"{name}={value:g}" for name, value in run.result.settings.items() if result.settings.get(name) != value
        ]
        seeds = len(run.result.seeds)
        about = f"{seeds} seed{'s' if seeds > 1 else ''}, {', '.join(other) or 'the same settings'}"
        yield f"run {run.number}: {about}" if plain else f"\nRun {run.number} beside it ({about}):"
        for arm in run.result.arms:
            by = f"{present[arm.id] - arm.mean:+.4f}" if arm.id in present else "no such arm"
            if plain:
                yield f"run {run.number}: arm: {arm.id}: {arm.mean:.4f}, present run {by}"
            else:
                yield f"  {arm.title:<34} {arm.mean:7.3f}   present run {by}"
