"""The document of `tlcourse write check`: how all checks of one method ended."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from msgspec import Struct

from tlcourse.execution.spec import Outcome


class CheckState(Struct, frozen=True):
    """One check of a method, and what it means where it does not pass."""

    id: str
    title: str
    status: Literal["pass", "fail", "error", "todo", "slow", "not run"]
    message: str = ""
    trace: str = ""


class WriteItResult(Struct, frozen=True):
    """How all checks of one file ended: the document of `tlcourse write check --json`."""

    write: str
    outcome: Outcome
    """`pass`, `fail`, or why not all of the checks were run."""
    passed: int
    checks: list[CheckState]
    path: str
    sha256: str
    finished_at: str
    messages: list[str] = []
    log: str = ""
    problem: str = ""
    sandbox: str = ""
    schema: int = 1

    def as_attempt(self, key: str) -> dict[str, Any]:
        """As the student's record keeps attempts, as those at `key`; its points are checks that passed."""
        return {
            "exercise": key,
            "outcome": self.outcome,
            "points": float(self.passed),
            "max_points": float(len(self.checks)),
            "submission": {"path": self.path, "sha256": self.sha256},
            "result": msgspec.to_builtins(self),
        }

    @classmethod
    def of_attempt(cls, kept: dict[str, Any]) -> WriteItResult | None:
        """What such an attempt was; None where it is of another form."""
        try:
            return msgspec.convert(kept["result"], cls)
        except (KeyError, msgspec.ValidationError):
            return None
