"""Feedback says what passed, by how much, and what to do next; it never says what may not be known."""

from __future__ import annotations

import re

import numpy as np
import pytest
from msgspec.structs import replace

from tlcourse.grading.gradebook.records import GradeStatus, HandInRecord, Override, Verdict
from tlcourse.grading.result import CheckResult, PartResult, Provenance, Result, RunRecord, SubmissionRecord, stored
from tlcourse.grading.scoring.error_analysis import Calibration, ConfusionMatrix, ErrorAnalysis, WorstItem, png
from tlcourse.presenting.report.as_html import feedback_page
from tlcourse.presenting.report.as_text import feedback_markdown
from tlcourse.presenting.report.feedback_content import feedback_of
from tlcourse.text import harmless, markdown, without_paths

RUN = RunRecord(123456789, "local", "fork-server", "cpu", 1, 2.0, 2.0, 300.0, 1.5, log="a secret word of the log")


def check(name="y_error", passed=True, value=0.05, message=""):
    return CheckResult(
        *(name, f"Error of {name}", passed, value, (value - 0.01, value + 0.01), 0.1, 0.1, 400),
        points=1.0 if passed else 0.0,
        max_points=1.0,
        direction="at_most",
        message=message,
    )


def result(outcome="pass", checks=(), **fields):
    return Result(
        **{
            "exercise": "line",
            "variant": "mini",
            "submission": SubmissionRecord("/home/staff/downloads/x", "00"),
            "outcome": outcome,
            "points": sum(c.points for c in checks),
            "max_points": 2.0,
            "checks": list(checks),
            "runs": [RUN],
            "messages": [],
            "provenance": Provenance("0", "0", "g", "d"),
            "started_at": "",
            "finished_at": "",
            **fields,
        }
    )


def status(outcome="pass", points=2.0, owner="Group 1", override=None):
    handin = HandInRecord(1, 1, "k", owner, "group", ["p1"], "f", "/home/staff/x", "")
    return GradeStatus(handin, Verdict(1, 1, 0, outcome, points, 2.0, "", "00", 1, 1, ""), override)


@pytest.fixture
def said(line):
    """`said(result, …)`: the feedback of a result as Markdown and HTML together."""

    def make(found, forms=(feedback_markdown, feedback_page), **how):
        feedback = feedback_of(line, status(found.outcome, found.points, **how), found)
        return "".join(form(feedback) for form in forms)

    return make


def test_what_passed_by_how_much_and_the_one_thing_to_do_next(said):
    found = result("fail", [check(), check("z_error", False, 2.5, "z is off by 2.50 on average.")])
    text = said(found)
    assert "FAIL" in text
    assert "1 of 2 points" in text
    assert "0.05 better" in text
    assert "2.4 short" in text
    assert "Do this next:</strong> Error of z_error: z is off by 2.50 on average." in text


def test_the_training_curve_is_drawn_and_told(said):
    metrics = [{"step": i, "values": {"loss": 1 / (i + 1), "accuracy": i / 10}} for i in range(10)]
    metrics.append({"step": 10, "values": {"loss": "nan"}})
    text = said(result("pass", [check()], metrics=metrics))
    assert text.count("<polyline") == 2
    assert "loss fell from 1 to 0.1 from step 0 to 9. 1 value was not finite." in text


def test_neither_seed_nor_hash_nor_log_nor_path_of_the_machine_is_in_it(said):
    found = result(
        "crash",
        messages=["KeyError in fit: /opt/venv/lib/python3.11/site-packages/torch/nn/linear.py"],
        problem='File "/opt/venv/lib/python3.11/site-packages/torch/nn/linear.py", line 3\nKeyError: 1',
        runs=[replace(RUN, fit_s=0.0)],
    )
    text = said(found)
    assert "linear.py" in text
    for hidden in ("123456789", "secret word", "/opt", "/home", "site-packages"):
        assert hidden not in text, hidden


