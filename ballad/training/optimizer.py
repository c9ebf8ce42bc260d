"""SGD for the towers, and for stacked heads with a learning rate for each."""

from collections.abc import Iterable
from typing import Any, Literal, Protocol

import torch
from torch import Tensor

from ballad.sections import OptimizerSettings


def tower_optimizer(groups: list[dict[str, Any]], settings: OptimizerSettings) -> torch.optim.SGD:
    """SGD over parameter groups; fused, which goes through the weights of a tower once instead of four times."""
    return torch.optim.SGD(groups, lr=0.0, momentum=settings.momentum, weight_decay=settings.weight_decay, fused=True)


class Stepper(Protocol):
    """Moves tensors ``[M, …]`` that hold M independent models, each by a learning rate of its own."""

    def step(self, rates: Tensor) -> None:
        """Move every model against its gradient by its own rate ``[M]``, and clear the gradients."""


def head_optimizer(name: Literal["sgd", "adamw"], tensors: Iterable[Tensor], settings: OptimizerSettings) -> Stepper:
    """The optimizer that a method names, for the state of its heads."""
    if name == "adamw":
        return StackedAdamW(tensors, weight_decay=settings.weight_decay)
    return StackedSGD(tensors, momentum=settings.momentum, weight_decay=settings.weight_decay)


class StackedAdamW:
    """AdamW (arXiv 1711.05101) with torch's defaults β = 0.9, 0.999 and ε = 1e-8, a rate for each model.

    A tensor without a gradient stays as it is.
    """

    def __init__(self, parameters: Iterable[Tensor], *, weight_decay: float) -> None:
        self.parameters = list(parameters)
        self.weight_decay = weight_decay
        self.moments: dict[int, tuple[Tensor, Tensor]] = {}
        self.steps: dict[int, int] = {}

    @torch.no_grad()
    def step(self, rates: Tensor) -> None:
        """Move every model against its gradient by its own rate ``[M]``, and clear the gradients."""
        for place, parameter in enumerate(self.parameters):
            if parameter.grad is None:
                continue
            if place not in self.moments:
                self.moments[place], self.steps[place] = (torch.zeros_like(parameter), torch.zeros_like(parameter)), 0
            self.steps[place] += 1
            mean, square = self.moments[place]
            mean.lerp_(parameter.grad, 1 - 0.9)
            square.mul_(0.999).addcmul_(parameter.grad, parameter.grad, value=1 - 0.999)
            of_models = rates.view(-1, *[1] * (parameter.dim() - 1))
            parameter.mul_(1 - of_models * self.weight_decay)
            spread = (square / (1 - 0.999 ** self.steps[place])).sqrt_().add_(1e-8)
            parameter.sub_(of_models * mean / (1 - 0.9 ** self.steps[place]) / spread)
            parameter.grad = None


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
