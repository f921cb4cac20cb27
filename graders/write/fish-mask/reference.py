"""Fisher information and its mask."""

import torch
from torch import Tensor, nn


def fisher(net: nn.Module, x: Tensor) -> dict[str, Tensor]:
    """The diagonal of the Fisher information, by the names of the parameters"""
    names, parameters = zip(*net.named_parameters(), strict=True)
    total = [torch.zeros_like(parameter) for parameter in parameters]
    for one in x:
        log_p = torch.log_softmax(net(one[None]), dim=1)[0]  # (C,)
        for c, p in enumerate(log_p.detach().exp()):
            gradients = torch.autograd.grad(log_p[c], parameters, retain_graph=True)
            for found, gradient in zip(total, gradients, strict=True):
                found += p * gradient.square()
    return {name: found / len(x) for name, found in zip(names, total, strict=True)}


def top_k(information: dict[str, Tensor], k: int) -> dict[str, Tensor]:
    """Boolean masks of the k largest entries of all tensors together"""
    flat = torch.cat([values.flatten() for values in information.values()])
    return {name: values >= flat.topk(k).values[-1] for name, values in information.items()}
