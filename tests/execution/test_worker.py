"""The worker is like `python solution.py` in the folder that was handed in, and says where and why a solution ends."""

from __future__ import annotations

import json
import os
import urllib.error
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pytest
from msgspec.structs import replace

from tlcourse.errors import UsageError
from tlcourse.execution.spec import RunReport, RunSpec
from tlcourse.execution.supervise import run
from tlcourse.execution.worker import advice
from tlcourse.execution.worker.solution import CELLS, SolutionError, read_source
from tlcourse.execution.worker.task import Task

MODEL = "import torch\nclass Model(torch.nn.Module):\n    def forward(self, x): return x[:, 0]\n"


@pytest.fixture
def ran(job_for, fork_server_sandbox):
    """`ran(source, files={…}, predict=True, **limits)` runs a solution that defines `fit`."""

    def run_it(
        source: str, *, files: Mapping[str, bytes] = MappingProxyType({}), predict: bool = True, **limits: float
    ) -> RunReport:
        job: RunSpec = job_for(source, **limits)
        for name, data in files.items():
            path = job.submission / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(data)
        if not predict:
            job = replace(job, test_inputs=None, task_spec=replace(job.task_spec, predict=False))
        return run(job, fork_server_sandbox, lambda _: None)

    return run_it


LIKE_A_SCRIPT = """
import argparse, os, pickle, subprocess, sys
from pathlib import Path
parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=3)
def fit(task):
    told["argv"] = sys.argv, parser.parse_args().epochs
    child = subprocess.Popen("cat > eaten.txt", shell=True)  # of standard input
    told["child"] = child.wait(), os.path.getsize("eaten.txt")
    told["read"] = sys.stdin.read()
    told["relative"] = open("weights/best.txt").read()
    told["here"] = os.getcwd() == str(task.folder) == str(Path(__file__).parent)
    told["linked"] = [os.path.islink(name) for name in ("solution.py", "1.bin", "2.bin")]
    Path(__file__).with_name("log.txt").write_text("beside")
    open("weights/best.txt", "w").write("mine")
    told["main"] = pickle.loads(b"c__main__\\nModel\\n.") is Model
    told["collects"] = __import__("gc").isenabled()
    told["program"] = hasattr(sys.modules["__main__"], "__file__")
    from google.colab import drive
    drive.mount("/content/drive")
    from IPython.display import clear_output, display
    clear_output(wait=True)
    display("shown")
    import otter
    told["otter"] = bool(otter.Notebook("hw1.ipynb").check("q1"))
    from tqdm.auto import tqdm, trange
    told["tqdm"] = [*tqdm([1, 2], desc="epochs"), *trange(2)], len(tqdm([3]))
    import matplotlib.pyplot as plt
    figure, (left, right) = plt.subplots(1, 2)
    left.plot([1, 2]); figure.savefig("loss.png"); plt.show()
    import tlcourse
    told["local"] = tlcourse.Task.local("ex2") is task
    task.log(1, loss=torch.ones((), requires_grad=True))
    with tqdm(total=3) as bar:
        bar.update(1)
        bar.set_postfix(loss=0.5)
    sys.stdout.write(json.dumps(told) + "\\n")
    return Model()
"""


@pytest.mark.slow
def test_a_worker_is_like_a_script_in_the_folder_that_was_handed_in(ran, told):
    source = f"{MODEL}import json\ntold = {{}}\n{LIKE_A_SCRIPT}"
    report = ran(source, files={"weights/best.txt": b"best", "1.bin": bytes(9 << 20), "2.bin": bytes(9 << 20)})
    assert told(report) == {
        "argv": [["solution.py"], 3],
        "child": [0, 0],
        "read": "",
        "relative": "best",
        "here": True,
        "linked": [False, False, True],  # what is copied counts as scratch
        "main": True,
        "collects": True,
        "program": False,
        "otter": False,
        "local": True,
        "tqdm": [[1, 2, 0, 1], 1],
    }
    assert len(report.results) > 32  # the child ate nothing of the test inputs
    assert report.metrics == [{"step": 1, "values": {"loss": 1.0}}]
    assert "shown\n" in report.log
    assert "Warning" not in report.log
    assert "google.colab is not installed" in report.log
    assert "otter has no part in a grading" in report.log


@pytest.mark.slow
def test_a_child_that_is_left_running_eats_no_test_inputs(ran):
    report = ran(
        f'import subprocess\n{MODEL}def fit(task):\n    subprocess.Popen(["/usr/bin/cat"])\n    return Model()'
    )
    assert (report.status, len(report.results) > 32) == ("done", True)


@pytest.mark.parametrize("line", ["input('epochs: ')", "breakpoint()", "for _ in '1': __import__('pdb').set_trace()"])
def test_what_waits_for_a_keyboard_ends_at_once_with_its_line(ran, line):
    report = ran(f"{MODEL}def fit(task):\n    {line}\n    return Model()")
    assert report.status == "crash"
    assert advice.NO_KEYBOARD in report.message
    assert 'File "solution.py", line 5, in fit' in report.problem.trace


