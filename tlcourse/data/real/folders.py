"""Where real data are: in the folder that TLCOURSE_DATA names, else in the user's own."""

from __future__ import annotations

import os
from pathlib import Path


def folders() -> list[Path]:
    """The folders to look in, in this order; they need not be there."""
    given = os.environ.get("TLCOURSE_DATA")
    return [*([Path(given).expanduser()] if given else []), own_folder()]


def own_folder() -> Path:
    """Where `tlcourse data get` puts what it got: below TLCOURSE_HOME, else the system's folder for user data."""
    if home := os.environ.get("TLCOURSE_HOME"):
        return Path(home).expanduser() / "data"
    import platformdirs

    return platformdirs.user_data_path("tlcourse", appauthor=False) / "data"


def find(name: str) -> Path | None:
    """The file or folder of that name in the first folder that has one."""
    return next((folder / name for folder in folders() if (folder / name).exists()), None)
