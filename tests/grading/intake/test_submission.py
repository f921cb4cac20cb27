"""What may be handed in, and what of it is run."""

from __future__ import annotations

import json
import os
import re
import zipfile
from pathlib import Path

import pytest
from zipforge import Member, forge

from tlcourse.errors import SubmissionError
from tlcourse.grading.gradebook.file import writing
from tlcourse.grading.intake.beside import MAX_SOURCE, imported
from tlcourse.grading.intake.copy import IntakeLimits, StagedCopy
from tlcourse.grading.intake.names import shown
from tlcourse.grading.intake.submission import collect

CODE = "def fit(task): ...\n"
NOTEBOOK = json.dumps({"nbformat": 4, "cells": [{"cell_type": "code", "source": CODE}]})


@pytest.fixture
def into(tmp_path: Path) -> Path:
    folder = tmp_path / "copy"
    folder.mkdir()
    return folder


def folder_of(base: Path, **files: str) -> Path:
    folder = base / "origin"
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_DOT_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def zipped(folder: Path, name: str = "hand-in.zip", *, wrap: str = "") -> Path:
    target = folder.parent / name
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, Path(wrap) / path.relative_to(folder))
    return target


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("wrap", ["", "hand-in", "a/b"])
def test_a_zip_is_unpacked_and_what_it_was_wrapped_into_is_looked_into(tmp_path, into, wrap):
    origin = folder_of(tmp_path, solution_DOT_py=CODE, weights__w_DOT_safetensors="1234")
    submission = collect(zipped(origin, wrap=wrap), into)
    assert names(submission.folder) == ["solution.py", "weights/w.safetensors"]
    assert submission.notices == []


def test_the_same_files_have_the_same_hash_however_they_are_handed_in(tmp_path, into):
    origin = folder_of(tmp_path, solution_DOT_py=CODE, data__a_DOT_txt="a")
    found = set()
    for number, path in enumerate((origin, zipped(origin), zipped(origin, "b.zip", wrap="x"))):
        (copy := into / str(number)).mkdir()
        found.add(collect(path, copy).sha256)
    assert len(found) == 1


def test_what_systems_leave_behind_is_passed_over(tmp_path, into):
    origin = folder_of(
        tmp_path,
        solution_DOT_py=CODE,
        **{".DS_Store": "x", "Thumbs.db": "x", "._solution.py": "x", "__MACOSX": "x", "a/.git/config": "x"},
    )
    assert names(collect(zipped(origin, wrap="hand-in"), into).folder) == ["solution.py"]


def test_a_folder_that_holds_only_a_zip_is_that_zip(tmp_path, into):
    origin = folder_of(tmp_path, solution_DOT_py=CODE)
    archive = zipped(origin)
    folder = tmp_path / "handed-in"
    folder.mkdir()
    archive.rename(folder / "work.zip")
    (folder / "report.pdf").write_text("x")
    submission = collect(folder, into)
    assert names(submission.folder) == ["solution.py"]
    assert submission.notices == ["work.zip was taken as the hand-in."]


def test_a_notebook_becomes_the_solution_and_stays_beside_it(tmp_path, into):
    submission = collect(folder_of(tmp_path, solution_DOT_ipynb=NOTEBOOK), into)
    assert names(submission.folder) == ["solution.ipynb", "solution.py"]
    assert CODE in (submission.folder / "solution.py").read_text()


def test_solution_py_goes_before_a_notebook_and_that_is_told(tmp_path, into):
    submission = collect(folder_of(tmp_path, solution_DOT_py=CODE, solution_DOT_ipynb=NOTEBOOK), into)
    assert "was not looked at" in submission.notices[0]


@pytest.mark.parametrize("name", ["Solution.py", "exercise2.py", "my work.ipynb"])
def test_the_only_file_of_its_kind_is_taken_and_that_is_told(tmp_path, into, name):
    origin = tmp_path / "origin"
    origin.mkdir()
    (origin / name).write_text(NOTEBOOK if name.endswith(".ipynb") else CODE)
    submission = collect(origin, into)
    assert (submission.folder / "solution.py").is_file()
    assert submission.notices == [f"{name} was taken as the solution."]


