"""The script that made the course's small ResNet: supervised training on the source task of `tlcourse.data`.

    python scripts/pretrain_insects.py [--out FOLDER] [--epochs N] [--pictures N] [--seed N]

It writes insects.safetensors and insects.log.json. Bees and ants are not among the species that it draws, and no
picture is seen twice: every epoch draws its own. No label smoothing: it makes features transfer worse (Kornblith,
Chen, Lee & Norouzi 2021).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor, nn

from tlcourse.data.synthetic import insects
from tlcourse.data.synthetic.insects import SOURCE
from tlcourse.methods.small_resnet import WIDTHS, SmallResNet

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""ImageNet's channels: mean and standard deviation of RGB, by which inputs are normalised."""
WEIGHTS = Path(__file__).parents[1] / "tlcourse" / "content" / "weights"
BATCH = 64
PEAK_RATE = 4e-3
TESTED = 2000


def pretrain(pictures: int, epochs: int, seed: int) -> tuple[SmallResNet, list[dict[str, float]]]:
    """Train on `pictures` new ones an epoch; the network in `eval` mode, and a record of every epoch."""
    torch.manual_seed(seed)
    test = tensors(TESTED, seed)
    net = SmallResNet(len(SOURCE))
    optimizer = torch.optim.AdamW(net.parameters(), weight_decay=0.05)
    steps = epochs * -(-pictures // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, PEAK_RATE, total_steps=steps)
    log = []
    for epoch in range(1, epochs + 1):
        begin, total = time.perf_counter(), 0.0
        x, label = tensors(pictures, seed + epoch)
        for batch, want in zip(x.split(BATCH), label.split(BATCH), strict=True):  # drawn in random order already
            loss = F.cross_entropy(net(mirrored(batch)), want)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item() * len(batch)
        record = {"epoch": epoch, "loss": round(total / pictures, 4), "test_accuracy": accuracy(net, *test)}
        log.append(record)
        sys.stderr.write(json.dumps(record | {"seconds": round(time.perf_counter() - begin, 1)}) + "\n")
    return net.eval(), log


def tensors(n: int, seed: int) -> tuple[Tensor, Tensor]:
    """Normalised source pictures (n, 3, 32, 32) and labels (n,)."""
    arrays = insects.make_source(n, seed)
    return normalised(torch.from_numpy(arrays["x"])), torch.from_numpy(arrays["label"])


def normalised(x: Tensor) -> Tensor:
    """(B, 3, H, W) in [0, 1] -> mean 0 and standard deviation 1 a channel, as over ImageNet."""
    return (x - x.new_tensor(MEAN)[:, None, None]) / x.new_tensor(STD)[:, None, None]


def mirrored(x: Tensor) -> Tensor:
    """The batch mirrored and transposed at random, all pictures alike."""
    left_right, up_down, transpose = torch.randint(2, (3,)).tolist()
    if left_right:
        x = x.flip(3)
    if up_down:
        x = x.flip(2)
    return x.transpose(2, 3) if transpose else x


@torch.inference_mode()
def accuracy(net: nn.Module, x: Tensor, label: Tensor) -> float:
    """The share of labels that the network gets right, in `eval` mode; it is left in `train` mode."""
    net.eval()
    right = sum(
        int((net(part).argmax(1) == want).sum()) for part, want in zip(x.split(250), label.split(250), strict=True)
    )
    net.train()
    return right / len(x)


def main() -> None:
    """Train, and write the weights and the log of the training."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--pictures", type=int, default=16_000, help="drawn for each epoch")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    net, log = pretrain(given.pictures, given.epochs, given.seed)
    given.out.mkdir(parents=True, exist_ok=True)
    about = {"classes": json.dumps(list(SOURCE)), "widths": json.dumps(WIDTHS)}
    file = given.out / "insects.safetensors"
    save_file(net.state_dict(), file, metadata=about)
    file.chmod(0o644)  # safetensors writes for its owner alone; a sandbox is someone else
    settings = {name: getattr(given, name) for name in ("epochs", "pictures", "seed", "threads")}
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    document = {"sha256": digest, "settings": settings, "torch": torch.__version__, "classes": list(SOURCE), "log": log}
    (given.out / "insects.log.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
