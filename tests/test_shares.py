"""What goes to one test process as a whole, and what is begun first."""

from __future__ import annotations

from pathlib import Path

import pytest
from shares import ATTACKS, IN_PARTS, LONGEST, next_share, rank_of, share_of

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(
    ("test", "share"),
    [
        ("tests/cli/test_grade.py::test_a[x-y]", "tests/cli/test_grade.py"),
        (f"{ATTACKS}::test_every[fork-server-root-a-b]", f"{ATTACKS}::fork-server-root"),
        (f"{ATTACKS}::test_every[landlock-ordinary-a-root-b]", f"{ATTACKS}::landlock-ordinary"),
        (f"{ATTACKS}::test_the_table", ATTACKS),
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
    shares = ["tests/quiz/test_cases.py", "tests/browser/test_serve.py", ATTACKS]
    assert sorted(shares, key=rank_of) == shares[::-1]
    assert rank_of("tests/cluster/test_faults.py") < rank_of("tests/cluster/test_batch.py")


def test_nothing_long_waits_behind_something_long():
    left = ["tests/cluster/test_faults.py", "tests/quiz/test_cases.py", "tests/test_text.py"]
    assert next_share(left, [], [ATTACKS]) == "tests/cluster/test_faults.py"
    assert next_share(left, ["tests/test_config.py"], []) == "tests/cluster/test_faults.py"
    assert next_share(left, ["tests/cli/test_class.py"], []) == "tests/test_text.py"
    assert next_share(left[:1], ["tests/cli/test_class.py"], []) == "tests/cluster/test_faults.py"


def test_one_setting_of_the_attacks_is_made_at_a_time():
    left = [f"{ATTACKS}::landlock-root", "tests/cluster/test_faults.py"]
    assert next_share(left, [], []) == f"{ATTACKS}::landlock-root"
    assert next_share(left, [], [f"{ATTACKS}::bubblewrap-root"]) == "tests/cluster/test_faults.py"
    assert next_share(left[:1], [], [f"{ATTACKS}::bubblewrap-root"]) == f"{ATTACKS}::landlock-root"


def test_the_files_that_are_named_are_there():
    for name in (*IN_PARTS, *LONGEST):
        assert (ROOT / name.partition("::")[0]).exists(), name
