"""SVHN, USPS and GTSRB in small files of the real formats: read as torchvision reads them, verified, and got."""

from __future__ import annotations

import bz2
import hashlib
from pathlib import Path

import msgspec
import numpy as np
import pytest
from PIL import Image

from tlcourse.data import folders, gtsrb, sets, svhn, through_torchvision, usps
from tlcourse.errors import UnableError, UsageError

SETS = {"svhn": svhn, "usps": usps, "gtsrb": gtsrb}


def _listed(module, monkeypatch, folder: Path) -> None:
    """The checksums of the small files, in the place of the real ones."""
    sums = {name: hashlib.md5((folder / name).read_bytes()).hexdigest() for name in module.FILES.sums}
    files = msgspec.structs.replace(module.FILES, sums=sums)
    monkeypatch.setattr(module, "FILES", files)
    monkeypatch.setitem(sets._LISTED, files.name, files)
    monkeypatch.setattr(module, "COUNT", {"train": 20, "test": 12})


@pytest.fixture
def root(tmp_path, monkeypatch):
    """An empty folder of real data."""
    folder = tmp_path / "given"
    folder.mkdir()
    monkeypatch.setenv("TLCOURSE_DATA", str(folder))
    return folder


@pytest.fixture
def small_svhn(root, monkeypatch):
    """MATLAB files with X (32, 32, 3, n) and y (n, 1), the digit 0 with the label 10."""
    from scipy.io import savemat

    rng = np.random.default_rng(0)
    (root / "svhn").mkdir()
    for part, n in (("train", 20), ("test", 12)):
        x = rng.integers(0, 256, (32, 32, 3, n), dtype=np.uint8)
        savemat(root / f"svhn/{part}_32x32.mat", {"X": x, "y": (np.arange(n) % 10 + 1).astype(np.uint8)[:, None]})
    _listed(svhn, monkeypatch, root / "svhn")
    return root


@pytest.fixture
def small_usps(root, monkeypatch):
    """Lists in LIBSVM's format, packed with bzip2: labels 1 to 10, 256 pixels from −1 to 1."""
    rng = np.random.default_rng(1)
    (root / "usps").mkdir()
    for name, n in (("usps.bz2", 20), ("usps.t.bz2", 12)):
        rows = rng.uniform(-1, 1, (n, 256)).round(6)
        lines = [
            f"{row % 10 + 1} " + " ".join(f"{place}:{value:g}" for place, value in enumerate(pixels, 1)) + " "
            for row, pixels in enumerate(rows)
        ]
        (root / "usps" / name).write_bytes(bz2.compress(("\n".join(lines) + "\n").encode()))
    _listed(usps, monkeypatch, root / "usps")
    return root


@pytest.fixture
def small_gtsrb(root, monkeypatch):
    """PPM photographs of several sizes in a folder for each class, and a list of the test's classes."""
    rng = np.random.default_rng(2)

    def picture(path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        size = (*rng.integers(25, 60, 2), 3)
        Image.fromarray(rng.integers(0, 256, size, dtype=np.uint8)).save(path)

    base = root / "gtsrb"
    for number in range(20):
        picture(base / f"GTSRB/Training/{number % 4:05}/00000_{number:05}.ppm")
    (base / "GTSRB/Training/00000/GT-00000.csv").write_text(
        "Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2;ClassId\n"
    )
    lines = ["Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2;ClassId"]
    for number in range(12):
        picture(base / f"GTSRB/Final_Test/Images/{number:05}.ppm")
        lines.append(f"{number:05}.ppm;30;30;5;5;25;25;{42 - number}")
    (base / "GT-final_test.csv").write_text("\n".join(lines) + "\n")
    monkeypatch.setattr(gtsrb, "COUNT", {"train": 20, "test": 12})
    return root


@pytest.mark.parametrize("part", ["train", "test"])
def test_house_numbers_are_those_that_torchvision_reads(small_svhn, monkeypatch, part):
    import torchvision

    split = {key: ["", f"{key}_32x32.mat", svhn.FILES.sums[f"{key}_32x32.mat"]] for key in ("train", "test")}
    monkeypatch.setattr(torchvision.datasets.SVHN, "split_list", split)
    theirs = torchvision.datasets.SVHN(small_svhn / "svhn", part)
    x, y = svhn.load(part)
    assert np.array_equal(x, theirs.data.transpose(0, 2, 3, 1))
    assert y.tolist() == theirs.labels.tolist()
    assert y[9] == 0


@pytest.mark.parametrize("part", ["train", "test"])
def test_post_codes_are_those_that_torchvision_reads(small_usps, part):
    import torchvision

    theirs = torchvision.datasets.USPS(small_usps / "usps", train=part == "train")
    x, y = usps.load(part)
    assert np.array_equal(x, theirs.data)
    assert y.tolist() == theirs.targets


@pytest.mark.parametrize("part", ["train", "test"])
def test_traffic_signs_are_those_that_torchvision_reads(small_gtsrb, part):
    import torchvision

    theirs = torchvision.datasets.GTSRB(small_gtsrb, part)
    x, y = gtsrb.load(part, side=24)
    assert x.shape == (len(theirs), 24, 24, 3)
    assert y.tolist() == [label for _, label in theirs]
    for ours, (picture, _) in zip(x, theirs, strict=True):
        assert np.array_equal(ours, np.asarray(picture.resize((24, 24), Image.Resampling.BILINEAR)))


@pytest.mark.parametrize("name", SETS)
def test_missing_data_say_where_they_were_looked_for_and_how_they_are_got(name):
    with pytest.raises(UnableError, match="not on this machine") as caught:
        SETS[name].load("train")
    assert str(folders.own_folder()) in caught.value.cause
    for way in (f"tlcourse data get {name},", "--from PATH", "TLCOURSE_DATA"):
        assert way in caught.value.remedy
    assert name in [one.name for one in sets.listed()]


@pytest.mark.parametrize(("name", "file"), [("svhn", "test_32x32.mat"), ("usps", "usps.t.bz2")])
def test_a_changed_file_is_not_read(request, name, file):
    root = request.getfixturevalue(f"small_{name}")
    path = root / name / file
    path.write_bytes(path.read_bytes()[:-1])
    assert SETS[name].load("train")[1].shape == (20,)
    with pytest.raises(UnableError, match="damaged"):
        SETS[name].load("test")
    assert [one.problems for one in sets.verify(name)] == [[f"{file}: its content is not what was expected"]]


def test_a_file_with_the_right_checksum_and_another_number_of_pictures_is_refused(small_svhn, monkeypatch):
    monkeypatch.setattr(svhn, "COUNT", {"train": 21, "test": 12})
    with pytest.raises(UnableError, match="not bytes of shape"):
        svhn.load("train")


@pytest.mark.parametrize("wrong", ["11 {}", "0 {}", "3 {} 257:0", "3 1:0 3:0", "3", "3 {} extra", "three {}"])
def test_a_list_of_digits_that_is_none_is_refused(wrong):
    pixels = " ".join(f"{place}:0.5" for place in range(1, 257))
    assert usps.parse(f"3 {pixels}\n", 1)[1].tolist() == [2]
    with pytest.raises(ValueError, match=r"."):
        usps.parse(wrong.format(pixels), 1)
    with pytest.raises(ValueError, match="outside −1 to 1"):
        usps.parse(f"3 {pixels.replace('256:0.5', '256:1.5')}", 1)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda base: (base / "GTSRB/Training/00003/00000_00003.ppm").unlink(), "19 photographs, expected 20"),
        (lambda base: (base / "GTSRB/Training/00003/00000_00003.ppm").write_bytes(b"P6 no"), "no PPM picture"),
        (lambda base: (base / "GTSRB/Training/00003").rename(base / "GTSRB/Training/00043"), "a class outside"),
        (lambda base: (base / "GTSRB/Training/00003").rename(base / "GTSRB/Training/more"), "other names"),
    ],
)
def test_traffic_signs_that_are_not_complete_are_told_what_is_wrong(small_gtsrb, spoil, said):
    spoil(small_gtsrb / "gtsrb")
    with pytest.raises(UnableError, match="not complete") as caught:
        gtsrb.load("train")
    assert said in caught.value.cause
    assert any(said in problem for problem in sets.verify("gtsrb")[0].problems)


