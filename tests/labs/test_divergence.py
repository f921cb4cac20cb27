"""A learning rate that is far too large, and numbers that are none: the run ends in advice, never in a traceback."""

from __future__ import annotations

import io
import json
import math

import pytest

from tlcourse.labs.runner import LabError, run_lab, settings_of
from tlcourse.labs.training import DivergedError, Log


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_metric_that_is_no_number_is_told_and_ends_the_run(value):
    stream = io.BytesIO()
    with pytest.raises(DivergedError, match="`arm` became NaN or infinite at step 37"):
        Log(stream).metric("arm", 37, accuracy=0.5, loss=value)
    event = json.loads(stream.getvalue())
    assert event["values"]["arm accuracy"] == 0.5
    assert not math.isfinite(float(event["values"]["arm loss"]))


@pytest.mark.slow
def test_a_coral_weight_that_blows_up_ends_in_advice_and_keeps_the_curve():
    from tests.labs.conftest import LABS

    lab, events = LABS["deep-coral"], []
    settings = {**settings_of(lab, {"steps": "40"}), "weight": 1e300}
    with pytest.raises(LabError) as caught:
        run_lab(lab, settings, [1], events.append)
    said = str(caught.value)
    assert "became NaN or infinite" in said
    assert "nearer to their defaults" in said
    assert "lab show deep-coral" in said
    assert any(event["type"] == "metric" for event in events)


@pytest.mark.slow
def test_a_rate_that_is_far_too_large_is_answered_by_a_smaller_one():
    from tests.labs.conftest import LABS

    lab = LABS["fine-tuning"]
    settings = {**settings_of(lab, {"steps": "20", "pictures": "16"}), "learning_rate": 1e30}
    with pytest.raises(LabError, match="learning_rate=1e\\+29"):
        run_lab(lab, settings, [1], lambda _: None)
