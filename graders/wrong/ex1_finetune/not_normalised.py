"""Must fail: accuracy, backbone_frozen. The backbone sees pictures in [0, 1], which it was not trained on."""

import torch
import torch.nn.functional as F
from torch import nn


def fit(task):
    torch.manual_seed(task.seed)
    net = task.pretrained("insects").eval().requires_grad_(False)
    net.fc = nn.Linear(net.fc.in_features, 2)
    x, label = task.train.tensors
    optimizer = torch.optim.Adam(net.fc.parameters(), lr=0.02)
    for epoch in range(10):
        loss = F.cross_entropy(net(x), label)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        task.log(epoch, loss=loss.item())
    return net
