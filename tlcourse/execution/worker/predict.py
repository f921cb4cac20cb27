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
from tlcourse.execution import items
from tlcourse.execution.worker.solution import SolutionError

BATCH = 250
_NEEDED = 0.9
_DTYPES = {"float32": torch.float32, "uint8": torch.uint8, "int64": torch.int64, "bool": torch.bool}
_NUMBERS = 250 * 3 * 64 * 64  # inputs in a batch at most: 250 photographs at once would fill the memory


def predict(model: nn.Module, x: Any, outputs: Sequence[Output], device: torch.device) -> dict[str, Any]:
    """NumPy arrays as they travel, one an output, each (n, *shape), or all rows and the lengths of the items.

    The module is called in `eval` mode, without gradients, on batches of nearly equal sizes: of at most 250, or 20
    photographs, and of one item only where there is but one. What it is given has the form that `x` has in
    `task.train.tensors`: a tensor, a list of tensors or of bytes, or a table of these.

    Raises SolutionError("contract", …).
    """
    model.eval()
    model.to(device)
    pieces: dict[str, list[Any]] = {spec.name: [] for spec in outputs}
    n = items.count(x)
    with torch.inference_mode():
        for at, end in _batches(n, batch_size(x)):
            batch = items.part(x, slice(at, end))
            given = as_tuple(model(on_device(batch, device)), outputs)
            for spec, found in zip(outputs, given, strict=True):
                if not spec.rows:
                    check_shape(found, spec, end - at)
                    pieces[spec.name].append(found.detach().to("cpu", _DTYPES[spec.dtype]))
                    continue
                pieces[spec.name] += _of_each_item(found, spec, batch, end - at)
    flat: dict[str, Any] = {}
    for spec in outputs:
        if spec.rows:
            flat |= items.flattened({spec.name: pieces[spec.name]})
        else:
            flat[spec.name] = torch.cat(pieces[spec.name]).contiguous().numpy()
    return flat


def _batches(n: int, most: int) -> Iterator[tuple[int, int]]:
    """Where each batch begins and ends: larger ones first, by one item at most."""
    number = math.ceil(n / most)
    size, larger = divmod(n, number)
    for i in range(number):
        at = i * size + min(i, larger)
        yield at, at + size + (i < larger)


def _of_each_item(found: Any, spec: Output, batch: Any, n: int) -> list[Any]:
    """Arrays (rows, *shape), or texts, one for each item of a batch; raises SolutionError("contract")."""
    if len(found) != n:
        raise _contract(f"`{spec.name}` has {len(found)} entries for a batch of {n}, expected one for each item")
    lengths = [len(one) for one in items.field(batch, spec.rows_of)] if spec.rows_of else None
    entries: list[Any] = []
    for i, one in enumerate(found):
        if spec.dtype == "bytes":
            if not isinstance(one, bytes | bytearray):
                raise _contract(f"`{spec.name}` of item {i} is {_kind(one)}, expected bytes")
            entries.append(bytes(one))
        else:
            _check_kind(one, spec, f"`{spec.name}` of item {i}")
            if one.dim() == 0 or tuple(one.shape[1:]) != spec.shape:
                wanted = ", ".join(["rows", *map(str, spec.shape)]) + ("," if not spec.shape else "")
                raise _contract(f"`{spec.name}` of item {i} has shape {tuple(one.shape)}, expected ({wanted})")
            entries.append(one.detach().to("cpu", _DTYPES[spec.dtype]).contiguous().numpy())
        rows = len(entries[-1])
        if rows > spec.rows:
            raise _contract(f"`{spec.name}` of item {i} has {rows} rows, expected at most {spec.rows}")
        if lengths is not None and rows != lengths[i]:
            said = f"expected {lengths[i]}, as many as its `{spec.rows_of}` has"
            raise _contract(f"`{spec.name}` of item {i} has {rows} rows, {said}")
    return entries


def on_device(x: Any, device: torch.device) -> Any:
    """A batch where it is to be used; texts stay what they are."""
    if isinstance(x, Mapping):
        return {name: on_device(one, device) for name, one in x.items()}
    if isinstance(x, list):
        return [one if isinstance(one, bytes) else one.to(device) for one in x]
    return x.to(device)


