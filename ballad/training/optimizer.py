"""SGD for the towers, and for stacked heads with a learning rate for each."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from ballad.experiment import OptimizerSettings


def tower_optimizer(groups: list[dict[str, Any]], settings: OptimizerSettings) -> torch.optim.SGD:
    """SGD over parameter groups; fused, which goes through the weights of a tower once instead of four times."""
    return torch.optim.SGD(groups, lr=0.0, momentum=settings.momentum, weight_decay=settings.weight_decay, fused=True)


class StackedSGD:
    """SGD with momentum and weight decay on tensors ``[M, …]`` that hold M independent models.

    The same update as ``torch.optim.SGD``, whose learning rate is one number and so cannot differ within a tensor.
    A tensor without a gradient stays as it is.
    """

    def __init__(self, parameters: Iterable[Tensor], *, momentum: float, weight_decay: float) -> None:
        self.parameters = list(parameters)
        self.momentum = momentum
        self.weight_decay = weight_decay
        self.buffers: dict[int, Tensor] = {}

    @torch.no_grad()
    def step(self, rates: Tensor) -> None:
        """Move every model against its gradient by its own rate ``[M]``, and clear the gradients."""
        for place, parameter in enumerate(self.parameters):
            if parameter.grad is None:
                continue
            if place not in self.buffers:
                self.buffers[place] = torch.zeros_like(parameter)
            buffer = self.buffers[place]
            torch.add(parameter.grad, buffer, alpha=self.momentum, out=buffer).add_(parameter, alpha=self.weight_decay)
            parameter.addcmul_(buffer, rates.view(-1, *[1] * (parameter.dim() - 1)), value=-1)
            parameter.grad = None
