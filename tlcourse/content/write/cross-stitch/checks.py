"""Checks of `write/cross-stitch`, called in the sandbox with the student's module."""

import torch

from tlcourse.execution.worker.checks import close

TASKS = 3


def _stitch(written):
    stitch = written.CrossStitch(TASKS, 0.7)
    alpha = getattr(stitch, "alpha", None)
    assert isinstance(alpha, torch.Tensor), "the unit has no matrix `self.alpha`, which the checks look at"
    assert tuple(alpha.shape) == (TASKS, TASKS), f"`alpha` has shape {tuple(alpha.shape)}, expected ({TASKS}, {TASKS})"
    return stitch


def check_start(written):
    alpha = _stitch(written).alpha.detach()
    assert close(alpha.diagonal(), torch.full((TASKS,), 0.7)), "the diagonal does not begin at `own`"
    assert close(alpha.sum(1), torch.ones(TASKS)), (
        f"the rows begin with sums {[round(one, 3) for one in alpha.sum(1).tolist()]}: with a sum of 1 activations "
        "keep their size, so 1 − own is shared out among the tasks − 1 others"
    )


def check_mix(written):
    stitch = _stitch(written)
    alpha = torch.tensor([[0.5, 0.2, 0.3], [0.0, 1.0, 0.0], [0.9, -0.4, 0.1]])
    with torch.no_grad():
        stitch.alpha.copy_(alpha)
    given = [torch.randn(4, 2, 5) for _ in range(TASKS)]
    got = list(stitch(given))
    assert len(got) == TASKS, f"{len(got)} activations came back, expected one for each of the {TASKS} tasks"
    right = all(
        close(one, sum(a * x for a, x in zip(row, given, strict=True))) for one, row in zip(got, alpha, strict=True)
    )
    turned = all(
        close(one, sum(a * x for a, x in zip(row, given, strict=True))) for one, row in zip(got, alpha.T, strict=True)
    )
    assert not turned, "rows and columns have changed places: row i of alpha says what task i takes of each task j"
    assert right, "task i does not get Σ_j α_ij x_j"


def check_learns(written):
    stitch = _stitch(written)
    given = [torch.randn(4, 5) for _ in range(TASKS)]
    assert isinstance(stitch.alpha, torch.nn.Parameter), (
        "`alpha` is no nn.Parameter: no optimiser would find it, and how much is shared could not be learnt"
    )
    stack = torch.stack(list(stitch(given)))
    assert stack.requires_grad, "the gradient does not reach `alpha`"


def check_gradient(written):
    stitch = _stitch(written)
    given = [torch.randn(4, 5, requires_grad=True) for _ in range(TASKS)]
    stitch(given)[0].sum().backward()
    for number, one in enumerate(given):
        assert one.grad is not None and one.grad.abs().max() > 0, (
            f"the loss of task 0 does not reach the layers of task {number}: what is taken from it must be trained "
            "for it, too (is something detached?)"
        )
