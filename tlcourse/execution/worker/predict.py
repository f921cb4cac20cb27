"""Calling the returned module on the test inputs, and saying plainly how it breaks the contract."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from tlcourse.course.spec import Output
from tlcourse.execution.worker.solution import SolutionError

BATCH = 250
_NUMBERS = 250 * 3 * 64 * 64  # inputs in a batch at most: 250 photographs at once would fill the memory


def predict(model: nn.Module, x: torch.Tensor, outputs: Sequence[Output], device: torch.device) -> dict[str, Any]:
    """float32 NumPy arrays, one an output, each (n, *shape); raises SolutionError("contract", …).

    The module is called in `eval` mode, without gradients, on batches of at most 250; of 20 photographs.
    """
    model.eval()
    model.to(device)
    pieces: dict[str, list[torch.Tensor]] = {spec.name: [] for spec in outputs}
    with torch.inference_mode():
        for batch in x.split(max(1, min(BATCH, _NUMBERS // max(1, x[0].numel())))):
            given = as_tuple(model(batch.to(device)), outputs)
            for spec, tensor in zip(outputs, given, strict=True):
                check_shape(tensor, spec, len(batch))
                pieces[spec.name].append(tensor.detach().to("cpu", torch.float32))
    return {name: torch.cat(parts).contiguous().numpy() for name, parts in pieces.items()}


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
        raise SolutionError("contract", f"the module returned {_kind(given)}, expected the tuple ({names})")
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
    return "None" if value is None else f"a {type(value).__name__}"
