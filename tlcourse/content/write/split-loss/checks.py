"""Checks of `write/split-loss`, called in the sandbox with the student's module."""

import torch
import torch.nn.functional as F

from tlcourse.execution.worker.checks import close

C = 3


def _gradient(written, there):
    """Of a batch in which label and box hold anything where nothing is there."""
    torch.manual_seed(3)
    output = torch.randn(4, 1 + C + 4, requires_grad=True)
    label, box = torch.tensor([2, 0, 1, 0]), torch.randn(4, 4) * 3
    label[there == 0], box[there == 0] = -7, float("nan")
    loss = written.SplitLoss(C)(output, there, label, box)
    loss.backward()
    return loss, output.grad


def check_numbers(written):
    output = torch.randn(4, 1 + C + 4, requires_grad=True)
    there, label, box = torch.ones(4), torch.tensor([2, 0, 1, 0]), torch.randn(4, 4) * 3
    got = written.SplitLoss(C)(output, there, label, box)
    got.backward()
    silent = [number for number in range(1 + C + 4) if output.grad is None or output.grad[:, number].abs().max() == 0]
    assert not silent, (
        f"the numbers at {silent} of the output are judged by nothing: a slice ends before its second number, so "
        "[:k] is continued by [k:]"
    )
    wanted = (
        F.binary_cross_entropy_with_logits(output[:, 0], there)
        + F.cross_entropy(output[:, 1 : 1 + C], label)
        + F.smooth_l1_loss(output[:, 1 + C :], box)
    )
    assert close(got, wanted), (
        f"with something in every row the loss is {float(got):.4g}, and the sum of the three means is "
        f"{float(wanted):.4g}"
    )


def check_presence(written):
    _, gradient = _gradient(written, torch.tensor([1, 0, 0, 1]))
    assert bool((gradient[:, 0] != 0).all()), (
        "where nothing is there the presence is not judged: the detector would never learn to say no"
    )


def check_absent(written):
    loss, gradient = _gradient(written, torch.tensor([1, 0, 0, 1]))
    assert bool(torch.isfinite(loss)), (
        "label or box of a row without an object is looked at: select the rows before the loss; a product "
        "with 0 keeps NaN"
    )
    assert gradient[1:3, 1:].abs().max() == 0, "class and place are judged in rows where nothing is there"
    alone, _ = _gradient(written, torch.tensor([1, 1, 1, 1]))
    assert bool(torch.isfinite(alone)), "the loss is not finite where something is in every row"


def check_empty(written):
    loss, gradient = _gradient(written, torch.tensor([0, 0, 0, 0]))
    assert bool(torch.isfinite(loss)), (
        "a batch without any object makes the loss NaN, and all weights with it: the mean over no rows is 0/0"
    )
    assert gradient[:, 1:].abs().max() == 0, "class and place are judged although no row has an object"
