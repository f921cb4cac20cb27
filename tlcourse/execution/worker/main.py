"""A run inside the sandbox, from its data to its predictions: load the solution, fit, predict, hand the arrays out.

It runs beside student code, which can change anything here: nothing that it says about a score counts.
"""

from __future__ import annotations

import contextlib
import copy
import struct
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
from safetensors.torch import load as load_tensors
from safetensors.torch import load_file

from tlcourse.course.spec import DATA, TaskSpec
from tlcourse.execution import items
from tlcourse.execution.arrays import CALLS, GRAPH_CAP, handed_out_first, pack
from tlcourse.execution.worker import advice, pipe_locks, predict
from tlcourse.execution.worker.calls import answer_all, guarded, seed_everything
from tlcourse.execution.worker.pretrained import find_in
from tlcourse.execution.worker.process import Channel
from tlcourse.execution.worker.solution import SolutionError, Source, load_fit
from tlcourse.execution.worker.task import Task, dataset_of, missing_device, pick_device


def main(inputs: Path, folder: Path, source: Source, channel: Channel) -> int:
    """Run the solution `source`, which lies in `folder`; 0 when predictions were handed out, 1 otherwise."""
    task_spec = msgspec.json.decode((inputs / "task_spec.json").read_bytes(), type=TaskSpec)
    torch.set_num_threads(task_spec.threads)
    seed_everything(task_spec.seed)
    device = pick_device(task_spec.device)
    if missing := missing_device(device):
        channel.emit("problem", kind="no_device", message=missing, trace="")
        return 1
    channel.emit("started", device=device_name(device), torch=torch.__version__)
    try:
        if task_spec.checks:
            from tlcourse.execution.worker import checks

            checks.run(task_spec, inputs, folder, source, channel)
        else:
            _run(task_spec, inputs, folder, source, device, channel)
    except SolutionError as error:
        channel.emit("problem", kind=error.kind, message=error.message, trace=error.trace)
        return 1
    channel.emit("finished")
    return 0


def _run(
    task_spec: TaskSpec, inputs: Path, folder: Path, source: Source, device: torch.device, channel: Channel
) -> None:
    channel.emit("phase", name="load")
    task = Task(
        dataset_of(load_file(inputs / "train.safetensors"), task_spec.targets),
        dataset_of(load_file(inputs / "val.safetensors"), task_spec.targets),
        device=device,
        seed=task_spec.seed,
        seconds=task_spec.seconds,
        cpu_rate=task_spec.speed / task_spec.threads if device.type == "cpu" else None,
        folder=folder,
        data=inputs / DATA if (inputs / DATA).is_dir() else None,
        log=channel.metric,
        find_weights=find_in(inputs / "pretrained"),
    )
    called = "while the returned module was called"
    Task.given = task
    pipe_locks.install_where_needed()
    fit = guarded(lambda: load_fit(folder, source), f"while {source.name} was imported", folder)
    channel.emit("phase", name="fit")
    started = time.monotonic()
    model = predict.check_model(guarded(lambda: fit(task), "in fit", folder))
    seconds = time.monotonic() - started
    if task_spec.graph or task_spec.val_predictions:
        channel.emit("phase", name="export")
        graph = _graph_of(model, task) if task_spec.graph else b""
        if task_spec.predict:
            channel.first(handed_out_first(graph, _val_predictions(model, task, task_spec, inputs)))
    channel.emit("phase", name="fitted", seconds=seconds)
    guarded(lambda: _try_outputs(model, task, task_spec, channel), called, folder)
    if not task_spec.predict:
        return
    given = load_tensors(channel.receive_test_inputs())
    channel.emit("phase", name="predict")
    x = items.whole(given, "x")
    predicted = pack(guarded(lambda: predict.predict(model, x, task_spec.outputs, device), called, folder))
    if task_spec.calls is not None:
        channel.first(struct.pack("<Q", len(predicted)) + predicted)
        answer_all(task_spec, bytes(given[CALLS].numpy()), {task_spec.calls.after: model}, folder, channel)
        predicted = b""
    channel.results(predicted)


def _try_outputs(model: torch.nn.Module, task: Task, task_spec: TaskSpec, channel: Channel) -> None:
    """A full batch of training inputs first: a wrong shape is said before test inputs are asked for.

    Where none will be asked for, what scoring would find is looked for here: other sizes of a batch, finite numbers.
    """
    x = _full_batch(task)
    found = predict.predict(model, x, task_spec.outputs, task.device)
    if not task_spec.predict:
        predict.check_finite(found)
        predict.predict(model, items.part(x, slice(3)), task_spec.outputs, task.device)
        try:
            predict.predict(model, items.part(x, slice(1)), task_spec.outputs, task.device)
        except Exception as error:  # no grading asks for a batch of one
            said = error.message if isinstance(error, SolutionError) else advice.first_line(error)
            sys.stderr.write(f"Notice: a batch of 1 does not work: {said}\n")
    with contextlib.suppress(Exception):  # measuring is ours: a module that gives predictions never fails by it
        first = predict.on_device(items.part(x, slice(64)), task.device)
        values = predict.probes(model, first, task_spec.outputs)
        channel.emit("probe", values=values | task.kept(model))


def _val_predictions(model: torch.nn.Module, task: Task, task_spec: TaskSpec, inputs: Path) -> bytes:
    """Predictions of the first validation items, as they were given; empty where there are none, whatever the reason.

    They count for nothing, so a module that cannot be called is told so by what comes next.
    """
    if not task_spec.val_predictions or task.seconds_left < -task.seconds:
        return b""
    try:
        flat = load_file(inputs / "val.safetensors")
        x = items.part(items.whole(flat, "x"), slice(task_spec.val_predictions))
        return pack(predict.predict(model, x, task_spec.outputs, task.device))
    except BaseException:  # SystemExit among them
        return b""


def _graph_of(model: torch.nn.Module, task: Task) -> bytes:
    """The module as data, of a copy: making it must neither change nor fail one that gives predictions.

    It takes some seconds, which a run that is at the end of its time is not asked for. Empty where none can be made.
    """
    if task.seconds_left < -task.seconds:
        return b""
    from tlcourse.execution.worker import graph

    x = predict.on_device(_full_batch(task), task.device)
    try:
        with torch.no_grad():
            model.eval().to(task.device)(
                x
            )  # a module that keeps activations has none with gradients: those are not copied
        data = graph.export(copy.deepcopy(model), x)
        if len(data) > GRAPH_CAP:
            raise graph.GraphError(f"it takes {len(data) >> 20} MB")
        return data
    except Exception as error:
        said = advice.first_line(error)
        sys.stderr.write(f"Notice: no graph can be made of the module; what it shares is self-reported: {said}\n")
        return b""


def _full_batch(task: Task) -> Any:
    """Training inputs, as many as a batch of test inputs may hold, whether there are so many or not."""
    given = task.train.tensors[0]
    return items.part(given, np.arange(predict.batch_size(given)) % items.count(given))


def device_name(device: torch.device) -> str:
    """`cpu`, or the device with its model."""
    if device.type == "cuda":
        return f"{device} ({torch.cuda.get_device_name(device)})"[:99]
    return str(device)
