"""Training few parameters of a network, while all others stay: adapters in it, or a mask of its weights.

Serial adapters (Houlsby et al. 2019, arXiv:1902.00751, section 2.1) come after a layer, parallel ones (Rebuffi et al.
2018, arXiv:1803.10082) beside it. Both begin as (nearly) nothing, so that training starts at the original.

A FISH mask lets only the few weights be trained that carry the most Fisher information. Sung, Nair and Raffel 2021
(arXiv:2111.09839): the diagonal of the empirical or expected Fisher information is computed once (their section 3), the
k largest entries are chosen, and only these weights are trained.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call, jacrev, vmap

from tlcourse.methods.fine_tuning import freeze


class SerialAdapter(nn.Module):
    """h + W_up σ(W_down h), after a frozen layer; a bottleneck of `width` numbers."""

    def __init__(self, layer: nn.Module, features: int, width: int) -> None:
        super().__init__()
        self.layer = freeze(layer)
        self.down = nn.Linear(features, width)  # features -> width
        self.up = nn.Linear(width, features)  # width -> features
        nn.init.zeros_(self.up.weight)  # the adapter's output is 0 at first
        nn.init.zeros_(self.up.bias)

    def forward(self, x: Tensor) -> Tensor:
        """What the layer gives, (B, …, features), and a small change of it."""
        h = self.layer(x)
        return h + self.up(F.gelu(self.down(h)))


class ParallelAdapter(nn.Module):
    """W ∗ x + A ∗ x: a 1×1 convolution beside a frozen convolution of the same stride."""

    def __init__(self, convolution: nn.Conv2d) -> None:
        super().__init__()
        self.convolution = freeze(convolution)
        self.adapter = nn.Conv2d(
            convolution.in_channels, convolution.out_channels, 1, convolution.stride, groups=1, bias=False
        )
        nn.init.zeros_(self.adapter.weight)
        sides = zip(convolution.kernel_size, convolution.padding, strict=True)
        if any(not isinstance(padding, int) or padding != side // 2 for side, padding in sides):
            raise ValueError("a parallel 1×1 adapter needs a convolution that pads by half its kernel")

    def forward(self, x: Tensor) -> Tensor:
        """(B, C_in, H, W) -> (B, C_out, H/stride, W/stride)."""
        return self.convolution(x) + self.adapter(x)

    def merged(self) -> nn.Conv2d:
        """One convolution that does the same: the 1×1 kernel is added to the centre of the large one."""
        old = self.convolution
        new = nn.Conv2d(
            old.in_channels, old.out_channels, old.kernel_size, old.stride, old.padding, bias=old.bias is not None
        )
        new.load_state_dict(old.state_dict())
        row, column = (side // 2 for side in old.kernel_size)
        new.weight.data[:, :, row, column] += self.adapter.weight.data[:, :, 0, 0]
        return new


def add_parallel(net: nn.Module) -> int:
    """Freeze `net`, and put a parallel adapter beside each of its 3×3 convolutions; returns how many.

    Batch norm is frozen with the rest, where the paper gives each domain its own.
    """
    freeze(net)
    found = [
        (parent, name, child)
        for parent in net.modules()
        for name, child in parent.named_children()
        if isinstance(child, nn.Conv2d) and child.kernel_size == (3, 3) and child.groups == 1
        if not isinstance(parent, ParallelAdapter)
    ]
    for parent, name, child in found:
        setattr(parent, name, ParallelAdapter(child))
    return len(found)


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
