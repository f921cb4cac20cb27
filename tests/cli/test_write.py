"""`tlcourse write`: list, show, init, hint, check – one walk as a student takes it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

GRADERS = Path(__file__).parents[2] / "graders" / "write"


@pytest.mark.slow
def test_a_method_is_begun_checked_and_counted_in_progress(tl, tmp_path):
    listed = json.loads(tl("write", "list", "--json", course=None).stdout)["write"]
    assert [one["state"]["outcome"] for one in listed] == [""] * len(listed)
    (lora,) = (one for one in listed if one["id"] == "lora")
    assert (lora["defines"], lora["unit"], lora["hints"]) == (["LoRALinear"], "lora", 3)
    made = tl("write", "init", "lora", course=None)
    assert made.stdout.startswith("Made write/lora.py.\n")
    again = tl("write", "init", "lora", course=None)
    assert (again.returncode, (tmp_path / "write" / "lora.py").is_file()) == (2, True)
    assert "--force" in again.stderr
    begun = tl("write", "check", "lora", "--plain", course=None)
    assert begun.returncode == 1
    assert "outcome: FAIL\npassed: 0 of 4\n" in begun.stdout
    (tmp_path / "lora.py").write_text((GRADERS / "lora" / "reference.py").read_text(encoding="utf-8"), encoding="utf-8")
    done = tl("write", "check", "lora", "--json", course=None)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert (document["outcome"], document["passed"], document["path"]) == ("pass", 4, "lora.py")
    assert {check["status"] for check in document["checks"]} == {"pass"}
    progress = tl("progress", "--plain", course=None).stdout
    assert f"0 of 3 exercises passed, 1 of {len(listed)} methods written" in progress
    assert "write lora: written" in progress


def test_wrong_words_are_answered_with_the_right_ones(tl):
    near = tl("write", "show", "gradient-reverse", course=None)
    assert near.returncode == 2
    assert "There is no write-it exercise 'gradient-reverse'." in near.stderr
    assert "did you mean gradient-reversal" in near.stderr
    assert tl("write", "hint", "lora", "9", course=None).stderr.startswith("tlcourse: lora has 3 hints.")
    missing = tl("write", "check", "lora", course=None)
    assert (missing.returncode, missing.stdout) == (2, "")
    assert "tlcourse write init lora" in missing.stderr
    assert tl("write", "list").stdout == "This course has none.\n"
