"""ImageNet weights: which files serve, what of a solution's text names them, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tlcourse import paths
from tlcourse.data.real import weights
from tlcourse.errors import UnableError, UsageError


@pytest.fixture
def own() -> Path:
    """The user's own folder of weights."""
    folder = paths.own_real_data() / "pretrained"
    folder.mkdir(parents=True)
    return folder


def test_weights_are_found_in_tlcourse_data_then_the_users_folder_then_torchs_cache(own, tmp_path, monkeypatch):
    cache = tmp_path / "torch-home" / "hub" / "checkpoints"
    cache.mkdir(parents=True)
    (cache / "resnet18-f37072fd.pth").touch()
    assert weights.find("resnet18") == cache / "resnet18-f37072fd.pth"
    (own / "resnet18-0123abcd.pth").touch()
    assert weights.find("resnet18") == own / "resnet18-0123abcd.pth"
    given = tmp_path / "data" / "pretrained"
    given.mkdir(parents=True)
    (given / "resnet18_imagenet.safetensors").touch()
    monkeypatch.setenv("TLCOURSE_DATA", str(given.parent))
    assert weights.find("resnet18") == given / "resnet18_imagenet.safetensors"
    assert weights.find("resnet1") is None


def test_names_are_those_of_torchvisions_files(own):
    for name in ("inception_v3_google-0cc3c7bd.pth", "vit_b_16_swag-9ac1b537.pth", "notes.txt", "resnet50.pth"):
        (own / name).touch()
    assert sorted(weights.listed()) == ["inception_v3", "vit_b_16_swag"]


def test_a_file_whose_checksum_is_not_that_of_its_name_is_damaged(own):
    path = own / "resnet18-f37072fd.pth"
    path.write_bytes(b"cut off")
    assert "SHA-256" in weights.problem_of("resnet18", path)


SOLUTION = """
import os
BACKBONE = "squeezenet1_1"
def fit(task):
    net = task.pretrained("mobilenet_v2" if os.name else BACKBONE)
    task.pretrained("resnet18")
    return getattr(task, "pretrained")(f"{net}x"), "Not a name", "../../etc/passwd"
"""


def test_networks_that_a_solution_names_are_found_in_its_text_without_running_it(tmp_path):
    (tmp_path / "solution.py").write_text(SOLUTION)
    (tmp_path / "broken.py").write_text("def (")
    strings, asked = weights.names_in(tmp_path)
    assert {"squeezenet1_1", "mobilenet_v2", "resnet18"} <= strings
    assert asked == {"resnet18"}
    assert not any("/" in name for name in strings)


def test_a_run_gets_the_weights_that_its_solution_names_and_no_others(own, tmp_path, monkeypatch):
    for name in ("squeezenet1_1_imagenet.safetensors", "mobilenet_v2-0123abcd.pth", "vgg16-0123abcd.pth"):
        (own / name).touch()
    asked = []
    monkeypatch.setattr(weights, "get", lambda name: asked.append(name) or own / f"{name}-4567abcd.pth")
    (tmp_path / "solution.py").write_text(SOLUTION)
    assert weights.for_submission(tmp_path) == {
        "pretrained/mobilenet_v2_imagenet.pth": own / "mobilenet_v2-0123abcd.pth",
        "pretrained/resnet18_imagenet.pth": own / "resnet18-4567abcd.pth",
        "pretrained/squeezenet1_1_imagenet.safetensors": own / "squeezenet1_1_imagenet.safetensors",
    }
    assert asked == ["resnet18"]


def test_where_there_is_no_network_a_run_goes_on_without_the_weights(tmp_path, monkeypatch):
    def unable(name: str) -> Path:
        raise UnableError("no network")

    monkeypatch.setattr(weights, "get", unable)
    (tmp_path / "solution.py").write_text(SOLUTION)
    assert weights.for_submission(tmp_path) == {}


@pytest.mark.parametrize("name", ["../x", "a" * 100, "RESNET", "x; rm"])
def test_what_cannot_be_a_name_is_never_passed_on(name):
    with pytest.raises(UsageError, match="torchvision has no network"):
        weights.get(name)
