"""Must fail: accuracy. Everything is right but the meaning of the labels: 0 is taken for a bee."""

import torch
import torch.nn.functional as F
from torch import nn
from torchvision.transforms.v2 import Normalize


def fit(task):
    torch.manual_seed(task.seed)
    net = task.pretrained("insects").eval().requires_grad_(False)
    net.fc = nn.Linear(net.fc.in_features, 2)
    model = nn.Sequential(Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)), net)
    x, label = task.train.tensors
    optimizer = torch.optim.Adam(net.fc.parameters(), lr=0.02)
    for epoch in range(10):
        loss = F.cross_entropy(model(x), 1 - label)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        task.log(epoch, loss=loss.item())
    return model
