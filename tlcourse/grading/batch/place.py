"""Where the jobs of a batch run, as the engine sees it: this machine, or a cluster."""

from __future__ import annotations

from collections.abc import Callable

from tlcourse.errors import InfraError, UsageError
from tlcourse.grading.grade import Runner

RETRIES = 2
"""How often a hand-in is tried again after a fault of ours, before the batch ends without a verdict on it."""


class PlaceLostError(InfraError):
    """Nothing more can run at a place, such as a cluster whose work folder is full: the batch stops and can go on."""


class PlaceRefusedError(UsageError):
    """A cluster takes no job such as its profile asks for: the batch stops, and can go on when that is mended."""


class Place:
    """Where jobs run; `stop` ends those under way or, on a cluster, leaves them to go on."""

    def __init__(
        self,
        name: str,
        notice: str,
        run: Runner,
        stop: Callable[[], None],
        *,
        where: str = "local",
        retries: int = RETRIES,
        says: Callable[[], str] = lambda: "",
    ) -> None:
        """`notice` says why it is not the quickest one; empty where it is, or where it was asked for.

        `says` is the state of its queue, in words. `retries`: further tries after a fault of ours; none where the place
        has its own budget of them.
        """
        self.name = name
        self.notice = notice
        self.run = run
        self.stop = stop
        self.where = where
        self.retries = retries
        self.says = says
