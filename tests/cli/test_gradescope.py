"""`tlcourse author gradescope`: the scripts of the ZIP, run as Gradescope runs them, give the points of `batch`."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import stat
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.cli.conftest import signals_kept
from tests.grading.lms.test_gradescope import allowed
from tlcourse.cli import gradescope
from tlcourse.sandbox.base import Finding

EXAMPLE = Path(__file__).parent.parent / "example_course"
REFERENCE = (EXAMPLE / "graders" / "references" / "line.py").read_text()
ONLY_Y = (EXAMPLE / "graders" / "wrong" / "line" / "only_y.py").read_text()
LEAKS = """
import torch

class M(torch.nn.Module):
    def forward(self, x):
        raise ValueError(f"seen {x}")

def fit(task):
    return M()
"""
CAGE = str(Path(__file__).parent.parent / "support" / "cage.py")
SECRET = "a secret of the staff, long enough"
CLASS = {  # owner: what they hand in, and when; it is due on the 20th
    "Ann Abel": (REFERENCE, "Nov 22, 2026 1000 AM", "2026-11-22T10:00:00.25+01:00"),
    "Bo Beck": (ONLY_Y, "Nov 20, 2026 1000 AM", "2026-11-20T10:00:00.25+01:00"),
    "Cia Colt": (LEAKS, "Nov 19, 2026 1000 AM", "2026-11-19T10:00:00.25+01:00"),
}


@pytest.fixture(scope="module")
def course(tmp_path_factory) -> Path:
    """The example course, where being late costs something."""
    folder = tmp_path_factory.mktemp("gradescope") / "course"
    shutil.copytree(EXAMPLE, folder)
    about = folder / "exercises" / "line" / "exercise.yaml"
    about.write_text(
        about.read_text() + 'due: "2026-11-20 23:59 Europe/Copenhagen"\nlate: {penalty: 25}\n', encoding="utf-8"
    )
    return folder


@pytest.fixture(scope="module")
def run(course):
    """`run("batch", …)`: a command of the staff, whose secret is in the environment."""

    def ran(*arguments: str) -> subprocess.CompletedProcess[str]:
        env = {**os.environ, "TLCOURSE_HOME": str(course.parent / "home"), "TLCOURSE_SECRET": SECRET}
        command = [sys.executable, "-m", "tlcourse", *arguments, "--course", str(course)]
        done = subprocess.run(command, cwd=course.parent, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done

    return ran


@pytest.fixture(scope="module")
def root(run, course) -> Path:
    """/autograder as it is after the image was built: with a Python that holds the ZIP's tlcourse, and no other."""
    told = json.loads(run("author", "gradescope", "line", "-o", "autograder.zip", "--json").stdout)
    assert told["points"] == 2
    assert (told["minutes"], told["memory_mb"]) == (10, 2748)
    return image(course.parent / "autograder.zip", course.parent / "autograder", Path(sys.executable))


def image(archive: Path, folder: Path, python: Path) -> Path:
    """What setup.sh makes, with the packages that are installed here in the place of those that it would fetch."""
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(folder / "source")
    shutil.copy(folder / "source" / "run_autograder", folder)
    (folder / "run_autograder").chmod(0o755)
    folder.chmod(0o755)
    subprocess.run([python, "-m", "venv", "--without-pip", folder / "tlcourse" / "venv"], check=True)
    (packages,) = (folder / "tlcourse" / "venv" / "lib").glob("python*/site-packages")
    (wheel,) = (folder / "source").glob("tlcourse-*.whl")
    with zipfile.ZipFile(wheel) as opened:
        opened.extractall(packages)
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    subprocess.run(["chmod", "-R", "go=", folder / "source"], check=True)
    return folder


