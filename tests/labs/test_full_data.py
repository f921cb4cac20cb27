"""Labs on real data: no target label reaches a method, and data that are missing end in advice."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
import torch

from tests.labs.conftest import LABS
from tlcourse.data.real import hymenoptera
from tlcourse.errors import UnableError, UsageError
from tlcourse.labs import mnist_m
from tlcourse.labs.experiments import dann, feature_alignment, feature_augmentation, fine_tuning, patch_mix
from tlcourse.labs.result import conclude
from tlcourse.labs.runner import run_lab, settings_of
from tlcourse.labs.training import Log
from tlcourse.labs.worker import run_seed

REAL = Path(os.environ.get("TLCOURSE_DATA", "nowhere"))


def real(folder: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(
        not (REAL / folder).is_dir(), reason=f"TLCOURSE_DATA names no folder with {folder}: the lab is not run on it"
    )


@pytest.fixture
def drawn(monkeypatch):
    """256 random pictures a domain in place of MNIST and MNIST-M: four steps. `garbage()` makes target labels wrong."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randint(0, 256, (256, 3, 28, 28), generator=generator, dtype=torch.uint8)
    y = torch.randint(10, (256,), generator=generator)
    other = torch.randint(0, 256, (256, 3, 28, 28), generator=generator, dtype=torch.uint8)
    hidden = {"label": torch.randint(10, (256,), generator=generator)}
    monkeypatch.setattr(mnist_m, "source", lambda part: (x, y))
    monkeypatch.setattr(mnist_m, "target", lambda part: (other, hidden["label"]))

    def garbage() -> None:
        hidden["label"] = (hidden["label"] + 3) % 10

    return garbage


def test_half_of_the_pictures_come_as_negatives_with_all_their_channels():
    torch.manual_seed(1)
    x = torch.randint(0, 256, (400, 3, 4, 4), dtype=torch.uint8)
    found = mnist_m.half_inverted(x)
    negative = (found == 255 - x).all((1, 2, 3))
    assert ((found == x).all((1, 2, 3)) ^ negative).all(), "each is one or the other as a whole"
    assert 160 < int(negative.sum()) < 240
    assert found.dtype == torch.uint8


def _trained(others, steps, **given):
    """A network after so many steps from a fixed start, and the mean of its weights over the last epoch."""
    torch.manual_seed(3)
    net = mnist_m.network()
    averaged = torch.optim.swa_utils.AveragedModel(net)
    x, y = (part[: steps * mnist_m.BATCH] for part in mnist_m.source("train"))
    log = Log(io.BytesIO())
    mnist_m.train(net, x, y, others, arm="dann", log=log, epochs=1, inverted=True, averaged=averaged, **given)
    return net, averaged.module


@pytest.mark.slow
def test_source_only_is_what_dann_is_with_lambda_0(drawn):
    others = mnist_m.target("train")[0][: 2 * mnist_m.BATCH]
    (plain, _), (without, _), (with_it, _) = _trained(None, 2), _trained(others, 2, weight=0), _trained(others, 2)
    apart = [
        max(
            float((a - b).detach().abs().max())
            for a, b in zip(plain.features.parameters(), net.features.parameters(), strict=True)
        )
        for net in (without, with_it)
    ]
    assert apart[0] < 1e-6 < 1e-5 < apart[1], "in two steps"


@pytest.mark.slow
def test_averaged_weights_are_the_mean_over_the_steps_of_the_last_epoch(drawn):
    net, averaged = _trained(None, 1)
    assert torch.equal(net.labels[0].weight, averaged.labels[0].weight), "of one step"
    net, averaged = _trained(None, 3)
    assert 0 < float((net.labels[0].weight - averaged.labels[0].weight).detach().abs().max()) < 0.01


@pytest.mark.parametrize("experiment", [dann, patch_mix], ids=["dann", "patch-mix"])
def test_garbage_target_labels_give_identical_outputs(drawn, monkeypatch, experiment):
    monkeypatch.setattr(experiment, "EPOCHS", 1)
    if experiment is patch_mix:
        monkeypatch.setattr(experiment, "FULL_WARM_UP", 0.0)  # else the one epoch is warm-up, without a guess
    monkeypatch.setattr(experiment.unsupervised, "__defaults__", (1,) * len(experiment.unsupervised.__defaults__))
    given = experiment.unsupervised
    outputs: list[dict[str, torch.Tensor]] = []

    def spied(*arguments):
        outputs.append(given(*arguments))
        return dict(outputs[-1])

    monkeypatch.setattr(experiment, "unsupervised", spied)
    values, told = [], []
    for _ in range(2):
        stream = io.BytesIO()
        run = experiment.run_dann_full if experiment is dann else experiment.run_patch_mix_full
        values.append(run({}, 1, Log(stream)))
        lines = stream.getvalue().splitlines()
        told.append(
            [line for line in lines if b'"target loss' not in line and b'"note"' not in line]
        )  # notes have times
        drawn()
    first, second = outputs
    assert first.keys() == second.keys()
    assert all(torch.equal(first[arm], second[arm]) for arm in first)
    assert told[0] == told[1], "not only the classes: every loss and every feature that was told"
    assert values[0] != values[1], "the labels that only score the outputs did change"


