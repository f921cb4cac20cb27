"""The process that trains a lab: `python -m tlcourse.labs.worker REQUEST`, one event a line on stdout.

It has torch, and nobody else waits for it: a screen stays quick, and a run can be stopped at once.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import pkgutil
import random
import sys
import threading
import time
from collections.abc import Callable, Mapping

import msgspec
import numpy as np
import torch
from msgspec import Struct

from tlcourse.errors import UnableError
from tlcourse.labs import experiments
from tlcourse.labs.training import DivergedError, Log

Experiment = Callable[[Mapping[str, float], int, Log], dict[str, float]]


class Request(Struct, frozen=True):
    """What to run."""

    module: str
    function: str
    settings: dict[str, float]
    seeds: list[int]
    threads: int = 1
    tsne: bool = False
    """Tell t-SNE of features, too, with the last seed: that is what stays on the screen."""
    tied: bool = False
    """End when stdin closes: whoever asked for the run is gone."""


def _advice(settings: Mapping[str, float]) -> str:
    """What to try after a run that diverged."""
    if "learning_rate" in settings:
        return f"Try a smaller learning rate: learning_rate={settings['learning_rate'] / 10:g}."
    return "Try settings nearer to their defaults."


def main(arguments: list[str]) -> int:
    """Run every seed of a request; returns the exit status."""
    request = msgspec.json.decode(arguments[0], type=Request)
    if request.tied:
        threading.Thread(target=_end_with_parent, daemon=True).start()
    stream = os.fdopen(os.dup(1), "wb")  # what an imported library prints must not stand between the events
    os.dup2(2, 1)
    log = Log(stream)
    torch.set_num_threads(request.threads)
    run: Experiment = getattr(importlib.import_module(request.module), request.function)
    for seed in request.seeds:
        begin = time.perf_counter()
        log.tsne = request.tsne and seed == request.seeds[-1]
        try:
            values = run_seed(run, request.settings, seed, log)
        except DivergedError as error:
            log.problem(f"{error}. {_advice(request.settings)}")
            return 1
        except UnableError as error:
            log.unable(error)
            return 1
        log.values(seed, values, round(time.perf_counter() - begin, 3))
    return 0


def run_seed(run: Experiment, settings: Mapping[str, float], seed: int, log: Log) -> dict[str, float]:
    """One number an arm; whatever draws by chance begins at the seed."""
    random.seed(seed)
    np.random.seed(seed % 2**32)  # libraries draw from it
    torch.manual_seed(seed)
    return run(settings, seed, log)


def warm_up() -> None:
    """Import all that experiments and their pictures need, and nothing that a fork would not survive."""
    torch.set_num_threads(1)
    for module in pkgutil.iter_modules(experiments.__path__):
        importlib.import_module(f"{experiments.__name__}.{module.name}")
    torch.optim.Adam([torch.zeros(1, requires_grad=True)])  # the first one imports a compiler, which takes seconds
    with contextlib.suppress(ImportError):
        importlib.import_module("sklearn.manifold")


def _end_with_parent() -> None:
    while os.read(0, 1024):
        pass
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
