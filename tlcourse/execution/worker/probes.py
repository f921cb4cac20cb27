"""What can only be seen inside: how many parameters there are, and which of them serve every output.

A hostile submission can forge these numbers. They decide a check of their own at most, which says that it is
self-reported, and never another one.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator, Sequence

import torch
from torch import nn

from tlcourse.course.spec import Output
from tlcourse.execution.worker.predict import as_tuple


def measure(model: nn.Module, x: torch.Tensor, outputs: Sequence[Output]) -> dict[str, float]:
    """Parameters in all, and of those that serve any head the share that serves every one.

    A head is an output, or one task of an output that counts tasks in its first dimension. A number of a parameter
    serves a head whose values for the batch `x` (B, …) have a non-zero gradient with respect to it. A trunk serves all
    heads; networks side by side share nothing, also where their weights are stacked in one tensor.
    """
    if any(tensor.is_inference() for tensor in (*model.parameters(), *model.buffers())):
        model = copy.deepcopy(model)  # averaged weights that were made in inference mode: their copies have gradients
    parameters = [parameter for parameter in model.parameters() if parameter.is_floating_point()]
    trainable = [parameter.requires_grad for parameter in parameters]
    total = sum(parameter.numel() for parameter in parameters)
    found = {"parameters": float(total), "trainable": float(_count(parameters, trainable))}
    if total == 0 or sum(spec.heads for spec in outputs) < 2:
        return found
    was_training = model.training
    try:
        for parameter in parameters:
            parameter.requires_grad_(True)
        model.eval()  # dropout must not decide which parameters are counted
        with torch.enable_grad():
            every, some = _served(model, x, outputs, parameters)
    except Exception:  # a forward under no_grad: what cannot be measured is left out, and the grader says so
        return found
    finally:
        model.train(was_training)
        for parameter, flag in zip(parameters, trainable, strict=True):
            with contextlib.suppress(RuntimeError):
                parameter.grad = None
                parameter.requires_grad_(flag)
    found["shared_share"] = every / max(some, 1)
    return found


def _served(
    model: nn.Module, x: torch.Tensor, outputs: Sequence[Output], parameters: Sequence[nn.Parameter]
) -> tuple[int, int]:
    """How many numbers of the parameters serve every head, and how many serve at least one."""
    every = [torch.ones_like(parameter, dtype=torch.bool) for parameter in parameters]
    some = [torch.zeros_like(parameter, dtype=torch.bool) for parameter in parameters]
    for head in _heads(as_tuple(model(x), outputs), outputs):
        # squares: the sum of a softmax's outputs has no gradient, the sum of their squares does
        gradients = torch.autograd.grad(head.float().square().sum(), parameters, retain_graph=True, allow_unused=True)
        for i, gradient in enumerate(gradients):
            served = torch.zeros_like(every[i]) if gradient is None else gradient != 0
            every[i] &= served
            some[i] |= served
    return sum(int(one.sum()) for one in every), sum(int(one.sum()) for one in some)


def _heads(given: Sequence[torch.Tensor], outputs: Sequence[Output]) -> Iterator[torch.Tensor]:
    for tensor, spec in zip(given, outputs, strict=True):
        yield from tensor.unbind(1) if spec.by_task else (tensor,)


def _count(parameters: Sequence[nn.Parameter], flags: Sequence[bool]) -> int:
    return sum(parameter.numel() for parameter, flag in zip(parameters, flags, strict=True) if flag)