def graded_there(root: Path, source: str, at: str = "", cage: tuple[str, ...] = ()) -> tuple[dict, str]:
    """The document that `run_autograder` leaves, started as Gradescope starts it, and what was printed."""
    shutil.rmtree(root / "submission", ignore_errors=True)
    shutil.rmtree(root / "results", ignore_errors=True)
    (root / "submission").mkdir()
    if source:
        (root / "submission" / "solution.py").write_text(source)
    users = [{"name": "Ann Abel", "email": "a@example.org", "id": 1}, {"name": "Dan <b>Dahl</b>", "id": 2}]
    assignment = {"due_date": "2026-11-20T23:59:00.000000+01:00", "late_due_date": None, "total_points": "2.0"}
    about = {"id": 1, "created_at": at, "assignment": assignment, "users": users, "previous_submissions": []}
    (root / "submission_metadata.json").write_text(json.dumps(about))
    env = {"PATH": os.environ["PATH"], "TLCOURSE_SPEED": "1"}
    done = subprocess.run(
        [*cage, "./run_autograder"], cwd=root, env=env, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0
    return allowed((root / "results" / "results.json").read_text()), done.stdout + done.stderr


@pytest.mark.slow
def test_a_class_has_the_points_that_a_batch_gives_it(root, run, course):
    handins = course.parent / "handins"
    for number, (name, (source, day, _)) in enumerate(CLASS.items(), start=1):
        folder = handins / f"1-{number} - {name} - {day}"
        folder.mkdir(parents=True)
        (folder / "solution.py").write_text(source)
    run("batch", "line", "handins", "--jobs", "1")
    run("ta", "export", "line", "--format", "csv", "--output", "marks.csv")
    marks = list(csv.DictReader((course.parent / "marks.csv").read_text().splitlines()))
    points = {row["id"]: float(row["points"]) for row in marks}
    assert points == {"Ann Abel": 1.0, "Bo Beck": 1.0, "Cia Colt": 0.0}
    there = {name: graded_there(root, source, at) for name, (source, _, at) in CLASS.items()}
    assert {name: document["score"] for name, (document, _) in there.items()} == points
    (late, _), (fails, _), (leaks, printed) = there.values()
    assert late["output"].splitlines() == [
        "PASS, 2 of 2 points.",
        "2 → 1: 2 days late, 25 % a day. It was due 2026-11-20 23:59 (Europe/Copenhagen).",
        "It counts for Ann Abel, Dan <b>Dahl</b>.",
    ]
    assert late["output_format"] == "text"
    assert [test["score"] for test in late["tests"]] == [1.0, 1.0]
    assert [(test["score"], test["max_score"], test["status"]) for test in fails["tests"]] == [
        (1.0, 1.0, "passed"),
        (0.0, 1.0, "failed"),
    ]
    assert "z is off by" in fails["tests"][1]["output"]
    assert [test["max_score"] for test in leaks["tests"]] == [1.0, 1.0]
    assert "Not measured" in leaks["tests"][0]["output"]
    assert leaks["output"].count("ValueError was raised while the returned module was called.") == 1
    assert "seen" not in json.dumps(leaks)  # hidden inputs, as its exception would tell them
    assert "seen" in printed  # to staff


@pytest.mark.slow
def test_a_missing_file_is_said_and_what_cannot_be_graded_has_no_score(root):
    empty, _ = graded_there(root, "")
    assert empty["score"] == 0.0
    assert "solution.py" in empty["output"]
    settings = root / "source" / "autograder.json"
    kept = settings.read_bytes()
    settings.write_text("{}")
    broken, printed = graded_there(root, REFERENCE)
    settings.write_bytes(kept)
    assert "score" not in broken
    assert broken["output"].startswith("Your hand-in was not graded, and that is not your fault")
    assert "ValidationError" not in broken["output"]
    assert "missing required field `exercise`" in printed
    python = root / "tlcourse" / "venv" / "bin" / "python"
    target = python.readlink()
    python.unlink()
    none, printed = graded_there(root, REFERENCE)
    python.symlink_to(target)
    assert "score" not in none
    assert "tlcourse ended with status 127" in printed


@pytest.fixture
def open_folder():
    """A folder that every user may pass; above pytest's own it takes that right away at each start."""
    with tempfile.TemporaryDirectory(prefix="tlcourse-test-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="a container as Gradescope's is made here by root alone")
def test_where_a_container_forbids_namespaces_landlock_keeps_the_labels(course, root, open_folder):
    """Root without the right to mount, and no user namespaces: so Docker starts containers."""
    folder = open_folder / "autograder"
    (folder / "tlcourse").mkdir(parents=True)
    (folder / "tlcourse").chmod(0o755)
    base = folder / "tlcourse" / "python"
    copied = subprocess.run(["cp", "-al", sys.base_prefix, base], capture_output=True, check=False)
    if copied.returncode:
        shutil.rmtree(base, ignore_errors=True)
        pytest.skip("Python lies on another disk than temporary files, and copying it takes long")
    python = base / Path(sys.executable).resolve().relative_to(Path(sys.base_prefix).resolve())
    image(course.parent / "autograder.zip", folder, python)
    cage = (sys.executable, CAGE)
    document, printed = graded_there(folder, ONLY_Y, "2026-11-20T10:00:00+01:00", cage)
    assert "sandbox: landlock" in printed, printed
    assert document.get("score") == 1.0, printed


def graded_here(root: Path, source: str) -> dict:
    """The same in this process, for what takes no process of its own."""
    (root / "submission").mkdir(exist_ok=True)
    for old in (root / "submission").iterdir():
        old.unlink()
    if source:
        (root / "submission" / "solution.py").write_text(source)
    with signals_kept():
        gradescope.gradescope_grade(root)
    return allowed((root / "results" / "results.json").read_text())


def test_without_a_sandbox_nothing_is_run_and_staff_read_why(root, monkeypatch, capsys):
    from tlcourse.sandbox import bubblewrap, landlock_sandbox

    monkeypatch.setattr(bubblewrap, "probe", lambda: Finding("bubblewrap", False, "no namespaces"))
    monkeypatch.setattr(landlock_sandbox, "probe", lambda: Finding("landlock", False, "no Landlock"))
    document = graded_here(root, REFERENCE)
    assert "score" not in document
    assert "not your fault" in document["output"]
    said = capsys.readouterr().err
    assert "no namespaces" in said
    assert "no Landlock" in said
    assert "no hand-in is run without one" in said


def test_marks_by_hand_attempts_and_when_students_see_it_are_said(root, tmp_path):
    other = tmp_path / "autograder"
    shutil.copytree(root / "source", other / "source", ignore=shutil.ignore_patterns("*.whl"))
    about = other / "source" / "course" / "exercises" / "line" / "exercise.yaml"
    talk = "{id: talk, kind: manual, rubric: [{id: talk, text: The talk, points: 3}]}"
    about.write_text(about.read_text() + f"parts: [{{id: network, kind: model}}, {talk}]\npolicy: {{attempts: 2}}\n")
    settings = other / "source" / "autograder.json"
    settings.write_text(settings.read_text().replace('"visible"', '"after_due_date"'))
    before = [{"score": 0.0}, {"score": 1.0}, {"score": 0.0, "autograder_error": True}]
    (other / "submission_metadata.json").write_text(json.dumps({"previous_submissions": before}))
    document = graded_here(other, "")
    lines = document["output"].splitlines()
    assert lines[1:3] == [
        "This is hand-in 3, and the exercise allows 2; what follows is for your course's staff to decide.",
        "What your course's staff mark by hand is not in this score: The talk (3).",
    ]
    assert {document["visibility"], *(test["visibility"] for test in document["tests"])} == {"after_due_date"}
    assert [test["max_score"] for test in document["tests"]] == [1.0, 1.0]


@pytest.mark.slow
def test_a_run_that_was_killed_in_too_small_a_container_is_nobodys_zero(root, monkeypatch, capsys):
    import psutil

    killed = "import os, signal\n\ndef fit(task):\n    os.kill(os.getpid(), signal.SIGKILL)\n"
    small = psutil.virtual_memory()._replace(total=768 * 2**20)
    assert graded_here(root, killed)["score"] == 0.0
    monkeypatch.setattr(psutil, "virtual_memory", lambda: small)
    assert "score" not in graded_here(root, killed)
    assert "a container with at least 2748 MB" in capsys.readouterr().err


@pytest.mark.slow
def test_when_gradescopes_time_is_nearly_over_the_student_reads_so(root):
    script = root / "run_autograder"
    kept = script.read_text()
    assert "--kill-after=15 555 " in kept
    script.write_text(kept.replace("--kill-after=15 555 ", "--kill-after=15 10 "))
    document, printed = graded_there(root, "import time\n\ndef fit(task):\n    time.sleep(60)\n")
    script.write_text(kept)
    assert "score" not in document
    assert "took longer than this assignment allows" in document["output"]
    assert "choose a longer one" in printed


def test_a_file_alone_is_graded_and_without_the_hidden_data_nothing_is(tmp_path, monkeypatch):
    from tlcourse.cli import gradescope
    from tlcourse.course.loader import load_course
    from tlcourse.errors import UnableError
    from tlcourse.grading.grade import Options

    assignments = Path(shutil.copytree(Path(__file__).parents[1] / "assignments_course", tmp_path / "course"))
    submission = tmp_path / "submission"
    submission.mkdir()
    shutil.copy(assignments / "graders" / "answers" / "data" / "answers.csv", submission / "predictions.csv")
    graded = gradescope.result_of(
        load_course(assignments).exercise("answers"), submission, Options(), tmp_path / "source"
    )
    assert (graded.outcome, graded.points) == ("pass", 4.0)
    shutil.rmtree(assignments / "graders" / "pictures")
    with pytest.raises(UnableError, match="hidden"):
        gradescope.result_of(load_course(assignments).exercise("pictures"), submission, Options(), tmp_path / "source")


@pytest.fixture
def no_wheel(monkeypatch):
    """To pack this tlcourse takes a second of a core, for each ZIP."""
    named = f"tlcourse-{version('tlcourse')}-py3-none-any.whl"
    monkeypatch.setattr("tlcourse.grading.lms.autograder.own_wheel", lambda *, with_graders: (named, b""))


@pytest.mark.usefixtures("no_wheel")
def test_the_zip_holds_what_the_reference_answers_to_its_seed_and_no_reference(tmp_path):
    from tlcourse.course.loader import load_course
    from tlcourse.grading.grader import Grader
    from tlcourse.grading.lms.autograder import Settings, autograder
    from tlcourse.grading.reference import NoReferenceHereError

    course = Path(__file__).parents[1] / "assignments_course"
    exercise = load_course(course).exercise("logistic")
    with zipfile.ZipFile(io.BytesIO(autograder(exercise, course, Settings("logistic", 77, "key")))) as opened:
        names = opened.namelist()
        opened.extractall(tmp_path)
    assert "course/graders/logistic/answers.bin" in names  # where no submission looks, as the graders
    assert not [name for name in names if "references" in name and name.startswith("course/")]
    there = Grader(load_course(tmp_path / "course").exercise("logistic"))
    assert len(there.cases(77, None)) == 49
    with pytest.raises(NoReferenceHereError):
        there.cases(78, None)


@pytest.mark.usefixtures("no_wheel")
def test_the_zip_holds_no_gradebook_beside_a_grader_and_refuses_a_link_that_it_would_lose(line, tmp_path):
    from tlcourse.errors import UnableError
    from tlcourse.grading.lms.autograder import Settings, autograder

    mine, settings = Path(shutil.copytree(EXAMPLE, tmp_path / "course")), Settings("line", 1, "key")
    for name in ("marks.sqlite", "marks.sqlite-wal", ".idea/notes.py"):
        (mine / "graders" / name).parent.mkdir(exist_ok=True)
        (mine / "graders" / name).write_text("a mark")
    with zipfile.ZipFile(io.BytesIO(autograder(line, mine, settings))) as opened:
        assert "course/graders/line.py" in opened.namelist()
        assert not [name for name in opened.namelist() if "marks" in name or ".idea" in name]
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "labels.csv").write_text("id,label\n")
    (mine / "graders" / "line").mkdir()
    (mine / "graders" / "line" / "data").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UnableError, match="graders/line/data is a link that the ZIP cannot hold"):
        autograder(line, mine, settings)


