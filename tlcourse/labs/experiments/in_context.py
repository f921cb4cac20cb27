"""A transformer that was trained on many linear tasks meets a new one: how good is it after k examples?

It is trained here and now, on two-dimensional tasks so that half a minute suffices; no weight changes when it is asked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import torch

from tlcourse.labs.log import Log
from tlcourse.methods.in_context import InContextRegressor, least_squares, linear_tasks

FEATURES = 2


def run(settings: Mapping[str, float], seed: int, log: Log) -> dict[str, float]:
    """Squared error after `shots` examples; 1 is knowing nothing."""
    shots, steps = int(settings["shots"]), int(settings["steps"])
    net = InContextRegressor(FEATURES, width=32, heads=2, layers=3, longest=shots + 1)
    optimizer = torch.optim.Adam(net.parameters(), 2e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=steps)
    for step in range(1, steps + 1):
        x, y = linear_tasks(64, shots + 1, FEATURES)
        loss = (net(x, y) - y).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % max(steps // 20, 1) == 0:
            log.metric("examples", step, loss=loss.item())
    before = _digest(net)
    with torch.no_grad():
        x, y = linear_tasks(4000, shots + 1, FEATURES, torch.Generator().manual_seed(seed))
        error = (net.eval()(x, y) - y).square().mean(0)
        strangers = y.clone()
        strangers[:, :-1] = y[torch.randperm(len(y)), :-1]  # answers of other tasks
        shuffled = (net(x, strangers)[:, -1] - y[:, -1]).square().mean()
    assert _digest(net) == before, "a weight changed while the network was asked"
    for k, value in enumerate(error.tolist()):
        log.metric("by shots", k, error=value)
    return {
        "zero": float(error[0]),
        "examples": float(error[-1]),
        "shuffled": float(shuffled),
        "least_squares": float((least_squares(x, y) - y[:, -1]).square().mean()),
    }


def _digest(net: torch.nn.Module) -> str:
    return hashlib.sha256(b"".join(p.detach().numpy().tobytes() for p in net.parameters())).hexdigest()
