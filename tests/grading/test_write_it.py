"""Write-it exercises: our own methods and the references pass all checks, wrong twins fail the one that is meant."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tlcourse.course.loader import load_course
from tlcourse.course.write_it import folder_of, load_write_its
from tlcourse.errors import ContentError
from tlcourse.grading.write_it import check_in, problems_with, reference_and_wrongs
from tlcourse.sandbox.choose import choose

GRADERS = Path(__file__).parents[2] / "graders"
COURSE = load_course()
METHODS = {
    "lora": "from tlcourse.methods.lora import LoRALinear",
    "gradient-reversal": "from tlcourse.methods.gradient_reversal import reverse, strength",
    "anchoring": "from tlcourse.methods.fine_tuning import anchored_loss",
    "fish-mask": "from tlcourse.methods.parameter_efficient import fisher_diagonal as fisher, top_k_mask as top_k",
    "feature-augmentation": "from tlcourse.methods.feature_alignment import augment, weights_by_domain",
    "adapters": "from tlcourse.methods.parameter_efficient import SerialAdapter",
    "prototypes": "from tlcourse.methods.domain_mixing import prototypes\n"
    "from tlcourse.methods.in_context import classify_by_prototypes as classify",
    "coral": "from tlcourse.methods.feature_alignment import align_covariances as align",
    "subspace-alignment": "from tlcourse.methods.feature_alignment import align_subspaces as align",
    "patch-mix": "from tlcourse.methods.domain_mixing import mix, mixed_loss, patch_mask",
    "cross-stitch": "from tlcourse.methods.sharing import CrossStitch",
    "pinball": "from tlcourse.methods.losses import pinball_loss",
    "split-loss": "from tlcourse.methods.losses import SplitLoss",
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
        assert 5 <= len(skeleton.splitlines()) <= 30
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


def test_an_author_is_told_what_the_staffs_solutions_show(sandbox, tmp_path):
    one, folder = COURSE.write_its["pinball"], tmp_path / "write" / "pinball"
    shutil.copytree(GRADERS / "write" / "pinball", folder)
    (folder / "reference.py").write_text("def pinball_loss(*given): ...\n", encoding="utf-8")
    (folder / "wrong.yaml").write_text(
        "wrong:\n  - {fails: sides, what: no twin, replace: [absent, x]}\n"
        "  - {fails: other, what: no check, replace: [def, x]}\n",
        encoding="utf-8",
    )
    found = list(problems_with(sandbox, folder_of(COURSE, one), tmp_path, one))
    assert [problem.partition(".py:1: ")[2].partition("expected")[0] for problem in found[1:]] == [
        "the reference does not hold 'absent' once, ",
        "`other` of wrong.yaml is no check, ",
    ]
    assert "the reference ends as `fail` (sides fail: a tensor with one number, shape (), was expected" in found[0]


def test_files_that_do_not_fit_together_are_named_when_the_course_is_read(tmp_path):
    folder = tmp_path / "write" / "pinball"
    shutil.copytree(folder_of(COURSE, COURSE.write_its["pinball"]), folder)
    (folder / "statement.md").unlink()
    (folder / "skeleton.py").write_text("def pinball(): ...\n", encoding="utf-8")
    about = (folder / "write.yaml").read_text(encoding="utf-8")
    (folder / "write.yaml").write_text(about.replace("  size:", "  other:"), encoding="utf-8")
    with pytest.raises(ContentError) as raised:
        load_write_its(tmp_path, ["lora"])
    assert [problem.removeprefix(f"{folder}/") for problem in raised.value.problems] == [
        "write.yaml:3: unit `multi-task-learning` is not known, expected one of course.yaml",
        "statement.md:1: no such file, expected one in every write-it exercise",
        "skeleton.py:1: no `pinball_loss` at the top level, expected one as write.yaml says that it is written",
        "checks.py:1: no `check_other` at the top level, expected one as write.yaml names it",
        "checks.py:28: `check_size` is no check of write.yaml, expected its name there",
    ]
