"""One `batch` grades a class as assistants meet it: 40 groups, 110 students, every naming variant, hostile hand-ins."""

from __future__ import annotations

import csv
import importlib.util
import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

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

    def run(*arguments):
        env = {**os.environ, "TLCOURSE_HOME": str(a_class.folder / "home"), "PYTHONWARNINGS": "error"}
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