def test_two_files_that_could_be_meant_are_not_guessed_between(tmp_path, into):
    with pytest.raises(SubmissionError, match="several files could be meant"):
        collect(folder_of(tmp_path, a_DOT_py=CODE, b_DOT_py=CODE), into)


@pytest.mark.parametrize("name", ["hand-in.tar.gz", "hand-in.rar", "solution", "solution.txt"])
def test_another_kind_of_file_is_refused_with_the_kinds_that_are_read(tmp_path, into, name):
    (tmp_path / name).write_text("x")
    with pytest.raises(SubmissionError, match=r"neither a \.py, nor a \.ipynb, nor a ZIP"):
        collect(tmp_path / name, into)


def test_limits_can_be_set_for_a_course_that_needs_others(tmp_path, into):
    origin = folder_of(tmp_path, solution_DOT_py=CODE, a_DOT_txt="x" * 5000)
    with pytest.raises(SubmissionError, match="more than 1 files"):
        collect(origin, into, IntakeLimits(files=1))


@pytest.mark.parametrize(
    ("name", "seen"), [("a\x1b[2J", "a\\x1b[2J"), ("a\nb", "a\\nb"), ("a\u202eb", "a\\u202eb"), ("é x", "é x")]
)
def test_a_name_is_shown_without_what_would_deceive(name, seen):
    assert shown(name) == seen


@pytest.mark.slow
def test_a_zip_can_be_graded_from_the_command_line(tl, tmp_path):
    reference = Path(__file__).parents[2] / "example_course/graders/references/line.py"
    origin = folder_of(tmp_path, solution_DOT_py=reference.read_text())
    zipped(origin, "hand-in.zip", wrap="hand-in")
    done = tl("grade", "line", "hand-in.zip", "--json", "--sandbox", "none")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["submission"]["path"] == "hand-in.zip"


def test_an_unchanged_starter_gives_way_to_the_notebook_with_the_work(tmp_path, into):
    starter = tmp_path / "starter.py"
    starter.write_text("def fit(task): ...  # TODO\n")
    origin = folder_of(tmp_path, solution_DOT_py="def fit(task): ...  # TODO\r\n\n", solution_DOT_ipynb=NOTEBOOK)
    submission = collect(origin, into, starter=starter)
    assert CODE in (submission.folder / "solution.py").read_text()
    assert submission.notices[0] == "solution.ipynb was run: solution.py beside it is the starter as it was."


BESIDE = {
    "solution.py": "import os, utils\nfrom nets.small import Net\n"
    "W = 'weights/best.pt', './log.txt', '../up.txt', 'gone.pt'\n",
    "utils.py": "import deeper\nimport utils\n",
    "deeper.py": "broken (",
    "bob.py": "",
    "nets/small.py": "",
    "nets/data.bin": "",
    "weights/best.pt": "1234",
    "log.txt": "",
}


def test_what_ones_own_file_needs_of_those_beside_it_comes_along_and_that_is_told(tmp_path, into):
    origin = folder_of(tmp_path, **BESIDE)
    (tmp_path / "up.txt").touch()
    submission = collect(origin / "solution.py", into, own=True)
    wanted = ["deeper.py", "log.txt", "nets/small.py", "solution.py", "utils.py", "weights/best.pt"]
    assert names(submission.folder) == wanted
    assert submission.notices == [
        "deeper.py, log.txt, nets/small.py, utils.py, weights/best.pt lie beside solution.py and were taken along: "
        "hand them in, too."
    ]


def test_beside_a_file_of_another_name_lies_the_work_of_others(tmp_path, into):
    origin = folder_of(
        tmp_path, jane_DOT_py="import bob\nX = 'marks.csv'\n", bob_DOT_py="import utils\n", utils_DOT_py=""
    )
    (origin / "marks.csv").touch()
    submission = collect(origin / "jane.py", into, own=True)
    assert names(submission.folder) == ["solution.py"]
    assert submission.notices == [
        "bob.py, marks.csv lie beside jane.py and were not taken along: only beside a solution.py or solution.ipynb is "
        "what it needs taken for its own. Give it that name."
    ]


