"""`tlcourse batch` and `tlcourse ta` as an assistant uses them."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parent.parent / "example_course"
REFERENCE = (EXAMPLE / "graders" / "references" / "line.py").read_text()
ONLY_Y = (EXAMPLE / "graders" / "wrong" / "line" / "only_y.py").read_text()


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A class of three groups, and the environment of its assistant."""
    folder = tmp_path_factory.mktemp("class")
    for name, source in (("Group 1", REFERENCE), ("Group 2", ONLY_Y), ("Group 3", "")):
        (folder / "handins" / name).mkdir(parents=True)
        if source:
            (folder / "handins" / name / "solution.py").write_text(source)
    (folder / "groups.csv").write_text("group,id\nGroup 1,a\nGroup 1,b\nGroup 2,c\nGroup 2,d\nGroup 3,e\nGroup 3,f\n")
    (folder / "roster.csv").write_text("id,name\n" + "".join(f"{i},Test {i.upper()}\n" for i in "abcdefg"))
    return folder


@pytest.fixture(scope="module")
def ta(place):
    """`ta("batch", "line", …)` runs a command as the assistant."""

    def run(*arguments, **env):
        return subprocess.run(
            [sys.executable, "-m", "tlcourse", *arguments, "--course", str(EXAMPLE)],
            cwd=place,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "TLCOURSE_HOME": str(place / "home"), "PYTHONWARNINGS": "error", **env},
        )

    return run


CLASS = ("batch", "line", "handins", "--roster", "roster.csv", "--groups", "groups.csv")


