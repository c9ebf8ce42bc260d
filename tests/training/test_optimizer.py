"""Stacked models are updated as torch.optim.SGD updates each alone."""

import pytest
import torch
from torch import nn

from ballad.sections import OptimizerSettings
from ballad.training.optimizer import StackedSGD, tower_optimizer


@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_several_steps_are_those_of_torch(momentum, weight_decay):
    generator = torch.Generator().manual_seed(0)
    start = torch.randn(3, 4, 2, generator=generator)
    rates = torch.tensor([[0.5, 0.1, 0.0], [0.2, 0.1, 0.3], [0.05, 0.4, 0.3]])
    targets = torch.randn(3, 4, 2, generator=generator)

    stacked = nn.Parameter(start.clone())
    stepper = StackedSGD([stacked], momentum=momentum, weight_decay=weight_decay)
    for step in range(3):
        ((stacked - targets) ** 3).sum().backward()
        stepper.step(rates[step])
        assert stacked.grad is None

    for member in range(3):
        alone = nn.Parameter(start[member].clone())
        optimizer = torch.optim.SGD([alone], lr=1.0, momentum=momentum, weight_decay=weight_decay)
        for step in range(3):
            optimizer.zero_grad()
            ((alone - targets[member]) ** 3).sum().backward()
            optimizer.param_groups[0]["lr"] = float(rates[step, member])
            optimizer.step()
        assert torch.allclose(stacked[member], alone, rtol=1e-5, atol=1e-6), member


def test_towers_are_trained_with_the_momentum_and_weight_decay_of_the_settings():
    weight = nn.Parameter(torch.ones(2))
    optimizer = tower_optimizer([{"params": [weight]}], OptimizerSettings(momentum=0.5, weight_decay=0.1))
    optimizer.param_groups[0]["lr"] = 1.0
    for _ in range(2):
        weight.grad = torch.ones(2)
        optimizer.step()
    # 1 − (1 + 0.1), then the step 1 + 0.1 · (−0.1) and half of the one before.
    assert weight.tolist() == pytest.approx([-0.1 - (0.99 + 0.55)] * 2)
