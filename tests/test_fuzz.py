"""Every parser of what others wrote ends in success or in an error in words.

`benchmarks/fuzz.py` feeds a hundred thousand inputs. What once crashed is kept, and fed first.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from fuzz import TARGETS, Crash, fuzzed, tried

pytestmark = pytest.mark.slow  # together ten seconds of a core

KEPT = [json.loads(one) for one in (Path(__file__).parent / "fixtures/fuzz_corpus.jsonl").read_text().splitlines()]
INPUTS = 150


def test_what_once_crashed_is_taken_or_refused_in_words(tmp_path):
    assert 5 < len(KEPT) <= 50
    for number, one in enumerate(KEPT):
        folder = tmp_path / str(number)
        folder.mkdir()
        tried(one["target"], base64.b64decode(one["input"]), folder)


@pytest.mark.parametrize("target", TARGETS)
def test_whatever_is_fed_is_taken_or_refused_in_words(target, tmp_path):
    taken, refused = fuzzed(target, INPUTS, tmp_path)
    assert taken + refused >= INPUTS
    assert taken > 5


def test_a_crash_is_told_with_its_input(tmp_path, monkeypatch):
    def crashing(data, folder):
        raise KeyError("a")

    monkeypatch.setitem(TARGETS, "names", (crashing, TARGETS["names"][1]))
    with pytest.raises(Crash, match="names: KeyError: 'a': b'"):
        fuzzed("names", 5, tmp_path)
