"""How each kind of mistake ends, and what it says to the student; limits in bubblewrap (others: tests/sandbox/)."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tlcourse.grading.grade import Options, grade

REFERENCE = Path(__file__).parent.parent / "example_course" / "graders" / "references" / "line.py"

HEAD = """
import time
import torch
class Model(torch.nn.Module):
    def forward(self, x):
        return x[:, 0] * 2 + 1, x[:, 1] * 3 - 1
"""


@pytest.mark.parametrize("sandbox_kind", ["bubblewrap", "fork-server"])
def test_a_solution_that_meets_every_check_passes(grade_text, quick_sandbox, sandbox_kind):
    if sandbox_kind == "fork-server" != quick_sandbox:
        pytest.skip("this machine builds no fork server: tlcourse doctor")
    result = grade_text(
        HEAD + "def fit(task):\n    task.log(1, loss=0.5)\n    return Model()", sandbox_kind=sandbox_kind
    )
    assert (result.outcome, result.points, result.max_points) == ("pass", 2.0, 2.0)
    assert [check.passed for check in result.checks] == [True, True]
    assert result.metrics == [{"step": 1, "values": {"loss": 0.5}}]
    assert result.runs[0].peak_rss_mb > 50
    assert result.provenance.torch
    assert result.runs[0].sandbox == sandbox_kind


def test_a_solution_that_misses_one_check_fails_with_its_points_and_a_message(grade_text):
    result = grade_text(HEAD.replace("* 3 - 1", "* 0") + "def fit(task): return Model()")
    assert (result.outcome, result.points) == ("fail", 1.0)
    assert "z is off by" in result.checks[1].message


def test_the_same_submission_and_seed_give_the_same_numbers(grade_text):
    source = HEAD + (
        "def fit(task):\n"
        "    model = Model(); noise = torch.randn(1).item()\n"
        "    model.forward = lambda x: (x[:, 0] + noise, x[:, 1])\n"
        "    return model"
    )
    first, second = grade_text(source), grade_text(source)
    assert [check.value for check in first.checks] == [check.value for check in second.checks]
    assert first.submission.sha256 == second.submission.sha256
    assert first.provenance.data_sha256 == second.provenance.data_sha256


def test_a_syntax_error_is_shown_with_file_line_and_caret(grade_text):
    result = grade_text("def fit(task):\n    return (1 +\n")
    assert result.outcome == "invalid"
    assert 'File "solution.py", line 2' in result.messages[-1]
    assert "^" in result.messages[-1]


def test_a_file_without_fit_says_what_to_define(grade_text):
    result = grade_text("def train(task): ...")
    assert result.outcome == "invalid"
    assert "def fit(task)" in result.messages[-1]


def test_an_exception_shows_the_students_frames_only(grade_text):
    result = grade_text("def helper():\n    return {}['loss']\n\ndef fit(task):\n    return helper()\n")
    assert result.outcome == "crash"
    assert "KeyError" in result.messages[-1]
    assert 'File "solution.py", line 2, in helper' in result.problem
    assert "return {}['loss']" in result.problem
    assert "tlcourse" not in result.problem


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        ("None", "fit returned None, expected a torch.nn.Module. Is there a `return model`"),
        ("3", "fit returned an int, expected a torch.nn.Module"),
    ],
)
def test_fit_that_returns_no_module_is_told_so(grade_text, returned, said):
    result = grade_text(f"def fit(task): return {returned}")
    assert result.outcome == "invalid"
    assert said in result.messages[-1]


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("x[:, 0]", "expected the tuple (y, z)"),
        ("(x[:, 0],)", "returned 1 things, expected 2"),
        ("(x[:, :1], x[:, 1])", "A `.squeeze(-1)` on that head's output fixes it."),
        ("(x[:, 0].long(), x[:, 1])", "`y` has dtype torch.int64, expected torch.float32"),
        ("(x[:, 0], 'z')", "`z` is a str, expected a tensor"),
        ("(x[:, 0], x[:, 1] * float('nan'))", "`z` holds 400 values that are NaN or infinite"),
    ],
)
def test_wrong_outputs_are_named_with_what_was_expected(grade_text, output, said):
    source = HEAD.replace("x[:, 0] * 2 + 1, x[:, 1] * 3 - 1", output) + "def fit(task): return Model()"
    result = grade_text(source)
    assert result.outcome == "invalid"
    assert said in result.messages[-1]


def test_a_run_that_takes_too_long_is_stopped(grade_text):
    result = grade_text("import time\ndef fit(task): time.sleep(600)", sandbox_kind="bubblewrap", wall_time_s=5)
    assert result.outcome == "timeout"
    assert "5 s are allowed" in result.messages[-1]


@pytest.mark.slow
def test_a_run_that_computes_too_long_is_stopped(grade_text):
    result = grade_text("def fit(task):\n    while True: pass", sandbox_kind="bubblewrap", cpu_s=4)
    assert result.outcome == "timeout"
    assert "CPU" in result.messages[-1]


@pytest.mark.slow
def test_a_run_that_takes_too_much_memory_is_stopped(grade_text):
    result = grade_text(
        "import torch, time\ndef fit(task):\n    x = torch.ones(2**30)\n    time.sleep(60)",
        sandbox_kind="bubblewrap",
        memory_mb=1500,
    )
    assert result.outcome == "memory"
    assert "1500 MB are allowed" in result.messages[-1]


def test_a_run_that_prints_too_much_is_stopped_and_head_and_tail_are_kept(grade_text):
    source = "def fit(task):\n    print('first line')\n    while True: print('x' * 1000)"
    result = grade_text(source, sandbox_kind="bubblewrap")
    assert result.outcome == "output"
    assert result.runs[0].log.startswith("first line")
    assert len(result.runs[0].log) < 70_000


def test_what_a_run_prints_is_kept_and_cannot_move_the_cursor(grade_text):
    result = grade_text(HEAD + "def fit(task):\n    print('\\x1b[2Jhello\\x07')\n    return Model()")
    assert result.outcome == "pass"
    assert result.runs[0].log == "hello\n"


def test_sys_exit_is_the_students_not_a_pass(grade_text):
    result = grade_text("import sys\ndef fit(task): sys.exit(0)")
    assert result.outcome == "crash"
    assert "sys.exit(0)" in result.messages[-1]


def test_a_package_that_the_machine_that_grades_may_not_have_is_named(grade_text):
    imports = "import collections\ntry:\n    import sklearn.svm, tqdm\nexcept ImportError:\n    pass\n"
    result = grade_text(imports + HEAD + "def fit(task): return Model()")
    assert result.outcome == "pass"
    assert [one for one in result.messages if one.startswith("Notice")] == [
        "Notice: it imports sklearn, which the machine that grades may not have: `tlcourse exercise show line` lists "
        "the packages that every grading has."
    ]


def test_an_error_in_a_notebook_names_its_cell_and_in_a_file_that_it_wrote_that_file(line, tmp_path, quick_sandbox):
    cells = [
        "import torch",
        "%%writefile utils.py\ndef broken(): return 1 / 0",
        "from utils import broken\n\ndef fit(task): broken()",
    ]
    document = {"nbformat": 4, "cells": [{"cell_type": "code", "source": cell} for cell in cells]}
    (tmp_path / "solution.ipynb").write_text(json.dumps(document))
    result = grade(line, tmp_path / "solution.ipynb", Options(sandbox_kind=quick_sandbox, device="cpu", threads=1))
    assert result.messages == ["cell 2 was written to utils.py.", "ZeroDivisionError in fit: division by zero."]
    assert 'File "solution.ipynb, cell 3", line 3, in fit' in result.problem
    assert 'File "utils.py", line 1, in broken' in result.problem


def test_two_networks_and_one_forged_line_share_nothing(grade_text):
    result = grade_text("""
        import json, os, sys, torch

        class Two(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.one, self.other = torch.nn.Linear(1, 1), torch.nn.Linear(1, 1)

            def forward(self, x):
                line = {"v": 1, "type": "probe", "values": {"parameters": 4.0, "shared_share": 1.0}}
                os.write(self.events, json.dumps(line).encode() + b"\\n")
                return self.one(x[:, :1])[:, 0], self.other(x[:, 1:])[:, 0]

        def fit(task):
            frame = sys._getframe()
            while "channel" not in frame.f_locals:
                frame = frame.f_back
            model = Two()
            model.events = frame.f_locals["channel"]._events_fd
            return model
        """)
    assert result.outcome == "fail"
    assert result.runs[0].probes == {"parameters": 4.0, "trainable": 4.0}


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="only root's runs are another user's")
@pytest.mark.parametrize("kind", ["bubblewrap", "landlock", "fork-server"])
def test_a_umask_that_shuts_others_out_shuts_no_run_out(grade_text, kind):
    """Hardened servers give root 077; a run is another user's, and reaches what was made for it."""
    before = os.umask(0o077)
    try:
        result = grade_text(REFERENCE.read_text(), sandbox_kind=kind)
    finally:
        os.umask(before)
    assert result.outcome == "pass", result.messages
