"""The configuration file: read with its lines, and changed by commands so that all else stays to the byte."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tlcourse.cluster.profile import parse_profiles, set_values
from tlcourse.config import edit_config, line_of, load_config, parse_config, set_theme
from tlcourse.errors import UnableError, UsageError

PATH = Path("config.yaml")
ROOT = Path(__file__).resolve().parent.parent
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
    profiles = parse_profiles(changed, PATH)
    assert list(profiles) == [*parse_profiles(text, PATH), "own"]
    assert profiles["own"].account == "p1"
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


TEXTS = {
    "comments": FULL,
    "lists": "profiles:\n  a:\n    modules:\n    - P\n  b:\n    modules:\n      - Q\n",
    "wide indentation": "profiles:\n    a:\n        gpus: 1   # one\n\n\n# end\n",
    "braces and quotes": "keys: { quit: z,  home: 'h' }\nprofiles:\n  a: {host: \"b\"}\n",
    "values over lines": "profiles:\n  a:\n    modules: [A,\n      B]   # c\n    setup:  # d\n      - >-\n        x\n",
    "spaces": "theme:   dark\nkeys:\n  quit:    z   \n\n",
    "no end": "keys:\n  quit: z",
    "a document": "---\ntheme: dark\n",
    "empty values": "theme:  # none yet\nkeys: ~\n",
    "only a comment": "# mine\n",
}


def only_added(before: str, after: str, added: str) -> bool:
    """Whether `after` is `before` with text put in at one place, which holds `added` (and may end a last line)."""
    more = len(after) - len(before)
    places = [at for at in range(len(before) + 1) if after[:at] + after[at + more :] == before]
    return any(added in after[at : at + more] for at in places)


@pytest.mark.parametrize("name", TEXTS)
def test_what_a_theme_does_not_concern_stays_to_the_byte(name):
    text = TEXTS[name]
    changed = set_theme(text, "light", PATH)
    assert only_added(text, changed, "theme: light\n") or changed in (
        text.replace("dark", "light"),
        text.replace("theme:", "theme: light"),
    )


@pytest.mark.parametrize("name", TEXTS)
def test_a_profile_that_is_added_is_all_that_changes(name):
    text = TEXTS[name]
    changed = set_values(text, "own", {"account": "p1"}, PATH) if name not in NOT_ADDED else text
    assert name in NOT_ADDED or only_added(text, changed, "  own:\n    account: p1\n    at_once: 8\n")


NOT_ADDED = {"wide indentation": "its profiles are indented otherwise"}


def test_where_profiles_are_indented_otherwise_that_is_said():
    with pytest.raises(UsageError, match="cannot be added"):
        set_values(TEXTS["wide indentation"], "own", {"account": "p1"}, PATH)


@pytest.mark.parametrize(
    ("text", "key", "value", "old", "new"),
    [
        (FULL, "gpus", "2", "gpus: 1", "gpus: 2"),
        (FULL, "account", "p1", "    gpus: 1", "    account: p1\n    gpus: 1"),
        (TEXTS["wide indentation"], "gpus", "2", "gpus: 1   # one", "gpus: 2   # one"),
        (TEXTS["braces and quotes"], "gpus", "2", "{host", "{gpus: 2, host"),
        (TEXTS["values over lines"], "modules", "[C]", "[A,\n      B]   # c", "[C]   # c"),
        (TEXTS["values over lines"], "setup", "[x]", "setup:  # d\n      - >-\n        x", "setup: [x]  # d"),
        (TEXTS["lists"], "modules", "[C]", ":\n    - P", ": [C]"),
    ],
)
def test_a_field_that_is_set_is_all_that_changes(text, key, value, old, new):
    assert set_values(text, "a", {key: value}, PATH) == text.replace(old, new)


def test_the_line_of_a_key_is_found():
    assert [line_of(FULL, *keys) for keys in (("profiles",), ("profiles", "a"), ("profiles", "a", "gpus"))] == [2, 3, 4]
    assert line_of(FULL, "profiles", "b") is None
    assert line_of(FULL, "profiles", "a", "host") is None
    assert line_of("", "profiles") is None


def test_theme_and_keys_are_read_where_a_profile_does_not_hold(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("theme: light\nkeys: {quit: z}\nprofiles: {a: {gpus: many}}\n")
    config = load_config(path)
    assert (config.theme, config.keys) == ("light", {"quit": "z"})
    with pytest.raises(UsageError, match=r"config\.yaml:3: profiles\.a\.gpus is str, expected int"):
        parse_profiles(path.read_text(), path)


def test_two_programs_that_edit_at_once_both_have_their_way(tmp_path):
    path = tmp_path / "config.yaml"
    code = (
        "import sys; from pathlib import Path; from tlcourse.config import edit_config\n"
        "from tlcourse.cluster.profile import set_values\n"
        "path, name = Path(sys.argv[1]), sys.argv[2]\n"
        "for number in range(5):\n"
        "    edit_config(lambda text: set_values(text, f'{name}{number}', {'gpus': str(number)}, path), path)\n"
    )
    programs = [subprocess.Popen([sys.executable, "-c", code, path, name], cwd=ROOT) for name in ("a", "b", "c")]
    assert [program.wait(60) for program in programs] == [0, 0, 0]
    profiles = parse_profiles(path.read_text(), path)
    assert {name: one.gpus for name, one in profiles.items()} == {f"{a}{n}": n for a in "abc" for n in range(5)}
    assert {file.name for file in tmp_path.iterdir()} == {"config.yaml", ".config.yaml.lock"}


def test_an_edit_that_is_refused_writes_nothing(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("profiles: 3\n")
    with pytest.raises(UsageError):
        edit_config(lambda text: set_theme(text, "light", path), path)
    assert path.read_text() == "profiles: 3\n"


def test_mode_link_and_line_ends_of_the_file_stay(tmp_path):
    real = tmp_path / "dotfiles" / "config.yaml"
    real.parent.mkdir()
    real.write_bytes(b"# mine\r\ntheme: dark\r\n")
    real.chmod(0o640)
    path = tmp_path / "config.yaml"
    path.symlink_to(real)
    edit_config(lambda text: set_theme(text, "light", path), path)
    assert path.is_symlink()
    assert real.read_bytes() == b"# mine\r\ntheme: light\r\n"
    assert real.stat().st_mode & 0o777 == 0o640


def test_a_new_file_is_its_owners_alone(tmp_path):
    path = tmp_path / "deep" / "config.yaml"
    edit_config(lambda text: set_theme(text, "light", path), path)
    assert path.stat().st_mode & 0o777 == 0o600


def test_where_the_folder_cannot_be_made_that_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UnableError, match="cannot be written") as found:
        edit_config(lambda text: text, tmp_path / "file" / "config.yaml")
    assert found.value.remedy == "name another file: export TLCOURSE_CONFIG=FILE"
