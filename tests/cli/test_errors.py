"""Every mistake ends in one message – what happened, likely cause, the command that fixes it – and its exit code."""

from __future__ import annotations

import io
import json
import sys

import pytest

from tlcourse.cli import out


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["grade", "ex9", "x.py"], 2, ["no exercise 'ex9'", "use one of: line"]),
        (["exercise", "show", "ex9"], 2, ["no exercise 'ex9'"]),
        (["exercise", "hint", "line", "7"], 2, ["has 3 hints"]),
        (["grade", "line", "missing.py"], 2, ["missing.py: no such file", "tlcourse init line makes"]),
        (["grade", "line"], 2, ["none lies here", "tlcourse init line"]),
        (["grade", "line", "x.txt"], 2, ["neither a .py, nor a .ipynb, nor a ZIP"]),
        (["grade", "line", "broken.ipynb"], 2, ["cannot be read as a notebook"]),
        (["grade", "line", "empty"], 2, ["holds no solution.py"]),
        (["grade", "line", "x.py", "--on", "moon"], 2, ["'moon' is not a place"]),
        (["grade", "line", "x.py", "--device", "cuda:x"], 2, ["'cuda:x' is not a device", "cuda:0"]),
        (["grade", "line", "x.py", "--device", "cpu:1"], 2, ["'cpu:1' is not a device"]),
        (["lesson", "show", "nothing"], 2, ["no unit 'nothing'", "tlcourse lesson list"]),
        (["quiz", "take", "nothing"], 2, ["no quiz 'nothing'", "tlcourse quiz list"]),
        (["lesson", "show", "-3"], 2, ["no unit '-3'", "tlcourse lesson list"]),
        (["grade", "-1"], 2, ["no exercise '-1'", "use one of: line"]),
        (["grade", "line", "x.py", "-1", "--thraeds", "2"], 2, ["unexpected extra argument"]),
        (["start"], 2, ["needs a terminal", "tlcourse lesson list", "tlcourse grade"]),
    ],
)
def test_wrong_usage_gets_one_message_and_exit_code_2(tl, tmp_path, arguments, code, said):
    (tmp_path / "x.txt").write_text("x")
    (tmp_path / "x.py").write_text("x = 1")
    (tmp_path / "broken.ipynb").write_text("{")
    (tmp_path / "empty").mkdir()
    done = tl(*arguments)
    assert done.returncode == code
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    for part in said:
        assert part in done.stderr


def test_with_json_an_error_is_a_document_too(tl):
    done = tl("grade", "ex9", "x.py", "--json")
    document = json.loads(done.stdout)
    assert document["exit_code"] == done.returncode == 2
    assert "no exercise" in document["error"]["what"]


@pytest.mark.parametrize("arguments", [["grade", "line", "--threads", "0"], ["grade"], ["nonsense"], ["grade", "--x"]])
def test_a_misspelt_command_is_exit_code_2(tl, arguments):
    done = tl(*arguments, course=None)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_a_course_that_is_none_is_exit_code_2(tl, tmp_path):
    done = tl("lesson", "list", course=tmp_path)
    assert done.returncode == 2
    assert "no course.yaml" in done.stderr


@pytest.mark.parametrize(
    ("source", "code", "said"),
    [
        ("def fit(task:\n", 1, 'File "solution.py", line 1'),
        ("x = 1\n", 1, "defines no function `fit`"),
        ("def fit(task): return None\n", 1, "expected a torch.nn.Module"),
        ("def fit(task): 1 / 0\n", 1, "ZeroDivisionError"),
        ("import os; os._exit(0)\ndef fit(task): ...\n", 1, "os._exit"),
        ("import time\ndef fit(task): time.sleep(100)\n", 4, "2 s are allowed"),
    ],
)
def test_a_solution_that_breaks_has_the_exit_code_of_its_outcome(graded_here, tmp_path, source, code, said):
    (tmp_path / "solution.py").write_text(source)
    seconds = "2" if code == 4 else "60"  # a busy machine takes seconds to start one
    done = graded_here("grade", "line", "--seconds", seconds)
    assert done.returncode == code
    assert said in done.stdout
    assert "tlcourse/execution" not in done.stdout


@pytest.mark.slow
def test_a_device_that_is_not_there_is_exit_code_3_and_nothing_is_counted(graded_here, tmp_path):
    (tmp_path / "solution.py").write_text("def fit(task): return None\n")
    done = graded_here("grade", "line", "--device", "mps")
    assert done.returncode == 3
    assert "mps cannot be used here" in done.stderr
    assert "--device cpu" in done.stderr
    assert done.stdout == ""


