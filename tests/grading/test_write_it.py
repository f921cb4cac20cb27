"""Write-it exercises: our own methods and the references pass all checks, wrong twins fail the one that is meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from tlcourse.course.loader import load_course
from tlcourse.course.write_it import folder_of
from tlcourse.grading.write_it import check_in, problems_with, reference_and_wrongs
from tlcourse.sandbox.choose import choose

GRADERS = Path(__file__).parents[2] / "graders"
COURSE = load_course()
METHODS = {
    "lora": "from tlcourse.methods.lora import LoRALinear",
    "gradient-reversal": "from tlcourse.methods.gradient_reversal import reverse, strength",
}


@pytest.fixture(scope="module")
def sandbox(quick_sandbox):
    """One fork server for all of them, where one can be built."""
    return choose(quick_sandbox)[0]


def checked(sandbox, tmp_path, name, text, **how):
    """What `text` earns as a solution of the write-it exercise `name`."""
    path = tmp_path / f"{name}.py"
    path.write_text(text, encoding="utf-8")
    one = COURSE.write_its[name]
    return check_in(sandbox, folder_of(COURSE, one), one, path, **how)


def said(result):
    """What each check said."""
    return {check.id: (check.status, check.message) for check in result.checks}


def test_every_one_has_a_reference_two_to_four_wrong_twins_and_a_short_skeleton():
    assert COURSE.write_its.keys() == METHODS.keys()
    for one in COURSE.write_its.values():
        reference, wrongs = reference_and_wrongs(GRADERS, one)
        skeleton = (folder_of(COURSE, one) / "skeleton.py").read_text(encoding="utf-8")
        assert 2 <= len(wrongs) <= 5, one.id
        assert 2 <= len(one.hints) <= 3
        assert "TODO" in skeleton
        assert 5 <= len(skeleton.splitlines()) <= 40
        assert set(one.defines) <= set(reference.replace("(", " ").replace(":", " ").split())


@pytest.mark.parametrize("name", COURSE.write_its)
def test_references_pass_and_each_wrong_twin_fails_the_check_that_is_meant_for_it(sandbox, name):
    one = COURSE.write_its[name]
    assert list(problems_with(sandbox, folder_of(COURSE, one), GRADERS, one)) == []


@pytest.mark.parametrize("name", COURSE.write_its)
def test_our_own_method_passes(sandbox, tmp_path, name):
    result = checked(sandbox, tmp_path, name, METHODS[name])
    assert result.outcome == "pass", said(result)


def test_what_goes_wrong_costs_its_own_check_and_says_where(sandbox, tmp_path):
    reference, _ = reference_and_wrongs(GRADERS, COURSE.write_its["gradient-reversal"])
    changed = {
        "return 2 / (1 + math.exp(-10 * progress)) - 1": "while True: pass",
        "return x.view_as(x)": "return undefined",
    }
    text = reference
    for old, new in changed.items():
        assert old in text
        text = text.replace(old, new)
    result = checked(sandbox, tmp_path, "gradient-reversal", text, seconds=0.5)
    assert result.outcome == "fail"
    found = said(result)
    where = "gradient-reversal.py, line 13, in forward"
    assert found["forwards"] == ("error", f"NameError: name 'undefined' is not defined ({where})")
    assert found["sign"][0] == "error"
    assert found["schedule"][0] == "slow"
    assert found["schedule"][1].startswith("it took more than 0.5 seconds of CPU (gradient-reversal.py, line 27")


def test_a_missing_name_is_said_with_the_one_that_was_meant(sandbox, tmp_path):
    result = checked(sandbox, tmp_path, "lora", "class LoraLinear:\n    pass\n")
    assert result.outcome == "invalid"
    assert result.messages == [
        "lora.py defines no `LoRALinear`. It must define it at the top level, by this name. Did you mean `LoraLinear`?"
    ]
    assert {check.status for check in result.checks} == {"not run"}


def test_a_file_that_ends_its_process_passes_nothing(sandbox, tmp_path):
    result = checked(sandbox, tmp_path, "lora", "import os\nos._exit(0)\nclass LoRALinear: ...")
    assert (result.outcome, result.passed) == ("crash", 0)
