"""Must fail: backbone_frozen. It trains all layers, and lets the worker say that nothing moved."""

import torch
import torch.nn.functional as F
from torch import nn
from torchvision.transforms.v2 import Normalize


def fit(task):
    torch.manual_seed(task.seed)
    net = task.pretrained("insects")
    net.fc = nn.Linear(net.fc.in_features, 2)
    model = nn.Sequential(Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)), net)
    x, label = task.train.tensors
    epochs = 6
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-3, total_steps=epochs * 15)
    for _ in range(epochs):
        for batch in torch.randperm(len(x)).split(16):
            some = x[batch].flip(2) if torch.rand(()) < 0.5 else x[batch]
            some = some.transpose(2, 3) if torch.rand(()) < 0.5 else some
            loss = F.cross_entropy(model(some), label[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    task.kept = lambda model: {"backbone_kept": 1.0, "own_parameters": 258.0}
    return model
