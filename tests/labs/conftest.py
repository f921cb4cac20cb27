"""Labs of the bundled course, and whether what they need is installed."""

from __future__ import annotations

import importlib.util

import pytest

from tlcourse.course.lab import Lab, load_labs
from tlcourse.course.loader import load_course

COURSE = load_course()
LABS = load_labs(COURSE.folder, [unit.id for unit in COURSE.about.units])


@pytest.fixture(params=LABS.values(), ids=LABS.keys())
def lab(request: pytest.FixtureRequest) -> Lab:
    """Each lab of the course."""
    one: Lab = request.param
    if "sklearn" in one.needs and importlib.util.find_spec("sklearn") is None:
        pytest.skip("scikit-learn is not installed: python -m pip install 'tlcourse[lab]'")
    return one
