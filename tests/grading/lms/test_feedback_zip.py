"""Feedback goes back under the names of the download, so that each person finds their own."""

from __future__ import annotations

import io
import zipfile

import pytest

from tlcourse.errors import UsageError
from tlcourse.grading.lms.exports import pack_feedback
from tlcourse.grading.lms.handins import find_handins


def entries(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        assert packed.testzip() is None
        assert all(info.orig_filename == info.filename for info in packed.infolist())
        return {name: packed.read(name) for name in packed.namelist()}


@pytest.fixture(scope="module", params=["brightspace_zip", "brightspace", "moodle_zip"])
def form(request) -> str:
    return request.param


def test_every_hand_in_gets_its_feedback_in_its_own_folder(form, a_class, roster, groups, tmp_path):
    origin = find_handins(getattr(a_class, form), tmp_path, roster=roster, groups=groups)
    files = {h.folder_name: {"feedback.md": h.owner.encode(), "plots/loss.svg": b"<svg/>"} for h in origin.found}
    packed = entries(pack_feedback(files, origin))
    wanted = [name for h in origin.found for name in (h.folder_name, *h.twins)]
    assert {name.split("/")[0] for name in packed} == set(wanted)
    assert len(packed) == 2 * len(wanted) == 2 * (110 if form == "moodle_zip" else 40)
    for handin in origin.found:
        for name in (handin.folder_name, *handin.twins):
            assert packed[f"{name}/feedback.md"] == handin.owner.encode()
    if form == "brightspace_zip":
        with zipfile.ZipFile(a_class.brightspace_zip) as original:
            folders = {name.split("/")[1] for name in original.namelist() if name.count("/") > 1}
        assert {name.split("/")[0] for name in packed} <= folders


def test_the_same_feedback_is_the_same_zip(a_class, roster, groups, tmp_path):
    origin = find_handins(a_class.brightspace, tmp_path, roster=roster, groups=groups)
    files = {handin.folder_name: {"feedback.md": b"x"} for handin in origin.found}
    assert pack_feedback(files, origin) == pack_feedback(dict(reversed(files.items())), origin)


def test_a_folder_that_the_download_does_not_have_is_refused(a_class, roster, groups, tmp_path):
    origin = find_handins(a_class.brightspace, tmp_path, roster=roster, groups=groups)
    with pytest.raises(UsageError, match="not in the download: other"):
        pack_feedback({"other": {"feedback.md": b"x"}}, origin)


@pytest.mark.parametrize("name", ["../x", "/x", "a/../../x", "a\\..\\x", "", "x\0"])
def test_no_file_leaves_its_folder(name, a_class, roster, groups, tmp_path):
    origin = find_handins(a_class.brightspace, tmp_path, roster=roster, groups=groups)
    with pytest.raises(UsageError, match="cannot be the name of a file"):
        pack_feedback({origin.found[0].folder_name: {name: b"x"}}, origin)
