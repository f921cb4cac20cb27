"""How fast this machine trains: a short fixed piece of training, in CPU seconds per thread.

A process of its own, which the staff side starts before any submission (`execution/speed.py`): nothing of a student's
is near what CPU seconds are converted with. Median of several pieces, so that one disturbance counts for nothing.
"""

from __future__ import annotations

import hashlib
import json
import statistics
import sys
import threading
import time

import torch
import torch.nn.functional as F

from tlcourse.methods.small_resnet import SmallResNet

_WARM_UP, _PIECES, _STEPS, _BATCH = 1, 5, 2, 64
_HASHES = 100_000
"""Rounds of a hash that a thread computes beside the others: some 0.05 s."""


def main(argv: list[str]) -> int:
    """`calibration THREADS`: print as JSON `piece_s`, CPU seconds per thread of one piece, and `waited`."""
    threads = int(argv[0])
    torch.set_num_threads(threads)
    before = waited(threads)
    piece_s = statistics.median(_pieces()) / threads
    print(json.dumps({"piece_s": piece_s, "waited": max(before, waited(threads))}))
    return 0


def _pieces() -> list[float]:
    """CPU seconds of each piece after the first ones, which fill caches and choose convolutions."""
    torch.manual_seed(0)
    net = SmallResNet(10)
    optimizer = torch.optim.AdamW(net.parameters())
    x, y = torch.randn(_STEPS, _BATCH, 3, 32, 32), torch.randint(10, (_STEPS, _BATCH))
    used = []
    for _ in range(_WARM_UP + _PIECES):
        begin = time.process_time()
        for batch, labels in zip(x, y, strict=True):
            optimizer.zero_grad()
            F.cross_entropy(net(batch), labels).backward()
            optimizer.step()
        used.append(time.process_time() - begin)
    return used[_WARM_UP:]


def waited(threads: int) -> float:
    """Which share of the time threads that are all busy had to wait for a core: near 0 on an idle machine."""

    def busy() -> None:
        hashlib.pbkdf2_hmac("sha256", b"busy", b"", _HASHES)  # without the interpreter's lock

    begin, cpu = time.perf_counter(), time.process_time()
    beside = [threading.Thread(target=busy) for _ in range(threads - 1)]
    for thread in beside:
        thread.start()
    busy()
    for thread in beside:
        thread.join()
    return max(1 - (time.process_time() - cpu) / ((time.perf_counter() - begin) * threads), 0.0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
