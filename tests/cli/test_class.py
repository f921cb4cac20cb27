"""One `batch` grades a class as assistants meet it: 40 groups, 110 students, every naming variant, hostile hand-ins."""

from __future__ import annotations

import contextlib
import csv
import importlib.util
import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import msgspec
import pytest

from tlcourse.grading.grade import Options, grade

pytestmark = pytest.mark.slow
TESTS = Path(__file__).parents[1]
EXAMPLE = TESTS / "example_course"
SLOW_WALK = "Group 23"
"""Its hand-in walks the whole file system: how far it comes in its time depends on the machine; its mark does not."""


@pytest.fixture(scope="module")
def a_class(tmp_path_factory):
    """The class on disk."""
    spec = importlib.util.spec_from_file_location("a_class", TESTS / "fixtures" / "a_class.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["a_class"] = module
    spec.loader.exec_module(module)
    return module.build(tmp_path_factory.mktemp("class"))


@pytest.fixture(scope="module")
def ta(a_class):
    """Commands of its assistant."""

    def run(*arguments, home="home"):
        env = {**os.environ, "TLCOURSE_HOME": str(a_class.folder / home), "PYTHONWARNINGS": "error"}
        command = [sys.executable, "-m", "tlcourse", *arguments, "--course", str(EXAMPLE)]
        return subprocess.run(
            command, capture_output=True, text=True, timeout=600, check=False, env=env, cwd=a_class.folder
        )

    return run


@pytest.fixture(scope="module")
def graded(ta, a_class):
    """The whole class from Brightspace's ZIP, graded once."""
    done = ta(
        *("batch", "line", str(a_class.brightspace_zip), "--roster", str(a_class.classlist)),
        *("--groups", str(a_class.groups_file), "--out", "out", "--json"),
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_every_group_is_found_and_the_stranger_is_named_before_grading_starts(graded, a_class):
    assert len(graded["found"]) == 40
    assert {member for handin in graded["found"] for member in handin["members"]} == set(a_class.expected)
    assert [one["name"] for one in graded["unmatched"]] == [a_class.stranger]
    assert graded["missing"] == []


def test_every_person_gets_the_right_mark(graded, ta, a_class):
    report = json.loads(ta("ta", "report", "line", "--json").stdout)
    wrong = []
    for handin in report["handins"]:
        for person in handin["members"]:
            expected = a_class.expected[person]
            same_end = handin["outcome"] == expected.outcome or handin["owner"] == SLOW_WALK
            if handin["points"] != expected.points or not same_end:
                wrong.append((handin["owner"], handin["outcome"], handin["points"], expected, handin["cause"]))
    assert not wrong
    assert sum(len(handin["members"]) for handin in report["handins"]) == 110


def test_feedback_lies_in_the_folders_of_the_download_and_says_nothing_it_must_not(graded, a_class):
    with (
        zipfile.ZipFile(a_class.brightspace_zip) as download,
        zipfile.ZipFile(a_class.folder / "out/feedback.zip") as z,
    ):
        top = a_class.brightspace_zip.stem
        folders = {name.removeprefix(f"{top}/").split("/")[0] for name in download.namelist()}
        assert {name.split("/")[0] for name in z.namelist()} <= folders
        assert len(z.namelist()) == 80
        texts = [z.read(name).decode() for name in z.namelist()]
    secret = (a_class.folder / "home" / "secret").read_text().strip()
    for text in texts:
        assert str(a_class.folder) not in text
        assert secret not in text
        assert "<script>alert" not in "\n".join(one for one in text.splitlines() if not one.startswith("    "))
        assert "\x1b" not in text


def test_the_marks_of_all_110_are_in_the_export(graded, ta, a_class):
    exported = ta("ta", "export", "line", "--format", "csv", "--roster", str(a_class.classlist))
    assert exported.returncode == 0, exported.stderr
    rows = list(csv.DictReader(io.StringIO(exported.stdout)))
    assert {row["id"]: float(row["points"]) for row in rows} == {
        person: expected.points for person, expected in a_class.expected.items()
    }


def test_no_seed_of_the_secret_is_kept_anywhere(graded, a_class):
    from tlcourse.grading.grade import further_seed
    from tlcourse.grading.secret import data_seed

    secret = (a_class.folder / "home" / "secret").read_text().strip()
    seed = data_seed(secret.encode(), "line")
    kept = [p for p in (a_class.folder / "home").iterdir() if p.name.startswith("gradebook") and p.is_file()]
    assert kept
    for path in kept:
        data = path.read_bytes()
        for hidden in (secret, str(seed), str(further_seed(seed, 1))):
            assert hidden.encode() not in data, path


OBEYS = """
import time, torch
class Model(torch.nn.Module):
    def __init__(self, right):
        super().__init__()
        self.right = right
    def forward(self, x):
        return self.right * (2 * x[:, 0] + 1), self.right * (3 * x[:, 1] - 1)
def fit(task):
    weights = torch.ones(200, 200)
    while task.seconds_left > 0: weights @ weights
    return Model(time.process_time() > 0.9 * task.seconds)
"""
"""It learns as long as it may; a clock on the wall leaves it too little time on a busy machine."""


@contextlib.contextmanager
def busy_loops(many: int):
    """Other work on two cores; in CI two other test processes are busy, too."""
    # each ends with the test process, however that ends
    busy = "import os\nparent = os.getppid()\nwhile os.getppid() == parent:\n    sum(range(100_000))"
    loops = [subprocess.Popen([sys.executable, "-c", busy]) for _ in range(many)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def outcomes(ta, home):
    """Outcome and points of each owner."""
    report = json.loads(ta("ta", "report", "line", "--json", home=home).stdout)
    return {handin["owner"]: (handin["outcome"], handin["points"]) for handin in report["handins"]}


@pytest.mark.parametrize("loops", [2, pytest.param(4, marks=pytest.mark.nightly)])
def test_a_busy_machine_gives_each_hand_in_the_same_outcome_and_points(loops, graded, ta, a_class):
    """Of the newest attempts, as folders, without the one whose outcome depends on the machine."""
    (walks,) = (group.members[0] for group in a_class.groups if group.name == SLOW_WALK)
    shutil.rmtree(a_class.folders / f"ex2_{walks.username}", ignore_errors=True)
    home = a_class.folder / f"busy{loops}"
    home.mkdir()
    (home / "secret").write_bytes((a_class.folder / "home" / "secret").read_bytes())
    (home / "secret").chmod(0o600)
    with busy_loops(loops):
        done = ta(
            *("batch", "line", str(a_class.folders), "--roster", str(a_class.classlist)),
            *("--groups", str(a_class.groups_file), "--json"),
            home=home,
        )
    assert done.returncode == 0, done.stderr
    idle, busy = outcomes(ta, "home"), outcomes(ta, home)
    del idle[SLOW_WALK]
    assert busy == idle
    assert len(busy) == 39


@pytest.mark.parametrize("loops", [1, pytest.param(4, marks=pytest.mark.nightly)])
def test_a_busy_machine_leaves_a_solution_the_seconds_that_it_was_promised(loops, line, tmp_path, monkeypatch):
    """The references are graded beside other tests, on a machine as busy (`tests/graders/test_every_exercise.py`)."""
    monkeypatch.delenv("TLCOURSE_SPEED")  # measured here, beside the loops
    (tmp_path / "obeys.py").write_text(OBEYS)
    quick = msgspec.structs.replace(line, about=msgspec.structs.replace(line.about, seconds=2.0))
    options = Options(variant="mini", device="cpu", threads=2, sandbox_kind="bubblewrap")
    with busy_loops(loops):
        result = grade(quick, tmp_path / "obeys.py", options)
    assert (result.outcome, result.points) == ("pass", result.max_points)
