"""What is asked of the returned module: its predictions on the test inputs, and what can only be seen inside.

How a module breaks the contract is said plainly. What is seen inside – how many parameters there are, and which of them
serve every output – a hostile submission can forge. These numbers decide a check of their own at most, which says that
it is self-reported, and never another one.
"""

from __future__ import annotations

import contextlib
import copy
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from tlcourse.course.spec import Output
from tlcourse.execution.worker.solution import SolutionError

BATCH = 250
_NEEDED = 0.9
_NUMBERS = 250 * 3 * 64 * 64  # inputs in a batch at most: 250 photographs at once would fill the memory


def predict(model: nn.Module, x: torch.Tensor, outputs: Sequence[Output], device: torch.device) -> dict[str, Any]:
    """float32 NumPy arrays, one an output, each (n, *shape); raises SolutionError("contract", …).

    The module is called in `eval` mode, without gradients, on batches of nearly equal sizes: of at most 250, or 20
    photographs, and of one item only where there is but one.
    """
    model.eval()
    model.to(device)
    pieces: dict[str, list[torch.Tensor]] = {spec.name: [] for spec in outputs}
    with torch.inference_mode():
        for batch in x.tensor_split(math.ceil(len(x) / batch_size(x))):
            given = as_tuple(model(batch.to(device)), outputs)
            for spec, tensor in zip(outputs, given, strict=True):
                check_shape(tensor, spec, len(batch))
                pieces[spec.name].append(tensor.detach().to("cpu", torch.float32))
    return {name: torch.cat(parts).contiguous().numpy() for name, parts in pieces.items()}


