"""Numbers that are not finite stop a training where they first appear, with a sentence that says where."""

import math
from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor

from ballad.errors import RunError

Phase = Literal["phase_a", "joint", "phase_b"]

TITLES: Mapping[str, str] = {"phase_a": "Phase A", "joint": "Joint training", "phase_b": "Phase B"}
ADVICE = "try a lower {group}.learning_rate (now {rate:g}), a higher backbone.temperature, or fp32 in place of bf16"


def check_loss(loss: float, phase: Phase, *, epoch: int, step: int, rate: float) -> None:
    """Raise RunError unless ``loss`` is finite; ``epoch`` and ``step`` count from 0, ``rate`` is the setting."""
    if not math.isfinite(loss):
        raise _diverged(phase, f"the loss of epoch {epoch + 1}, step {step + 1} is {loss}", rate)


def check_weights(weights: Mapping[str, Tensor], phase: Phase, *, epoch: int, rate: float) -> None:
    """Raise RunError that names the first weight, after epoch ``epoch`` (from 0), which is not finite."""
    if (name := first_not_finite(weights)) is not None:
        raise _diverged(phase, f"after epoch {epoch + 1} the weight {name} is no longer finite", rate)


def first_not_finite(tensors: Mapping[str, Tensor]) -> str | None:
    """The name of the first tensor that holds NaN or an infinite number; one wait for the device."""
    floats = {name: tensor for name, tensor in tensors.items() if tensor.is_floating_point()}
    if not floats:
        return None
    finite = torch.stack([torch.isfinite(tensor).all() for tensor in floats.values()]).tolist()
    return next((name for name, whole in zip(floats, finite, strict=True) if not whole), None)


def _diverged(phase: Phase, what: str, rate: float) -> RunError:
    advice = ADVICE.format(group="phase_b" if phase == "phase_b" else "phase_a", rate=rate)
    return RunError(f"{TITLES[phase]} diverged: {what}; {advice}.")
