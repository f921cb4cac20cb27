"""`task.pretrained(name)`: a network as its makers left it, offline; and what of it a returned module still holds.

As a program, `python -m tlcourse.execution.worker.pretrained NAME [FILE]`, it tells the side that has no torch where
torchvision's weights of a network are to be had, or what keeps a file from being loaded into it.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from tlcourse.methods.small_resnet import SmallResNet

WEIGHTS = Path(__file__).resolve().parents[2] / "content" / "weights"
"""Weights that ship with the course."""
INSECTS = "insects"
Find = Callable[[str], Path | None]
"""From the name of a network to the file with its weights, where there is one."""


def find_in(folder: Path) -> Find:
    """Look into the folder that the trusted side filled; see `tlcourse.data.real.weights.for_submission`."""
    return lambda name: next(
        (path for end in ("safetensors", "pth") if (path := folder / f"{name}_imagenet.{end}").is_file()), None
    )


def load(name: str, find: Find) -> nn.Module:
    """The pretrained network `name`, in `train` mode and with gradients, as torchvision hands networks out.

    `insects` ships with the course. Any other name is torchvision's, with ImageNet weights from the file that `find`
    gives.

    Raises:
        ValueError: there is no such network, or its weights are not there; the message says what is.
    """
    if name == INSECTS:
        state = load_file(WEIGHTS / f"{name}.safetensors")
        net: nn.Module = SmallResNet(len(state["fc.bias"]))
        net.load_state_dict(state)
        return net
    if not isinstance(name, str) or not _is_known(name):
        raise ValueError(f"there is no pretrained network {name!r}: use {INSECTS!r}, or a name of torchvision")
    if (path := find(name)) is None:
        raise ValueError(
            f"the ImageNet weights of {name!r} are not here: get them with `tlcourse data get pretrained {name}`, and "
            f"write the name out in your solution, as in task.pretrained({name!r}). {INSECTS!r} ships with the course"
        )
    return _filled(name, path)


def _is_known(name: str) -> bool:
    from torchvision import models  # here: it takes half a second, and most runs need none

    return name in models.list_models(models)


def _filled(name: str, path: Path) -> nn.Module:
    """The network `name` with the weights of a file; raises ValueError where they are those of another."""
    from torchvision import models

    aside = {"transform_input": True} if name in ("inception_v3", "googlenet") else {}
    try:
        if path.suffix == ".safetensors":
            state = load_file(path)
        else:
            state = torch.load(path, map_location="cpu", weights_only=True)
        net: nn.Module = models.get_model(name, weights=None, **aside)
        net.load_state_dict(state)
    except Exception as error:  # a damaged file, another network's weights: safetensors, pickle and torch each say so
        raise ValueError(f"{path.name} does not fit {name!r}: {str(error).splitlines()[0][:200]}") from None
    return net


def kept(model: nn.Module, name: str, find: Find) -> dict[str, float]:
    """How much of the network `name` is in `model`, bit for bit, whatever its parts are called there.

    Returns:
        backbone_kept: the share of numbers – parameters and batch-norm statistics, without the last layer – that
        `model` holds as they were issued. own_parameters: how many parameters of `model` are none of these.
    """
    net = load(name, find)
    last = [path for path, module in net.named_modules() if list(module.parameters(recurse=False))][-1]
    issued = [tensor for path, tensor in net.state_dict().items() if not path.startswith(f"{last}.")]
    issued = [tensor for tensor in issued if tensor.is_floating_point()]
    there = Counter(_fingerprint(tensor) for tensor in model.state_dict().values() if isinstance(tensor, Tensor))
    found = Counter(_fingerprint(tensor) for tensor in issued)
    missing = found - there
    share = 1 - sum(size * times for (size, _), times in missing.items()) / sum(tensor.numel() for tensor in issued)
    own = sum(parameter.numel() for parameter in model.parameters() if _fingerprint(parameter) not in found)
    return {"backbone_kept": share, "own_parameters": float(own)}


def _fingerprint(tensor: Tensor) -> tuple[int, str]:
    """The size of a tensor, and a digest of its shape, type and numbers."""
    array = tensor.detach().cpu().contiguous()
    digest = hashlib.sha256(f"{array.dtype}{tuple(array.shape)}".encode())
    digest.update(array.reshape(-1).view(torch.uint8).numpy().data)
    return tensor.numel(), digest.hexdigest()


def answer(name: str, path: Path | None) -> dict[str, str]:
    """`url`, where a network's weights are to be had; or `problem`: what is wrong with its name, or with a file."""
    from torchvision import models

    if not _is_known(name):
        return {"problem": f"torchvision has no network {name!r}"}
    if path is None:
        weights = models.get_model_weights(name)
        # the first version where there are several: the lecture's, and the one that papers report
        return {"url": next((w.url for w in weights if w.name == "IMAGENET1K_V1"), weights.DEFAULT.url)}
    try:
        _filled(name, path)
    except ValueError as error:
        return {"problem": str(error)}
    return {}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(answer(sys.argv[1], Path(sys.argv[2]) if len(sys.argv) > 2 else None)) + "\n")