@pytest.mark.parametrize(
    "line", ["../../../secret.ppm;1;1;1;1;1;1;3", "00000.ppm;1;1;1;1;1;1;x", "00000.png;1;1;1;1;1;1;1"]
)
def test_a_list_of_the_test_that_leads_elsewhere_is_refused(small_gtsrb, line):
    path = small_gtsrb / "gtsrb/GT-final_test.csv"
    path.write_text(path.read_text().replace("00005.ppm;30;30;5;5;25;25;37", line))
    with pytest.raises(UnableError, match="not complete") as caught:
        gtsrb.load("test")
    assert "no line of the list" in caught.value.cause


@pytest.mark.parametrize("name", SETS)
def test_a_copy_is_taken_when_it_is_whole(request, monkeypatch, tmp_path, name):
    root = request.getfixturevalue(f"small_{name}")
    monkeypatch.delenv("TLCOURSE_DATA")
    got = sets.get(name, None, root, lambda _: None)
    assert got == folders.own_folder() / name
    assert len(SETS[name].load("test")[0]) == 12
    victim = next(path for path in sorted((root / name).rglob("*")) if path.suffix in (".mat", ".bz2", ".ppm"))
    victim.unlink()
    with pytest.raises(UsageError, match="does not hold"):
        sets.get(name, None, root, lambda _: None)
    assert sets.verify(name)[0].problems == []
    assert [path.name for path in got.parent.iterdir()] == [name]


@pytest.mark.parametrize("name", SETS)
def test_torchvision_fetches_them_and_they_are_compared_again(request, monkeypatch, tmp_path, name):
    root = request.getfixturevalue(f"small_{name}")
    monkeypatch.delenv("TLCOURSE_DATA")
    where = root if name == "gtsrb" else root / name
    code = f"import shutil, sys; shutil.copytree({str(where)!r}, sys.argv[2], dirs_exist_ok=True)"
    monkeypatch.setattr(through_torchvision, "_CODE", code)  # no network here
    said: list[str] = []
    sets.get(name, None, None, said.append)
    assert f"torchvision.datasets.{name.upper()}" in said[0]
    assert len(SETS[name].load("train")[0]) == 20


def test_the_code_that_fetches_calls_what_torchvision_has(small_usps):
    """Torchvision downloads nothing where the files lie already: so the real code runs, without a network."""
    folder = small_usps / "usps"
    assert through_torchvision.fetch("USPS", folder, "", lambda _: None) == folder


def test_without_a_network_the_advice_is_to_bring_a_copy(monkeypatch):
    code = "raise OSError('Name or service not known')"
    monkeypatch.setattr(through_torchvision, "_CODE", code)
    with pytest.raises(UnableError, match="Name or service not known") as caught:
        sets.get("svhn", None, None, lambda _: None)
    assert "--from PATH" in caught.value.remedy
    assert not (folders.own_folder() / "svhn").exists()
    assert not list(folders.own_folder().glob(".svhn-*"))
