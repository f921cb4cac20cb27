"""A check in words: met, passed in doubt, or failed; in the app as on the command line."""

from __future__ import annotations

import msgspec
import pytest

from tlcourse.cli.verdict import _check
from tlcourse.course.model import CheckRule
from tlcourse.grading.scoring.decide import decide
from tlcourse.grading.scoring.measurement import proportion
from tlcourse.tui.widgets.verdict import _check as in_the_app

RULE = CheckRule(id="accuracy", title="Accuracy", threshold=0.94, points=5)


@pytest.mark.parametrize(("right", "word"), [(147, "passed"), (141, "passed, in doubt"), (120, "failed")])
def test_what_became_of_a_check_is_said_in_words(right, word):
    (check,) = decide([RULE], [{"accuracy": proportion(right, 153, fresh=False)}])
    (line, *_) = _check(check, plain=True)
    assert line.startswith(f"check: accuracy: {word}: {right / 153:.4g}")
    symbol, _ = in_the_app(msgspec.to_builtins(check), full=False)
    assert symbol.plain.split(" ", 1)[1] == word
