"""What `fit` is given: data, device, seed, and a way to show progress. It needs no grader to run."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import nn
from torch.utils.data import Dataset

from tlcourse.execution import items
from tlcourse.execution.worker import pretrained


class Arrays(Dataset):
    """A map-style dataset of `(x, y)` tensors; `y` is a tuple where the exercise has several labels.

    `tensors` holds all of it at once, `(x, label, …)`: slicing it is much faster than a DataLoader on data this small.
    Where items have different lengths, such an entry is a list of tensors, of texts one of bytes; and where an
    exercise has several inputs, `x` is a table of these by name.
    """

    def __init__(self, x: Any, labels: Sequence[Any]) -> None:
        self.tensors: tuple[Any, ...] = (x, *labels)

    def __len__(self) -> int:
        return items.count(self.tensors[0])

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        x, *labels = (items.item(one, index) for one in self.tensors)
        return x, (labels[0] if len(labels) == 1 else tuple(labels))


class Task:
    """One exercise as `fit(task)` sees it.

    Attributes:
        train, val: datasets of `(x, y)`; see the exercise's handout for shapes and units.
        device: where to train. seed: seed everything with it. seconds: what `fit` is asked to take, in CPU seconds per
        thread of the reference machine (on a GPU: seconds of the clock).
        folder: the files handed in beside the solution. data: the exercise's own files, as they lie in its `data`
        folder; None where it has none.
    """

    given: ClassVar[Task | None] = None
    """In a grading, the one that `fit` gets."""

    def __init__(
        self,
        train: Arrays,
        val: Arrays,
        *,
        device: torch.device,
        seed: int,
        seconds: float,
        folder: Path,
        log: Callable[[int, dict[str, float]], None],
        find_weights: pretrained.Find = lambda _: None,
        cpu_rate: float | None = None,
        data: Path | None = None,
    ) -> None:
        """`cpu_rate`: seconds of the reference machine in a CPU second here; None where the clock is used."""
        self.train = train
        self.val = val
        self.device = device
        self.seed = seed
        self.seconds = seconds
        self.folder = folder
        self.data = data
        self._log = log
        self._find_weights = find_weights
        self._issued: set[str] = set()
        self._cpu_rate = cpu_rate
        self._started = self._now()

    @property
    def seconds_left(self) -> float:
        """What remains of `seconds` since the task was made: it falls no faster on a machine that is busy, or slow."""
        return self.seconds - (self._now() - self._started)

    def _now(self) -> float:
        return time.monotonic() if self._cpu_rate is None else _cpu_s() * self._cpu_rate

    def log(self, step: int, **metrics: float) -> None:
        """Show metrics as live curves: `task.log(epoch, loss=loss.item(), accuracy=0.9)`."""
        values = {name: value.detach() if isinstance(value, torch.Tensor) else value for name, value in metrics.items()}
        self._log(int(step), {name: float(value) for name, value in values.items()})

    def pretrained(self, name: str) -> nn.Module:
        """A pretrained network: `insects`, which ships with the course, or torchvision's with ImageNet weights.

        It comes in `train` mode and with gradients, as from torchvision, and on the CPU. Its inputs are normalised by
        ImageNet's mean (0.485, 0.456, 0.406) and std (0.229, 0.224, 0.225) of RGB.

        Raises ValueError where there is no such network, or its weights are not on this machine.
        """
        net = pretrained.load(name, self._find_weights)
        self._issued.add(name)
        return net

    def kept(self, model: nn.Module) -> dict[str, float]:
        """How much of what `pretrained` has issued `model` still holds; see `pretrained.kept`. Empty without any."""
        found = [pretrained.kept(model, name, self._find_weights) for name in sorted(self._issued)]
        return max(found, key=lambda one: one["backbone_kept"], default={})

    @classmethod
    def local(
        cls,
        exercise: str,
        *,
        seed: int = 0,
        device: str = "auto",
        folder: str | Path = ".",
        variant: str = "mini",
        course: str | Path | None = None,
    ) -> Task:
        """The task of an exercise, made here: for `python solution.py`, a notebook or Colab. No grader is needed.

        In a grading it is the one that `fit` is given: a solution that asks for it at the top level has no other data.

        `variant`: mini for synthetic data, full for real data. `course`: the folder of another course than the bundled
        one; without it, an exercise that the bundled course does not have is looked for in the course that this folder
        lies in.

        Raises tlcourse.errors.UsageError where there is no such exercise, UnableError where there are no such data.
        """
        if Task.given is not None:
            return Task.given
        from tlcourse.course.loader import load_course
        from tlcourse.data import choose_variant, public_arrays
        from tlcourse.data.real import weights
        from tlcourse.errors import InfraError
        from tlcourse.execution.speed import known_speed

        threads = torch.get_num_threads()
        where = pick_device(device)
        found = load_course(_course_of(exercise, course)).exercise(exercise)
        about = found.about
        given = public_arrays(found, choose_variant(found, variant), seed)
        try:
            train, val = (as_dataset(one, about.targets) for one in given)
        except items.FormError as error:
            raise InfraError(
                f"The data of {exercise} are no inputs: {error}.", remedy="tlcourse author check"
            ) from None
        return cls(
            train,
            val,
            device=where,
            seed=seed,
            seconds=about.seconds,
            folder=Path(folder),
            data=found.data.public,
            log=_print_metrics,
            find_weights=weights.find_or_get,
            cpu_rate=known_speed(threads) / threads if where.type == "cpu" else None,
        )


def _course_of(exercise: str, course: str | Path | None) -> Path | None:
    """The folder of the course that has an exercise; None for the bundled one. Raises UsageError."""
    from tlcourse.course.loader import load_course
    from tlcourse.errors import UsageError

    here = Path.cwd()
    above = next((folder for folder in (here, *here.parents) if (folder / "course.yaml").is_file()), None)
    if course is not None:
        if (Path(course).expanduser() / "course.yaml").is_file():
            return Path(course).expanduser()
        if above is not None:  # it was moved together with the solution
            return above
        raise UsageError(
            f"The course of {exercise} is not in {course} any more.",
            cause="its folder was moved, or this is another machine; the solution names it in Task.local(…, course=…).",
            remedy=f"in the folder of the solution: tlcourse init {exercise} . --course FOLDER (with --notebook for a "
            "notebook), which writes the new folder into it and changes nothing else.",
        )
    if any(exercise in (name, found.folder.name) for name, found in load_course().exercises.items()):
        return None
    return above


def as_dataset(arrays: Mapping[str, Any], targets: Sequence[str]) -> Arrays:
    """`x` and an entry of each of `targets`, of any form that inputs have, as a dataset. Raises FormError."""
    flat = items.flattened({name: arrays[name] for name in ("x", *targets)})
    return dataset_of({name: torch.from_numpy(array) for name, array in flat.items()}, targets)


def dataset_of(flat: Mapping[str, torch.Tensor], targets: Sequence[str]) -> Arrays:
    """A dataset of what has travelled."""
    return Arrays(items.whole(flat, "x"), [items.whole(flat, name) for name in targets])


def pick_device(name: str) -> torch.device:
    """`auto` is CUDA (or ROCm), then Apple's MPS, then the CPU."""
    if name != "auto":
        return torch.device(name)
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def missing_device(device: torch.device) -> str:
    """Why torch cannot use `device` here; empty where it can."""
    if device.type == "cuda" and not torch.cuda.is_available():
        return "torch sees no CUDA device"
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        return f"torch sees {torch.cuda.device_count()} CUDA devices, not number {device.index}"
    if device.type == "mps" and not torch.backends.mps.is_available():
        return "torch sees no Apple GPU"
    return ""


def _cpu_s() -> float:
    """CPU seconds of all threads, of children that ended, and of those that run (a DataLoader's)."""
    ended = os.times()
    used = time.process_time() + ended.children_user + ended.children_system
    for child in multiprocessing.active_children():
        with contextlib.suppress(OSError, ValueError, IndexError):  # it ended just now, or this is not Linux
            fields = Path(f"/proc/{child.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
            used += sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
    return used


def _print_metrics(step: int, metrics: dict[str, float]) -> None:
    sys.stdout.write(f"{step:6d}  " + "  ".join(f"{name} {value:.4g}" for name, value in metrics.items()) + "\n")
