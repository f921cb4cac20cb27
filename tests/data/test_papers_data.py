"""The papers' data: read and verified, blended as the paper says, and missing ones say how they are got."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import struct
import tarfile
from pathlib import Path

import msgspec
import numpy as np
import pytest
from PIL import Image

from tlcourse import paths
from tlcourse.data.real import bags_of_words, gtsrb, mnist, office, sets
from tlcourse.errors import UnableError, UsageError

REAL = Path(os.environ.get("TLCOURSE_DATA", "nowhere"))


def real(folder: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(
        not (REAL / folder).is_dir(), reason=f"TLCOURSE_DATA names no folder with {folder}: it is not read"
    )


@pytest.fixture
def given(monkeypatch):
    """The real data that `no_real_data` has taken away."""
    monkeypatch.setenv("TLCOURSE_DATA", str(REAL))


def idx(array: np.ndarray) -> bytes:
    return struct.pack(f">{1 + array.ndim}I", 0x0800 + array.ndim, *array.shape) + array.tobytes()


@pytest.fixture
def small_mnist(tmp_path, monkeypatch):
    """Ten digits a part, in files of their own with their own checksums, and a few photographs."""
    root, rng = tmp_path / "small", np.random.default_rng(0)
    (root / "mnist").mkdir(parents=True)
    sums = {}
    for prefix in ("train", "t10k"):
        arrays = {
            f"{prefix}-images-idx3-ubyte.gz": rng.integers(0, 256, (10, 28, 28), dtype=np.uint8),
            f"{prefix}-labels-idx1-ubyte.gz": np.arange(10, dtype=np.uint8),
        }
        for name, array in arrays.items():
            (root / "mnist" / name).write_bytes(gzip.compress(idx(array)))
            sums[name] = hashlib.sha256(idx(array)).hexdigest()
    monkeypatch.setattr(mnist, "SET", msgspec.structs.replace(mnist.SET, sums=sums))
    monkeypatch.setattr(mnist, "COUNT", {"train": 10, "test": 10})
    monkeypatch.setattr(
        mnist, "photographs", lambda part: [np.full((30, 40, 3), 200 if part == "test" else 50, np.uint8)]
    )
    monkeypatch.setenv("TLCOURSE_DATA", str(root))
    return root


def test_digits_are_read_and_a_changed_file_is_not(small_mnist):
    x, y = mnist.load("train")
    assert x.shape == (10, 28, 28)
    assert y.tolist() == list(range(10))
    path = small_mnist / "mnist" / "train-images-idx3-ubyte.gz"
    data = bytearray(gzip.decompress(path.read_bytes()))
    data[100] ^= 1
    for wrong in (gzip.compress(bytes(data)), path.read_bytes()[:50], b"not gzip"):
        path.write_bytes(wrong)
        with pytest.raises(UnableError, match="damaged") as caught:
            mnist.load("train")
        assert "train-images" in caught.value.cause
        assert "tlcourse data get mnist" in caught.value.remedy


@pytest.mark.parametrize("shape", [(10, 28, 27), (9, 28, 28), (10, 784)])
def test_an_idx_file_of_another_shape_is_refused(shape):
    with pytest.raises(UnableError, match="shape"):
        mnist.idx(idx(np.zeros(shape, np.uint8)), (10, 28, 28))
    with pytest.raises(UnableError):
        mnist.idx(idx(np.zeros((10, 28, 28), np.uint8))[:-1], (10, 28, 28))


def test_a_picture_is_the_absolute_difference_of_patch_and_digit_channel_by_channel():
    digit = np.zeros((1, 28, 28), np.uint8)
    digit[0, 3, 4] = 255
    background = np.zeros((28, 28, 3), np.uint8)
    background[..., 0], background[..., 1], background[..., 2] = 10, 128, 250
    made = mnist.blend(digit, [background], np.random.default_rng(0))
    assert made[0, 3, 4].tolist() == [245, 127, 5]  # in uint8 arithmetic 10 − 255 would be 11
    assert made[0, 0, 0].tolist() == [10, 128, 250]


def test_patches_are_chosen_by_the_seed_and_lie_anywhere_in_any_photograph():
    digits = np.zeros((400, 28, 28), np.uint8)
    rows, columns = np.mgrid[:31, :40].astype(np.uint8)
    backgrounds = [np.stack([rows, columns, np.full_like(rows, number)], 2) for number in range(3)]
    one, same, other = (mnist.blend(digits, backgrounds, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)
    assert set(one[:, 0, 0, 0].tolist()) == set(range(4))
    assert set(one[:, 0, 0, 1].tolist()) == set(range(13))
    assert set(one[:, 0, 0, 2].tolist()) == {0, 1, 2}


def test_test_pictures_have_the_test_photographs_alone_and_what_was_made_is_kept_outside_the_project(small_mnist):
    digits, _ = mnist.load("test")
    made, label = mnist.load_blended("test")
    assert np.array_equal(made[..., 0], np.abs(200 - digits.astype(int)))
    assert label.tolist() == list(range(10))
    (kept,) = paths.cache_folder().glob("*.npy")
    assert paths.own_real_data().parent in kept.parents
    kept.write_bytes(b"cut")  # what cannot be read is made anew
    assert np.array_equal(mnist.load_blended("test")[0], made)
    assert not np.array_equal(mnist.load_blended("train")[0], made)
    assert not list(paths.cache_folder().glob(".*.part"))


def test_the_authors_test_set_is_used_where_it_is(small_mnist):
    from PIL import Image

    folder = small_mnist / "mnist_m" / "mnist_m_test"
    folder.mkdir(parents=True)
    picture = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    Image.fromarray(picture).save(folder / "00000000.png")
    names = folder.parent / "mnist_m_test_labels.txt"
    names.write_text("00000000.png 7\n")
    x, y = mnist.load_blended("test")
    assert np.array_equal(x[0], picture[2:-2, 2:-2])
    assert y.tolist() == [7]
    for wrong in ("00000000.png 17\n", "../mnist_m_test/00000000.png 7\n", "missing.png 7\n", ""):
        names.write_text(wrong)
        with pytest.raises(UnableError, match="MNIST-M test set"):
            mnist.load_blended("test")


@pytest.mark.parametrize(
    "text",
    ["1 0:1", "1 0:1\n-1 5000:2", "1 0:1\n-1 -1:2", "1 0:1\n2 3:1", "1 0:1\n-1 3", "1 0:1\n-1 3:many", ""],
)
def test_a_list_of_reviews_that_cannot_be_read_is_refused(text):
    with pytest.raises(UnableError, match="not a list of reviews"):
        bags_of_words.parse_reviews(text, 2, "books_train.svmlight")


def test_reviews_are_read_with_words_counted_from_0():
    x, y = bags_of_words.parse_reviews("1 0:3 4999:1\n-1 7:2\n", 2, "books_train.svmlight")
    assert (x[0, 0], x[0, 4999], x[1, 7], x.sum()) == (3, 1, 2, 6)
    assert y.tolist() == [1, 0]
    assert np.allclose((bags_of_words.binary(x) ** 2).sum(1), 1)


@pytest.mark.parametrize("name", ["mnist", "office-caltech10", "amazon-reviews", "bsds500"])
def test_missing_data_say_where_they_were_looked_for_and_how_they_are_got(name):
    load = {
        "mnist": lambda: mnist.load("train"),
        "office-caltech10": lambda: bags_of_words.load_office("dslr"),
        "amazon-reviews": lambda: bags_of_words.load_reviews("dvd", "train"),
        "bsds500": lambda: mnist.photographs("train"),
    }[name]
    with pytest.raises(UnableError, match="not on this machine") as caught:
        load()
    assert str(paths.own_real_data()) in caught.value.cause
    assert f"tlcourse data get {name}" in caught.value.remedy
    assert "TLCOURSE_DATA" in caught.value.remedy
    assert name in [one.name for one in sets.listed()]


def test_files_are_brought_from_a_copy_and_only_when_all_of_them_are_as_listed(small_mnist, monkeypatch):
    got = mnist.SET.fetch(None, small_mnist, lambda _: None)
    monkeypatch.delenv("TLCOURSE_DATA")
    assert got == paths.own_real_data() / "mnist"
    assert mnist.load("test")[1].tolist() == list(range(10))
    (small_mnist / "mnist" / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(UsageError, match="does not hold"):
        mnist.SET.fetch(None, small_mnist, lambda _: None)
    assert mnist.SET.problems(got) == []
    assert [path.name for path in got.parent.iterdir()] == ["mnist"]


def test_without_a_public_address_a_copy_is_asked_for():
    with pytest.raises(UnableError, match="no public address") as caught:
        sets.get("amazon-reviews", None, None, lambda _: None)
    assert "--from PATH" in caught.value.remedy
    with pytest.raises(UnableError, match="no public address"):
        sets.get("bsds500", None, None, lambda _: None)


@real("office_caltech10")
def test_the_real_features_have_their_published_numbers(given):
    for domain, count in bags_of_words.PICTURES.items():
        x, y = bags_of_words.load_office(domain)
        assert x.shape == (count, 800)
        assert np.bincount(y).min() >= 8
        standardised = bags_of_words.standardised(x)
        assert np.allclose(standardised.mean(0), 0)
        assert set(standardised.std(0).round(6).tolist()) <= {0.0, 1.0}


@real("amazon_reviews")
def test_the_real_reviews_are_half_praise(given):
    for domain in bags_of_words.GOODS:
        x, y = bags_of_words.load_reviews(domain, "train")
        assert x.shape == (2000, 5000)
        assert 0.4 < y.mean() < 0.6


@real("mnist")
def test_the_real_digits_have_their_published_numbers(given):
    x, y = mnist.load("test")
    assert x.shape == (10_000, 28, 28)
    assert np.bincount(y).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


def test_signs_are_split_by_track_and_a_file_that_is_not_theirs_is_refused(tmp_path, monkeypatch):
    track = np.array([[number, frame] for number in range(10) for frame in (4, 9)], np.int16)
    x = np.arange(20, dtype=np.uint8)[:, None, None, None] * np.ones((1, 32, 32, 3), np.uint8)
    y = np.arange(20, dtype=np.int16) % 3
    path = tmp_path / "gtsrb" / gtsrb.FILE
    path.parent.mkdir()
    np.savez(path, train_x=x, train_y=y, train_track=track, test_x=x[:4], test_y=y[:4])
    monkeypatch.setenv("TLCOURSE_DATA", str(tmp_path))
    with pytest.raises(UnableError, match="damaged"):
        gtsrb.load("train")
    sums = {gtsrb.FILE: hashlib.sha256(path.read_bytes()).hexdigest()}
    monkeypatch.setattr(gtsrb, "SET", msgspec.structs.replace(gtsrb.SET, sums=sums))
    parts = {part: gtsrb.load(part) for part in ("train", "val", "test")}
    assert parts["val"][0][:, 0, 0, 0].tolist() == [8, 9, 18, 19], "both frames of the tracks 4 and 9"
    assert sorted([*parts["train"][0][:, 0, 0, 0], 8, 9, 18, 19]) == list(range(20))
    assert parts["train"][1].tolist() == (parts["train"][0][:, 0, 0, 0] % 3).tolist()
    assert len(parts["test"][1]) == 4


def test_objects_are_read_from_their_archive_sorted_with_the_middle_of_each_picture(tmp_path, monkeypatch):
    path = tmp_path / "office_caltech10" / office.FILE
    path.parent.mkdir()
    with tarfile.open(path, "w") as archive:
        for number, name in enumerate(("dslr/mug/b.jpg", "dslr/bike/a.jpg", "amazon/mug/c.jpg", "dslr/readme.txt")):
            stream, colours = io.BytesIO(), np.zeros((20, 60, 3), np.uint8)
            colours[:, 20:40] = 60 * (number + 1)
            Image.fromarray(colours).save(stream, "JPEG", quality=95)
            member = tarfile.TarInfo(f"images/{name}")
            member.size = stream.tell()
            stream.seek(0)
            archive.addfile(member, stream)
    monkeypatch.setenv("TLCOURSE_DATA", str(tmp_path))
    assert bags_of_words.OFFICE.here() is None, "another set lies in the same folder"
    with pytest.raises(UnableError, match="damaged"):
        office.photographs("dslr", 20)
    sums = {office.FILE: hashlib.sha256(path.read_bytes()).hexdigest()}
    monkeypatch.setattr(office, "SET", msgspec.structs.replace(office.SET, sums=sums))
    with pytest.raises(UnableError, match="damaged") as caught:
        office.photographs("dslr", 20)
    assert "2 pictures of dslr, not 157" in caught.value.cause
    monkeypatch.setitem(office.PICTURES, "dslr", 2)
    x, y = office.photographs("dslr", 10)
    assert x.shape == (2, 3, 10, 10)
    assert y.tolist() == [office.OBJECTS.index("bike"), office.OBJECTS.index("mug")]
    assert x[:, :, 5, 5].tolist() == pytest.approx(np.array([[120] * 3, [60] * 3]), abs=3)


@real("gtsrb")
def test_the_real_signs_are_of_43_classes_in_every_part(given):
    for part, count in (("train", 6384), ("val", 1457), ("test", 5052)):
        x, y = gtsrb.load(part)
        assert x.shape == (count, 32, 32, 3)
        assert set(y.tolist()) == set(range(43))


def test_photographs_are_copied_when_all_are_there_and_what_lay_there_before_goes(tmp_path, monkeypatch):
    from PIL import Image

    def copy(name, counts):
        for part, count in counts.items():
            (tmp_path / name / "BSDS500/data/images" / part).mkdir(parents=True)
            for number in range(count):
                picture = Image.fromarray(np.full((321, 481, 3), 9 * number, np.uint8))
                picture.save(tmp_path / name / "BSDS500/data/images" / part / f"{name}{number}.jpg")
        return tmp_path / name

    monkeypatch.setattr(mnist, "PHOTOGRAPHS", {"train": 2, "val": 1, "test": 1})
    first, second, short = (
        copy(name, {"train": train, "val": 1, "test": 1}) for name, train in (("a", 2), ("b", 2), ("c", 1))
    )
    sets.get("bsds500", None, first, lambda _: None)
    got = sets.get("bsds500", None, second, lambda _: None)
    assert sorted(path.name for path in got.rglob("*.jpg")) == ["b0.jpg", "b0.jpg", "b0.jpg", "b1.jpg"]
    with pytest.raises(UsageError, match="does not hold") as caught:
        sets.get("bsds500", None, short, lambda _: None)
    assert "train: 1 photographs, expected 2" in caught.value.cause
    (second / "BSDS500/data/images/val/b0.jpg").write_bytes(b"not a photograph")
    with pytest.raises(UsageError, match="does not hold") as caught:
        sets.get("bsds500", None, second, lambda _: None)
    assert "val/b0.jpg" in caught.value.cause
    assert [len(mnist.photographs(part)) for part in ("train", "val", "test")] == [2, 1, 1]
    (got / "train/b0.jpg").write_bytes(b"not a photograph")
    assert [one.problems for one in sets.verify("bsds500")] == [
        ["train/b0.jpg: it cannot be read: not a JPEG file, or a damaged one"]
    ]


@real("bsds500")
def test_the_real_photographs_are_complete(given):
    assert sets.verify("bsds500")[0].problems == []
