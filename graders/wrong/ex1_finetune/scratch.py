"""Must fail: accuracy, backbone_frozen, trained_parameters. It trains from random weights, on 240 pictures."""

import torch
import torch.nn.functional as F
from torch import nn


def fit(task):
    torch.manual_seed(task.seed)
    layers = []
    for narrow, wide in ((3, 16), (16, 32), (32, 64)):
        layers += [nn.Conv2d(narrow, wide, 3, 2, 1, bias=False), nn.BatchNorm2d(wide), nn.ReLU()]
    net = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 2))
    x, label = task.train.tensors
    optimizer = torch.optim.AdamW(net.parameters(), lr=2e-3, weight_decay=0.05)
    for epoch in range(30):
        for batch in torch.randperm(len(x)).split(16):
            loss = F.cross_entropy(net(x[batch]), label[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        task.log(epoch, loss=loss.item())
    return net
