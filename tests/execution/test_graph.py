"""The returned module as data: it predicts the same, shares the same, and holds no code."""

from __future__ import annotations

import json

import msgspec
import numpy as np
import pytest
import torch
from msgspec.structs import replace
from runs import MODEL
from safetensors.torch import save
from torch import nn

from tlcourse.cluster.plan import Packer
from tlcourse.course.spec import Output
from tlcourse.execution.arrays import read_predictions
from tlcourse.execution.spec import RunReport
from tlcourse.execution.supervise import run
from tlcourse.execution.worker import graph
from tlcourse.execution.worker.predict import probes
from tlcourse.grading.graph import measured_on_graph
from tlcourse.sandbox.base import NoSandbox

X = torch.randn(40, 1, 8, 8, generator=torch.Generator().manual_seed(0))
OUTPUTS = [Output("logits", (3,)), Output("size")]


class Net(nn.Module):
    """What networks of students consist of."""

    def __init__(self, *, apart: bool = False):
        super().__init__()
        self.trunk, self.other = self.layers(), self.layers()
        self.count, self.size, self.apart = nn.Linear(8, 3), nn.Linear(8, 1), apart
        self.register_buffer("mean", torch.tensor(0.3))

    def layers(self):
        norm = nn.BatchNorm2d(8)
        norm.running_mean.normal_()
        return nn.Sequential(
            nn.Conv2d(1, 8, 3), norm, nn.ReLU(inplace=True), nn.MaxPool2d(2), nn.Dropout(), nn.AdaptiveAvgPool2d(1)
        )

    def forward(self, x, scale=1.0):
        features = self.trunk(x - self.mean).flatten(1)
        beside = self.other(x - self.mean).flatten(1) if self.apart else features
        return self.count(features).softmax(-1), nn.functional.softplus(self.size(beside)).squeeze(-1) * scale


def handed_out(model, folder, x=X):
    path = folder / "graph.safetensors"
    path.write_bytes(graph.export(model, x))
    return graph.read(path)


@pytest.mark.parametrize("apart", [False, True])
def test_a_graph_predicts_and_shares_what_its_module_does(tmp_path, apart):
    torch.manual_seed(1)
    model = Net(apart=apart).eval()
    found = handed_out(model, tmp_path)
    for n in (40, 7, 1):
        for ours, theirs in zip(model(X[:n]), found(X[:n]), strict=True):
            assert torch.allclose(ours, theirs, atol=1e-6)
    inside, outside = probes(model, X, OUTPUTS)["shared_share"], probes(found, X, OUTPUTS)["shared_share"]
    assert (inside == outside == 0.0) if apart else (0.5 < inside < outside < 1)  # running means count, too


class Last(nn.Module):
    """A recurrent network: what it gives after the last row."""

    def __init__(self):
        super().__init__()
        self.net, self.head = nn.LSTM(8, 8, batch_first=True), nn.Linear(8, 3)

    def forward(self, x):
        return self.head(self.net(x.squeeze(1))[0][:, -1])


@pytest.mark.parametrize(
    "layers",
    [
        [nn.Flatten(1, 2), nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), nn.Flatten()],
        [Last()],
        [nn.ChannelShuffle(1), nn.ConvTranspose2d(1, 4, 3), nn.GroupNorm(2, 4), nn.GELU(), nn.AdaptiveMaxPool2d(1)],
        [nn.Upsample(scale_factor=2, mode="bilinear"), nn.InstanceNorm2d(1), nn.PReLU(), nn.Flatten(), nn.Softmax(1)],
        [nn.Flatten(), nn.utils.parametrizations.weight_norm(nn.Linear(64, 7)), nn.LayerNorm(7), nn.Tanh()],
    ],
    ids=["transformer", "lstm", "transposed", "upsampled", "weight-norm"],
)
def test_networks_of_other_kinds_are_handed_out(tmp_path, layers):
    model = nn.Sequential(*layers).eval()
    assert torch.allclose(model(X[:9]), handed_out(model, tmp_path)(X[:9])[0], atol=1e-5)


KEEPS = f"""{MODEL}
class Keeps(Model):
    def __init__(self):
        super().__init__()
        self.layer, self.seen = torch.nn.Linear(2, 2), []
    def forward(self, x):
        self.last = self.layer(x)
        return self.last[:, 0], self.last[:, 1]
def fit(task):
    model = Keeps()
    model(task.train.tensors[0])[0].sum().backward()
    return model
"""


@pytest.mark.slow
def test_a_module_that_keeps_activations_is_handed_out_with_what_it_predicts_of_validation_items(
    fork_server_sandbox, job_for
):
    job = job_for(KEEPS)
    outputs = (Output("y"), Output("z"))
    job = replace(job, task_spec=replace(job.task_spec, outputs=outputs, graph=True, val_predictions=5))
    assert Packer().task(job, b"").task_spec.val_predictions == 5  # a cluster's node is asked as well, and answers
    report = run(job, fork_server_sandbox, lambda _: None)
    report = msgspec.json.decode(msgspec.json.encode(report), type=RunReport)
    of_val, of_test = read_predictions(report.val_predictions, 5, outputs), read_predictions(report.results, 8, outputs)
    assert all(np.allclose(of_val[name], of_test[name][:5]) for name in ("y", "z"))  # here they are the same items
    found = measured_on_graph(job, report, lambda spec, tell: run(spec, fork_server_sandbox, tell))
    assert (found.why_not, found.probes) == ("", {"parameters": 6.0, "shared_share": 0.0})