def test_what_an_exception_says_after_fit_is_kept_from_those_who_could_read_hidden_inputs_in_it(said):
    leak = "ValueError while the returned module was called: 0.1257302 -0.1321049"
    text = said(result("crash", messages=[leak], problem=f"Traceback …\n{leak}"))
    assert "0.1257302" not in text
    assert "ValueError was raised while the returned module was called" in text
    named = "X0_1257302 while the returned module was called: no"
    assert "X0_1257302" not in said(result("crash", messages=[named], problem=named))
    told = (
        "the module returned a d0_1257302, expected a tensor"  # a contract error has no traceback, a forged one neither
    )
    assert "0_1257302" not in said(result("invalid", messages=[told]))
    assert "0.1257302" not in said(result("crash", messages=["0.1257302"]))
    arrays = "the predictions hold ['0.1257302'], expected exactly ['y']"
    assert "finite numbers only" in said(result("invalid", messages=[arrays]))
    assert "0.1257302" not in said(result("invalid", messages=[arrays]))
    further = "A further run ended as crash: 0.1257302"
    assert "0.1257302" not in said(result("pass", [check()], messages=["two runs", further]))


@pytest.mark.parametrize("outcome", ["pass", "timeout", "memory", "output"])
def test_time_and_memory_that_a_run_chose_with_the_test_inputs_in_hand_carry_none_of_them_out(said, outcome):
    used = replace(RUN, wall_time_s=53.6, peak_rss_mb=1038.4, cpu_s=51.2, fit_s=1.5)
    ended = {"checks": [check()]} if outcome == "pass" else {"messages": ["used 1038 MB in 53.6 s"]}
    text = said(result(outcome, **ended, runs=[used]))
    for chosen in ("53.6", "1038", "51.2"):
        assert chosen not in text
    assert "fit took 1.5 s on cpu with 1 thread, less than 2 GB" in text
    if outcome != "pass":
        assert "After fit had returned, the returned module" in text
    before = said(result("timeout", runs=[replace(used, fit_s=0.0)], messages=["53.6 s of 30 s"]))
    assert "53.6 s of 30 s" in before


def test_of_each_part_that_ended_what_it_said_is_kept_back_and_a_file_is_quoted(said):
    """It is said part by part: that of the first is not the last message."""
    parts = [
        PartResult("text", "functions", 0.0, 2.0, outcome="crash", message="f([0.1257302]) was hidden"),
        PartResult("network", "model", 0.0, 2.0, outcome="timeout", message="used 0.1257302 s"),
        PartResult("table", "predictions", 0.0, 2.0, outcome="invalid", message="p.csv: line 3 has 1 fields"),
    ]
    notices = ["helper.py was taken along", "network: A further run ended as crash: 0.1257302"]
    messages = notices + [f"{one.id}: {one.message}" for one in parts]
    text = said(replace(result("crash", messages=messages), parts=parts))
    assert "0.1257302" not in text
    assert "text: While its functions were called, the solution ended, or gave what cannot be read." in text
    assert "network: After fit had returned, the returned module took longer than is allowed." in text
    assert "table: p.csv: line 3 has 1 fields" in text
    assert "helper.py was taken along" in text
    early = [replace(RUN, fit_s=0.0, part="network"), replace(RUN, fit_s=1.0, part="text")]
    in_fit = PartResult("network", "model", 0.0, 2.0, outcome="crash", message="KeyError in fit: 'loss'")
    own = replace(result("crash", messages=["network: KeyError in fit: 'loss'"], runs=early), parts=[in_fit])
    assert "KeyError in fit" in said(own)
    alone = replace(result("crash", messages=[parts[0].message]), parts=parts[:1])
    assert "0.1257302" not in said(alone)


def test_an_exception_in_fit_is_shown_in_full(said):
    early = result(
        "crash", messages=["KeyError in fit: 'loss'"], problem="KeyError: 'loss'", runs=[replace(RUN, fit_s=0.0)]
    )
    assert "KeyError: &#39;loss&#39;" in said(early)


def test_hostile_names_and_messages_are_text_and_nothing_else(said):
    bad = '<script>alert(1)</script> [click](javascript:x) \x1b[2J | "onload=x `'
    metrics = [{"step": 1, "values": {bad[:39]: 1.0}}, {"step": 2, "values": {bad[:39]: 2.0}}]
    checks = [check("y", False, 1.0, bad)]
    found = result("fail", checks, messages=[bad], metrics=metrics, problem=f"```\n{bad}", runs=[replace(RUN, fit_s=0)])
    page, text = (said(found, [form], owner=bad) for form in (feedback_page, feedback_markdown))
    for shown in (page, text):
        assert "\x1b" not in shown
    assert "<script" not in page
    assert '"onload' not in page
    prose = "\n".join(line for line in text.splitlines() if not line.startswith("    "))  # indented lines are code
    assert "<script" not in prose
    assert "[click](" not in prose
    assert "\n```" not in text


