"""The same submission, seed and threads give the same predictions in every sandbox, to the last bit."""

from __future__ import annotations

import pytest

from tlcourse.execution.supervise import run
from tlcourse.sandbox.choose import choose

TRAINS = """
import numpy, random, torch
from torch import nn

def fit(task):
    torch.set_default_dtype(torch.float32)
    x = torch.randn(256, 1, 12, 12)
    y = x.mean((1, 2, 3)) + 0.1 * torch.from_numpy(numpy.random.randn(256)).float() + random.random()
    net = nn.Sequential(
        nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Dropout(0.1), nn.Flatten(), nn.Linear(800, 32), nn.Tanh(),
        nn.Linear(32, 1),
    )
    rotation = numpy.random.randn(400, 400)
    for _ in range(3):
        rotation = rotation @ rotation / numpy.abs(rotation @ rotation).max()
    optimiser = torch.optim.Adam(net.parameters(), lr=1e-3)
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), batch_size=32, shuffle=True)
    for epoch in range(3):
        for a, b in loader:
            loss = nn.functional.mse_loss(net(a)[:, 0], b)
            optimiser.zero_grad(); loss.backward(); optimiser.step()
        task.log(epoch, loss=loss.item())
    shift = float(rotation.sum())

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = net
        def forward(self, p):
            return self.net(p[:, :1, None, None].expand(-1, 1, 12, 12) + p[:, 1:, None, None] / 7)[:, 0] + shift
    return Model()
"""


@pytest.mark.slow
@pytest.mark.parametrize("threads", [pytest.param(1, marks=pytest.mark.nightly), 2])
def test_a_trained_network_predicts_the_same_in_every_sandbox(fork_server_sandbox, job_for, threads):
    sandboxes = [choose("none")[0], choose("bubblewrap")[0], fork_server_sandbox, fork_server_sandbox]
    plain, *others = [run(job_for(TRAINS, threads=threads), sandbox, lambda _: None) for sandbox in sandboxes]
    assert plain.status == "done", plain.problem
    assert len(plain.results) > 32
    for report in others:
        assert report.results == plain.results, report.sandbox
        assert report.metrics == plain.metrics