@pytest.mark.slow
@pytest.mark.usefixtures("no_wheel")
def test_packages_of_an_exercise_are_those_that_are_installed_here_and_no_others(line):
    from tlcourse.errors import UnableError
    from tlcourse.grading.lms.autograder import Settings, autograder

    settings = Settings("line", 1, "key")
    with_yaml = replace(line, about=replace(line.about, packages=("yaml",)))
    with zipfile.ZipFile(io.BytesIO(autograder(with_yaml, EXAMPLE, settings))) as opened:
        script = opened.read("setup.sh").decode()
    assert f"numpy=={version('numpy')} PyYAML=={version('PyYAML')} " in script
    as_installed = replace(line, about=replace(line.about, packages=("PyYAML>=5",)))
    with zipfile.ZipFile(io.BytesIO(autograder(as_installed, EXAMPLE, settings))) as opened:
        assert f" PyYAML=={version('PyYAML')} " in opened.read("setup.sh").decode()
    unknown = replace(line, about=replace(line.about, packages=("nobody_owns_this",)))
    with pytest.raises(UnableError, match="nobody_owns_this"):
        autograder(unknown, EXAMPLE, settings)


def test_the_zip_holds_what_grading_needs_and_no_solution_and_not_the_secret_itself(root, course, run):
    archive = course.parent / "autograder.zip"
    assert stat.S_IMODE(archive.stat().st_mode) == 0o600
    with zipfile.ZipFile(archive) as opened:
        modes = {one.filename: stat.S_IMODE(one.external_attr >> 16) for one in opened.infolist()}
        data = b"".join(opened.read(name) for name in modes)
        (wheel,) = [name for name in modes if name.endswith(".whl")]
        opened.extract(wheel, course.parent)
    assert modes["setup.sh"] == modes["run_autograder"] == 0o755
    assert modes["autograder.json"] == modes["course/graders/line.py"] == 0o600
    assert not [name for name in modes if "references" in name or "wrong" in name]
    assert SECRET.encode() not in data
    with zipfile.ZipFile(course.parent / wheel) as opened:
        assert opened.testzip() is None
        assert not [name for name in opened.namelist() if "_bundled/graders" in name]  # of the bundled course
        assert "tlcourse/_bundled/exercises/ex2_multitask/exercise.yaml" in opened.namelist()
    for beside in (course / "gradebook.sqlite", course / "hand-ins" / "ann.py", course / ".venv" / "x.py"):
        beside.parent.mkdir(exist_ok=True)
        beside.write_text("a mark")
    run("author", "gradescope", "line", "-o", "again.zip")
    assert archive.read_bytes() == (course.parent / "again.zip").read_bytes()
    for script in ("setup.sh", "run_autograder"):
        subprocess.run(["bash", "-n", root / "source" / script], check=True)
