"""Feedback packed under the folder names of the download, so that the platform gives each file to its owner."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import PurePosixPath

from tlcourse.errors import UsageError
from tlcourse.grading.lms.handins import HandIns
from tlcourse.grading.lms.names import visible

_DATE = (1980, 1, 1, 0, 0, 0)  # the same feedback is the same ZIP


def pack_feedback(files: Mapping[str, Mapping[str, bytes]], origin: HandIns) -> bytes:
    """A ZIP that Brightspace and Moodle take back: `files[folder_name][name]`, with folder names of `origin`.

    Where Moodle has one folder for each member of a group, each gets the feedback.

    Raises:
        UsageError: a folder is none of the download's, or a file's name would leave its folder.
    """
    twins = {handin.folder_name: handin.twins for handin in origin.found}
    strange = sorted(set(files) - set(twins))
    if strange:
        raise UsageError(
            f"{len(strange)} folders are not in the download: {', '.join(map(visible, strange[:5]))}.",
            cause="the feedback is from another download.",
            remedy="name the download that was graded.",
        )
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as packed:
        for folder in sorted(files):
            for target in (folder, *twins[folder]):
                for name, data in sorted(files[folder].items()):
                    _add(packed, target, name, data)
    return stream.getvalue()


def _add(packed: zipfile.ZipFile, folder: str, name: str, data: bytes) -> None:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or not path.parts or "\0" in name:
        raise UsageError(f"{visible(name)!r} is no name for a file of feedback.")
    info = zipfile.ZipInfo(f"{folder}/{path}", _DATE)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o100644 << 16
    packed.writestr(info, data)
