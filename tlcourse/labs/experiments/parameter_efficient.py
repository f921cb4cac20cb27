"""Few weights are trained, the network stays: adapters, low-rank changes, four bits, and those that matter most."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from tlcourse.labs.digits import DigitNet, load, rotated
from tlcourse.labs.training import Log, accuracy, fit
from tlcourse.methods import lora
from tlcourse.methods.fine_tuning import freeze
from tlcourse.methods.lora import QLoRALinear
from tlcourse.methods.parameter_efficient import Masked, ParallelAdapter, SerialAdapter, fisher_diagonal, top_k_mask


def run_adapters(settings: Mapping[str, float], seed: int, log: Log) -> dict[str, float]:
    """Upright digits teach a network; rotated ones are the target. Adapters, the head alone, and everything.

    Accuracy on rotated digits.
    """
    x, y = load(seed)
    pretrained = DigitNet()
    fit(pretrained, x[:900], y[:900], arm="source", log=log, steps=400)
    n = int(settings["labels"])
    target = rotated(x[900:], settings["degrees"])
    xt, yt, test, truth = target[:n], y[900 : 900 + n], target[300:], y[1200:]
    found = {}
    for arm, make in (("head", _head), ("serial", _serial), ("parallel", _parallel), ("full", lambda net: net)):
        net = make(copy.deepcopy(pretrained))
        fit(net, xt, yt, arm=arm, log=log, steps=int(settings["steps"]), lr=3e-3, batch=len(xt))
        found[arm] = accuracy(net, test, truth)
    return found


def _head(net: DigitNet) -> DigitNet:
    freeze(net.features)
    return net


def _serial(net: DigitNet, width: int = 16) -> DigitNet:
    """After the linear layer that makes the features; the head learns as well."""
    freeze(net.features)
    linear = net.features[7]
    assert isinstance(linear, nn.Linear)
    net.features[7] = SerialAdapter(linear, linear.out_features, width)
    return net


def _parallel(net: DigitNet) -> DigitNet:
    """Beside both convolutions; the head learns as well."""
    freeze(net.features)
    for place in (0, 3):
        convolution = net.features[place]
        assert isinstance(convolution, nn.Conv2d)
        net.features[place] = ParallelAdapter(convolution)
    return net


def run_lora(settings: Mapping[str, float], seed: int, log: Log) -> dict[str, float]:
    """Upright digits teach a perceptron; rotated ones are the target. A low-rank change, the head alone, everything.

    Accuracy on rotated digits.
    """
    x, y = load(seed)
    pretrained = nn.Sequential(
        nn.Flatten(), nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 10)
    )
    fit(pretrained, x[:900], y[:900], arm="source", log=log, steps=400)
    n, rank = int(settings["labels"]), int(settings["rank"])
    target = rotated(x[900:], settings["degrees"])
    xt, yt, test, truth = target[:n], y[900 : 900 + n], target[300:], y[1200:]
    found = {"original": accuracy(pretrained, test, truth)}
    for arm in ("head", "lora", "qlora", "full"):
        net = copy.deepcopy(pretrained)
        if arm == "head":
            freeze(net[:5])
        elif arm == "lora":
            lora.apply(net, rank, alpha=2 * rank)
        elif arm == "qlora":
            for place in (1, 3, 5):
                linear = net[place]
                assert isinstance(linear, nn.Linear)
                net[place] = QLoRALinear(linear, rank, alpha=2 * rank)
        fit(net, xt, yt, arm=arm, log=log, steps=int(settings["steps"]), lr=3e-3, batch=len(xt))
        found[arm] = accuracy(net, test, truth)
    return found


Store = Callable[[Tensor], tuple[Tensor, float]]
"""A weight -> what comes back, and the bits that were stored for each number."""


def run_qlora(settings: Mapping[str, float], seed: int, log: Log) -> dict[str, float]:
    """A trained perceptron in four bits: NF4 with double quantisation against evenly spaced levels, weight for weight.

    The error of the layers' outputs, in per cent of their size, when the weights are kept in few bits.
    """
    x, y = load(seed)
    width = int(settings["width"])
    net = nn.Sequential(nn.Flatten(), nn.Linear(64, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU())
    net.append(nn.Linear(width, 10))
    for layer in net[1::2]:
        if settings["uniform"] == 0 and isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, std=(2 / layer.in_features) ** 0.5)
    fit(net, x[:900], y[:900], arm="training", log=log, steps=int(settings["steps"]), lr=1e-3)
    test, truth = x[900:], y[900:]
    kept = {"int8": even(8), "int4": even(4), "single": single, "nf4": double, "int3": even(3)}
    found = {}
    for arm, store in kept.items():
        small = copy.deepcopy(net)
        bits = _replace(small, store)
        found[arm] = _error(small, net, test)
        log.metric(arm, 0, bits=bits, error=found[arm], accuracy=accuracy(small, test, truth))
    return found


def _replace(net: nn.Sequential, store: Store) -> float:
    """Put every weight matrix through `store`; the bits a weight over all of them."""
    bits, weights = 0.0, 0
    for layer in net:
        if isinstance(layer, nn.Linear):
            back, each = store(layer.weight.detach())
            layer.weight.data = back
            bits, weights = bits + each * back.numel(), weights + back.numel()
    return bits / weights


@torch.no_grad()
def _error(small: nn.Sequential, net: nn.Sequential, x: Tensor) -> float:
    """Mean over the layers: by how many per cent the layer's output is off where its input is right."""
    off = []
    for kept, layer in zip(small, net, strict=True):
        right = layer(x)
        if isinstance(layer, nn.Linear):
            off.append(float((kept(x) - right).norm() / right.norm()))
        x = right
    return 100 * sum(off) / len(off)


