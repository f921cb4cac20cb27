"""Feed every parser of what others wrote: `python benchmarks/fuzz.py --inputs 130000`, some minutes.

Each input ends in success or in an error in words. What does not is printed with the line that keeps it for the tests:
`tests/fixtures/fuzz_corpus.jsonl` holds, at most fifty lines, what once crashed.
"""

from __future__ import annotations

import argparse
import base64
import json
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from fuzz import TARGETS, Crash, fuzzed


def main() -> int:
    """Ends with 1 where something crashed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--inputs", type=int, default=130_000, help="in all")
    parser.add_argument("--seed", type=int, default=0, help="another seed feeds other inputs")
    parser.add_argument("--only", choices=TARGETS, nargs="*", help="these targets")
    chosen = parser.parse_args()
    crashes = total = 0
    targets = chosen.only or list(TARGETS)
    for target in targets:
        started = time.monotonic()
        with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as box:
            try:
                taken, refused = fuzzed(target, chosen.inputs // len(targets), Path(box), chosen.seed)
            except Crash as crash:
                crashes += 1
                print(f"{target}: {crash}")
                print(json.dumps({"target": target, "input": base64.b64encode(crash.data).decode()}))
                continue
        total += taken + refused
        print(f"{target}: {taken} taken, {refused} refused in words, {time.monotonic() - started:.0f} s", flush=True)
    print(f"{total} inputs, {crashes} crashes")
    return 1 if crashes else 0


if __name__ == "__main__":
    sys.exit(main())