def test_what_was_printed_before_an_abort_is_kept(ran):
    report = ran(f"import os\n{MODEL}def fit(task):\n    print('before')\n    os.abort()")
    assert (report.status, report.log.splitlines()[0]) == ("crash", "before")
    assert "SIGABRT" in report.message


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (
            "import time\ndef fit(task):\n    print('begun')\n    wait()\ndef wait():\n    time.sleep(600)",
            "fit had not returned (solution.py, line 6, in wait)",
        ),
        (
            "def fit(task): pass\nprint('begun')\nwhile True:\n    pass",
            "fit had not begun: code at the top level was still running (solution.py, line",
        ),
    ],
    ids=["in fit", "at the top level"],
)
def test_a_time_out_says_in_which_line_and_phase_and_keeps_what_was_printed(ran, source, said):
    report = ran(source, wall_time_s=1.5)
    assert report.status == "timeout"
    assert said in report.message
    assert report.log == "begun\n"
    assert 'File "solution.py", line' in report.problem.trace


def test_where_a_run_is_cannot_be_told_when_nobody_asks_nor_after_fit(ran):
    event = {"v": 1, "type": "where", "place": "secret", "trace": "secret"}
    forged = f"import os\nline = {json.dumps(event)!r} + '\\n'\n"
    report = ran(
        forged
        + f"{MODEL}def tell():\n    for fd in range(3, 20):\n        try: os.write(fd, line.encode())\n"
        + "        except OSError: pass\n"
        + "class Slow(Model):\n    def forward(self, x):\n        tell()\n        while True: pass\n"
        + "def fit(task):\n    tell()\n    return Slow()\n",
        wall_time_s=2,
    )
    assert report.status == "timeout"
    assert report.message.endswith("fit had returned, and the returned module was being called")
    assert report.problem is None


@pytest.mark.parametrize(
    ("forward", "status", "said"),
    [
        ("x.view(8, 2)[:, 0]", "crash", "RuntimeError while the returned module was called"),
        ("x[:, 0] * float('nan')", "invalid", "`y` holds 250 values of 250 that are NaN or infinite"),
        ("x[:, 0] if len(x) > 9 else x", "invalid", "`y` has shape (3, 2) for a batch of 3"),
        ("x[:, :1].squeeze()", "done", ""),
    ],
    ids=["fixed size", "NaN", "small batches", "a batch of one"],
)
def test_run_tries_what_grade_will_ask(ran, forward, status, said):
    report = ran(MODEL.replace("x[:, 0]", forward) + "def fit(task): return Model()", predict=False)
    assert report.status == status, report
    assert said in report.message
    assert ("a batch of 1 does not work" in report.log) == (status == "done")


def test_sys_exit_says_where_and_what_to_do(ran):
    report = ran(f"import sys\n{MODEL}def fit(task): return Model()\nsys.exit(3)")
    assert report.message == (
        "the solution called sys.exit(3) while solution.py was imported (solution.py, line 6). "
        'Put what only `python solution.py` shall do below `if __name__ == "__main__":`'
    )


def test_a_traceback_has_the_students_lines_alone(ran):
    files = {"utils.py": b"import json\ndef read(): return json.loads('{')\n"}
    report = ran(f"from utils import read\n{MODEL}def fit(task):\n    read()", files=files)
    assert "line 6, in fit" in report.problem.trace
    assert 'File "utils.py", line 2, in read' in report.problem.trace
    assert report.problem.trace.count("File ") == 2


def test_a_task_of_another_course_is_found_by_its_folder_and_from_within_it(monkeypatch):
    example = Path(__file__).parent.parent / "example_course"
    count = len(Task.local("line", course=example).train)  # drawn by its grader, which students have, too
    assert count > 0
    monkeypatch.chdir(example / "graders")
    assert len(Task.local("line").train) == count
    with pytest.raises(UsageError, match="no exercise 'nothing'"):
        Task.local("nothing")


# -- what is said before torch is imported -----------------------------------------------------------------------


def source_in(folder: Path, text: str | bytes) -> Path:
    (folder / "solution.py").write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


@pytest.mark.parametrize(
    ("text", "kind", "said"),
    [
        ("def fit(task):\n    return (1 +\n", "syntax", 'File "solution.py", line 2'),
        ("def fit(task): ...\n".encode("utf-16"), "syntax", "solution.py is not saved as UTF-8"),
        ("<<<<<<< HEAD\ndef fit(task): ...\n=======\n", "syntax", "The marks of a merge conflict are still in it"),
        ("def train_model(task): ...\n", "no_fit", "at the top level. Did you mean `train_model`?"),
        ("class Trainer:\n    def fit(self, task): ...\n", "no_fit", "`Trainer.fit` belongs to a class"),
        ("", "no_fit", "solution.py defines no function `fit`"),
    ],
    ids=["syntax", "UTF-16", "conflict", "another name", "a method", "empty"],
)
def test_a_solution_that_cannot_run_is_told_so_from_its_text(tmp_path, text, kind, said):
    with pytest.raises(SolutionError) as raised:
        read_source(source_in(tmp_path, text))
    assert raised.value.kind == kind
    assert said in raised.value.message


