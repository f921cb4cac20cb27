"""Fine-tuning: keep what a network has learnt, and train as much of it anew as the data can bear.

The lecture's recipe: take a pretrained network, freeze all of it, replace the last layer, train that layer; with more
data unfreeze the layers before it, the earlier ones with smaller learning rates (Yosinski et al. 2014,
arXiv:1411.1792; Howard and Ruder 2018, arXiv:1801.06146, section 3.2 on discriminative rates).

Anchoring needs no frozen layer: the divergence from what the original model predicts is a second loss beside the
labels'. Phan et al. 2020 (Physiological Measurement 41, 064004; arXiv:2004.11349) personalise a sleep-staging network
so for one patient, of whom there are few labels.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm


def freeze(net: nn.Module) -> nn.Module:
    """Freeze every parameter of `net`, and its batch-norm statistics too; returns `net`.

    `requires_grad = False` alone leaves the running means and variances moving with every batch in `train` mode; and
    `eval()` alone is undone by the next `train()`. Both are done here, for good, until `unfreeze`.
    """
    for parameter in net.parameters():
        parameter.requires_grad_(False)
    for norm in batch_norms(net):
        norm.eval()
        norm.train = _stay_in_eval.__get__(norm)  # the next net.train() passes this module by
    return net


def unfreeze(net: nn.Module) -> nn.Module:
    """Let `net` learn again, batch-norm statistics included; returns `net`."""
    for parameter in net.parameters():
        parameter.requires_grad_(True)
    for norm in batch_norms(net):
        norm.__dict__.pop("train", None)
    return net


def batch_norms(net: nn.Module) -> Iterator[nn.Module]:
    """Every batch norm of `net`."""
    return (module for module in net.modules() if isinstance(module, _BatchNorm))


def _stay_in_eval(norm: nn.Module, mode: bool = True) -> nn.Module:
    norm.training = False
    return norm


def replace_head(net: nn.Module, classes: int) -> nn.Module:
    """Put a new linear layer with `classes` outputs in the place of the last one; returns the new layer.

    It finds the last `nn.Linear` (ResNet's `fc`, MobileNet's `classifier[1]`) or, where a network ends in a 1×1
    convolution (SqueezeNet), that one. Raises ValueError where there is neither.
    """
    named = [(name, module) for name, module in net.named_modules() if isinstance(module, nn.Linear | nn.Conv2d)]
    if not named:
        raise ValueError("the network has no linear layer and no convolution to replace")
    name, old = named[-1]
    if isinstance(old, nn.Linear):
        new: nn.Module = nn.Linear(old.in_features, classes)
    else:
        new = nn.Conv2d(old.in_channels, classes, old.kernel_size, old.stride, old.padding)
    parent = net.get_submodule(name.rpartition(".")[0])
    setattr(parent, name.rpartition(".")[2], new)
    return new


def unfreeze_last(net: nn.Module, parts: int) -> list[str]:
    """Let the last `parts` children of `net` that hold parameters learn; returns their names, last first."""
    with_parameters = [name for name, child in net.named_children() if any(True for _ in child.parameters())]
    chosen = with_parameters[::-1][:parts]
    for name in chosen:
        unfreeze(net.get_submodule(name))
    return chosen


def layerwise_rates(net: nn.Module, lr: float, decay: float = 0.5) -> list[dict[str, object]]:
    """Parameter groups for an optimiser: the last child gets `lr`, each one before it `decay` times the next's.

    Only parameters that require a gradient are in a group, and each in exactly one: a parameter that an optimiser does
    not hold is silently never trained. Raises ValueError where nothing would be trained.

    >>> optimizer = torch.optim.SGD(layerwise_rates(net, 1e-2, 0.3), momentum=0.9)
    """
    groups: list[dict[str, object]] = []
    seen: set[int] = set()
    for child in reversed(list(net.children())):
        trained = [p for p in child.parameters() if p.requires_grad and id(p) not in seen]
        seen.update(map(id, trained))
        if any(True for _ in child.parameters()):  # a child without parameters is no layer
            if trained:
                groups.append({"params": trained, "lr": lr})
            lr *= decay
    own = [p for p in net.parameters(recurse=False) if p.requires_grad and id(p) not in seen]
    if own:
        groups.append({"params": own, "lr": lr})
    if not groups:
        raise ValueError("every parameter is frozen: nothing would be trained")
    return groups


def trained_parameters(net: nn.Module) -> int:
    """How many numbers training may change."""
    return sum(parameter.numel() for parameter in net.parameters() if parameter.requires_grad)


def anchored_loss(logits: Tensor, target: Tensor, anchor_logits: Tensor, alpha: float) -> Tensor:
    """(1 − α)·CE(y, p) + α·CE(p₀, p), the mean over the batch.

    CE(p₀, p) differs from KL(p₀ ‖ p) by the entropy of p₀, which no weight changes: the gradients are the same.

    Args:
        logits: (B, C) of the model that is trained; p is their softmax.
        target: (B,) int64 labels.
        anchor_logits: (B, C) of the original model on the same inputs; no gradient flows into it.
        alpha: 0 trains on the labels alone, 1 never leaves the original model.
    """
    if not 0 <= alpha <= 1:
        raise ValueError(f"alpha is {alpha}, expected a number from 0 to 1")
    return F.cross_entropy(logits, mixed_target(target, anchor_logits, alpha))


def mixed_target(target: Tensor, anchor_logits: Tensor, alpha: float) -> Tensor:
    """(1 − α)·onehot(y) + α·p₀, shape (B, C): cross-entropy is linear in its target, so the two losses are one."""
    anchor = torch.softmax(anchor_logits.detach(), dim=1)
    return (1 - alpha) * F.one_hot(target, anchor.shape[1]).to(anchor.dtype) + alpha * anchor
