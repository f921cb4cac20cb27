"""What is measured of a submission's graph: the module that it returned, as data, evaluated in a sandbox of its own.

Where an exercise asks for it, the worker hands out the returned module as a graph of operations before it is given the
test inputs. A second run, which holds no code of the submission, is given the graph and predicts the same inputs. Where
it predicts what the submission predicted, the graph stands for what was handed in: its predictions are scored, and what
is measured on it is no word of the submission's.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from tlcourse.errors import UnableError
from tlcourse.execution import items
from tlcourse.execution.arrays import BadArraysError, items_in, read_predictions
from tlcourse.execution.spec import RunReport, RunSpec
from tlcourse.execution.supervise import run as supervise
from tlcourse.sandbox.choose import choose, findings
from tlcourse.storage import scratch_folder
from tlcourse.torch_install import require_torch

_FILE = "graph.safetensors"
_SOLUTION = f"""from tlcourse.execution.worker.graph import read


def fit(task):
    return read(task.folder / "{_FILE}")
"""
_SEEN = ("parameters", "shared_share")
_ITEMS, _SECONDS = 256, 60.0
_APART = 0.001
"""By what share of their spread predictions of the graph may differ: operations in another order round differently."""
_APART_ON_CARDS = 0.01
"""A card multiplies with fewer digits (TF32) than the processor on which the graph is evaluated."""


class OfGraph(Struct, frozen=True):
    """Probes that were measured on a graph, and its predictions; none, and why, where that could not be."""

    probes: Mapping[str, float] = {}
    predictions: Mapping[str, np.ndarray[Any, Any]] = {}
    """In the order of the run, as it gave its own."""
    why_not: str = ""

    def in_words(self) -> str:
        """What the verdict says of it."""
        if not self.why_not:
            return (
                "What the module shares was measured on its graph, in a second sandbox without the submission's code."
            )
        return f"What the module shares is self-reported: {self.why_not.rstrip('.')}."


def measured_on_graph(
    spec: RunSpec, report: RunReport, run: Callable[[RunSpec, Callable[[dict[str, Any]], None]], RunReport]
) -> OfGraph:
    """What a second run sees of the graph that the first one, `report`, has handed out. Raises BadArraysError.

    It takes place on this machine, wherever the first one was: `run`, unless that sends runs elsewhere.
    """
    if not report.graph:
        return OfGraph(why_not="the module could not be handed out as a graph")
    with scratch_folder("graph") as folder:
        (folder / "solution.py").write_text(_SOLUTION, encoding="utf-8")
        (folder / _FILE).write_bytes(report.graph)
        again = replace(
            spec,
            task_spec=replace(spec.task_spec, graph=False, val_predictions=0),
            submission=folder,
            train=items.in_order(spec.train, slice(_ITEMS)),
            val=items.in_order(spec.val, slice(_ITEMS)),
            limits=replace(spec.limits, cpu_s=_SECONDS, wall_time_s=4 * _SECONDS),
            files={},
        )
        try:
            second = _here(again) if report.where else run(again, lambda _: None)
        except UnableError as error:
            return OfGraph(why_not=f"its graph could not be evaluated: {error.what}")
    if second.status != "done":
        return OfGraph(why_not=f"its graph could not be evaluated: {second.message}")
    if not all(name in second.probes for name in _SEEN):
        return OfGraph(why_not="nothing could be measured on its graph")
    n, outputs = items_in(spec.test_inputs), spec.task_spec.outputs
    try:
        theirs = read_predictions(second.results, n, outputs)
    except BadArraysError as error:
        return OfGraph(why_not=f"of its graph {error}")
    apart = _APART if report.device in ("", "cpu") else _APART_ON_CARDS
    if not _agree(read_predictions(report.results, n, outputs), theirs, apart):
        return OfGraph(why_not="its graph predicts something else than the module did")
    return OfGraph({name: second.probes[name] for name in _SEEN}, theirs)


def _here(spec: RunSpec) -> RunReport:
    """The second run of one that was somewhere else, on this machine's processor. Raises UnableError.

    One at a time, since a batch may wait for two hundred: the first in a sandbox of its own, further ones from one fork
    server, which imports torch once.
    """
    require_torch("Evaluating a graph")
    with _ONE:
        further = _FIRST.is_set()
        _FIRST.set()
        kind = "fork-server" if further and _forks() else "auto"
        sandbox, _ = choose(kind)
        if sandbox.name == "none":
            raise UnableError("this machine builds no sandbox.", remedy="tlcourse doctor")
        spec = replace(spec, task_spec=replace(spec.task_spec, device="cpu"), env={})
        return supervise(spec, sandbox, lambda _: None)


_ONE, _FIRST = threading.Lock(), threading.Event()


def _forks() -> bool:
    return any(finding.name == "fork-server" and finding.available for finding in findings())


def _agree(ours: Mapping[str, np.ndarray[Any, Any]], theirs: Mapping[str, np.ndarray[Any, Any]], apart: float) -> bool:
    """For an honest module that was exported wrongly. Who makes this vague by an extreme number wins nothing by it."""
    return all(bool(np.abs(ours[name] - theirs[name]).max() <= apart * (ours[name].std() + 1e-6)) for name in ours)
