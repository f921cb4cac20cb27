"""Exercise 3's table: excess pinball loss and worst coverage of the reference and of the wrong solutions, over seeds.

    python benchmarks/quantile_table.py [--seeds 20260 1 2 3 4] [--] [FILE ...]

Every seed draws another problem. The solutions are ours, so they run in this process, with one thread. Prints Markdown:
mean over the seeds, and in brackets the worst.
"""

from __future__ import annotations

import argparse
import importlib.util
from pathlib import Path

import numpy as np
import torch

from tlcourse.course.loader import load_course
from tlcourse.execution.worker.predict import predict
from tlcourse.execution.worker.task import Task, as_dataset
from tlcourse.grading.grade import Options, task_seed
from tlcourse.grading.grader import Grader

GRADERS = Path(__file__).resolve().parent.parent / "graders"
USUAL = [
    GRADERS / "references" / "ex3_quantile.py",
    *(
        GRADERS / "wrong" / "ex3_quantile" / f"{name}.py"
        for name in (
            "four_networks",
            "gaussian_likelihood",
            "mean_and_constant_width",
            "marginal_quantiles",
            "squared_error",
        )
    ),
]
COLUMNS = ("gaussian", "skewed", "heavy_tailed", "two_humped", "coverage")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[20260, 1, 2, 3, 4])
    parser.add_argument("files", nargs="*", type=Path)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    print("| solution | " + " | ".join(COLUMNS) + " |\n|---|" + "---|" * len(COLUMNS))
    for path in asked.files or USUAL:
        found = np.array([values_of(path, seed) for seed in asked.seeds])
        cells = [
            f"{100 * mean:.1f} % ({100 * worst:.1f})" for mean, worst in zip(found.mean(0), found.max(0), strict=True)
        ][:-1]
        print(
            f"| {path.stem} | {' | '.join(cells)} | {found[:, -1].mean():.2f} ({found[:, -1].max():.2f}) |", flush=True
        )


def values_of(path: Path, seed: int) -> list[float]:
    """What a solution measures with a seed, in the order of COLUMNS."""
    grader = Grader(load_course().exercises["ex3"])
    data, about = grader.make(seed, "mini"), grader.about
    torch.manual_seed(task_seed(Options(seed=seed)))
    task = Task(
        as_dataset(data.train, about.targets),
        as_dataset(data.val, about.targets),
        device=torch.device("cpu"),
        seed=task_seed(Options(seed=seed)),
        seconds=about.seconds,
        folder=path.parent,
        log=lambda step, values: None,
    )
    model = load(path).fit(task)
    predicted = predict(model, torch.from_numpy(data.test["x"]), about.outputs, torch.device("cpu"))
    measured = grader.measure(data.test, predicted, {})
    return [measured[name].value for name in COLUMNS]


def load(path: Path):
    """The module of a solution."""
    spec = importlib.util.spec_from_file_location("solution", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main()