def even(bits: int) -> Store:
    """Levels at equal distances, symmetric about zero; each block of 64 has its largest magnitude as float32."""
    top = 2 ** (bits - 1) - 1

    def store(weight: Tensor) -> tuple[Tensor, float]:
        blocks = weight.flatten().view(-1, lora.BLOCK)  # all layers here have a multiple of 64 weights
        scale = blocks.abs().amax(dim=1, keepdim=True).clamp_min(1e-12) / top
        return ((blocks / scale).round() * scale).view_as(weight), bits + 32 / lora.BLOCK

    return store


def double(weight: Tensor) -> tuple[Tensor, float]:
    stored = lora.quantise(weight)
    return lora.dequantise(stored), stored.bits_a_weight()


def single(weight: Tensor) -> tuple[Tensor, float]:
    """NF4 without the second quantisation: each block's scale stays a float32."""
    blocks = weight.flatten().view(-1, lora.BLOCK)
    scale = blocks.abs().amax(dim=1, keepdim=True).clamp_min(1e-12)
    levels = torch.tensor(lora.LEVELS)
    codes = torch.bucketize(blocks / scale, (levels[1:] + levels[:-1]) / 2)
    return (levels[codes] * scale).view_as(weight), 4 + 32 / lora.BLOCK


def run_fish(settings: Mapping[str, float], seed: int, log: Log) -> dict[str, float]:
    """Accuracy on rotated digits."""
    x, y = load(seed)
    pretrained = DigitNet()
    fit(pretrained, x[:900], y[:900], arm="source", log=log, steps=400)
    n = int(settings["labels"])
    target = rotated(x[900:], settings["degrees"])
    xt, yt, test, truth = target[:n], y[900 : 900 + n], target[300:], y[1200:]
    weights = sum(p.numel() for p in pretrained.parameters())
    k = max(1, round(settings["share"] * weights))
    information = fisher_diagonal(pretrained, xt)
    noise = {name: torch.rand_like(values) for name, values in information.items()}
    masks = {"fish": top_k_mask(information, k), "random": top_k_mask(noise, k), "full": None}
    found = {"original": accuracy(pretrained, test, truth)}
    for arm, mask in masks.items():
        net = copy.deepcopy(pretrained)
        _train_masked(net, mask, xt, yt, arm, int(settings["steps"]), log, lambda n=net: accuracy(n, test, truth))
        found[arm] = accuracy(net, test, truth)
    return found


def _train_masked(net, mask, x: Tensor, y: Tensor, arm: str, steps: int, log: Log, measure) -> None:  # type: ignore[no-untyped-def]
    optimizer = torch.optim.SGD(net.parameters(), 0.03, 0.9)
    masked = Masked(net, mask, optimizer) if mask is not None else None
    for step in range(1, steps + 1):
        loss = torch.nn.functional.cross_entropy(net(x), y)
        optimizer.zero_grad()
        loss.backward()
        (masked or optimizer).step()
        if step % max(steps // 20, 1) == 0:
            log.metric(arm, step, loss=loss.item(), accuracy=measure())