def test_a_module_that_branches_on_what_it_computes_is_not_handed_out():
    class Branches(nn.Module):
        def forward(self, x):
            return x.sum((1, 2, 3)) if x.mean() > 0 else x.mean((1, 2, 3))

    with pytest.raises(Exception, match=r"data-dependent|guard"):
        graph.export(Branches(), X)


BRANCHES = f"""{MODEL}
class Branches(Model):
    def forward(self, x):
        return x[:, 0] if x.mean() > 0 else x[:, 1]
def fit(task):
    return Branches()
"""


def test_a_run_that_is_not_scored_says_whether_there_will_be_a_graph_and_sends_none(fork_server_sandbox, job_for):
    job = job_for(BRANCHES)
    job = replace(job, test_inputs=None, task_spec=replace(job.task_spec, graph=True, predict=False))
    report = run(job, fork_server_sandbox, lambda _: None)
    assert (report.status, report.graph) == ("done", b"")
    assert "Notice: no graph can be made of the module; what it shares is self-reported: " in report.log


@pytest.mark.parametrize(
    "target",
    ["aten.from_file.default", "aten.as_strided.default", "os.system.x", "aten.add.__class__", "aten.rand.default"],
)
def test_a_graph_consists_of_functions_of_tensors_alone(tmp_path, target):
    described = {"batch": 4, "nodes": [["a", target, ["/etc/passwd"], {}]], "outputs": ["a"]}
    (tmp_path / "graph").write_bytes(save({"w": torch.zeros(1)}, {"graph": json.dumps(described)}))
    with pytest.raises(graph.GraphError, match="none of the operations"):
        graph.read(tmp_path / "graph")


TWO_NETWORKS = """
class Two(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = torch.nn.Linear(2, 1), torch.nn.Linear(2, 1)
    def forward(self, x):
        return self.a(x).squeeze(-1), self.b(x).squeeze(-1)
"""
FORGED = f"""{MODEL}{TWO_NETWORKS}
from tlcourse.execution.worker import predict
def fit(task):
    predict.probes = lambda *_: {{"parameters": 6.0, "shared_share": 1.0}}
    return Two()
"""
ANOTHER = f"""{FORGED}
from tlcourse.execution.worker import graph
export = graph.export
class Shared(Two):
    def forward(self, x):
        return self.a(x).squeeze(-1), self.a(x).squeeze(-1)
graph.export = lambda model, x: export(Shared(), x)
"""
NONE = f"{FORGED}\nfrom tlcourse.execution.worker import graph\ngraph.export = None\n"
EARLY = f"{FORGED}\nfrom tlcourse.execution.worker import graph\ngraph.export = lambda *_: b'predictions'\n"


@pytest.mark.slow
def test_the_graph_of_a_run_elsewhere_is_evaluated_here(fork_server_sandbox, job_for, monkeypatch):
    """It comes back from a cluster or a folder with the predictions; whoever has no sandbox has the module's word."""
    job = job_for(FORGED)
    job = replace(job, task_spec=replace(job.task_spec, outputs=(Output("y"), Output("z")), graph=True), order_seed=3)
    assert Packer().task(job, b"").task_spec.graph
    report = run(job, fork_server_sandbox, lambda _: None)
    there = replace(report, where="lumi: n1 (job 7)")
    for _ in range(2):  # in a sandbox of its own, and from the fork server
        found = measured_on_graph(job, there, lambda *_: pytest.fail("it is sent nowhere"))
        assert (found.why_not, found.probes["shared_share"]) == ("", 0.0)
    monkeypatch.setattr("tlcourse.grading.graph.choose", lambda kind: (NoSandbox(), ""))
    said = measured_on_graph(job, there, lambda *_: pytest.fail("it is sent nowhere")).in_words()
    assert said == (
        "What the module shares is self-reported: its graph could not be evaluated: this machine builds no sandbox."
    )


QUITS = f"""{FORGED}
import os
from tlcourse.execution.worker.process import Channel
send = Channel.first
def leave(channel, data):
    send(channel, data)
    os._exit(0)
Channel.first = leave
"""


def test_a_graph_alone_is_no_prediction(fork_server_sandbox, job_for):
    job = job_for(QUITS)
    report = run(replace(job, task_spec=replace(job.task_spec, graph=True)), fork_server_sandbox, lambda _: None)
    assert (report.status, report.results, report.graph) == ("crash", b"", b"")
    assert report.message.startswith("the process ended before fit returned")


@pytest.mark.parametrize(
    ("source", "share", "why_not"),
    [
        (FORGED, 0.0, ""),
        (ANOTHER, None, "its graph predicts something else than the module did"),
        (NONE, None, "the module could not be handed out as a graph"),
        (EARLY, None, "its graph could not be evaluated: "),
    ],
    ids=["forged", "another", "none", "early"],
)
def test_two_networks_and_a_forged_probe_share_nothing_on_their_graph(
    fork_server_sandbox, job_for, source, share, why_not
):
    job = job_for(source)
    outputs = (Output("y"), Output("z"))
    job = replace(job, task_spec=replace(job.task_spec, outputs=outputs, graph=True), order_seed=3)
    report = run(job, fork_server_sandbox, lambda _: None)
    assert report.status == "done", report.message
    assert report.probes["shared_share"] == 1.0  # as it says
    assert np.isfinite(read_predictions(report.results, 8, outputs)["y"]).all()
    found = measured_on_graph(job, report, lambda spec, tell: run(spec, fork_server_sandbox, tell))
    assert found.probes.get("shared_share") == share
    assert found.why_not.startswith(why_not)
    assert bool(found.why_not) == (share is None)
    assert ("self-reported" in found.in_words()) == (share is None)