@pytest.fixture(scope="module")
def graded(ta, place):
    """The class, graded once for all tests of this file."""
    done = ta(*CLASS, "--jobs", "1", "--out", "out", "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_seed_for_a_batch_is_refused_unless_its_marks_are_said_to_be_public(line, capsys):
    from tlcourse.cli.staff_options import GradingOptions
    from tlcourse.errors import UsageError

    with pytest.raises(UsageError) as found:
        GradingOptions(seed=271828).data_seed(line)
    assert "would make these marks public" in found.value.what
    assert "Whoever guesses a seed can draw the test set from it" in found.value.cause
    public = GradingOptions(seed=271828, public_marks=True).data_seed(line)
    assert (public.source, public.value, public.run_key) == ("given", 271828, "")
    assert "these marks are public" in capsys.readouterr().err
    hidden = GradingOptions().data_seed(line)
    assert (hidden.source, len(hidden.run_key)) == ("secret", 64)


def test_a_dry_run_says_what_was_found_and_grades_nothing(ta, place):
    done = ta(*CLASS, "--dry-run")
    assert done.returncode == 0
    assert "3 hand-ins found (3 of groups) for 6 people" in done.stdout
    assert "handed in nothing: Test G (g)" in done.stdout
    assert not list((place / "home").glob("**/.looked-at-*"))
    assert not (place / "home" / "gradebook.sqlite").exists()


def test_a_batch_refuses_to_run_without_a_strong_sandbox_and_says_how_to_get_one(ta, place):
    tools = place / "few-tools"
    tools.mkdir(exist_ok=True)
    refused = ta(*CLASS, "--gradebook", "other.sqlite", PATH=str(tools))
    assert refused.returncode == 3
    assert "bubblewrap" in refused.stderr
    assert "--i-trust-these-submissions" in refused.stderr
    refused = ta(*CLASS, "--gradebook", "other.sqlite", "--sandbox", "none")
    assert refused.returncode == 3
    from tlcourse.grading.gradebook.gradebook import Gradebook

    with Gradebook.writing(place / "other.sqlite", "a test") as book:
        assert book.batches() == []


def test_one_command_grades_the_class_and_leaves_feedback_and_reports(graded, place):
    assert graded["counts"] == {"pass": 1, "fail": 1, "invalid": 1}
    assert graded["final"] == graded["total"] == 3
    with zipfile.ZipFile(place / "out" / "feedback.zip") as packed:
        assert {name.split("/")[0] for name in packed.namelist()} == {"Group 1", "Group 2", "Group 3"}
        assert "z is off by" in packed.read("Group 2/feedback.md").decode()
    assert (place / "home" / "secret").stat().st_mode & 0o777 == 0o600


@pytest.mark.slow
def test_the_same_command_again_grades_nothing_until_it_is_said_how(graded, ta):
    refused = ta(*CLASS)
    assert refused.returncode == 2
    assert "--resume" in refused.stderr
    assert "--again" in refused.stderr
    resumed = ta(*CLASS, "--resume", "--json")
    assert resumed.returncode == 0
    assert json.loads(resumed.stdout)["batch"] == graded["batch"]


@pytest.mark.slow
def test_a_batch_goes_on_with_the_lists_it_was_begun_with_and_with_no_others(graded, ta, place):
    bare = ta("batch", "line", "handins", "--resume", "--json")
    assert bare.returncode == 0, bare.stderr
    assert json.loads(bare.stdout)["total"] == 3
    (place / "others.csv").write_text("group,id\nTeam 1,a\nTeam 1,b\n")
    other = ta("batch", "line", "handins", "--resume", "--roster", "roster.csv")
    assert other.returncode in (0, 2)
    assert json.loads(ta("ta", "report", "line", "--json").stdout)["total"] == 3


def test_another_secret_cannot_go_on_with_a_batch(graded, ta):
    refused = ta(*CLASS, "--resume", TLCOURSE_SECRET="another one, long enough")
    assert refused.returncode == 2
    assert "another secret" in refused.stderr


def test_without_the_secret_nothing_goes_on_and_no_new_one_is_made(graded, ta, place, tmp_path):
    elsewhere = {
        "TLCOURSE_HOME": str(tmp_path / "home"),
        "TLCOURSE_GRADEBOOK": str(place / "home" / "gradebook.sqlite"),
    }
    for command in (("ta", "regrade", "line", "--only", "all", "--why", "again"), (*CLASS, "--resume")):
        refused = ta(*command, **elsewhere)
        assert refused.returncode == 2
        assert "The secret of the batch is not on this machine" in refused.stderr
        assert "Made a secret" not in refused.stdout + refused.stderr
    assert not (tmp_path / "home" / "secret").exists()


def test_an_out_folder_that_cannot_be_written_is_found_before_anything_is_graded(graded, ta):
    refused = ta(*CLASS, "--again", "--out", "roster.csv/out")
    assert refused.returncode == 3
    assert "roster.csv/out cannot be written: Not a directory. Nothing was begun." in refused.stderr
    assert refused.stdout == ""
    assert ta("ta", "feedback", "line", "roster.csv/out").returncode == 3


def test_an_override_counts_and_the_export_gives_it_to_every_member(graded, ta):
    assert ta("ta", "override", "line", "Group 2", "--points", "1.5", "--why", "the right idea").returncode == 0
    assert ta("ta", "override", "line", "d", "--points", "0", "--why", "took no part").returncode == 0
    exported = ta("ta", "export", "line", "--format", "csv")
    assert "handed in nothing: 1 are left blank (--missing zero gives them 0): Test G (g)" in exported.stderr
    rows = {row["id"]: row for row in csv.DictReader(io.StringIO(exported.stdout))}
    points = {identifier: row["points"] for identifier, row in rows.items()}
    assert points == {"a": "2", "b": "2", "c": "1.5", "d": "0", "e": "0", "f": "0", "g": ""}
    assert rows["d"]["feedback"].startswith(
        "0 of 2 points, set by the course's staff. The checks alone gave: FAIL, 1 of"
    )
    assert rows["c"]["feedback"].startswith("1.5 of 2 points, set by the course's staff.")
    report = json.loads(ta("ta", "report", "line", "--json").stdout)
    assert [o["why"] for o in report["overrides"]] == ["the right idea", "took no part"]


@pytest.mark.slow
def test_a_regrade_leaves_overrides_in_force_and_earlier_results_on_record(graded, ta, place):
    ta("ta", "override", "line", "Group 1", "--points", "1", "--why", "a test")
    again = ta("ta", "regrade", "line", "--only", "Group 1", "--why", "to be sure", "--json", "--jobs", "1")
    assert again.returncode == 0, again.stderr
    report = json.loads(ta("ta", "report", "line", "--json").stdout)
    (one,) = [handin for handin in report["handins"] if handin["owner"] == "Group 1"]
    assert (one["points"], one["graded_points"], one["regrade"]) == (1, 2, 1)
    assert report["regrades"][0]["why"] == "to be sure"
    assert ta("ta", "override", "line", "Group 1", "--withdraw", "--why", "done").returncode == 0


@pytest.mark.slow
def test_a_batch_with_faults_of_ours_ends_with_5_and_marks_nobody(place, tl, tmp_path):
    course = tmp_path / "course"
    shutil.copytree(EXAMPLE, course)
    grader = course / "graders" / "line.py"
    grader.write_text(grader.read_text().replace("    found = {}", "    found = {}['no such key']"))
    done = tl("batch", "line", str(place / "handins"), "--jobs", "1", "--json", course=course)
    assert done.returncode == 5
    state = json.loads(done.stdout)
    assert (state["final"], state["infra"]) == (1, 2)  # the empty one is the group's own doing
    assert "--resume" in done.stderr
    assert "KeyError" in done.stderr
    refused = tl("ta", "export", "line", "--format", "csv", course=course)
    assert refused.returncode == 2
    assert "no verdict" in refused.stderr


def test_reports_as_text_markdown_and_page(graded, ta, place):
    assert "PASS" in ta("ta", "report", "line").stdout
    assert ta("ta", "report", "line", "--markdown").stdout.startswith("# Two lines")
    assert ta("ta", "report", "line", "--html", "r.html").returncode == 0
    assert (place / "r.html").read_text().startswith("<!doctype html>")
    assert ta("ta", "feedback", "line", "again").returncode == 0
    assert (place / "again" / "feedback" / "Group 1" / "feedback.html").is_file()


def test_similar_hand_ins_are_listed_side_by_side(graded, ta, place):
    done = ta("ta", "similar", "line", "--html", "s.html", "--json")
    assert done.returncode == 0
    found = json.loads(done.stdout)
    assert [(pair["owners"], pair["share"], pair["known"]) for pair in found["pairs"]] == [
        (["Group 1", "the reference solution"], 1.0, True)
    ]
    assert found["not_compared"] == ["Group 3: not compared: nothing of it could be read"]  # it handed in nothing
    assert "never a verdict" in (place / "s.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["ta", "override", "line", "Group 1", "--points", "1"], 2, "reason"),
        (["ta", "override", "line", "Group 1", "--why", "x"], 2, "--withdraw"),
        (["ta", "override", "line", "Group 1", "--points", "9", "--why", "x"], 2, "more than"),
        (["ta", "override", "line", "Group 9", "--points", "1", "--why", "x"], 2, "Nobody"),
        (["ta", "regrade", "line", "--only", "infra"], 2, "No hand-in"),
        (["ta", "report", "line", "--batch", "99"], 2, "no batch 99"),
        (["ta", "report", "line", "--gradebook", "nowhere.sqlite"], 2, "no gradebook"),
        (["ta", "report", "line", "--gradebook", "roster.csv"], 5, "damaged"),
        (["batch", "line", "nowhere"], 2, "cannot be read"),
        (["batch", "line", "handins", "--secret", "nowhere"], 2, "secret new"),
        (["batch", "line", "handins", "--secret", "roster.csv"], 2, "chmod 600"),
        (["batch", "line", "handins", "--on", "mars"], 2, "config set"),
    ],
)
def test_what_goes_wrong_is_one_message_and_an_exit_code(graded, ta, arguments, code, words):
    done = ta(*arguments)
    assert done.returncode == code, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_new_secret_is_made_once(tl, tmp_path):
    assert tl("ta", "secret", "new", "mine", course=None).returncode == 0
    assert (tmp_path / "mine").stat().st_mode & 0o777 == 0o600
    assert tl("ta", "secret", "new", "mine", course=None).returncode == 2


