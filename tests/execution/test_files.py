"""Files that a run gets beside its arrays, such as pretrained weights: readable in every sandbox, not writable."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from tlcourse.execution.supervise import run
from tlcourse.sandbox.base import NoSandbox

READS = """
path = task._find_weights("other")
told["missing"] = task._find_weights("none") is None
told["text"] = path.read_text()
try:
    path.write_text("changed")
    told["written"] = True
except OSError:
    told["written"] = False
"""


def sandbox(name: str, request: pytest.FixtureRequest):
    if name == "none":
        return NoSandbox()
    if name == "fork-server":
        return request.getfixturevalue("fork_server_sandbox")
    from tlcourse.sandbox.bubblewrap import BubblewrapSandbox, probe

    if not (found := probe()).available:
        pytest.skip(found.detail)
    return BubblewrapSandbox()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["bubblewrap", "fork-server", "none"])
def test_a_file_of_the_job_is_where_the_task_looks_for_weights(name, request, job_for, tells, told, tmp_path):
    weights = tmp_path / "somewhere" / "weights.pth"
    weights.parent.mkdir()
    weights.write_text("numbers")
    before = weights.stat()
    files: dict[str, Path] = {"pretrained/other_imagenet.pth": weights}
    found = told(run(replace(job_for(tells(READS)), files=files), sandbox(name, request), lambda _: None))
    assert found["missing"]
    assert found["text"] == "numbers"
    assert found["written"] is (name == "none")
    after = weights.stat()
    assert weights.read_text() == "numbers"
    assert (after.st_uid, after.st_mode) == (before.st_uid, before.st_mode)
