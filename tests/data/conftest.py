"""Eight synthetic JPEG files in place of the 397 photographs, with their own list of checksums; no real data."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest
from PIL import Image

from tlcourse.data.real import hymenoptera

NAMES = [f"{part}/{kind}/{number}.jpg" for part in ("train", "val") for kind in ("ants", "bees") for number in (1, 2)]


@pytest.fixture(autouse=True)
def no_real_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whatever this machine has lies elsewhere."""
    monkeypatch.delenv("TLCOURSE_DATA", raising=False)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch-home"))


@pytest.fixture
def photographs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder hymenoptera_data; ants are dark and bees are light, so that a label can be told from the pixels."""
    folder = tmp_path / "given" / hymenoptera.SET.folder
    sums = {}
    for number, name in enumerate(NAMES):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        grey = 10 * number + (20 if "ants" in name else 140)
        Image.fromarray(np.full((300, 260 + number, 3), grey, np.uint8)).save(folder / name)
        sums[name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    monkeypatch.setattr(hymenoptera, "SET", msgspec.structs.replace(hymenoptera.SET, sums=sums))
    monkeypatch.setattr(hymenoptera, "HELD_OUT", 1)
    hymenoptera.photographs.cache_clear()
    yield folder
    hymenoptera.photographs.cache_clear()
