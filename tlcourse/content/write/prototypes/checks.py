"""Checks of `write/prototypes`, called in the sandbox with the student's module."""

import torch

from tlcourse.execution.worker.checks import close


def _even():
    """Two examples of each of three classes, in the order of the classes, far apart."""
    centres = torch.tensor([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])
    label = torch.tensor([0, 0, 1, 1, 2, 2])
    step = torch.tensor([[1.0, 0.0], [-1.0, 0.0]]).repeat(3, 1)
    return centres, centres[label] + step, label


def check_means(written):
    label = torch.tensor([2, 0, 0, 1, 0])
    support = torch.randn(5, 4)
    got = written.prototypes(support, label, 3)
    wanted = torch.stack([support[label == c].mean(0) for c in range(3)])
    if close(got, wanted):
        return
    assert not close(got, wanted * torch.bincount(label)[:, None] * 3 / 5), (
        "each sum is divided by the same number: classes may have different numbers of examples"
    )
    assert not close(got, wanted * torch.bincount(label)[:, None]), "these are sums: a prototype is a mean"
    raise AssertionError("row k is not the mean of the examples with label k (they come in any order and number)")


def check_nearest(written):
    centres, support, label = _even()
    query = centres + 0.3
    chosen = written.classify(support, label, query, 3).argmax(1).tolist()
    assert chosen == [0, 1, 2], (
        f"points beside the prototypes 0, 1, 2 are given the classes {chosen}: a small distance must give a large logit"
    )


def check_squared(written):
    centres, support, label = _even()
    query = torch.randn(4, 2)
    got = written.classify(support, label, query, 3)
    distance = torch.cdist(query, centres)
    if close(got.abs(), distance.square(), rtol=1e-3, atol=1e-3):
        return
    assert not close(got.abs(), distance, rtol=1e-3, atol=1e-3), (
        "the logits are distances: equation 2 has their squares, which make the classifier linear in the features"
    )
    raise AssertionError("the logits are not squared Euclidean distances to the prototypes, shape (B, classes)")


def check_gradient(written):
    _, support, label = _even()
    support.requires_grad_()
    query = torch.randn(4, 2, requires_grad=True)
    logits = written.classify(support, label, query, 3)
    assert logits.requires_grad, "the logits have lost their gradient: the network could not be trained through them"
    logits[:, 0].sum().backward()
    for name, one in (("support", support), ("query", query)):
        assert one.grad is not None and one.grad.abs().max() > 0, (
            f"no gradient reaches the {name} features: the network learns from both sides of the distance"
        )
