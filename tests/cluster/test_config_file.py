"""The configuration file changed by commands: the theme, and profiles wherever in the file they stand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tlcourse.cluster.config_text import set_theme, set_values
from tlcourse.cluster.profile import parse_config
from tlcourse.errors import UsageError

PATH = Path("config.yaml")
FULL = "# mine\nprofiles:\n  a:\n    gpus: 1\n\n# the look\ntheme: dark  # for now\nkeys:\n  quit: z\n"


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("", "theme: light\n"),
        ("theme: dark\n", "theme: light\n"),
        ("theme:\n", "theme: light\n"),
        (FULL, FULL.replace("theme: dark", "theme: light")),
        ("keys:\n  quit: z", "keys:\n  quit: z\ntheme: light\n"),
        ("profiles:\n", "profiles:\ntheme: light\n"),
        ("{keys: {quit: z}}", "{theme: light, keys: {quit: z}}"),
    ],
)
def test_a_theme_is_set_and_all_else_stays(text, changed):
    assert set_theme(text, "light", PATH) == changed
    assert parse_config(changed, PATH).theme == "light"


@pytest.mark.parametrize("text", ["theme: purple\n", "profiles: 3\n", "a: [\n", "---\ntheme: dark\n...\n---\n"])
def test_a_file_that_does_not_hold_is_not_written_over(text):
    with pytest.raises(UsageError, match=r"config\.yaml"):
        set_theme(text, "light", PATH)


@pytest.mark.parametrize("text", ["theme: dark\n", "keys:\n  quit: z", FULL, "profiles:\n", "theme:\n"])
def test_a_profile_is_added_after_the_last_one_wherever_they_stand(text):
    changed = set_values(text, "own", {"account": "p1"}, PATH)
    config, before = parse_config(changed, PATH), parse_config(text, PATH)
    assert list(config.profiles) == [*before.profiles, "own"]
    assert config.profiles["own"].account == "p1"
    assert (config.theme, config.keys) == (before.theme, before.keys)
    assert "# the look\ntheme" in changed or text != FULL


@pytest.mark.parametrize("text", ["{keys: {quit: z}}", "profiles: {}\n"])
def test_where_a_profile_cannot_be_added_that_is_said(text):
    with pytest.raises(UsageError, match="cannot be added") as refused:
        set_values(text, "own", {"account": "p1"}, PATH)
    assert "--ready" in str(refused.value.remedy)


def test_the_command_lists_the_themes_and_keeps_one(tl, tmp_path, monkeypatch):
    config = tmp_path / "config.yaml"
    monkeypatch.setenv("TLCOURSE_CONFIG", str(config))
    assert tl("config", "theme", "--plain", course=None).stdout.splitlines()[:2] == ["chosen: dark", "other: light"]
    assert tl("config", "theme", "high-contrast", course=None).returncode == 0
    assert config.read_text() == "theme: high-contrast\n"
    document = json.loads(tl("config", "theme", "--json", course=None).stdout)
    assert document["theme"] == "high-contrast"
    assert document["themes"] == ["dark", "light", "high-contrast", "no-colour"]
    refused = tl("config", "theme", "purple", course=None)
    assert refused.returncode == 2
    assert "no-colour" in refused.stderr
    config.write_text("theme: purple\n")
    refused = tl("config", "theme", "light", course=None)
    assert refused.returncode == 2
    assert "config.yaml:1" in refused.stderr
