"""Labs of the bundled course."""

from __future__ import annotations

import pytest

from tlcourse.course.lab import Lab, load_labs
from tlcourse.course.loader import load_course

COURSE = load_course()
LABS = load_labs(COURSE.folder, [unit.id for unit in COURSE.about.units])


TRAINS = ("test_garbage_target_labels_give_identical_outputs",)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What trains networks of real size in the tests' own process is slow."""
    for item in items:
        if getattr(item, "originalname", "") in TRAINS:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(params=LABS.values(), ids=LABS.keys())
def lab(request: pytest.FixtureRequest) -> Lab:
    """Each lab of the course."""
    one: Lab = request.param
    return one
