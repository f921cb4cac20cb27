"""Must fail: size_error. One trunk and two heads, but the loss is that of the count alone."""

import torch
import torch.nn.functional as F
from torch import nn


def trunk(widths=(16, 32, 64, 96)):
    layers, narrow = [], 1
    for wide in widths:
        layers += [nn.Conv2d(narrow, wide, 5 if narrow == 1 else 3, 2, 2 if narrow == 1 else 1, bias=False)]
        layers += [nn.BatchNorm2d(wide), nn.ReLU()]
        if narrow > 1:
            layers += [nn.Conv2d(wide, wide, 3, 1, 1, bias=False), nn.BatchNorm2d(wide), nn.ReLU()]
        narrow = wide
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())


def contrast(x):
    """How far each pixel is from the mean of the upper and lower border: light and dark stars look alike."""
    border = torch.cat([x[:, :, :1], x[:, :, -1:]], dim=2)
    return 4 * (x - border.mean((2, 3), keepdim=True)).abs() - 1


class Stars(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = trunk()
        self.count_head, self.radius_head = nn.Linear(96, 7), nn.Linear(96, 1)

    def forward(self, x):
        features = self.trunk(contrast(x))
        return self.count_head(features), 17 + 4 * self.radius_head(features).squeeze(-1)


def fit(task):
    torch.manual_seed(task.seed)
    x, count, radius = (tensor.to(task.device) for tensor in task.train.tensors)
    model = Stars().to(task.device, memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=3 * len(x.split(64)))
    for epoch in range(3):
        for batch in torch.randperm(len(x), device=x.device).split(64):
            picture = x[batch].flip(3) if torch.rand(()) < 0.5 else x[batch]
            logits, size = model(picture.transpose(2, 3) if torch.rand(()) < 0.5 else picture)
            loss = F.cross_entropy(logits, count[batch] - 3)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        task.log(epoch, loss=loss.item())
    return model
