"""FISH mask: train only the few weights that carry the most Fisher information.

Sung, Nair and Raffel 2021 (arXiv:2111.09839): the diagonal of the empirical or expected Fisher information is computed
once (their section 3), the k largest entries are chosen, and only these weights are trained.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.func import functional_call, jacrev, vmap

Named = dict[str, Tensor]


def fisher_diagonal(net: nn.Module, x: Tensor, *, chunk: int = 32) -> Named:
    """F_i = 1/N Σ_n E_{y ~ p(y|x_n)} [(∂ log p(y|x_n) / ∂θ_i)²], for every parameter that requires a gradient.

    The square is taken sample by sample and class by class: squaring the gradient of a batch's mean loss instead would
    let the samples cancel each other, and measures something else (the test keeps that mistake as a wrong twin).

    Args:
        net: maps (B, …) to logits (B, C); it should be in `eval` mode, as batch norm would mix the samples.
        x: (N, …) inputs; labels are not needed, because the expectation is over the model's own predictions.
    """
    parameters = {name: p.detach() for name, p in net.named_parameters() if p.requires_grad}
    rest = {name: p.detach() for name, p in net.named_parameters() if not p.requires_grad}
    rest |= dict(net.named_buffers())

    def log_p(weights: Named, one: Tensor) -> Tensor:  # (…) -> (C,)
        return torch.log_softmax(functional_call(net, (weights, rest), (one.unsqueeze(0),))[0], dim=0)

    gradients = vmap(jacrev(log_p), (None, 0))  # of every class, for every sample
    with torch.no_grad():
        found = {name: torch.zeros_like(p) for name, p in parameters.items()}
        for part in x.split(chunk):
            p = torch.softmax(net(part), dim=1)  # (b, C)
            for name, g in gradients(parameters, part).items():  # (b, C, *shape)
                found[name] += torch.einsum("bc,bc...->...", p, g.square())
    return {name: total / len(x) for name, total in found.items()}


def top_k_mask(information: Mapping[str, Tensor], k: int) -> dict[str, Tensor]:
    """Boolean masks of the `k` largest entries over all parameters together."""
    flat = torch.cat([values.flatten() for values in information.values()])
    if not 0 < k <= len(flat):
        raise ValueError(f"k is {k}, expected 1 to {len(flat)}")
    chosen = torch.zeros(len(flat), dtype=torch.bool, device=flat.device)
    chosen[flat.topk(k).indices] = True
    parts = chosen.split([values.numel() for values in information.values()])
    return {name: part.view_as(values) for (name, values), part in zip(information.items(), parts, strict=True)}


class Masked:
    """Lets training change only what a mask allows.

    Call `step()` in the place of `optimizer.step()`: weights outside the mask are put back, whatever the optimiser did
    to them – masking their gradients alone would leave weight decay and momentum at work.
    """

    def __init__(self, net: nn.Module, mask: Mapping[str, Tensor], optimizer: torch.optim.Optimizer) -> None:
        self._optimizer = optimizer
        self._held = [(p, mask[name], p.detach().clone()) for name, p in net.named_parameters() if name in mask]

    @torch.no_grad()
    def step(self) -> None:
        """One step of the optimiser within the mask."""
        for parameter, mask, _ in self._held:
            if parameter.grad is not None:
                parameter.grad.mul_(mask)
        self._optimizer.step()
        for parameter, mask, original in self._held:
            parameter.copy_(torch.where(mask, parameter, original))