def _few_photographs(x: torch.Tensor, label: torch.Tensor) -> tuple[dict, dict, dict]:
    arrays = [{"x": x[i::3].numpy(), "label": label[i::3].numpy()} for i in range(3)]
    return arrays[0], arrays[1], arrays[2]


@pytest.mark.slow
def test_every_arm_of_fine_tuning_trains_what_it_says(monkeypatch):
    """On 48 random pictures and a network with random weights in the place of ImageNet's."""
    generator = torch.Generator().manual_seed(0)
    x, label = torch.rand(72, 3, 64, 64, generator=generator), torch.arange(72) // 3 % 2
    monkeypatch.setattr(hymenoptera, "make", lambda seed: _few_photographs(x, label))
    monkeypatch.setattr(fine_tuning, "_available", lambda: "squeezenet1_1")
    monkeypatch.setattr(fine_tuning, "EPOCHS", 1)
    made: list[tuple[torch.nn.Module, dict]] = []
    given = fine_tuning.network

    def random_weights(name, *, pretrained):
        torch.manual_seed(1)
        net = given(name, pretrained=False)
        made.append((net, {key: value.clone() for key, value in net.state_dict().items()}))
        return net

    monkeypatch.setattr(fine_tuning, "network", random_weights)
    stream = io.BytesIO()
    found = fine_tuning.run_fine_tuning_full({}, 1, Log(stream))
    assert found.keys() == {"scratch", "frozen", "full", "layerwise"}
    assert all(0 <= value <= 1 for value in found.values())
    moved = []
    for net, before in made:
        first = "features.0.weight"
        moved.append(float((net.state_dict()[first] - before[first]).abs().max()))
    scratch, frozen, full, layerwise = moved
    assert frozen == 0
    assert min(scratch, full) > layerwise > 0, "the first layer moves least where its rate is smallest"
    assert b"photographs" in stream.getvalue()


@pytest.mark.slow
@pytest.mark.nightly
@real("hymenoptera_data")
@real("pretrained")
def test_fine_tuning_runs_on_some_real_photographs(monkeypatch):
    given = hymenoptera.make

    def some(seed):
        return tuple({key: value[:32] for key, value in arrays.items()} for arrays in given(seed))

    monkeypatch.setattr(hymenoptera, "make", some)
    monkeypatch.setattr(fine_tuning, "EPOCHS", 1)
    found = run_seed(fine_tuning.run_fine_tuning_full, {}, 1, Log(io.BytesIO()))
    assert found["frozen"] > 0.75, "a head on ImageNet's features tells ants from bees after few photographs"


def test_a_picture_is_standardised_by_itself_whatever_stands_beside_it():
    x = torch.randint(0, 256, (4, 3, 28, 28), dtype=torch.uint8)
    net = mnist_m.network().eval()
    alone = torch.cat([net(mnist_m.standardised(one[None])) for one in x])
    assert torch.allclose(alone, net(mnist_m.standardised(x)), atol=1e-4)
    assert torch.allclose(net.train()(mnist_m.standardised(x)), net.eval()(mnist_m.standardised(x)), atol=1e-6)


def test_a_lab_without_real_data_says_which_it_has():
    with pytest.raises(UsageError, match="has no data 'full'") as caught:
        run_lab(LABS["shifts"], {}, [1], lambda _: None, data="full")
    assert "mini" in caught.value.remedy


@pytest.mark.slow
def test_missing_data_end_in_the_advice_of_the_loader(monkeypatch):
    monkeypatch.delenv("TLCOURSE_DATA", raising=False)
    with pytest.raises(UnableError, match="MNIST are not on this machine") as caught:
        run_lab(LABS["dann"], settings_of(LABS["dann"], {}), [1], lambda _: None, data="full")
    assert "tlcourse data get mnist" in caught.value.remedy


def test_an_arm_that_real_data_lack_is_left_out_of_the_table():
    lab = LABS["dann"]
    result = conclude(lab, {}, {1: {"source": 0.5, "dann": 0.8}}, 0.0, "full")
    assert [arm.id for arm in result.arms] == ["source", "dann"]


@real("office_caltech10")
def test_alignment_changes_the_features_and_coral_the_covariance():
    (xs, _), (xt, _) = feature_alignment.domain("D"), feature_alignment.domain("W")
    a, b = feature_alignment.aligned("coral", xs, xt)
    assert b is xt
    assert (torch.cov(a.T) - torch.cov(xt.T)).norm() < (torch.cov(xs.T) - torch.cov(xt.T)).norm()
    a, b = feature_alignment.aligned("subspace", xs, xt, 20)
    assert a.shape == (len(xs), 20)
    assert b.shape == (len(xt), 20)


@pytest.mark.slow
@pytest.mark.nightly
@real("amazon_reviews")
def test_three_copies_beat_one_on_real_reviews():
    gains = []
    for source, target in (("books", "kitchen"), ("dvd", "electronics"), ("kitchen", "books"), ("electronics", "dvd")):
        found = feature_augmentation.with_few_labels(source, target, 1)
        gains.append(found["augmented"] - found["all"])
    assert sum(gains) / len(gains) > -0.01, "if one copy were clearly better, the record would have to say so"
