"""`tlcourse exercise samples`: pictures for people, sentences with --plain, labels with --json."""

from __future__ import annotations

import json


def test_plain_is_a_sentence_a_sample(tl):
    ended = tl("exercise", "samples", "ex2", "--count", "2", "--plain", course=None)
    first, second = ended.stdout.splitlines()
    assert first.startswith("1: a light star of 3 points")
    assert second.startswith("2: a dark star of 7 points")


def test_json_has_the_labels_and_of_quantiles_the_inputs_too(tl):
    stars = json.loads(tl("exercise", "samples", "ex2", "--first", "2", "--count", "1", "--json", course=None).stdout)
    assert stars["samples"][0]["number"] == 2
    assert stars["samples"][0]["label"] == {"count": 7, "radius": 23.88}
    assert stars["samples"][0]["shape"] == [64, 64, 1]
    document = json.loads(tl("exercise", "samples", "ex3", "--count", "1", "--json", course=None).stdout)
    (one,) = document["samples"]
    assert len(one["inputs"]) == 8
    assert [len(part["quantiles"]) for part in one["distributions"]] == [7] * 4


def test_what_is_piped_has_no_colours_and_its_lines_fit(tl):
    ended = tl("exercise", "samples", "ex1", "--count", "2", course=None)
    assert "\x1b" not in ended.stdout
    assert max(map(len, ended.stdout.splitlines()[:20])) <= 80
    assert "1: an ant (label 0)" in ended.stdout
    assert "--first 3" in ended.stderr


def test_an_exercise_without_a_generator_is_wrong_usage(tl):
    ended = tl("exercise", "samples", "line", "--json")
    assert ended.returncode == 2
    assert "names no `generator`" in json.loads(ended.stdout)["error"]["cause"]