@pytest.mark.parametrize(
    "text",
    [
        "def fit(task): ...",
        "async def fit(task): ...",
        "fit = lambda task: None",
        "from mine import fit",
        "from mine import train as fit",
        "from mine import *",
        "if True:\n    def fit(task): ...",
        "for fit in []: ...",
        "exec('def f' + 'it(task): ...')",
        "globals()['fi' + 't'] = print",
        "import runpy\nrunpy.run_path('x.py')",
    ],
)
def test_what_may_define_fit_is_left_to_be_seen(tmp_path, text):
    assert read_source(source_in(tmp_path, text)).codes


CELLED = f"""{CELLS} 3 6
from __future__ import annotations
# cell 1
a = 1

# cell 2

def fit(task: Gone):
    a / 0
"""


def test_a_notebooks_errors_name_cell_and_line(ran, tmp_path):
    report = ran(CELLED)
    assert report.message == "ZeroDivisionError in fit: division by zero"
    assert report.problem.trace.startswith(
        'Traceback (most recent call last):\n  File "solution.ipynb, cell 2", line 3, in fit\n    a / 0\n'
    )
    assert read_source(source_in(tmp_path, CELLED)).name == "solution.ipynb"
    with pytest.raises(SolutionError, match=r'File "solution.ipynb, cell 2", line 2'):
        read_source(source_in(tmp_path, CELLED.replace("\n\ndef", "\n\n1 + + \ndef")))


@pytest.mark.parametrize("lines", ["0", "9 3", "3 3", "99", "x"])
def test_a_file_that_only_looks_like_a_notebook_is_read_as_one_file(tmp_path, lines):
    assert read_source(source_in(tmp_path, f"{CELLS} {lines}\ndef fit(task): ...\n")).name == "solution.py"


# -- what is added to an error -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (urllib.error.URLError("[Errno -3] Temporary failure in name resolution"), advice.NO_NETWORK),
        (RuntimeError("It looks like there is no internet connection and the repo could not be found"), "no network"),
        (RuntimeError("Command 'python -m pip install timm' failed"), ""),
        (FileNotFoundError(2, "No such file", "data/hymenoptera_data/train"), advice.OWN_FILES),
        (FileNotFoundError(2, "No such file", "/content/drive/best.pt"), "handed in as weights/best.pt: open it by"),
        (RuntimeError("Parent directory /content/drive/MyDrive does not exist."), advice.OWN_FILES),
        (OSError(30, "Read-only file system", "/submission/x"), advice.READ_ONLY),
        (PermissionError(13, "Permission denied", "/home/jane/data.csv"), advice.NOT_ALLOWED),
        (ModuleNotFoundError("No module named 'timm'", name="timm"), "if timm is a file of yours, hand it in"),
        (ModuleNotFoundError("No module named 'torch'", name="torch"), "needs torch, which is not installed here"),
        (ModuleNotFoundError("No module named 'torch.x'", name="torch.x"), "lists the packages that a grading has"),
        (ModuleNotFoundError("No module named 'tlcourse.data'", name="tlcourse.data"), "`Task` and `tlcourse.methods`"),
        (ImportError("attempted relative import with no known parent package"), "without the dot"),
        (AttributeError("Can't get attribute 'Net' on <module '__main__'>"), "state_dict"),
        (RuntimeError("Found no NVIDIA driver on your system."), "task.device"),
        (RuntimeError("unable to open shared memory object </torch_1> in read-write mode"), "num_workers=0"),
        (EOFError("Ran out of input"), ""),
        (ValueError("mine"), ""),
    ],
    ids=lambda value: str(value)[:30],
)
def test_an_error_that_has_a_known_cause_says_what_to_do(tmp_path, error, said):
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "best.pt").touch()
    found = advice.of_error(error, tmp_path)
    assert said in found
    assert bool(found) == bool(said)


def test_the_cause_of_an_error_counts_too_and_a_hostile_one_does_no_harm(tmp_path):
    class HostileError(Exception):
        def __str__(self):
            raise ZeroDivisionError

    outer = RuntimeError("could not load the model")
    outer.__cause__ = urllib.error.URLError("no address associated with hostname")
    assert advice.of_error(outer, tmp_path) == advice.NO_NETWORK
    assert advice.of_error(HostileError(), tmp_path) == ""
    assert advice.first_line(HostileError()) == "(no message)"
    assert os.linesep not in advice.first_line(ValueError("a\nb"))
