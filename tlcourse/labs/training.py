"""What most experiments share: the loop that trains, and what is told meanwhile, in numbers and in pictures.

The loop is Adam with one cycle of the learning rate, and a point of the curve now and then. A run that diverged ends.

Features are shown in two dimensions, along their principal components and by t-SNE (van der Maaten and Hinton 2008),
which keeps neighbours together; how far groups lie apart says nothing in it. It is scikit-learn's, in the process that
trains. Where that is not installed, the principal components are all there is.
"""

from __future__ import annotations

import importlib.util
import json
import math
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import IO, Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tlcourse.errors import UnableError
from tlcourse.execution.events import encode


class DivergedError(Exception):
    """A metric became NaN or infinite."""

    def __init__(self, arm: str, name: str, step: int) -> None:
        super().__init__(f"{name} of `{arm}` became NaN or infinite at step {step}")


class Log:
    """Writes events as JSON lines."""

    def __init__(self, stream: IO[bytes] | None = None) -> None:
        self._stream = stream or sys.stdout.buffer
        self.tsne = False
        """Whether t-SNE is wanted beside the principal components."""

    def metric(self, arm: str, step: int, **values: float) -> None:
        """One point of the arm's curves; raises DivergedError when a value is not finite."""
        numbers = {name: float(value) for name, value in values.items()}
        shown = {f"{arm} {name}"[:40]: v if math.isfinite(v) else str(v) for name, v in numbers.items()}
        self._write(encode("metric", step=int(step), values=shown))
        for name, value in numbers.items():
            if not math.isfinite(value):
                raise DivergedError(arm, name, step)

    def embedding(
        self,
        title: str,
        points: Sequence[Sequence[float]],
        domain: Sequence[int],
        label: Sequence[int],
        method: Literal["pca", "tsne"] = "pca",
    ) -> None:
        """Features in two dimensions: (n, 2) points, each with its domain (0 source, 1 target) and its class."""
        rounded = [[round(float(a), 4), round(float(b), 4)] for a, b in points]
        about = {"domain": list(map(int, domain)), "label": list(map(int, label))}
        self._json("embedding", title=title, method=method, points=rounded, **about)

    def values(self, seed: int, values: Mapping[str, float], seconds: float) -> None:
        """What a seed came to."""
        self._json("seed", seed=seed, values={arm: float(value) for arm, value in values.items()}, seconds=seconds)

    def problem(self, message: str) -> None:
        """Why there is no result."""
        self._json("problem", kind="exception", message=message, trace="")

    def note(self, text: str) -> None:
        """A line for people: what is being done, and how long it may take."""
        self._json("note", text=text)

    def unable(self, error: UnableError) -> None:
        """What this machine lacks; the runner raises the same error."""
        self._json("unable", what=error.what, cause=error.cause, remedy=error.remedy)

    def _json(self, event: str, /, **fields: Any) -> None:
        self._write(json.dumps({"v": 1, "type": event, **fields}).encode() + b"\n")

    def _write(self, line: bytes) -> None:
        self._stream.write(line)
        self._stream.flush()


MOST = 400
"""Points of a picture; of more, some are taken by chance, the same ones each time. So an event has at most 24 kB."""
PERPLEXITY = 30.0
_MISSING = "t-SNE needs scikit-learn, which is not installed: python -m pip install 'tlcourse[lab]'. PCA is shown."


def show_features(log: Log, title: str, features: Tensor, domain: Sequence[int], label: Sequence[int] | Tensor) -> None:
    """Tell both pictures of features (n, d), each with its domain (0 source, 1 target) and class.

    t-SNE only where `log.tsne` says that somebody will see it: of 400 points it takes most of a second, and importing
    scikit-learn another one.
    """
    by_chance = torch.randperm(len(features), generator=torch.Generator().manual_seed(0))[:MOST]
    rows = by_chance.sort().values.tolist()
    chosen = features[rows].detach()
    domain, label = [int(domain[row]) for row in rows], [int(label[row]) for row in rows]
    log.embedding(title, principal_components(chosen), domain, label)
    if not log.tsne:
        return
    if importlib.util.find_spec("sklearn") is None:
        log.note(_MISSING)
    else:
        log.embedding(title, neighbours(chosen), domain, label, method="tsne")


@torch.no_grad()
def principal_components(features: Tensor) -> list[list[float]]:
    """The first two principal components, (n, d) -> n pairs."""
    centred = features - features.mean(0)
    axes = torch.linalg.svd(centred, full_matrices=False).Vh[:2].T
    pairs: list[list[float]] = (centred @ axes).tolist()
    return pairs


def neighbours(features: Tensor) -> list[list[float]]:
    """t-SNE of (n, d), n > 3 -> n pairs; the same for the same features, begun at the principal components."""
    from sklearn.manifold import TSNE

    perplexity = min(PERPLEXITY, (len(features) - 1) / 3)
    method = TSNE(2, perplexity=perplexity, init="pca", max_iter=500, random_state=0, n_jobs=1)
    pairs: list[list[float]] = method.fit_transform(features.double().numpy()).tolist()
    return pairs


POINTS = 20
"""Points of a curve."""


def fit(
    net: nn.Module,
    x: Tensor,
    y: Tensor,
    *,
    arm: str,
    log: Log,
    steps: int,
    lr: float = 3e-3,
    batch: int = 64,
    loss: Callable[[Tensor, Tensor], Tensor] = F.cross_entropy,
    parameters: Iterable[nn.Parameter] | None = None,
    after_step: Callable[[torch.optim.Optimizer], None] | None = None,
    measure: Callable[[], dict[str, float]] | None = None,
) -> None:
    """Train `net` on (x, y) for so many steps; `after_step` takes the place of `optimizer.step()` where it is given."""
    chosen = [p for p in (parameters or net.parameters()) if p.requires_grad]
    optimizer = torch.optim.Adam(chosen, lr)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, lr, total_steps=steps)
    net.train()
    for step in range(1, steps + 1):
        rows = torch.randint(len(x), (min(batch, len(x)),))
        value = loss(net(x[rows]), y[rows])
        optimizer.zero_grad()
        value.backward()
        if after_step is None:
            optimizer.step()
        else:
            after_step(optimizer)
        schedule.step()
        if step % max(steps // POINTS, 1) == 0 or step == steps:
            net.eval()
            log.metric(arm, step, loss=value.item(), **(measure() if measure else {}))
            net.train()
    net.eval()


def fit_to_optimum(net: nn.Module, x: Tensor, y: Tensor, *, arm: str, log: Log, ridge: float = 1e-4) -> None:
    """Fit a linear `net` by L-BFGS until nothing changes: cross-entropy plus `ridge` times its squared weights.

    After a fixed number of steps the result depends on the features' scales, and an arm may lose by its scale alone.
    """
    optimizer = torch.optim.LBFGS(net.parameters(), max_iter=20, line_search_fn="strong_wolfe")

    def closure() -> float:
        optimizer.zero_grad()
        value: Tensor = F.cross_entropy(net(x), y)
        for weight in (p for p in net.parameters() if p.dim() > 1):
            value = value + ridge * weight.square().sum()
        value.backward()
        return value.item()

    last = math.inf
    for step in range(1, POINTS + 1):
        now = float(optimizer.step(closure))
        log.metric(arm, step, loss=now)
        if last - now < 1e-7:
            break
        last = now


@torch.no_grad()
def accuracy(net: Callable[[Tensor], Tensor], x: Tensor, y: Tensor) -> float:
    """The share of rows whose largest logit is that of their label."""
    return float((net(x).argmax(1) == y).float().mean())