def test_a_gradebook_in_a_folder_below_does_not_come_along_whatever_it_is_called(tmp_path, into):
    origin = folder_of(tmp_path, solution_DOT_py="X = 'old/marks.dat'\n")
    (origin / "old").mkdir()
    os.mkfifo(origin / "pipe.sqlite")  # which is not waited on
    with writing(origin / "old" / "marks.dat", "a test"):
        pass
    submission = collect(origin / "solution.py", into, own=True)
    assert submission.notices == ["old/marks.dat lies beside solution.py and was not taken along: it is a gradebook."]


@pytest.mark.parametrize("what", ["the secret", "home", "graders", "the course's graders", "a gradebook"])
def test_from_a_folder_that_holds_what_is_private_nothing_comes_along(tmp_path, into, monkeypatch, what):
    origin = folder_of(tmp_path, solution_DOT_py="import utils\nX = 'marks.dat'\n", utils_DOT_py="", marks_DOT_dat="")
    private = []
    if what == "the secret":
        monkeypatch.setenv("TLCOURSE_HOME", str(origin / "deep"))
        (origin / "deep").mkdir()
        (origin / "deep" / "secret").write_text("1")
    elif what == "home":
        monkeypatch.setenv("HOME", str(origin))
    elif what == "graders":
        (origin / "graders").mkdir()
    elif what == "the course's graders":
        private = [("The course's folder of graders", tmp_path)]
    else:
        with writing(origin / "book.sqlite", "a test"):
            pass
    submission = collect(origin / "solution.py", into, own=True, private=private)
    assert names(submission.folder) == ["solution.py"]
    (notice,) = submission.notices
    assert notice.startswith("marks.dat, utils.py lie beside solution.py and were not taken along: its folder holds")
    assert notice.endswith("). Move it to a folder of its own.")


def test_what_a_solution_imports_is_told_without_its_own_files(tmp_path):
    origin = folder_of(tmp_path, **{**BESIDE, "solution.py": f"import sklearn.svm\n{BESIDE['solution.py']}"})
    (origin / "deeper.py").write_text("from scipy import stats\nfrom . import utils\n")
    assert imported(origin) == {"sklearn", "os", "scipy"}


def test_in_a_class_nothing_beside_a_file_is_its_own(tmp_path, into):
    assert names(collect(folder_of(tmp_path, **BESIDE) / "solution.py", into).folder) == ["solution.py"]


def test_what_is_too_large_or_a_link_does_not_come_along(tmp_path, into):
    origin = folder_of(tmp_path, solution_DOT_py="import linked\nW = 'large.pt'\n", large_DOT_pt="x" * 2000)
    (tmp_path / "elsewhere.py").touch()
    (origin / "linked.py").symlink_to(tmp_path / "elsewhere.py")
    submission = collect(origin / "solution.py", into, IntakeLimits(bytes=1000), own=True)
    assert names(submission.folder) == ["solution.py"]
    assert submission.notices == [
        "linked.py lies beside solution.py and was not taken along: it is a link or a special file.",
        "large.pt lies beside solution.py and was not taken along: it is too large.",
    ]


def test_no_folder_that_is_a_link_is_looked_into_for_a_file(tmp_path, into):
    (tmp_path / "private").mkdir()
    (tmp_path / "private" / "key.txt").write_text("secret")
    origin = folder_of(
        tmp_path, solution_DOT_py="import pack\nNAMES = 'data/key.txt', 'a/data/./key.txt', 'a/x.txt/y.txt'\n"
    )
    (origin / "a").mkdir()
    for link in ("data", "a/data", "pack"):
        (origin / link).symlink_to(tmp_path / "private")
    submission = collect(origin / "solution.py", into, own=True)
    assert names(submission.folder) == ["solution.py"]
    assert submission.notices == [
        "a/data/key.txt, data/key.txt lie beside solution.py and were not taken along: a link leads to it."
    ]


def test_a_file_beside_that_cannot_be_taken_is_told_and_the_solution_is_graded(tmp_path, into):
    origin = folder_of(tmp_path, solution_DOT_py="N = 'a.csv', 'A.csv', 'b\\\\c.csv', 'd.csv'\n")
    for name in ("a.csv", "A.csv", "b\\c.csv", "d.csv"):
        (origin / name).touch()
    submission = collect(origin / "solution.py", into, own=True)
    assert names(submission.folder) == ["a.csv", "d.csv", "solution.py"]
    assert [notice.split("not taken along: ")[-1].split(" is refused: ")[-1] for notice in submission.notices] == [
        "the name is there also as a.csv, and many systems take them for one.",
        "a backslash separates folders on other systems.",
        "a.csv, d.csv lie beside solution.py and were taken along: hand them in, too.",
    ]


