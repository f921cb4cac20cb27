"""One verdict of each outcome, as commands, app and feedback show it: the same facts stand in all of them."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from rich.table import Table
from rich.text import Text

from tlcourse.cli.verdict import lines
from tlcourse.course.check_rule import CheckRule
from tlcourse.grading.gradebook.records import GradeStatus, HandInRecord, Verdict
from tlcourse.grading.result import CheckResult, Provenance, Result, RunRecord, SubmissionRecord
from tlcourse.grading.scoring.decide import decide
from tlcourse.grading.scoring.measurement import proportion
from tlcourse.presenting.report.as_html import feedback_page
from tlcourse.presenting.report.as_text import feedback_markdown
from tlcourse.presenting.report.feedback_content import feedback_of
from tlcourse.presenting.verdict import check, run
from tlcourse.tui.widgets.verdict_view import verdict

RUN = RunRecord(7, "local", "fork-server", "cpu", 2, 33.25, 60.0, 812.4, 31.25, log="loss 0.1\n")
MET = CheckResult("y", "Error of y", True, 0.25, (0.2, 0.3), 0.5, 0.5, 400, 2.0, 2.0, "at_most", "px")
DOUBT = replace(
    MET, id="z", title="Accuracy of z", value=0.93, interval=(0.9, 0.96), threshold=0.94, accepted=0.9161, n=153,
    direction="at_least", unit="", status="in doubt",
)  # fmt: skip
MISSED = replace(DOUBT, passed=False, value=0.5, interval=(0.46, 0.54), points=0.0, status="missed", message="Look.")

OUTCOMES = {
    "pass": ("PASS", [MET, DOUBT], [RUN]),
    "fail": ("FAIL", [MET, MISSED], [RUN]),
    "crash": ("CRASH (your code raised an error or ended its process)", [], [replace(RUN, fit_s=0.0)]),
    "timeout": ("TIMEOUT (it took longer than allowed)", [], [replace(RUN, fit_s=0.0, threads=1)]),
    "memory": ("MEMORY (it used more memory than allowed)", [], [replace(RUN, fit_s=0.0, sandbox="landlock")]),
    "output": ("OUTPUT (it printed more than allowed)", [], [replace(RUN, fit_s=0.0, sandbox="none")]),
    "invalid": ("INVALID (it does not return what the handout asks for)", [], [replace(RUN, fit_s=0.0)]),
    "infra": ("GRADER FAULT (not your mistake; not counted)", [], [replace(RUN, fit_s=0.0, device="")]),
}


def result(outcome, checks, runs, **more):
    return Result(
        **{
            "exercise": "line",
            "variant": "mini",
            "submission": SubmissionRecord("/x", "00"),
            "outcome": outcome,
            "points": sum(check.points for check in checks),
            "max_points": 2.0,
            "checks": checks,
            "runs": runs,
            "messages": ["a message"],
            "provenance": Provenance("0", "0", "g", "d"),
            "started_at": "",
            "finished_at": "",
            **more,
        }
    )


def app_text(shown) -> str:
    """What stands in the parts of a verdict, row by row, whatever the theme and the width."""
    if isinstance(shown, Text):
        return shown.plain
    if isinstance(shown, Table):
        rows = zip(*(column.cells for column in shown.columns), strict=True)
        return "\n".join(" ".join(map(app_text, row)) for row in rows)
    return "\n".join(map(app_text, shown.renderables))


def every_form(line, found):
    """The verdict as the commands (for people and plain), the app and the feedback show it, each as one line."""
    status = GradeStatus(
        HandInRecord(1, 1, "k", "anna", "person", [], "f", "/x", ""),
        Verdict(1, 1, 0, found.outcome, found.points, found.max_points, "", "00", 1, 1, ""),
    )
    feedback = feedback_of(line, status, found)
    page = feedback_page(feedback).replace("</span>", "").replace("</td>", " ")
    forms = {
        "for people": "\n".join(lines(line, found, plain=False, scored=True)),
        "plain": "\n".join(lines(line, found, plain=True, scored=True)),
        "app": app_text(verdict(found, scored=True, details=True)),
        "Markdown": feedback_markdown(feedback).replace("\\", ""),
        "page": page,
    }
    return {name: " ".join(text.split()) for name, text in forms.items()}


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_every_outcome_is_said_in_the_same_words_with_threads_and_sandbox(line, outcome):
    words, checks, runs = OUTCOMES[outcome]
    record = runs[0]
    sandbox = "without a sandbox" if record.sandbox == "none" else f"in a {record.sandbox} sandbox"
    threads = "1 thread" if record.threads == 1 else f"{record.threads} threads"
    for form, text in every_form(line, result(outcome, checks, runs)).items():
        took, used = f"fit took {record.fit_s:.1f} s, the run 33.2 s", "812 MB"
        if record.fit_s and form in ("Markdown", "page"):  # feedback: test inputs were in
            took, used = f"fit took {record.fit_s:.1f} s", "less than 1 GB"
            assert "33.2" not in text
        ran = f"{took} on {record.device or 'no device'} with {threads}, {used}, {sandbox}"
        for fact in (words, ran, "a message"):
            assert fact in text, (form, fact, text)


def test_every_check_has_value_interval_bar_distance_and_points_in_every_form(line):
    for form, text in every_form(line, result("fail", [MET, DOUBT, MISSED], [RUN])).items():
        for fact in (
            "0.25 px (95 %: 0.2 to 0.3, n = 400), required ≤ 0.5 px: 0.25 px better",
            "2 of 2 points",
            "passed, in doubt",
            "0.93 (95 %: 0.9 to 0.96, n = 153), required ≥ 0.94: 0.01 short (0.9161 is enough: ",
            "failed",
            "0.5 (95 %: 0.46 to 0.54, n = 153), required ≥ 0.94: 0.44 short (0.9161 is enough: ",
            "0 of 2 points",
        ):
            assert fact in text, (form, fact, text)


def test_of_several_runs_each_is_said_in_every_form(line):
    found = result("pass", [MET], [RUN, replace(RUN, seed=8, fit_s=29.75, peak_rss_mb=900.0)])
    for form, text in every_form(line, found).items():
        told = form in ("Markdown", "page")  # to the student, whose code had seen the test inputs
        for fit, used in (("31.2", "812 MB"), ("29.8", "900 MB")):
            took, memory = (fit, "less than 1 GB") if told else (f"{fit} s, the run 33.2", used)
            assert f"fit took {took} s on cpu with 2 threads, {memory}, in a fork-server sandbox" in text, form


def test_an_exact_measurement_has_no_interval(line):
    exact = replace(MET, value=1.0, interval=(1.0, 1.0), threshold=1.0, accepted=1.0, unit="", n=1)
    for form, text in every_form(line, result("pass", [exact], [RUN])).items():
        assert "1 (n = 1), required ≤ 1: 0 better" in text, form


def test_a_check_that_student_code_could_forge_says_so_in_every_form(line):
    probe = replace(MET, value=0.9, interval=(0.9, 0.9), threshold=0.5, accepted=0.5, self_reported=True)
    for form, text in every_form(line, result("pass", [MET, probe], [RUN])).items():
        assert text.count("; self-reported") == 1, form


def test_a_trial_run_passes_nothing(line):
    found = result("pass", [], [RUN])
    said = "\n".join(lines(line, found, plain=True, scored=False))
    assert "outcome: RUNS (trained and tried, not scored)" in said
    assert "points" not in said


RULE = CheckRule(id="accuracy", title="Accuracy", threshold=0.94, points=5)


@pytest.mark.parametrize(("right", "word"), [(147, "passed"), (141, "passed, in doubt"), (120, "failed")])
def test_what_became_of_a_check_is_said_in_words(line, right, word):
    checks = decide([RULE], [{"accuracy": proportion(right, 153, fresh=False)}])
    forms = every_form(line, result("pass" if checks[0].passed else "fail", checks, [RUN]))
    assert f"check: accuracy: {word}: {right / 153:.4g} (" in forms["plain"]
    mark = "✓" if word.startswith("passed") else "✗"
    assert all(f"{mark} {word} " in text for form, text in forms.items() if form != "plain")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"speed": 0.8, "fit_reference_s": 46.04, "reference_s": 48.0},
            "fit used 46.0 of 60 reference seconds (the machine runs at 0.8 × the reference; 33.2 s by the clock) "
            "on cpu with 2 threads",
        ),
        (
            {"speed": 0.55, "fit_s": 0.0, "reference_s": 181.2, "threads": 1},
            "the run used 181.2 of 180 reference seconds (the machine runs at 0.55 × the reference; 33.2 s by the "
            "clock) on cpu with 1 thread",
        ),
        (
            {"device": "cuda:0"},
            "fit took 31.2 s, the run 33.2 s, by the clock as it ran on a GPU: 60 s asked for; stopped at 180 s "
            "on cuda:0",
        ),
    ],
    ids=["CPU", "no end", "GPU"],
)
def test_a_run_says_how_much_it_used_of_what_and_how_fast_the_machine_was(change, said):
    record = replace(RUN, **{"seconds": 60.0, "limit_s": 180.0, **change})
    assert run(record).startswith(said)


def test_a_share_and_steps_say_what_they_gave():
    share = check(replace(MET, credit="share", value=0.75, interval=(0.75, 0.75), n=8, points=1.5, passed=False))
    assert (share.word, share.points) == ("in part", "1.5 of 2 points")
    assert share.measured == "0.75 px (n = 8), that share of the points"
    steps = check(replace(MET, credit="steps", steps=[(1.0, 1.0), (0.2, 2.0)], points=1.0, passed=False, bonus=True))
    assert steps.measured == ("0.25 px (95 %: 0.2 to 0.3, n = 400), ≤ 1 px: 1, ≤ 0.2 px: 2, on top of the maximum")
    assert check(replace(MET, bonus=True)).measured.endswith("0.25 px better; on top of the maximum")


def test_a_run_of_calls_says_how_many():
    called = replace(RUN, calls=49, reference_s=0.25, limit_s=15.0)
    assert run(called).startswith("49 cases called in 0.2 of 15 reference seconds on cpu with 2 threads, 812 MB")
    assert run(called, in_full=False).startswith("49 cases called on cpu")
