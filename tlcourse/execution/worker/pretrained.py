"""`task.pretrained(name)`: a network as its makers left it, offline; and what of it a returned module still holds."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from tlcourse.execution.interpreter import PACKAGE
from tlcourse.methods.small_resnet import SmallResNet

WEIGHTS = PACKAGE / "content" / "weights"
"""Weights that ship with the course."""
INSECTS = "insects"


def load(name: str, folders: Sequence[Path] = ()) -> nn.Module:
    """The pretrained network `name`, in `train` mode and with gradients, as torchvision hands networks out.

    `insects` ships with the course. Any other name is torchvision's, with ImageNet weights from the first of `folders`
    that holds NAME_imagenet.safetensors or torchvision's own file.

    Raises:
        ValueError: there is no such network, or its weights are not there; the message says what is.
    """
    if name == INSECTS:
        state = load_file(WEIGHTS / f"{name}.safetensors")
        net: nn.Module = SmallResNet(len(state["fc.bias"]))
    else:
        net, state = _of_torchvision(name, folders)
    net.load_state_dict(state)
    return net


def _of_torchvision(name: str, folders: Sequence[Path]) -> tuple[nn.Module, dict[str, Tensor]]:
    from torchvision import models  # here: it takes half a second, and most runs need none

    if name not in models.list_models(models):
        raise ValueError(f"there is no pretrained network {name!r}: use {INSECTS!r}, or torchvision's name of one")
    theirs = Path(models.get_model_weights(name).DEFAULT.url).name
    for folder in folders:
        if (path := folder / f"{name}_imagenet.safetensors").is_file():
            return models.get_model(name, weights=None), load_file(path)
        if (path := folder / theirs).is_file():
            state = torch.load(path, map_location="cpu", weights_only=True)
            return models.get_model(name, weights=None), state
    raise ValueError(
        f"the ImageNet weights of {name!r} are not here: put {name}_imagenet.safetensors into the folder pretrained/ "
        f"of TLCOURSE_DATA, or use {INSECTS!r}, which ships with the course"
    )


def kept(model: nn.Module, name: str, folders: Sequence[Path] = ()) -> dict[str, float]:
    """How much of the network `name` is in `model`, bit for bit, whatever its parts are called there.

    Returns:
        backbone_kept: the share of numbers – parameters and batch-norm statistics, without the last layer – that
        `model` holds as they were issued. own_parameters: how many parameters of `model` are none of these.
    """
    net = load(name, folders)
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
