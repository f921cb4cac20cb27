"""Labs of the bundled course."""

from __future__ import annotations

import pytest

from tlcourse.course.lab import Lab, load_labs
from tlcourse.course.loader import load_course

COURSE = load_course()
LABS = load_labs(COURSE.folder, [unit.id for unit in COURSE.about.units])


TRAINS = "test_garbage_target_labels_give_identical_outputs"
ANEW = "test_a_seed_trained_anew_gives_the_numbers_of_its_record"
LONG = ("dann", "deep-coral", "deliberated-bridging", "fine-tuning", "in-context", "multi-task", "pathnet")
"""Labs of which a seed trains for longest. Their settings and code are compared with their record's every time."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What trains networks of real size in the tests' own process is slow; the longest labs are trained nightly."""
    for item in items:
        name = getattr(item, "originalname", "")
        if name == TRAINS:
            item.add_marker(pytest.mark.slow)
        if name == ANEW and item.callspec.params["lab"].id in LONG:
            item.add_marker(pytest.mark.nightly)


@pytest.fixture(params=LABS.values(), ids=LABS.keys())
def lab(request: pytest.FixtureRequest) -> Lab:
    """Each lab of the course."""
    one: Lab = request.param
    return one
