"""A class in a folder: any scheduler runs it by number, and the verdicts are those of this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import msgspec
import pytest

from tests.fixtures.a_class import RIGHT
from tlcourse.cluster.packed import NotRunYetError, PackedFolder
from tlcourse.cluster.plan import Plan, TaskResult, read_arrays
from tlcourse.execution.spec import RunReport, Usage

EXAMPLE = Path(__file__).parents[1] / "example_course"
TAR = b"solution."


@pytest.fixture
def tl(tmp_path, own_home):
    """`tl("batch", …)`: a command with this test's gradebook; its document, or its words where it fails."""
    env = {**os.environ, "TLCOURSE_HOME": str(own_home)}
    ours = ["--json", "--course", str(EXAMPLE)]
    seed = ["--seed", "5", "--public-marks"]

    def run(*given: object, book: str = "book.sqlite", status: int = 0) -> dict | str:
        line = [sys.executable, "-m", "tlcourse", *map(str, given), "--gradebook", str(tmp_path / book), *ours]
        line += seed if given[0] != "ta" or given[1] == "regrade" else []
        done = subprocess.run(line, env=env, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        assert done.returncode == status, done.stderr
        run.said = done.stderr  # type: ignore[attr-defined]
        return json.loads(done.stdout) if done.stdout else done.stderr

    return run


@pytest.mark.slow
def test_a_class_runs_wherever_its_folder_goes_and_has_the_marks_of_this_machine(tl, tmp_path):
    crash = "def fit(task):\n    raise KeyError\n"
    handins = {"right": RIGHT, "wrong": RIGHT.replace("2 * x", "3 * x"), "crash": crash}
    for name, text in handins.items():
        (tmp_path / "class" / name).mkdir(parents=True)
        (tmp_path / "class" / name / "solution.py").write_text(text)
    folder = tmp_path / "packed"
    here = tl("batch", "line", tmp_path / "class", book="here.sqlite")
    packed = tl("pack", "line", tmp_path / "class", folder)
    assert (packed["total"], packed["waiting"], packed["infra"]) == (3, 3, 0)
    with tarfile.open(folder / "code.tar") as code:
        assert not [name for name in code.getnames() if "graders" in name.split("/")]
    data = [read_arrays(blob.read_bytes()) for blob in (folder / "blobs").iterdir() if blob.read_bytes()[:9] != TAR]
    assert [sorted(arrays) for arrays in data].count(["x"]) == 1  # the test inputs, of which no labels are there

    def runs(*number: str) -> list[str]:
        env = {**os.environ, "PYTHON": sys.executable}
        subprocess.run(["sh", folder / "run.sh", *number], env=env, check=True, capture_output=True)
        return sorted(path.name for path in folder.glob("round/1/results/*.json"))

    assert runs("2") == ["1.json"]
    some = tl("collect", folder, status=5)
    assert (some["final"], some["waiting"]) == (1, 2)
    assert runs() == ["0.json", "1.json", "2.json"]
    before = (folder / "round/1/results/1.json").stat().st_mtime_ns
    assert runs() == ["0.json", "1.json", "2.json"]
    assert (folder / "round/1/results/1.json").stat().st_mtime_ns == before  # what is there is not run again
    back = tl("collect", folder)
    assert back["waiting"] == 0
    assert back["counts"] == here["counts"]
    for result in folder.glob("round/1/results/*.json"):
        result.unlink()
    assert tl("ta", "regrade", "line", "--only", "fail")["left"] == 1
    waits = f"1 have a run in {folder} without a result. There, with a Python that has torch: sh run.sh. Then: "
    assert f"{waits}tlcourse ta regrade line --only fail --resume --gradebook " in tl.said
    assert "internal error" not in tl.said
    runs()
    assert tl("ta", "regrade", "line", "--only", "fail", "--resume")["left"] == 0
    marks = [tl("ta", "export", "line", "--format", "csv", book=book) for book in ("here.sqlite", "book.sqlite")]
    assert marks[0]["marks"] == marks[1]["marks"]


def test_what_was_lacking_where_it_ran_is_run_once_more_and_what_waits_is_not_written_twice(tmp_path, job_for):
    """A result that says that a machine built no sandbox, or that is damaged, is a reason for a further round."""

    def asked() -> RunReport | None:
        folder = PackedFolder(tmp_path / "packed", "strong")
        try:
            return folder.run(job)
        except NotRunYetError:
            folder.close()
            return None

    def rounds() -> int:
        return len(list((tmp_path / "packed" / "round").iterdir()))

    def comes_back(number: int, data: bytes | RunReport) -> None:
        place = tmp_path / "packed" / "round" / str(number)
        (task,) = msgspec.json.decode((place / "plan.json").read_bytes(), type=Plan).tasks
        if isinstance(data, RunReport):
            data = msgspec.json.encode(TaskResult(task.key, data, "node", "1"))
        (place / "results" / "0.json").write_bytes(data)

    job = job_for()
    assert (asked(), rounds()) == (None, 1)
    assert (asked(), rounds()) == (None, 1)
    comes_back(1, RunReport("infra", "this node builds no sandbox", "", Usage()))
    assert (asked(), rounds()) == (None, 2)
    comes_back(2, b"{")
    assert (asked(), rounds()) == (None, 3)
    assert (asked(), rounds()) == (None, 3)
    comes_back(3, RunReport("done", "", "cpu", Usage()))
    assert asked().status == "done"
    assert rounds() == 3


def test_a_folder_that_nobody_packed_is_named(tl, tmp_path):
    (tmp_path / "class" / "a").mkdir(parents=True)
    (tmp_path / "class" / "a" / "solution.py").write_text(RIGHT)
    tl("pack", "line", tmp_path / "class", tmp_path / "packed")
    error = tl("collect", tmp_path / "other", status=2)["error"]
    assert f"was packed into {tmp_path / 'other'}" in error["what"]
    assert str(tmp_path / "packed") in error["cause"]


def test_where_it_runs_a_missing_package_is_asked_for_before_anything_is_run(tmp_path, job_for):
    folder = PackedFolder(tmp_path / "packed", "auto", ["scikit-learn >= 1.0", "no_such_package>=2"])
    with pytest.raises(NotRunYetError):
        folder.run(job_for("def fit(task): pass"))
    folder.close()
    env = {**os.environ, "PYTHON": sys.executable}
    done = subprocess.run(["sh", tmp_path / "packed/run.sh"], env=env, check=False, capture_output=True, text=True)
    assert done.returncode == 3
    assert "may import packages that this Python does not have: no_such_package>=2\n" in done.stderr
    assert not list(tmp_path.glob("packed/round/1/results/*"))
