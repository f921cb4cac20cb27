"""The returned module as data: which operations its forward consists of, on which tensors.

A graph is handed out before the test inputs come. The staff side has it evaluated in a second sandbox, which holds no
code of the submission: what is measured on it there cannot be forged, and it is the submission's own where it predicts
what the submission predicted.
"""

from __future__ import annotations

import copy
import json
import math
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor, nn

_MOST_NODES = 20_000
_OPERATIONS = frozenset(
    """
    _adaptive_avg_pool2d _log_softmax _softmax _to_copy _unsafe_view _weight_norm abs acos adaptive_avg_pool1d
    adaptive_avg_pool2d adaptive_max_pool1d adaptive_max_pool2d add addcdiv addcmul addmm alias all amax amin any
    arange argmax asin atan avg_pool1d avg_pool2d baddbmm batch_norm bitwise_and bitwise_not bitwise_or bmm cat
    cdist ceil celu channel_shuffle chunk clamp clamp_max clamp_min clone column_stack constant_pad_nd contiguous
    conv1d conv2d conv3d conv_transpose1d conv_transpose2d cos cosh cosine_similarity count_nonzero cumprod cumsum
    detach diagonal div dot dropout einsum elu embedding eq erf erfc exp expand expand_as expm1 feature_dropout
    flatten flip floor fmod frac full full_like gather ge gelu group_norm gru gt hardshrink hardsigmoid hardswish
    hardtanh hstack index index_add index_select instance_norm isfinite isnan kron layer_norm le leaky_relu lerp
    lift_fresh_copy linalg_vector_norm linear log log1p log2 log_sigmoid_forward log_softmax logaddexp logical_and
    logical_not logical_or logsumexp lstm lt masked_fill matmul max max_pool1d max_pool2d max_pool2d_with_indices
    maximum mean min minimum mish mm movedim mul mv narrow native_group_norm native_layer_norm ne neg new_full
    new_ones new_zeros norm one_hot ones ones_like outer pad permute pixel_shuffle pow prelu prod reciprocal
    reflection_pad2d relu relu6 remainder repeat replication_pad2d reshape rnn_relu rnn_tanh roll round rsqrt rsub
    scalar_tensor scaled_dot_product_attention scatter scatter_add select selu sigmoid sign silu sin sinh slice
    softmax softplus softshrink sort split split_with_sizes sqrt square squeeze stack std sub sum swapaxes t tan
    tanh threshold to topk transpose tril triu trunc unbind unflatten unsqueeze upsample_bilinear2d
    upsample_nearest2d var view vstack where zeros zeros_like
    """.split()
)
"""Of `torch.ops.aten`: functions of tensors alone, none that reads a file, looks at memory or draws at random."""


class GraphError(ValueError):
    """A module that cannot be handed out as a graph, or a file that is not one."""


def export(model: nn.Module, x: Tensor) -> bytes:
    """A safetensors document of the module's forward for batches as large as `x`; raises whatever torch raises."""
    model = getattr(model, "_orig_mod", model)  # of one that torch.compile returned
    if any(tensor.is_inference() for tensor in (*model.parameters(), *model.buffers())):
        model = copy.deepcopy(model)
    with torch.no_grad(), warnings.catch_warnings(action="ignore"):  # of the exporter's, which say nothing to an author
        program = torch.export.export(_Given(model).eval(), (x,), strict=False).run_decompositions({})
    kept = {**dict(program.state_dict), **program.constants}
    signature = program.graph_signature
    sources: dict[str, str] = {
        **signature.inputs_to_parameters,
        **signature.inputs_to_buffers,
        **signature.inputs_to_lifted_tensor_constants,
    }
    tensors: dict[str, Tensor] = {}
    nodes: list[list[Any]] = []
    for node in program.graph.nodes:
        if node.op == "placeholder" and node.name in sources:
            tensors[node.name] = kept[sources[node.name]].detach().cpu().clone(memory_format=torch.contiguous_format)
        elif node.op == "placeholder":
            nodes.append([node.name, "x", [], {}])
        elif node.op == "call_function":
            name = _name_of(node.target)
            if name != "aten._assert_tensor_metadata.default":
                nodes.append([node.name, name, _plain(node.args), _plain(node.kwargs)])
    (last,) = (node for node in program.graph.nodes if node.op == "output")
    given = [name for name in signature.user_outputs if isinstance(name, str)]
    if len(given) != len(last.args[0]) or sum(node[1] == "x" for node in nodes) != 1:
        raise GraphError("its forward changes a buffer, or its outputs are not tensors alone")
    described = {"batch": len(x), "nodes": nodes, "outputs": given}
    return bytes(save(tensors, {"graph": json.dumps(described)}))


