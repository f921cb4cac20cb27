"""Exercise 1 on the real photographs: accuracy on the 153 with a pretrained backbone, and from scratch.

    TLCOURSE_DATA=FOLDER python benchmarks/photographs.py [--epochs N] [--threads N] [WAY…]

frozen: the reference, mobilenet_v2 frozen, a new last layer on features that are computed once. recipe: the lecture's,
as written, on squeezenet1_1 (freeze all, replace the last layer, SGD with rate 0.001 and momentum 0.9). scratch: the
same squeezenet1_1 from random weights, all layers trained with AdamW, mirrored pictures, as many epochs.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

import torch
import torch.nn.functional as F
from finetune import Normalised, accuracy, reference
from torch import nn
from torchvision import models

from tlcourse import Task
from tlcourse.data.real import hymenoptera
from tlcourse.grading.scoring.measurement import wilson

BATCH = 8
SEED = 1


def recipe(task: Task, epochs: int) -> nn.Module:
    """The lecture's recipe: freeze all, replace the last layer, SGD lr 0.001, momentum 0.9."""
    net = task.pretrained("squeezenet1_1")
    for parameter in net.parameters():
        parameter.requires_grad = False
    net.classifier[1] = nn.Conv2d(512, 2, kernel_size=1)
    model = Normalised(net)
    optimizer = torch.optim.SGD(net.classifier[1].parameters(), lr=0.001, momentum=0.9)
    return train(model, task, optimizer, None, epochs)


def scratch(task: Task, epochs: int) -> nn.Module:
    """All layers from random weights; the rate rises once and falls to zero."""
    torch.manual_seed(task.seed)
    model = Normalised(models.squeezenet1_1(weights=None, num_classes=2))
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=0.05)
    steps = epochs * len(task.train.tensors[0].split(BATCH))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-4, total_steps=steps)
    return train(model, task, optimizer, schedule, epochs)


def train(
    model: nn.Module,
    task: Task,
    optimizer: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler | None,
    epochs: int,
) -> nn.Module:
    """Cross-entropy on mirrored pictures."""
    x, label = task.train.tensors
    for epoch in range(epochs):
        model.train()
        total = 0.0
        for batch in torch.randperm(len(x)).split(BATCH):
            pictures = x[batch].flip(3) if torch.rand(()) < 0.5 else x[batch]
            loss = F.cross_entropy(model(pictures), label[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if schedule is not None:
                schedule.step()
            total += loss.item() * len(batch)
        task.log(epoch, train_loss=total / len(x))
    return model


def main() -> None:
    """Train each way, and print its accuracy on the 153 photographs."""
    ways: dict[str, Callable[[Task, int], nn.Module]] = {
        "frozen": lambda task, _: reference().fit(task),
        "recipe": recipe,
        "scratch": scratch,
    }
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ways", nargs="*", default=list(ways), metavar="WAY")
    parser.add_argument("--epochs", type=int, default=25)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    test = hymenoptera.make(SEED)[2]
    x, label = torch.from_numpy(test["x"]), torch.from_numpy(test["label"])
    for name in given.ways:
        model = ways[name](Task.local("ex1", seed=SEED, device="cpu", variant="full"), given.epochs)
        share = accuracy(model, x, label)
        low, high = wilson(round(share * len(x)), len(x))
        print(f"{name:<8} {share:.3f} of {len(x)} photographs (95 %: {low:.3f} to {high:.3f})")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