def batch_size(x: Any) -> int:
    """Items of `x` in a batch at most."""
    return max(1, min(BATCH, _NUMBERS // max(1, _size(x))))


def _size(x: Any) -> int:
    """Numbers in an item of `x`, in the largest where they differ."""
    if isinstance(x, Mapping):
        return sum(_size(one) for one in x.values())
    if isinstance(x, list):
        return max(len(one) if isinstance(one, bytes) else one.numel() for one in x)
    return int(x[0].numel())


def check_finite(arrays: Mapping[str, Any]) -> None:
    """Predictions must be numbers; raises SolutionError("contract", …)."""
    for name, array in arrays.items():
        if bad := int(array.size - np.isfinite(array).sum()):
            raise _contract(
                f"`{name}` holds {bad} values of {array.size} that are NaN or infinite, expected finite numbers"
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


def as_tuple(given: Any, outputs: Sequence[Output]) -> tuple[Any, ...]:
    """The module's return value as one tensor, or list of what each item gives, an output.

    It may return them as a tuple in their order, or as a table by name; one alone may stand for itself.
    """
    names = ", ".join(spec.name for spec in outputs)
    if isinstance(given, Mapping):
        if set(given) != {spec.name for spec in outputs}:
            found = ", ".join(sorted(f"{name!s:.40}" for name in list(given)[:20]))
            raise _contract(f"the module returned a table of {found or 'nothing'}, expected exactly {names}")
        given = tuple(given[spec.name] for spec in outputs)
    elif len(outputs) == 1 and (isinstance(given, torch.Tensor) or (outputs[0].rows and not _holds_a_list(given))):
        given = (given,)
    if not isinstance(given, tuple | list):
        alone = outputs[0]
        wanted = f"the {'list' if alone.rows else 'tensor'} {names}" if len(outputs) == 1 else f"the tuple ({names})"
        raise _contract(f"the module returned {_kind(given)}, expected {wanted}")
    if len(given) != len(outputs):
        raise _contract(f"the module returned {len(given)} things, expected {len(outputs)}: ({names})")
    for spec, value in zip(outputs, given, strict=True):
        if spec.rows:
            if not isinstance(value, tuple | list):
                each = "bytes" if spec.dtype == "bytes" else "a tensor"
                raise _contract(f"`{spec.name}` is {_kind(value)}, expected a list with {each} for each item")
        else:
            _check_kind(value, spec, f"`{spec.name}`")
    return tuple(given)


def _holds_a_list(given: Any) -> bool:
    """Whether it is a tuple around the one output, which is a list itself."""
    return isinstance(given, tuple | list) and len(given) == 1 and isinstance(given[0], tuple | list)


def _check_kind(value: Any, spec: Output, what: str) -> None:
    """Raise SolutionError where it is no tensor of such numbers; of floats and of ints the number of bits is free."""
    if not isinstance(value, torch.Tensor):
        raise _contract(f"{what} is {_kind(value)}, expected a tensor")
    wanted, dtype = _DTYPES[spec.dtype], value.dtype
    whole = not (value.is_floating_point() or value.is_complex() or dtype is torch.bool)
    fits = {"float32": value.is_floating_point(), "int64": whole}.get(spec.dtype, dtype is wanted)
    if not fits:
        raise _contract(f"{what} has dtype {dtype}, expected {wanted}")


def _contract(message: str) -> SolutionError:
    return SolutionError("contract", message)


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
        return " A `.squeeze(-1)` on that head's output fixes it."
    if len(expected) == 3 and found == (expected[0], expected[2], expected[1]):
        return " The last two dimensions are in the wrong order: a `.transpose(1, 2)` fixes it."
    if len(expected) == 3 and found == (expected[0], expected[1] * expected[2]):
        return f" A `.unflatten(1, {expected[1:]})` fixes it."
    return ""


def _kind(value: Any) -> str:
    name = type(value).__name__
    return "None" if value is None else f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"


def probes(model: nn.Module, x: Any, outputs: Sequence[Output]) -> dict[str, float]:
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
    model: nn.Module, x: Any, outputs: Sequence[Output], parameters: Sequence[nn.Parameter]
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
    x: Any,
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