class _Given(nn.Module):
    """The module, called with one argument whatever its forward names."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> Any:
        found = self.model(x)
        return (found,) if isinstance(found, Tensor) else tuple(found)


def _name_of(target: Any) -> str:
    return "getitem" if getattr(target, "__name__", "") == "getitem" else str(target)


def _plain(value: Any) -> Any:
    """An argument as JSON has it."""
    if isinstance(value, torch.fx.Node):
        return {"node": value.name}
    if isinstance(value, torch.dtype):
        return {"dtype": str(value).removeprefix("torch.")}
    if isinstance(value, torch.memory_format):
        return {"memory": str(value).removeprefix("torch.")}
    if isinstance(value, torch.device | torch.layout):
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": str(value)}
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise GraphError(f"an argument of a kind that is not handed out: {type(value).__name__}")


def read(path: Path) -> nn.Module:
    """The module that a graph's file describes; raises GraphError."""
    with safe_open(path, "pt") as document:
        described = json.loads(document.metadata()["graph"])
        tensors = {name: document.get_tensor(name) for name in document.keys()}  # noqa: SIM118 - it is no mapping
    return Graph(described["batch"], described["nodes"], described["outputs"], tensors)


class Graph(nn.Module):
    """Calls one operation after the other. Every tensor of floating-point numbers is a parameter, whatever it was."""

    def __init__(self, batch: int, nodes: Sequence[Any], outputs: Sequence[str], tensors: Mapping[str, Tensor]) -> None:
        super().__init__()
        if not 0 < batch <= 4096 or len(nodes) > _MOST_NODES:
            raise GraphError("its batch or its operations are too many")
        self.batch, self.outputs = batch, list(outputs)
        self.steps = [(name, _function(target), args, named) for name, target, args, named in nodes]
        self.names = list(tensors)
        self.numbers = nn.ParameterList(
            nn.Parameter(tensor, requires_grad=tensor.is_floating_point()) for tensor in tensors.values()
        )

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """(B, …) with at most `batch` items, as the graph was made for so many: the last one is repeated."""
        n = len(x)
        missing = self.batch - n
        full = torch.cat([x, x[-1:].expand(missing, *x.shape[1:])]) if missing else x
        values: dict[str, Any] = dict(zip(self.names, self.numbers, strict=True))
        for name, function, args, named in self.steps:
            values[name] = full if function is None else function(*_value(args, values), **_value(named, values))
        return tuple(values[name][:n] for name in self.outputs)


def _function(target: str) -> Any:
    if target == "x":
        return None
    if target == "getitem":
        return _item
    if target == "aten._native_batch_norm_legit_no_training.default":
        return _batch_norm
    space, name, overload = [*target.split("."), "", ""][:3]
    if space == "aten" and name in _OPERATIONS and overload in (known := getattr(torch.ops.aten, name)).overloads():
        return getattr(known, overload)
    raise GraphError(f"{target[:80]} is none of the operations that a graph may consist of")


def _item(values: Sequence[Any], index: int) -> Any:
    return values[index]


def _batch_norm(x: Tensor, weight: Any, bias: Any, mean: Tensor, var: Tensor, _: float, eps: float) -> list[Tensor]:
    """As it is when nothing is trained, written out: this has gradients for the mean and the variance, too."""
    shape = (1, -1, *[1] * (x.dim() - 2))
    scale = (var + eps).rsqrt() if weight is None else weight * (var + eps).rsqrt()
    shift = -mean * scale if bias is None else bias - mean * scale
    return [x * scale.view(shape) + shift.view(shape)]


def _value(given: Any, values: Mapping[str, Any]) -> Any:
    if isinstance(given, list):
        return [_value(one, values) for one in given]
    if not isinstance(given, dict):
        return given
    match given:
        case {"node": str(name)}:
            return values[name]
        case {"dtype": "float32" | "float64" | "float16" | "bfloat16" | "int64" | "int32" | "bool" as name}:
            return getattr(torch, name)
        case {"memory": "contiguous_format" | "preserve_format" | "channels_last" as name}:
            return getattr(torch, name)
        case {"float": "inf" | "-inf" | "nan" as text}:
            return float(text)
    return {key: _value(one, values) for key, one in given.items()}
