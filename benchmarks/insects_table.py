"""The handout's table for exercise 1: six ways to use 240 pictures of ants and bees, on ten seeds.

    python benchmarks/insects_table.py [--seeds N] [--first N] [--json FILE] [--weights FILE]
    python benchmarks/insects_table.py --write FILE…     # the table of these files' seeds, into the handout

Each seed draws its own training and test pictures, and starts its own heads and networks. No way was tuned on the test
pictures; all that train the whole network do so equally long, on mirrored and transposed pictures.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import sys
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

from tlcourse.data.synthetic import insects, split_seeds
from tlcourse.methods.small_resnet import SmallResNet

sys.path.append(str(Path(__file__).parents[1] / "scripts"))
from pretrain_insects import accuracy, mirrored, normalised

HANDOUT = Path(__file__).parents[1] / "exercises" / "ex1_finetune" / "handout.md"
SHIPPED = Path(__file__).parents[1] / "tlcourse" / "content" / "weights" / "insects.safetensors"
EPOCHS, BATCH = 30, 16
TESTED = 4000
SHRINK = 2.6  # Howard and Ruder (2018): a layer learns so much more slowly than the one above it
# Student's t for the mean of so many seeds
T975 = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776, 6: 2.571, 7: 2.447, 8: 2.365, 9: 2.306, 10: 2.262}
Data = tuple[Tensor, Tensor]


def network(weights: Path | None) -> SmallResNet:
    """Random weights, or pretrained ones with a new last layer."""
    if weights is None:
        return SmallResNet(2)
    state = load_file(weights)
    net = SmallResNet(len(state["fc.bias"]))
    net.load_state_dict(state)
    net.fc = nn.Linear(net.fc.in_features, 2)
    return net


def train(net: SmallResNet, data: Data, rates: list[dict], epochs: int = EPOCHS) -> SmallResNet:
    """Cross-entropy with AdamW; every rate rises once and falls to zero."""
    x, label = data
    optimizer = torch.optim.AdamW(rates, weight_decay=0.05)
    steps = epochs * len(x.split(BATCH))
    peaks = [group["lr"] for group in rates]
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, peaks, total_steps=steps)
    net.train()
    for _ in range(epochs):
        for batch in torch.randperm(len(x)).split(BATCH):
            loss = F.cross_entropy(net(mirrored(x[batch])), label[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return net


def scratch(data: Data, weights: Path) -> SmallResNet:
    """All layers, from random weights."""
    net = network(None)
    return train(net, data, [{"params": net.parameters(), "lr": 2e-3}])


def full(data: Data, weights: Path) -> SmallResNet:
    """All layers at one rate, from pretrained weights and a random head."""
    net = network(weights)
    return train(net, data, [{"params": net.parameters(), "lr": 1e-3}])


def too_fast(data: Data, weights: Path) -> SmallResNet:
    """The same at ten times the rate."""
    net = network(weights)
    return train(net, data, [{"params": net.parameters(), "lr": 1e-2}])


def discriminative(data: Data, weights: Path) -> SmallResNet:
    """All layers, each lower one more slowly."""
    net = network(weights)
    return train(net, data, falling(net, 1e-3))


def probe_then_full(data: Data, weights: Path) -> SmallResNet:
    """The head alone first, then all layers at a small rate."""
    net = frozen(data, weights)
    return train(net.requires_grad_(True), data, falling(net, 3e-4))


def frozen(data: Data, weights: Path) -> SmallResNet:
    """The head alone, on features that are computed once."""
    net = network(weights).eval().requires_grad_(False)
    head, net.fc = net.fc, nn.Identity()
    features = torch.cat([net(view) for view in views(data[0])])
    net.fc = fit_head(head.requires_grad_(True), features, data[1].repeat(8))
    return net


def views(x: Tensor) -> list[Tensor]:
    """The eight ways to mirror and transpose the pictures."""
    some = [x, x.flip(3)]
    some += [view.flip(2) for view in some]
    return some + [view.transpose(2, 3) for view in some]


def fit_head(head: nn.Linear, features: Tensor, label: Tensor, decay: float = 1e-3) -> nn.Linear:
    """Logistic regression to its optimum, with an L2 penalty."""
    optimizer = torch.optim.LBFGS(head.parameters(), max_iter=100, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        value = F.cross_entropy(head(features), label) + decay * head.weight.square().sum()
        value.backward()
        return value

    optimizer.step(loss)
    return head


def falling(net: SmallResNet, top: float) -> list[dict]:
    """Parameter groups whose rates fall by SHRINK from the head downwards."""
    parts = [net.fc, net.layer4, net.layer3, net.layer2, net.layer1, nn.ModuleList([net.conv1, net.bn1])]
    return [{"params": part.parameters(), "lr": top / SHRINK**depth} for depth, part in enumerate(parts)]


WAYS: dict[str, Callable[[Data, Path], SmallResNet]] = {
    "from scratch": scratch,
    "full fine-tuning": full,
    "full, rate × 10": too_fast,
    "rates by layer": discriminative,
    "probe, then full": probe_then_full,
    "frozen + new head": frozen,
}


def measure(seed: int, weights: Path, ways: list[str]) -> dict[str, float]:
    """True accuracy (on 4000 new pictures) of each way, for one seed."""
    train_seed, _, test_seed = split_seeds(seed)
    data, test = tensors(240, train_seed), tensors(TESTED, test_seed)
    found = {}
    for name in ways:
        torch.manual_seed(seed)
        found[name] = accuracy(WAYS[name](data, weights).eval(), *test)
    return found


def tensors(n: int, seed: int) -> Data:
    arrays = insects.make(n, seed)
    return normalised(torch.from_numpy(arrays["x"])), torch.from_numpy(arrays["label"])


def summary(values: list[float]) -> tuple[float, float]:
    """Mean, and half the 95 % interval of the mean."""
    n, centre = len(values), sum(values) / len(values)
    std = math.sqrt(sum((value - centre) ** 2 for value in values) / max(n - 1, 1))
    return centre, T975.get(n, 2.0) * std / math.sqrt(n)


def table(rows: list[dict[str, float]]) -> str:
    """The handout's table: mean of the accuracies, 95 % interval of the mean, and the lowest; in percent."""
    lines = ["| way | mean accuracy | lowest |", "|---|---|---|"]
    for name in (name for name in WAYS if all(name in row for row in rows)):
        values = [100 * row[name] for row in rows]
        centre, half = summary(values)
        lines.append(f"| {name} | {centre:.1f} ± {half:.1f} % | {min(values):.1f} % |")
    return "\n".join(lines)


