"""Must fail: backbone_frozen. Gradients are off, and train() lets batch norm's statistics move."""

import torch
import torch.nn.functional as F
from torch import nn
from torchvision.transforms.v2 import Normalize


def fit(task):
    torch.manual_seed(task.seed)
    net = task.pretrained("insects")
    for parameter in net.parameters():
        parameter.requires_grad = False
    net.fc = nn.Linear(net.fc.in_features, 2)
    model = nn.Sequential(Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)), net)
    x, label = task.train.tensors
    optimizer = torch.optim.Adam(net.fc.parameters(), lr=0.02)
    for epoch in range(10):
        model.train()
        for batch in torch.randperm(len(x)).split(60):
            loss = F.cross_entropy(model(x[batch]), label[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        task.log(epoch, loss=loss.item())
    return model
