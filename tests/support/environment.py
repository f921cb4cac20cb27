"""Where the environment of these tests lies, as a run sees it."""

from __future__ import annotations

from pathlib import Path

from tlcourse.sandbox.view import machine_view

TMP = Path("/tmp")


def shown_in_tmp() -> set[str]:
    """Names in /tmp that a run sees although its /tmp is new: its own files, and an environment that lies there."""
    return {"submission"} | {
        folder.relative_to(TMP).parts[0] for folder in machine_view().folders() if folder.is_relative_to(TMP)
    }
