"""A frozen backbone's features computed once, against the tutorial's loop: seconds, accuracies and their ratio.

    python benchmarks/finetune.py [--variant mini|full] [--threads N] [--epochs 25]

Both train on the same pictures, with the same backbone, on this machine, one after the other. The loop is that of
PyTorch's transfer-learning tutorial ("ConvNet as fixed feature extractor"): batches of 4, SGD with rate 0.001 and
momentum 0.9, a tenth of it every 7 epochs, training and validation through the whole network in each of 25 epochs, and
the weights of the best epoch. The reference is graders/references/ex1_finetune.py.
"""

from __future__ import annotations

import argparse
import copy
import importlib.util
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tlcourse import Task
from tlcourse.data.real import hymenoptera
from tlcourse.data.synthetic import insects, split_seeds

REFERENCE = Path(__file__).parents[1] / "graders" / "references" / "ex1_finetune.py"
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
SEED = 1


def reference() -> ModuleType:
    """The reference solution as a module."""
    spec = importlib.util.spec_from_file_location("reference", REFERENCE)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Normalised(nn.Module):
    """Pictures in [0, 1] to the network's input, as the tutorial's transforms do."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net
        self.register_buffer("mean", torch.tensor(MEAN)[:, None, None])
        self.register_buffer("std", torch.tensor(STD)[:, None, None])

    def forward(self, x: Tensor) -> Tensor:
        """(B, 3, H, W) -> (B, 2)."""
        return self.net((x - self.mean) / self.std)


def tutorial(task: Task, epochs: int) -> nn.Module:
    """The tutorial's loop."""
    torch.manual_seed(task.seed)
    drawn = task.train.tensors[0].shape[-1] == 32
    net = task.pretrained("insects" if drawn else "mobilenet_v2")
    for parameter in net.parameters():
        parameter.requires_grad = False
    if drawn:
        head = net.fc = nn.Linear(net.fc.in_features, 2)
    else:
        head = net.classifier[1] = nn.Linear(net.last_channel, 2)
    model = Normalised(net)
    optimizer = torch.optim.SGD(head.parameters(), lr=0.001, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=7, gamma=0.1)
    best, kept = -1.0, copy.deepcopy(model.state_dict())
    for epoch in range(epochs):
        # the weights of mobilenet_v2 that may be here have their batch norm folded in: they work in eval mode only
        model.train(drawn)
        x, label = task.train.tensors
        for batch in torch.randperm(len(x)).split(4):
            optimizer.zero_grad()
            F.cross_entropy(model(x[batch]), label[batch]).backward()
            optimizer.step()
        scheduler.step()
        right = accuracy(model, *task.val.tensors, size=4)
        if right > best:
            best, kept = right, copy.deepcopy(model.state_dict())
        task.log(epoch, val_accuracy=right)
    model.load_state_dict(kept)
    return model


@torch.no_grad()
def accuracy(model: nn.Module, x: Tensor, label: Tensor, size: int = 50) -> float:
    """The share of pictures told right."""
    model.eval()
    right = sum(
        int((model(part).argmax(1) == want).sum()) for part, want in zip(x.split(size), label.split(size), strict=True)
    )
    return right / len(x)


def timed(fit: Callable[[Task], nn.Module], variant: str) -> tuple[nn.Module, float]:
    """The trained network, and the seconds that `fit` took."""
    task = Task.local("ex1", seed=SEED, device="cpu", variant=variant)
    begin = time.perf_counter()
    model = fit(task)
    return model, time.perf_counter() - begin


def test_set(variant: str) -> tuple[Tensor, Tensor]:
    """Pictures that neither was trained on."""
    made = hymenoptera.make(SEED)[2] if variant == "full" else insects.make(4000, split_seeds(SEED)[2])
    return torch.from_numpy(made["x"]), torch.from_numpy(made["label"])


def main() -> None:
    """Run both, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--variant", choices=("mini", "full"), default="mini")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=25)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    ours = reference()
    timed(ours.fit, given.variant)  # once before, so that nobody pays for torch's first call
    quick, quick_s = timed(ours.fit, given.variant)
    slow, slow_s = timed(lambda task: tutorial(task, given.epochs), given.variant)
    x, label = test_set(given.variant)
    print(f"{given.variant}, {len(label)} test pictures, {given.threads} threads, torch {torch.__version__}")
    print(f"the tutorial's loop, {given.epochs} epochs  {slow_s:8.2f} s  accuracy {accuracy(slow, x, label):.4f}")
    print(f"features computed once          {quick_s:8.2f} s  accuracy {accuracy(quick, x, label):.4f}")
    print(f"ratio {slow_s / quick_s:.1f} ×  (promised: at least 10 ×)")
    sys.exit(slow_s < 10 * quick_s)


if __name__ == "__main__":
    main()
