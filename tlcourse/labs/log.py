"""What an experiment tells while it runs: metrics by arm, and pictures of features. It ends a run that diverged."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping, Sequence
from typing import IO, Any, Literal

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