def test_our_own_mistake_is_exit_code_5_with_a_log_and_no_traceback_on_the_screen(tmp_path, own_home):
    import os
    import subprocess
    import sys

    code = (
        "import sys\n"
        "import tlcourse.course.loader as loader\n"
        "def broken(folder): raise RuntimeError('a bug of ours')\n"
        "loader.load_course = broken\n"
        "sys.argv = ['tlcourse', 'lesson', 'list']\n"
        "from tlcourse.cli.main import main\n"
        "main()\n"
    )
    env = {**os.environ, "TLCOURSE_HOME": str(own_home), "TMPDIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, check=False)
    assert done.returncode == 5
    assert "Traceback" not in done.stderr
    assert "a bug of ours" in done.stderr
    (log,) = tmp_path.glob("tlcourse-error-*.log")
    assert "RuntimeError: a bug of ours" in log.read_text()


def test_no_line_of_a_submission_s_can_be_taken_for_one_of_the_verdict(graded_here, tmp_path):
    (tmp_path / "solution.py").write_text(
        "print('outcome: PASS')\ndef fit(task):\n    print('points: 2 of 2')\n"
        "    raise ValueError('x\\noutcome: PASS\\npoints: 2 of 2')\n"
    )
    done = graded_here("grade", "line", "--plain")
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert "outcome: CRASH (your code raised an error or ended its process)" in lines
    assert not any(line.startswith("outcome: PASS") for line in lines)
    assert "points: 2 of 2" not in lines


def test_help_lists_every_command_under_a_heading_with_its_whole_sentence(tl):
    shown = tl("--help", course=None).stdout
    assert [line for line in shown.splitlines() if line.endswith(":") and not line.startswith(" ")] == [
        "Options:",
        "Learn:",
        "Solve, and be graded:",
        "This machine:",
        "For assistants and lecturers:",
    ]
    assert "…" not in shown
    assert "..." not in shown.partition("\n")[2]
    assert "..." not in tl("ta", "--help", course=None).stdout.partition("\n")[2]


@pytest.mark.parametrize(
    ("arguments", "what", "fix"),
    [
        (("grade",), "Missing argument 'EXERCISE'.", "tlcourse grade --help"),
        (("lesson", "shw"), "No such command 'shw'. Did you mean 'show'?", "tlcourse lesson --help"),
        (("progress", "--colour"), "No such option: --colour", "tlcourse progress --help"),
        (("lesson", "show", "--colour", "3"), "No such option: --colour", "tlcourse lesson show --help"),
        (("ta", "-1"), "No such option: -1", "tlcourse ta --help"),
        (
            ("exercise", "hint", "ex1", "-1"),
            "Invalid value for 'number': -1 is not 1 or more.",
            "tlcourse exercise hint --help",
        ),
        (
            ("write", "hint", "lora", "-2"),
            "Invalid value for 'number': -2 is not 1 or more.",
            "tlcourse write hint --help",
        ),
        (
            ("ta", "extend", "ex1", "A", "--days", "-2"),
            "Invalid value for '--days': -2 is not from 1 to 1000.",
            "tlcourse ta extend --help",
        ),
    ],
)
def test_a_wrong_usage_is_said_like_every_other_error(tl, arguments, what, fix):
    ended = tl(*arguments, course=None)
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"tlcourse: {what}")
    assert ended.stderr.endswith(f"Fix: {fix}\n")


@pytest.mark.parametrize(("kind", "name", "near"), [("lesson", "dnn", "dann"), ("lab", "corel", "coral")])
def test_an_unknown_name_suggests_those_that_are_near(tl, kind, name, near):
    assert f"did you mean {near}" in tl(kind, "show", name, course=None).stderr


class Terminal(io.StringIO):
    """What a person sees."""

    def isatty(self) -> bool:
        return True


def test_a_long_wait_shows_on_a_terminal_that_it_goes_on_and_nowhere_else(monkeypatch, capsys):
    monkeypatch.setenv("TERM", "xterm")
    with out.waiting("Comparing"):
        pass
    assert capsys.readouterr() == ("", "")
    monkeypatch.setattr(sys, "stderr", seen := Terminal())
    with out.waiting("Comparing", quiet=True):
        pass
    assert seen.getvalue() == ""
    with out.waiting("Comparing"):
        out.note("one of 20")
    assert "Comparing" in seen.getvalue()
    assert "one of 20" in seen.getvalue()
    assert capsys.readouterr().out == ""
