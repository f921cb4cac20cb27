"""What the wheel carries of `graders/`: the graders as they are, references and wrong solutions packed into an archive.

The wheel is what students install. A self-check needs the grader, `exercise explain` and `author check` the rest; in an
archive no search of one's own disk and no editor comes upon a solution. See `docs/security.md`.
"""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PACKED = ("references", "wrong", "write")
_LONG_AGO = (1980, 1, 1, 0, 0, 0)  # so that two builds are equal


class WithSolutionsPacked(BuildHookInterface):  # type: ignore[type-arg,misc]
    """Puts `graders/` into a wheel; an editable install reads the checkout's."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the graders and the archive to what is built."""
        if version == "editable":
            return
        graders = Path(self.root) / "graders"
        target = "tlcourse/_bundled/graders"
        for path in graders.iterdir():
            if path.name not in (*PACKED, "__pycache__"):
                build_data["force_include"][str(path)] = f"{target}/{path.name}"
        self._folder = tempfile.TemporaryDirectory()
        archive = Path(self._folder.name) / "solutions.zip"
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
            for path in sorted(path for folder in PACKED for path in (graders / folder).rglob("*") if path.is_file()):
                if "__pycache__" not in path.parts:
                    entry = zipfile.ZipInfo(path.relative_to(graders).as_posix(), _LONG_AGO)
                    packed.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)
        build_data["force_include"][str(archive)] = f"{target}/solutions.zip"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove the archive, which the wheel has a copy of."""
        if version != "editable":
            self._folder.cleanup()
