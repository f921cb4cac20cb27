"""The class of tests.fixtures, made once for all tests here; they only read it."""

from __future__ import annotations

import pytest

from tests.fixtures.a_class import AClass, build
from tlcourse.grading.lms.groups import Groups, read_groups
from tlcourse.grading.lms.roster import Roster, read_roster


@pytest.fixture(scope="session")
def a_class(tmp_path_factory: pytest.TempPathFactory) -> AClass:
    """40 groups, 110 students, on disk."""
    return build(tmp_path_factory.mktemp("class") / "made")


@pytest.fixture(scope="session")
def roster(a_class: AClass) -> Roster:
    """The class list, read."""
    return read_roster(a_class.classlist)


@pytest.fixture(scope="session")
def groups(a_class: AClass, roster: Roster) -> Groups:
    """The groups, read."""
    return read_groups(a_class.groups_file, roster)