def test_what_grows_too_large_while_it_is_copied_leaves_nothing(tmp_path):
    copy = StagedCopy(tmp_path / "in.zip", tmp_path, IntakeLimits(files=1, bytes=10))
    with pytest.raises(SubmissionError, match="more than 0 MB"):
        copy.put(("a",), [b"x" * 8, b"x" * 8])
    assert names(tmp_path) == []
    copy.announce(("A",))


def test_looking_into_a_solution_warns_of_nothing_and_is_bounded(tmp_path, into):
    origin = folder_of(tmp_path, solution_DOT_py="import many, large\nPATTERN = '\\d'\n")
    (origin / "large.py").write_text("import small\n".ljust(MAX_SOURCE + 1, "#"))
    (origin / "small.py").touch()
    for folder in range(60):
        (origin / "many" / f"{folder:02}").mkdir(parents=True)
        for name in ("a.py", "b.py", "c.py"):
            (origin / "many" / f"{folder:02}" / name).touch()
    found = names(collect(origin / "solution.py", into, own=True).folder)  # a warning is an error in these tests
    assert ("large.py" in found, "small.py" in found, len(found)) == (False, False, 101)
    (origin / "solution.py").write_text("import large\n")
    (copy := into / "2").mkdir()
    assert names(collect(origin / "solution.py", copy, own=True).folder) == ["large.py", "solution.py"]


def test_a_notebook_writes_its_files_beside_and_over_what_was_handed_in(tmp_path, into):
    cells = [{"cell_type": "code", "source": "%%writefile lib/utils.py\nx = 1"}, {"cell_type": "code", "source": CODE}]
    text = json.dumps({"nbformat": 4, "cells": cells})
    origin = folder_of(tmp_path, solution_DOT_ipynb=text, **{"lib/utils.py": "x = 2"})
    submission = collect(origin, into)
    assert (submission.folder / "lib" / "utils.py").read_text() == "x = 1\n"


def notebook(*cells: str) -> str:
    return json.dumps({"nbformat": 4, "cells": [{"cell_type": "code", "source": one} for one in cells]})


def test_what_a_notebook_writes_lies_beside_the_notebook_and_not_at_the_top(tmp_path, into):
    text = notebook(CODE, "%%writefile README.md\nof the cell")
    origin = folder_of(tmp_path, README_DOT_md="of the hand-in", hw__solution_DOT_ipynb=text)
    submission = collect(zipped(origin), into)
    assert (submission.folder / "README.md").read_text() == "of the cell\n"
    assert (submission.folder.parent / "README.md").read_text() == "of the hand-in"


@pytest.mark.parametrize(
    ("cell", "entry"),
    [
        ("%%writefile solution.py/x.py\n", "hw/solution.py/"),
        ("%%writefile utils\n", "hw/utils"),
        ("%%writefile README.md/x\n", "hw/README.md/"),
        ("%%writefile Readme.md\n", "hw/Readme.md"),
    ],
)
@pytest.mark.parametrize("nested", [False, True])
def test_a_cell_that_writes_over_what_is_of_another_kind_is_a_fault_of_the_hand_in(tmp_path, into, cell, entry, nested):
    files = {"hw/solution.ipynb": notebook(CODE, cell), "hw/utils/a.py": "", "hw/README.md": ""}
    origin = zipped(folder_of(tmp_path, **files, report_DOT_pdf=""))
    if nested:
        origin = zipped(folder_of(tmp_path / "outer", report_DOT_pdf=""), "outer.zip")
        with zipfile.ZipFile(origin, "a") as archive:
            archive.write(tmp_path / "hand-in.zip", "hand-in.zip")
    with pytest.raises(
        SubmissionError, match=re.escape(f"the entry {entry} is refused: the name is there also as hw/")
    ):
        collect(origin, into)


