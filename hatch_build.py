"""What a wheel is built of beside the package: graders, packed solutions, documents, and the README for its own page.

The wheel is what students install. A self-check needs the grader, `exercise explain` and `author check` the rest; in an
archive no search of one's own disk and no editor comes upon a solution. See `docs/security.md`.
"""

from __future__ import annotations

import re
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface

PACKED = ("references", "wrong", "write")
DOCUMENTS = "share/doc/tlcourse"
"""Where an environment has the pages of `docs/`."""
_LONG_AGO = (1980, 1, 1, 0, 0, 0)  # so that two builds are equal
_PICTURES = re.compile(r"^!\[[^\]]*\]\([^)]*\)\n", re.MULTILINE)
_LINK = re.compile(r"\[([^\]]+)\]\((?!\w+:)([^)]+)\)")


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
        # files are packed in the order of their paths here: in a folder elsewhere this one would come first or last
        self._folder = tempfile.TemporaryDirectory(prefix="graders.", dir=self.root)
        archive = Path(self._folder.name) / "solutions.zip"
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
            for path in sorted(path for folder in PACKED for path in (graders / folder).rglob("*") if path.is_file()):
                if "__pycache__" not in path.parts:
                    entry = zipfile.ZipInfo(path.relative_to(graders).as_posix(), _LONG_AGO)
                    packed.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)
        build_data["force_include"][str(archive)] = f"{target}/solutions.zip"
        docs = Path(self.root) / "docs"
        for path in sorted(docs.rglob("*.md")):
            if (name := path.relative_to(docs)).parts[0] != "decisions":  # those are for who changes tlcourse
                build_data["shared_data"][str(path)] = f"{DOCUMENTS}/{name.as_posix()}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove the archive, which the wheel has a copy of."""
        if version != "editable":
            self._folder.cleanup()


class ReadmeOfItsOwn(MetadataHookInterface):  # type: ignore[misc]
    """The README as it stands alone: a page of an index has neither the pictures nor the files that it links to."""

    PLUGIN_NAME = "custom"

    def update(self, metadata: dict[str, Any]) -> None:
        """Give the description."""
        text = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        metadata["readme"] = {"content-type": "text/markdown", "text": standing_alone(text)}


def standing_alone(text: str) -> str:
    """Markdown without pictures; a link to a file beside it says where that is after an installation."""

    def named(found: re.Match[str]) -> str:
        words, path = found[1], found[2].partition("#")[0]
        if path.startswith("docs/") and path.endswith(".md"):
            place = f"`{DOCUMENTS}/{path.removeprefix('docs/')}`"
        else:
            place = f"`{path}` of the sources"
        return place if words == path else f"{words} ({place})"

    return re.sub(r"\n{3,}", "\n\n", _LINK.sub(named, _PICTURES.sub("", text)))