def write(files: list[Path]) -> None:
    """Put the table of the given results in the place of the handout's."""
    rows = [row for file in files for row in json.loads(file.read_text(encoding="utf-8"))]
    text = HANDOUT.read_text(encoding="utf-8")
    begin = text.index("| way | mean accuracy |")
    text = text[:begin] + table(rows) + text[text.index("\n\n", begin) :]
    text = re.sub(r"\*\*Measured\*\* on \d+ seeds", f"**Measured** on {len(rows)} seeds", text)
    HANDOUT.write_text(text, encoding="utf-8")


def main() -> None:
    """Measure and print, or write the table of what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--ways", nargs="*", default=list(WAYS), choices=list(WAYS))
    parser.add_argument("--json", type=Path)
    parser.add_argument("--weights", type=Path, default=SHIPPED)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--write", type=Path, nargs="+", metavar="FILE")
    given = parser.parse_args()
    if given.write:
        write(given.write)
        return
    torch.set_num_threads(given.threads)
    rows = []
    for seed in range(given.first, given.first + given.seeds):
        rows.append({"seed": seed, **measure(seed, given.weights, given.ways)})
        sys.stderr.write(json.dumps(rows[-1]) + "\n")
    for name in given.ways:
        centre, half = summary([row[name] for row in rows])
        lowest = min(row[name] for row in rows)
        print(f"{name:<20} {centre:.3f} ± {half:.3f}   lowest {lowest:.3f}")
    if given.json:
        given.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