@pytest.mark.slow
def test_a_batch_does_not_go_on_by_another_exercise_yaml_and_a_regrade_of_one_says_what_is_otherwise(tl, tmp_path):
    course, handins = tmp_path / "course", tmp_path / "handins"
    shutil.copytree(EXAMPLE, course)
    trusted = ("--sandbox", "none", "--i-trust-these-submissions")  # to try a fork server takes an import of torch
    command = ("batch", "line", str(handins), "--jobs", "1", "--resume", *trusted)
    regrade = ("ta", "regrade", "line", "--why", "smaller", *trusted)
    for number in (1, 2):
        (handins / f"Group {number}").mkdir(parents=True)
        (handins / f"Group {number}" / "solution.py").write_text("def fit(task:\n")  # invalid, and nothing is run
        if number == 1:
            assert tl(*command, course=course).returncode == 0
    about = course / "exercises" / "line" / "exercise.yaml"
    about.write_text(about.read_text().replace("test: 400", "test: 300").replace("cpu_s: 20", "cpu_s: 10"))
    refused = tl(*command, course=course)
    assert refused.returncode == 2
    assert "batch 1 was graded: sizes.test 400, now 300; limits.cpu_s 20, now 10.\n" in refused.stderr
    some = tl(*regrade, "--only", "Group 1", course=course)
    assert "changed since batch 1 was graded: sizes.test 400, now 300" in some.stdout + some.stderr
    done = tl(*regrade, "--only", "all", course=course)
    assert "changed since" not in done.stdout + done.stderr
    assert tl(*command, course=course).returncode == 0
