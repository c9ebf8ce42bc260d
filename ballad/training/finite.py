"""Numbers that are not finite stop a training where they first appear, with a sentence that says where."""

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from ballad.errors import RunError
from ballad.schedules import PHASE_A, PHASE_B, PHASES

ADVICE = "try a lower {group}.learning_rate (now {rate:g}), a higher backbone.temperature, or fp32 instead of bf16"


def check_loss(loss: float, phase: str, *, epoch: int, step: int, rate: float) -> None:
    """Raise RunError unless ``loss`` is finite.

    phase : its name. epoch, step : from 0. rate : the learning rate of the settings.
    """
    if not math.isfinite(loss):
        raise _diverged(phase, f"the loss of epoch {epoch + 1}, step {step + 1} is {loss}", rate)


def check_weights(weights: Mapping[str, Tensor], phase: str, *, epoch: int, rate: float) -> None:
    """Raise RunError that names the first weight which is not finite; arguments as :func:`check_loss`."""
    if (name := first_not_finite(weights)) is not None:
        raise _diverged(phase, f"after epoch {epoch + 1} the weight {name} is no longer finite", rate)


def first_not_finite(tensors: Mapping[str, Tensor]) -> str | None:
    """The name of the first tensor that holds NaN or an infinite number; one wait for the device."""
    floats = {name: tensor for name, tensor in tensors.items() if tensor.is_floating_point()}
    if not floats:
        return None
    finite = torch.stack([torch.isfinite(tensor).all() for tensor in floats.values()]).tolist()
    return next((name for name, whole in zip(floats, finite, strict=True) if not whole), None)


def _diverged(phase: str, what: str, rate: float) -> RunError:
    advice = ADVICE.format(group=PHASE_B.name if phase == PHASE_B.name else PHASE_A.name, rate=rate)
    return RunError(f"{PHASES[phase].title} diverged: {what}; {advice}.")
