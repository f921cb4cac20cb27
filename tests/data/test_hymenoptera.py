"""The photographs of ants and bees: found, verified, brought here, and read so that nothing but pixels goes on."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tlcourse import paths
from tlcourse.data.real import hymenoptera
from tlcourse.errors import UnableError, UsageError


def fetch(source: Path) -> Path:
    return hymenoptera.SET.fetch(None, source, lambda _: None)


@pytest.fixture
def here(photographs, monkeypatch):
    """TLCOURSE_DATA names the folder that holds them."""
    monkeypatch.setenv("TLCOURSE_DATA", str(photographs.parent))
    return photographs


def test_they_are_looked_for_in_tlcourse_data_and_then_in_the_users_own_folder(photographs, monkeypatch):
    assert hymenoptera.SET.find() is None
    got = fetch(photographs)
    assert hymenoptera.SET.find() == got == paths.own_real_data() / "hymenoptera_data"
    monkeypatch.setenv("TLCOURSE_DATA", str(photographs.parent))
    assert hymenoptera.SET.find() == photographs


def test_where_there_are_none_it_is_said_where_they_were_looked_for_and_how_they_are_got(photographs):
    with pytest.raises(UnableError) as caught:
        hymenoptera.make(0)
    assert "hymenoptera_data" in caught.value.cause
    assert "tlcourse data get hymenoptera" in caught.value.remedy


def test_pictures_and_labels_belong_together_and_the_seed_decides_the_order(here):
    for seed in (0, 1):
        for arrays in hymenoptera.make(seed):
            assert arrays["x"].shape[1:] == (3, 224, 224)
            assert arrays["x"].dtype == np.float32
            assert np.array_equal(arrays["x"].mean((1, 2, 3)) > 130 / 255, arrays["label"] == 1)
    first, second = hymenoptera.make(0), hymenoptera.make(3)
    assert [arrays["x"].tobytes() for arrays in first] != [arrays["x"].tobytes() for arrays in second]
    assert all(np.array_equal(a["x"], b["x"]) for a, b in zip(first, hymenoptera.make(0), strict=True))


def test_validation_photographs_come_from_the_training_folder_and_the_val_folder_is_the_test(here):
    train, val, test = hymenoptera.make(5)
    assert (len(train["x"]), len(val["x"]), len(test["x"])) == (2, 2, 4)
    seen = {picture.tobytes() for arrays in (train, val) for picture in arrays["x"]}
    assert len(seen) == 4
    assert not seen & {picture.tobytes() for picture in test["x"]}
    assert sorted(val["label"]) == [0, 1]


def test_a_damaged_photograph_is_not_used_and_is_named(here):
    (here / "val/bees/1.jpg").write_bytes(b"\xff\xd8 cut")
    assert hymenoptera.SET.problems(here) == [
        "val/bees/1.jpg: its content is not what was expected",
    ]
    with pytest.raises(UnableError, match=r"val/bees/1\.jpg"):
        hymenoptera.make(0)
    (here / "val/bees/1.jpg").unlink()
    assert hymenoptera.SET.problems(here) == ["val/bees/1.jpg: No such file or directory"]
    with pytest.raises(UnableError, match="No such file"):
        hymenoptera.make(0)


def zipped(folder: Path, target: Path, extra: str = "") -> Path:
    with zipfile.ZipFile(target, "w") as archive:
        for path in sorted(folder.rglob("*.jpg")):
            archive.write(path, f"hymenoptera_data/{path.relative_to(folder)}")
        if extra:
            archive.writestr(extra, "out of its place")
    return target


@pytest.mark.parametrize("form", ["folder", "folder above", "archive"])
def test_they_are_brought_from_a_copy(photographs, tmp_path, form):
    source = {
        "folder": photographs,
        "folder above": photographs.parent,
        "archive": zipped(photographs, tmp_path / "hymenoptera_data.zip", "../../evil.jpg"),
    }[form]
    got = fetch(source)
    assert hymenoptera.SET.problems(got) == []
    assert len(list(got.rglob("*.jpg"))) == 8
    assert not list(tmp_path.rglob("evil.jpg"))
    assert [path.name for path in got.parent.iterdir()] == ["hymenoptera_data"]


@pytest.mark.parametrize("wrong", ["no archive", "nothing", "empty archive", "changed"])
def test_what_is_not_them_is_refused_and_leaves_what_was_there(photographs, tmp_path, wrong):
    got = fetch(photographs)
    source = tmp_path / "source.zip"
    if wrong == "no archive":
        source.write_bytes(b"text")
    elif wrong == "empty archive":
        zipfile.ZipFile(source, "w").close()
    elif wrong == "changed":
        (photographs / "train/ants/1.jpg").write_bytes(b"other bytes")
        source = photographs
    with pytest.raises(UsageError) as caught:
        fetch(source)
    assert str(source) in caught.value.what
    assert caught.value.remedy
    assert hymenoptera.SET.problems(got) == [] if wrong != "changed" else got.is_dir()
    assert [path.name for path in got.parent.iterdir()] == ["hymenoptera_data"]


def test_the_list_that_ships_names_every_photograph_of_the_tutorial():
    lines = Path(hymenoptera.__file__).with_name("hymenoptera.sha256").read_text().splitlines()
    counts = {
        f"{part}/{kind}": sum(f"  {part}/{kind}/" in line for line in lines)
        for part in ("train", "val")
        for kind in ("ants", "bees")
    }
    assert counts == {"train/ants": 123, "train/bees": 121, "val/ants": 70, "val/bees": 83}
    assert all(re.fullmatch(r"[0-9a-f]{64}  (train|val)/(ants|bees)/[^/]+\.jpe?g", line) for line in lines)
