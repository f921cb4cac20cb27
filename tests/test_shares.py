"""What goes to one test process as a whole, and what is begun first."""

from __future__ import annotations

from pathlib import Path

import pytest
from shares import IN_PARTS, LONGEST, rank_of, share_of

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(
    ("test", "share"),
    [
        ("tests/cli/test_grade.py::test_a[x-y]", "tests/cli/test_grade.py"),
        ("tests/attacks/test_attacks.py::test_every[fork-server-root-a]", "tests/attacks/test_attacks.py"),
        (
            "tests/labs/test_labs.py::test_a_seed_trained_anew[coral]",
            "tests/labs/test_labs.py::test_a_seed_trained_anew[coral]",
        ),
        ("tests/labs/test_labs.py::test_events_come", "tests/labs/test_labs.py"),
    ],
)
def test_a_file_is_a_share_but_for_those_that_train_one_thing_after_another(test, share):
    assert share_of(test) == share


def test_the_longest_are_begun_first_in_the_order_of_the_list():
    shares = ["tests/quiz/test_cases.py", "tests/browser/test_serve.py", "tests/attacks/test_attacks.py"]
    assert sorted(shares, key=rank_of) == shares[::-1]
    assert rank_of("tests/cluster/test_faults.py") < rank_of("tests/cluster/test_batch.py")


def test_the_files_that_are_named_are_there():
    for name in (*IN_PARTS, *LONGEST):
        assert (ROOT / name.partition("::")[0]).exists(), name
