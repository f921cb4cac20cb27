"""Exercise 1: tell bees from ants with few pictures and a network that has learnt other insects.

This starter runs and does not pass: it takes a pretrained backbone, and then does not make use of it.
The TODOs mark where to go on. Try it:  python solution.py   or   tlcourse grade ex1 solution.py
"""

import torch
import torch.nn.functional as F
from torch import nn

import tlcourse

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of the pictures on which the backbone was trained


class Classifier(nn.Module):
    """(B, 3, 32, 32) pictures in [0, 1] -> logits (B, 2): 0 is an ant, 1 is a bee."""

    def __init__(self, backbone):
        super().__init__()
        self.net = backbone
        # TODO: freeze the backbone here, before it gets a new last layer.
        self.net.fc = nn.Linear(self.net.fc.in_features, 2)

    def forward(self, x):
        # TODO: the backbone was trained on pictures with mean 0 and standard deviation 1 in each channel.
        return self.net(x)


def fit(task: tlcourse.Task) -> nn.Module:
    torch.manual_seed(task.seed)
    model = Classifier(task.pretrained("insects")).to(task.device)
    x, label = (tensor.to(task.device) for tensor in task.train.tensors)
    # TODO: which parameters should the optimiser hold?
    optimizer = torch.optim.SGD(model.parameters(), lr=0.001, momentum=0.9)

    for epoch in range(2):  # TODO: more epochs – or compute the features once, see the handout
        # TODO: in train mode batch norm's statistics move; a frozen backbone must stay in eval mode
        model.train()
        for batch in torch.randperm(len(x), device=task.device).split(16):
            loss = F.cross_entropy(model(x[batch]), label[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        task.log(epoch, train_loss=loss.item(), val_accuracy=validate(model, task))
    return model


@torch.no_grad()
def validate(model, task):
    """The share of the validation pictures that are told right."""
    x, label = (tensor.to(task.device) for tensor in task.val.tensors)
    model.eval()
    return (model(x).argmax(1) == label).float().mean().item()


if __name__ == "__main__":
    fit(tlcourse.Task.local("ex1"))
