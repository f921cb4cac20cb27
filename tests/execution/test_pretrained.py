"""`task.pretrained`: what it gives, what it says where it cannot, and what of it a module still holds."""

from __future__ import annotations

import copy
import hashlib
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from tlcourse.execution.worker import pretrained
from tlcourse.execution.worker.task import Task


def nowhere(name: str) -> None:
    return None


def new_squeezenet() -> nn.Module:
    from torchvision import models  # takes two seconds, which each test process that collects would pay

    return models.get_model("squeezenet1_1", weights=None)


@pytest.fixture(scope="module")
def squeezenet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as the trusted side fills it, with random weights in the place of ImageNet's."""
    folder = tmp_path_factory.mktemp("pretrained")
    torch.manual_seed(0)
    save_file(new_squeezenet().state_dict(), folder / "squeezenet1_1_imagenet.safetensors")
    return folder


def headed(net: nn.Module) -> nn.Module:
    """With a new last layer, as the exercise asks."""
    net.requires_grad_(False)
    net.fc = nn.Linear(net.fc.in_features, 2)
    return net.eval()


def test_the_courses_own_network_is_there_without_any_file_from_outside():
    net = pretrained.load("insects", nowhere)
    assert net(torch.zeros(2, 3, 32, 32)).shape == (2, 17)
    assert net.training
    assert all(parameter.requires_grad for parameter in net.parameters())
    assert (pretrained.WEIGHTS / "insects.safetensors").stat().st_size < 3_000_000


@pytest.mark.slow
def test_a_network_of_torchvision_comes_from_the_file_of_its_name(squeezenet):
    net = pretrained.load("squeezenet1_1", pretrained.find_in(squeezenet))
    torch.manual_seed(0)
    wanted = new_squeezenet()
    assert all(torch.equal(a, b) for a, b in zip(net.parameters(), wanted.parameters(), strict=True))


@pytest.mark.slow
def test_a_checkpoint_as_torchvision_saves_it_serves_as_well(squeezenet, tmp_path):
    state = pretrained.load("squeezenet1_1", pretrained.find_in(squeezenet)).state_dict()
    torch.save(state, tmp_path / "squeezenet1_1_imagenet.pth")
    net = pretrained.load("squeezenet1_1", pretrained.find_in(tmp_path))
    assert torch.equal(net.state_dict()["classifier.1.weight"], state["classifier.1.weight"])


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("insect", "there is no pretrained network 'insect'"),
        (3, "there is no pretrained network 3"),
        ("resnet18", "tlcourse data get pretrained resnet18"),
    ],
)
def test_what_is_not_there_is_said_with_what_would_mend_it(name, said):
    with pytest.raises(ValueError, match=said):
        pretrained.load(name, nowhere)


def test_weights_of_another_network_are_refused(squeezenet, tmp_path):
    (tmp_path / "mobilenet_v2_imagenet.safetensors").write_bytes(
        (squeezenet / "squeezenet1_1_imagenet.safetensors").read_bytes()
    )
    with pytest.raises(ValueError, match="does not fit 'mobilenet_v2'"):
        pretrained.load("mobilenet_v2", pretrained.find_in(tmp_path))
    (tmp_path / "resnet18_imagenet.pth").write_bytes(b"no checkpoint")
    with pytest.raises(ValueError, match="does not fit 'resnet18'"):
        pretrained.load("resnet18", pretrained.find_in(tmp_path))


def test_a_frozen_backbone_is_kept_whole_and_the_new_layer_is_ones_own():
    found = pretrained.kept(headed(pretrained.load("insects", nowhere)), "insects", nowhere)
    assert found == {"backbone_kept": 1.0, "own_parameters": 258.0}


def test_a_backbone_below_other_names_is_kept_too():
    net = headed(pretrained.load("insects", nowhere))
    assert pretrained.kept(nn.ModuleDict({"body": nn.Sequential(net)}), "insects", nowhere)["backbone_kept"] == 1.0


def test_a_step_on_all_layers_keeps_nothing():
    net = pretrained.load("insects", nowhere)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter += 1e-4
    found = pretrained.kept(net, "insects", nowhere)
    assert found["backbone_kept"] < 0.1
    assert found["own_parameters"] > 300_000


def test_drifting_statistics_of_batch_norm_are_not_kept():
    net = headed(pretrained.load("insects", nowhere)).train()
    net(torch.rand(8, 3, 32, 32))
    found = pretrained.kept(net, "insects", nowhere)
    assert 0.98 < found["backbone_kept"] < 1
    assert found["own_parameters"] == 258


def test_a_second_trained_copy_counts_as_ones_own():
    frozen = headed(pretrained.load("insects", nowhere))
    trained = copy.deepcopy(frozen)
    with torch.no_grad():
        for parameter in trained.parameters():
            parameter += 1e-4
    found = pretrained.kept(nn.ModuleList([frozen, trained]), "insects", nowhere)
    assert found["backbone_kept"] == 1.0
    assert found["own_parameters"] > 300_000


def test_the_task_remembers_what_it_gave_and_nothing_is_kept_of_what_it_did_not():
    task = Task.local("ex1", device="cpu", seed=3)
    assert task.kept(nn.Linear(2, 2)) == {}
    assert task.kept(headed(task.pretrained("insects")))["backbone_kept"] == 1.0


def test_local_data_are_those_of_the_exercise():
    task = Task.local("ex1", device="cpu")
    x, label = task.train[0]
    assert x.shape == (3, 32, 32)
    assert label.dtype == torch.int64
    assert (len(task.train), len(task.val)) == (240, 160)


def test_the_weights_that_ship_are_those_that_their_log_tells_of():
    import json

    log = json.loads((pretrained.WEIGHTS / "insects.log.json").read_text())
    digest = hashlib.sha256((pretrained.WEIGHTS / "insects.safetensors").read_bytes()).hexdigest()
    assert log["sha256"] == digest
    assert log["log"][-1]["epoch"] == log["settings"]["epochs"]
    assert not {"ant", "bee"} & set(log["classes"])