def batch_size(x: torch.Tensor) -> int:
    """Items of `x` in a batch at most."""
    return max(1, min(BATCH, _NUMBERS // max(1, x[0].numel())))


def check_finite(arrays: Mapping[str, Any]) -> None:
    """Predictions must be numbers; raises SolutionError("contract", …)."""
    for name, array in arrays.items():
        if bad := int(array.size - np.isfinite(array).sum()):
            raise SolutionError(
                "contract",
                f"`{name}` holds {bad} values of {array.size} that are NaN or infinite, expected finite numbers",
            )


def check_model(model: Any) -> nn.Module:
    """`fit` must return a module."""
    if not isinstance(model, nn.Module):
        raise SolutionError(
            "contract",
            f"fit returned {_kind(model)}, expected a torch.nn.Module. "
            + ("Is there a `return model` at its end?" if model is None else "Return the network itself."),
        )
    return model


def as_tuple(given: Any, outputs: Sequence[Output]) -> tuple[torch.Tensor, ...]:
    """The module's return value as one tensor an output."""
    names = ", ".join(spec.name for spec in outputs)
    if len(outputs) == 1 and isinstance(given, torch.Tensor):
        given = (given,)
    if not isinstance(given, tuple | list):
        wanted = f"the tensor {names}" if len(outputs) == 1 else f"the tuple ({names})"
        raise SolutionError("contract", f"the module returned {_kind(given)}, expected {wanted}")
    if len(given) != len(outputs):
        raise SolutionError("contract", f"the module returned {len(given)} things, expected {len(outputs)}: ({names})")
    for spec, value in zip(outputs, given, strict=True):
        if not isinstance(value, torch.Tensor):
            raise SolutionError("contract", f"`{spec.name}` is {_kind(value)}, expected a tensor")
        if not value.is_floating_point():
            raise SolutionError("contract", f"`{spec.name}` has dtype {value.dtype}, expected torch.float32")
    return tuple(given)


def check_shape(tensor: torch.Tensor, spec: Output, batch: int) -> None:
    """Exactly (B, *shape): a shape that merely broadcasts is a mistake that would be scored wrongly."""
    expected = (batch, *spec.shape)
    if tuple(tensor.shape) != expected:
        wanted = ", ".join(["B", *map(str, spec.shape)]) + ("," if not spec.shape else "")
        raise SolutionError(
            "contract",
            f"`{spec.name}` has shape {tuple(tensor.shape)} for a batch of {batch}, expected {expected}, "
            f"that is ({wanted})." + _shape_advice(tuple(tensor.shape), expected),
        )


def _shape_advice(found: tuple[int, ...], expected: tuple[int, ...]) -> str:
    if found == (*expected, 1):
        return " A `.squeeze(-1)` on that head's output mends it."
    if len(expected) == 3 and found == (expected[0], expected[2], expected[1]):
        return " The last two dimensions are in the wrong order: a `.transpose(1, 2)` mends it."
    if len(expected) == 3 and found == (expected[0], expected[1] * expected[2]):
        return f" A `.unflatten(1, {expected[1:]})` mends it."
    return ""


def _kind(value: Any) -> str:
    name = type(value).__name__
    return "None" if value is None else f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"


def probes(model: nn.Module, x: torch.Tensor, outputs: Sequence[Output]) -> dict[str, float]:
    """Parameters in all, and of those that serve any head the share that serves every one.

    A head is an output, or one task of an output that counts tasks in its first dimension. A number of a parameter
    serves a head whose values for the batch `x` (B, …) have a non-zero gradient with respect to it. A trunk serves all
    heads; networks side by side share nothing, also where their weights are stacked in one tensor. Nor does what all
    heads can do without: where these numbers are zero, each head must lose a tenth of its spread at least.
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
        with torch.no_grad():
            shared = _count_of(every) if _all_need(model, x, outputs, parameters, every) else 0
    except Exception:  # a forward under no_grad: what cannot be measured is left out, and the grader says so
        return found
    finally:
        model.train(was_training)
        for parameter, flag in zip(parameters, trainable, strict=True):
            with contextlib.suppress(RuntimeError):
                parameter.grad = None
                parameter.requires_grad_(flag)
    found["shared_share"] = shared / max(_count_of(some), 1)
    return found


def _served(
    model: nn.Module, x: torch.Tensor, outputs: Sequence[Output], parameters: Sequence[nn.Parameter]
) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """Which numbers of the parameters serve every head, and which serve at least one."""
    every = [torch.ones_like(parameter, dtype=torch.bool) for parameter in parameters]
    some = [torch.zeros_like(parameter, dtype=torch.bool) for parameter in parameters]
    for head in _heads(as_tuple(model(x), outputs), outputs):
        # squares: the sum of a softmax's outputs has no gradient, the sum of their squares does
        gradients = torch.autograd.grad(head.float().square().sum(), parameters, retain_graph=True, allow_unused=True)
        for i, gradient in enumerate(gradients):
            served = torch.zeros_like(every[i]) if gradient is None else gradient != 0
            every[i] &= served
            some[i] |= served
    return every, some


def _all_need(
    model: nn.Module,
    x: torch.Tensor,
    outputs: Sequence[Output],
    parameters: Sequence[nn.Parameter],
    shared: Sequence[torch.Tensor],
) -> bool:
    """Whether no head predicts much the same without these numbers, a constant and a factor aside."""
    whole = [head.float() for head in _heads(as_tuple(model(x), outputs), outputs)]
    before = [parameter.clone() for parameter in parameters]
    try:
        for parameter, mask in zip(parameters, shared, strict=True):
            parameter.masked_fill_(mask, 0)
        without = [head.float() for head in _heads(as_tuple(model(x), outputs), outputs)]
    finally:
        for parameter, values in zip(parameters, before, strict=True):
            parameter.copy_(values)
    return not any(_explained(*both) > _NEEDED for both in zip(whole, without, strict=True))


def _explained(one: torch.Tensor, other: torch.Tensor) -> float:
    """The share of the spread of `one` over the batch (B, …) that `other` explains; NaN where it cannot."""
    a, b = (
        tensor.flatten(1) - tensor.flatten(1).mean(0) if tensor.dim() > 1 else tensor - tensor.mean()
        for tensor in (one, other)
    )
    return float((a * b).sum() ** 2 / (a.square().sum() * b.square().sum()))


def _count_of(masks: Sequence[torch.Tensor]) -> int:
    return sum(int(one.sum()) for one in masks)


def _heads(given: Sequence[torch.Tensor], outputs: Sequence[Output]) -> Iterator[torch.Tensor]:
    for tensor, spec in zip(given, outputs, strict=True):
        yield from tensor.unbind(1) if spec.by_task else (tensor,)


def _count(parameters: Sequence[nn.Parameter], flags: Sequence[bool]) -> int:
    return sum(parameter.numel() for parameter, flag in zip(parameters, flags, strict=True) if flag)
