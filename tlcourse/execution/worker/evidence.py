"""What can only be seen inside: how many parameters there are, and which of them serve every output.

A hostile submission can forge these numbers. They can cost points; they can never earn accuracy.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn


def measure(model: nn.Module, x: torch.Tensor, outputs: int) -> dict[str, float]:
    """Parameters in all, and the share of them that has a non-zero gradient from each of the `outputs`.

    x: (B, …) a batch of inputs. A trunk that serves both heads has gradients from both; two networks in one share none.
    """
    parameters = [parameter for parameter in model.parameters() if parameter.is_floating_point()]
    trainable = [parameter.requires_grad for parameter in parameters]
    total = sum(parameter.numel() for parameter in parameters)
    found = {"parameters": float(total), "trainable": float(_count(parameters, trainable))}
    if outputs < 2 or total == 0:
        return found
    for parameter in parameters:
        parameter.requires_grad_(True)
    was_training = model.training
    model.eval()  # dropout must not decide which parameters are counted
    try:
        with torch.enable_grad():
            touched = _touched_by_each(model, x, parameters)
    except RuntimeError:  # a forward under no_grad: what cannot be measured is left out, and the grader says so
        return found
    finally:
        model.train(was_training)
        for parameter, flag in zip(parameters, trainable, strict=True):
            parameter.grad = None
            parameter.requires_grad_(flag)
    shared = sum(parameter.numel() for parameter, *by in zip(parameters, *touched, strict=True) if all(by))
    found["shared_share"] = shared / total
    return found


def _touched_by_each(model: nn.Module, x: torch.Tensor, parameters: Sequence[nn.Parameter]) -> list[list[bool]]:
    touched = []
    for output in model(x):
        # squares: the sum of a softmax's outputs has no gradient, the sum of their squares does
        scalar = output.float().square().sum()
        gradients = torch.autograd.grad(scalar, parameters, retain_graph=True, allow_unused=True)
        touched.append([gradient is not None and bool((gradient != 0).any()) for gradient in gradients])
    return touched


def _count(parameters: Sequence[nn.Parameter], flags: Sequence[bool]) -> int:
    return sum(parameter.numel() for parameter, flag in zip(parameters, flags, strict=True) if flag)
