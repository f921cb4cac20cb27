"""Before a batch: who handed in too often is named, and no cluster runs what nobody trusts without a sandbox."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from tlcourse.cluster.check import require_packages_there
from tlcourse.cluster.profile import Profile
from tlcourse.cluster.shell import HereShell
from tlcourse.course.loader import load_course
from tlcourse.errors import UnableError
from tlcourse.grading.batch.open_backend import refuse_no_sandbox
from tlcourse.grading.batch.setup import many_attempts
from tlcourse.grading.lms.handins import find_handins


@pytest.mark.parametrize(("budget", "named"), [(1, True), (2, True), (3, False)])
def test_more_hand_ins_than_the_budget_are_said_and_the_newest_is_still_the_one_that_is_graded(
    tmp_path: Path, budget: int, named: bool
):
    for day in (1, 2, 3):
        folder = tmp_path / "download" / f"10{day}-200 - Anna Test - {day} March, 2026 10:00 AM"
        folder.mkdir(parents=True)
        (folder / "solution.py").write_text(f"# attempt {day}\n")
    handins = find_handins(tmp_path / "download", tmp_path / "unpacked")
    (one,) = handins.found
    assert "# attempt 3" in (one.path if one.path.is_file() else one.path / "solution.py").read_text()
    said = list(many_attempts(handins, budget))
    assert len(said) == named
    if named:
        assert f"handed in 3 times, and the exercise allows {budget}" in said[0]


def test_a_cluster_is_refused_hand_ins_without_a_sandbox_unless_they_are_trusted():
    with pytest.raises(UnableError, match="without a sandbox"):
        refuse_no_sandbox("none", trusted=False)
    refuse_no_sandbox("none", trusted=True)
    refuse_no_sandbox("auto", trusted=False)


def test_a_cluster_must_have_the_packages_that_an_exercise_promises_before_anything_is_sent(tmp_path: Path):
    about, shell = load_course().exercise("ex2").about, HereShell("lumi")
    profile = Profile(python=sys.executable, work=str(tmp_path / "work"))
    require_packages_there("lumi", Profile(python="/nowhere"), shell, about)  # it promises none: nothing is asked
    require_packages_there("lumi", profile, shell, replace(about, packages=("json", "numpy")))
    wanted = replace(about, packages=("json", "no_such_package", "nor_this"))
    with pytest.raises(UnableError) as raised:
        require_packages_there("lumi", profile, shell, wanted)
    assert raised.value.what == "ex2 promises packages that Python on lumi does not have: no_such_package, nor_this."
    with pytest.raises(UnableError, match=r"Python on lumi could not be asked .*nowhere"):
        require_packages_there("lumi", replace(profile, python="/nowhere/python"), shell, wanted)
