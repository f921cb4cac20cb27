"""Did these predictions come from the backbone that was shipped? Found out without asking the sandbox, in NumPy.

A frozen backbone with a new linear last layer gives logits that are a linear function of the backbone's features. The
features of the test inputs are computed here, from the shipped file, and the logits are fitted to them by least
squares: the share of their variation that is explained is 1 up to rounding if the backbone was frozen, and less if
anything in it moved. Nothing that the submission says enters.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file

Floats = np.ndarray[Any, np.dtype[np.float32]]
State = dict[str, Floats]

SHIPPED = Path(__file__).parents[2] / "content" / "weights" / "insects.safetensors"
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_EPSILON = 1e-5  # torch's, in batch norm
_BATCH = 50


def explained(features: Floats, decision: Floats) -> float:
    """The share of the variation of `decision`, (n,), that a linear layer on `features`, (n, d), explains.

    0 where the decision is the same everywhere. n should be some times d + 1.
    """
    wanted = decision.astype(np.float64) - float(decision.mean(dtype=np.float64))
    variation = float(wanted @ wanted)
    if variation <= 1e-12 * len(wanted):
        return 0.0
    design = np.column_stack([features.astype(np.float64), np.ones(len(features))])
    fitted = design @ np.linalg.lstsq(design, wanted, rcond=None)[0]
    return max(0.0, 1.0 - float(np.square(wanted - fitted).sum()) / variation)


def features(x: Floats, path: Path = SHIPPED) -> Floats:
    """What the last layer of the course's small ResNet sees of pictures (n, 3, 32, 32) in [0, 1]: (n, 128).

    The same as `tlcourse.methods.small_resnet` in `eval` mode on normalised pictures. Read-only: those of the last few
    arrays are kept, for a class is graded on the same pictures, and they take a second.
    """
    x = np.asarray(x, np.float32)
    return _features_of(x.tobytes(), x.shape, path)


@lru_cache(maxsize=4)
def _features_of(pictures: bytes, shape: tuple[int, ...], path: Path) -> Floats:
    x, state = np.frombuffer(pictures, np.float32).reshape(shape), load_file(path)
    found = np.concatenate([_features(x[i : i + _BATCH], state) for i in range(0, len(x), _BATCH)])
    found.flags.writeable = False
    return found


def _features(x: Floats, state: State) -> Floats:
    mean, std = np.array(MEAN, np.float32), np.array(STD, np.float32)
    y = (x.transpose(0, 2, 3, 1) - mean) / std  # channels last: every convolution is then a sum of products
    y = _relu(_convolved(y, state, "conv1", "bn1", 1))
    for number in (1, 2, 3, 4):
        y = _block(y, state, f"layer{number}", 1 if number == 1 else 2)
    pooled: Floats = y.mean(axis=(1, 2))
    return pooled


def _block(x: Floats, state: State, name: str, stride: int) -> Floats:
    y = _relu(_convolved(x, state, f"{name}.conv1", f"{name}.bn1", stride))
    y = _convolved(y, state, f"{name}.conv2", f"{name}.bn2", 1)
    if f"{name}.downsample.0.weight" in state:
        x = _convolved(x, state, f"{name}.downsample.0", f"{name}.downsample.1", stride)
    return _relu(y + x)


def _convolved(x: Floats, state: State, convolution: str, norm: str, stride: int) -> Floats:
    """Convolution and batch norm in `eval` mode, as one: (n, H, W, C) -> (n, H/stride, W/stride, C')."""
    scale = state[f"{norm}.weight"] / np.sqrt(state[f"{norm}.running_var"] + np.float32(_EPSILON))
    weight = (state[f"{convolution}.weight"] * scale[:, None, None, None]).transpose(2, 3, 1, 0)  # (k, k, C, C')
    size, side = weight.shape[0], x.shape[1] // stride
    padding = size // 2
    x = np.pad(x, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    reach = (side - 1) * stride + 1
    y = np.zeros((len(x), side, side, weight.shape[3]), np.float32)
    for i in range(size):
        for j in range(size):
            y += x[:, i : i + reach : stride, j : j + reach : stride] @ weight[i, j]
    y += state[f"{norm}.bias"] - state[f"{norm}.running_mean"] * scale
    return y


def _relu(x: Floats) -> Floats:
    return np.maximum(x, 0, out=x)