def test_a_fault_of_ours_asks_nothing_of_the_student(said):
    text = said(result("infra", messages=["the worker did not start"]))
    assert "GRADER FAULT (not your mistake; not counted)" in text
    assert "GRADER FAULT</span> (not your mistake; not counted)" in text
    assert "you will hear from us" in text


def test_points_that_were_set_by_hand_are_shown_without_who_and_why(line):
    override = Override(1, "line", "k", 1.5, "knows the dean", "sofie", "")
    feedback = feedback_of(line, status("fail", 0.0, override=override), result("fail", [check(passed=False)]))
    text = feedback_markdown(feedback) + feedback_page(feedback)
    assert "1.5 of 2 points" in text
    assert "set by the course's staff" in text
    assert "dean" not in text
    assert "sofie" not in text


@pytest.mark.slow
@pytest.mark.parametrize("how", ["raises", "logs and prints"])
def test_a_submission_that_lets_hidden_inputs_out_finds_none_in_its_feedback(grade_text, line, how):
    tell = (
        "raise ValueError(str(x[:40].tolist()))"
        if how == "raises"
        else "[TASK.log(i, a=float(v)) for i, v in enumerate(x[:200, 0])]; print('INPUT', x[:9].tolist())"
    )
    found = grade_text(
        f"""
        import torch
        TASK = None
        class Model(torch.nn.Module):
            def forward(self, x):
                if len(x) != 64 or TASK.done:
                    {tell}
                TASK.done = True
                return 2 * x[:, 0] + 1, 3 * x[:, 1] - 1
        def fit(task):
            global TASK
            TASK = task
            TASK.done = False
            task.log(1, loss=0.25)
            return Model()
        """
    )
    log = found.runs[0].log
    hidden = re.findall(r"-?\d\.\d{5,}", found.problem or log)
    assert len(hidden) > 10  # it was let out, as far as the staff
    feedback = feedback_of(line, status(found.outcome, found.points), stored(found, secret=True))
    text = feedback_markdown(feedback) + feedback_page(feedback)
    assert not [number for number in hidden if number[:7] in text]
    assert "loss is 0.25 at step 1." in text
    assert str(found.runs[0].seed) not in text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("see /usr/lib/python3/x.py now", "see …/x.py now"),
        ("a/b and 1/2 stay", "a/b and 1/2 stay"),
        ('File "/tmp/a b/c.py"', 'File "…/a b/c.py"'),
        ("https://example.org/a/b", "https://example.org/a/b"),
    ],
)
def test_paths_become_their_last_part(text, shown):
    assert without_paths(text) == shown


def test_markdown_leaves_plain_words_as_they_are():
    words = "Ærø – 3 of 4 (95 %: 0.1 to 0.2), required ≥ 0.95"
    assert markdown(words) == words
    assert harmless(words) == words


def test_what_went_most_wrong_is_shown_with_words_for_those_who_do_not_see_it(said):
    picture = png(np.zeros((1, 2, 2), np.float32))
    found = ErrorAnalysis(
        1000,
        [WorstItem(16, "<b>5</b> points", "6 points", picture)],
        ConfusionMatrix("Points", ["5", "6"], [[9, 1], [0, 10]]),
        [Calibration("skewed", [0.5], [0.625])],
    )
    text = said(result("fail", [check(passed=False)], error_analysis=found))
    words = "Validation item 17: answered &lt;b&gt;5&lt;/b&gt; points; true: 6 points."
    assert f'<img src="data:image/png;base64,{picture}" alt="{words}">' in text
    assert "- Points, most often confused: 5 taken for 6: 1 of 10 (10%)." in text
    assert 'aria-label="skewed, share of targets below each quantile: 0.5: 0.625"' in text
    assert "<b>5" not in text
    assert picture not in said(result("fail", error_analysis=found), forms=[feedback_markdown])