@pytest.mark.parametrize("name", ["work.py", "work.ipynb"])
def test_a_folder_that_is_called_solution_py_is_a_fault_of_the_hand_in(tmp_path, into, name):
    files = {name: NOTEBOOK if name.endswith("b") else CODE, "solution.py/data.txt": ""}
    with pytest.raises(SubmissionError, match=r"solution\.py is refused: the name is there also as solution\.py/"):
        collect(folder_of(tmp_path, **files), into)


def test_of_zips_in_one_another_all_files_count_together(tmp_path):
    outer = StagedCopy(tmp_path / "in.zip", tmp_path, IntakeLimits(files=5))
    for number in range(2):
        inner = outer.within(tmp_path / str(number))
        inner.announce(("a",))
        inner.announce(("b",))
    outer.announce(("c",))
    with pytest.raises(SubmissionError, match="more than 5 files"):
        outer.within(tmp_path / "more").announce(("a",))


def test_a_file_that_is_there_unannounced_is_a_refusal_and_no_fault_of_ours(tmp_path):
    (tmp_path / "a").touch()
    copy = StagedCopy(tmp_path / "in.zip", tmp_path)
    for parts in (("a",), ("a", "b"), ("a", "b", "c")):
        with pytest.raises(SubmissionError, match="a file or folder of that name is there already"):
            copy.add(parts, [b""])


def test_a_zip_of_an_old_windows_is_read_whatever_its_names(tmp_path, into):
    (tmp_path / "in.zip").write_bytes(
        forge(
            Member(b"\x9dvelse 2/solution.py", CODE.encode(), flags=0),
            Member(b"\x9dvelse 2/sk\x91rm.png", b"x", flags=0),
        )
    )
    submission = collect(tmp_path / "in.zip", into)
    assert (submission.folder.name, names(submission.folder)) == ("Øvelse 2", ["skærm.png", "solution.py"])


@pytest.mark.parametrize("as_zip", [False, True])
def test_a_solution_one_folder_down_beside_a_report_is_found(tmp_path, into, as_zip):
    origin = folder_of(tmp_path, **{"code/solution.py": CODE, "code/utils.py": "", "report/report.pdf": "x"})
    submission = collect(zipped(origin) if as_zip else origin, into)
    assert names(submission.folder) == ["solution.py", "utils.py"]
    assert submission.notices == ["The solution lies in the folder code."]


def test_of_two_folders_with_a_solution_none_is_guessed(tmp_path, into):
    with pytest.raises(SubmissionError, match="several files could be meant"):
        collect(folder_of(tmp_path, **{"a/solution.py": CODE, "b/solution.py": CODE}), into)


def test_a_zip_in_a_zip_is_unpacked_and_both_count_as_one_hand_in(tmp_path, into):
    inner = zipped(folder_of(tmp_path / "one", solution_DOT_py=CODE, data_DOT_txt="x" * 900), "in.zip")
    (tmp_path / "two" / "origin" / "handin").mkdir(parents=True)
    inner.rename(tmp_path / "two" / "origin" / "handin" / "in.zip")
    outer = zipped(tmp_path / "two" / "origin")
    (copy := into / "1").mkdir()
    submission = collect(outer, copy)
    assert names(submission.folder) == ["data.txt", "solution.py"]
    assert submission.notices == ["in.zip was unpacked: it lay in the hand-in."]
    (copy := into / "2").mkdir()
    with pytest.raises(SubmissionError, match="more than 2 files"):
        collect(outer, copy, IntakeLimits(files=2))


@pytest.mark.parametrize(
    ("name", "data", "cause"),
    [
        ("solution.rar", b"x", "solution.rar, which is a RAR archive and is not opened"),
        ("solution.7z", b"x", "solution.7z, which is a 7z archive and is not opened"),
        ("code/solution.tar.gz", b"x", "code/solution.tar.gz, which is a tar archive and is not opened"),
        ("solution.py.txt", b"x", "solution.py.txt, whose name goes on after .py"),
        ("solution.zip", b"Rar!\x1a\x07\x01\x00", "it is a RAR archive, whatever it is called"),
    ],
)
def test_an_archive_of_another_kind_is_named_as_what_it_is(tmp_path, into, name, data, cause):
    origin = folder_of(tmp_path, report_DOT_pdf="x", **{name: ""})
    (origin / name).write_bytes(data)
    with pytest.raises(SubmissionError, match=re.escape(cause)):
        collect(origin, into)
