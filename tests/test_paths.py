"""Where our files are: one variable moves all of them, and each of the others moves its own."""

from __future__ import annotations

from pathlib import Path

import platformdirs
import pytest

from tlcourse import paths

EVERYTHING = {
    paths.record_file: "progress.sqlite",
    paths.first_start_file: "started",
    paths.gradebook_file: "gradebook.sqlite",
    paths.secret_file: "secret",
    paths.config_file: "config.yaml",
    paths.agreed_folder: "courses",
    paths.jobs_folder: "jobs",
    paths.labs_folder: "labs",
    paths.boards_folder: "boards",
    paths.runs_folder: "runs",
    paths.own_real_data: "data",
    paths.cache_folder: "cache",
}


@pytest.fixture(autouse=True)
def no_variables(monkeypatch):
    for name in (paths.HOME, paths.CONFIG, paths.GRADEBOOK, paths.DATA):
        monkeypatch.delenv(name, raising=False)


def test_one_variable_moves_everything(tmp_path, monkeypatch):
    monkeypatch.setenv("TLCOURSE_HOME", str(tmp_path))
    assert {place(): place.__name__ for place in EVERYTHING} == {
        tmp_path / name: place.__name__ for place, name in EVERYTHING.items()
    }


def test_without_it_each_kind_of_file_is_where_the_system_keeps_it(tmp_path, monkeypatch):
    for name in ("DATA", "CACHE", "CONFIG"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name))
    monkeypatch.setattr("platformdirs.PlatformDirs", platformdirs.unix.Unix)  # as on Linux, wherever the tests run
    assert paths.record_file() == tmp_path / "DATA/tlcourse/progress.sqlite"
    assert paths.cache_folder() == tmp_path / "CACHE/tlcourse"
    assert paths.config_file() == tmp_path / "CONFIG/tlcourse/config.yaml"
    assert paths.real_data_folders() == [tmp_path / "DATA/tlcourse/data"]


@pytest.mark.parametrize(
    ("variable", "place"), [("TLCOURSE_CONFIG", paths.config_file), ("TLCOURSE_GRADEBOOK", paths.gradebook_file)]
)
def test_a_file_that_is_named_goes_before_the_home(variable, place, tmp_path, monkeypatch):
    monkeypatch.setenv("TLCOURSE_HOME", str(tmp_path))
    monkeypatch.setenv(variable, "~/elsewhere")
    assert place() == Path.home() / "elsewhere"
    others = EVERYTHING.keys() - {place}
    assert all(tmp_path in other().parents for other in others)


def test_a_variable_that_is_empty_is_as_good_as_unset(tmp_path, monkeypatch):
    monkeypatch.setenv("TLCOURSE_HOME", str(tmp_path))
    monkeypatch.setenv("TLCOURSE_CONFIG", "")
    assert paths.config_file() == tmp_path / "config.yaml"


def test_real_data_are_looked_for_in_the_named_folder_and_then_in_ones_own(tmp_path, monkeypatch):
    monkeypatch.setenv("TLCOURSE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TLCOURSE_DATA", str(tmp_path / "shared"))
    own = tmp_path / "home/data/mnist"
    own.mkdir(parents=True)
    assert paths.find_real_data("mnist") == own
    shared = tmp_path / "shared/mnist"
    shared.mkdir(parents=True)
    assert paths.find_real_data("mnist") == shared
    assert paths.find_real_data("usps") is None


def test_a_configuration_at_the_old_place_is_found_until_there_is_one_at_the_new(tmp_path, monkeypatch):
    """On Windows the first versions kept it in `tlcourse/tlcourse`."""

    def windows(name: str, appauthor: object = None) -> Path:
        return tmp_path / name if appauthor is False else tmp_path / name / name

    monkeypatch.setattr("platformdirs.user_config_path", windows)
    assert paths.config_file() == tmp_path / "tlcourse/config.yaml"
    old = tmp_path / "tlcourse/tlcourse/config.yaml"
    old.parent.mkdir(parents=True)
    old.write_text("theme: dark\n")
    assert paths.config_file() == old
    (tmp_path / "tlcourse/config.yaml").write_text("theme: light\n")
    assert paths.config_file() == tmp_path / "tlcourse/config.yaml"
