"""Must fail: backbone_frozen, trained_parameters. A frozen backbone is carried along, and a trained one answers."""

import copy

import torch
import torch.nn.functional as F
from torch import nn


class Both(nn.Module):
    def __init__(self, backbone):
        super().__init__()
        self.backbone = backbone.eval().requires_grad_(False)
        self.net = copy.deepcopy(backbone).requires_grad_(True)
        self.net.fc = nn.Linear(self.net.fc.in_features, 2)
        self.register_buffer("mean", torch.tensor((0.485, 0.456, 0.406))[:, None, None])
        self.register_buffer("std", torch.tensor((0.229, 0.224, 0.225))[:, None, None])

    def forward(self, x):
        return self.net((x - self.mean) / self.std)


def fit(task):
    torch.manual_seed(task.seed)
    model = Both(task.pretrained("insects"))
    x, label = task.train.tensors
    epochs = 8
    optimizer = torch.optim.AdamW(model.net.parameters(), weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-3, total_steps=epochs * 15)
    for epoch in range(epochs):
        for batch in torch.randperm(len(x)).split(16):
            some = x[batch].flip(2) if torch.rand(()) < 0.5 else x[batch]
            some = some.transpose(2, 3) if torch.rand(()) < 0.5 else some
            loss = F.cross_entropy(model(some), label[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        task.log(epoch, loss=loss.item())
    return model
