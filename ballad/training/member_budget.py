"""How many adapters of a sweep may train together: as many as fit the memory."""

import psutil
import torch

from ballad.experiment import PhaseBSettings

SHARE_OF_FREE_MEMORY = 0.5
"""The rest is for the features themselves and for what else runs on the device."""
FLOAT_BYTES = 4


def members_that_fit(settings: PhaseBSettings, dim: int, classes: int, device: torch.device) -> int:
    """Adapters of size d = ``dim`` that fit the free memory of ``device`` while they train; at least 1."""
    return max(1, int(SHARE_OF_FREE_MEMORY * _free_memory(device)) // bytes_of_member(settings, dim, classes))


def bytes_of_member(settings: PhaseBSettings, dim: int, classes: int) -> int:
    """Memory that one more adapter takes: weights ``[d, d]`` with gradient and momentum, activations of a batch.

    A batch leaves up to seven tensors ``[B, d]`` (features, hidden layer, its mix, gradients) and four ``[B, K]``
    (logits, log-probabilities, their gradients); an adapted text as many ``[K, d]``.
    """
    sides = 2 if settings.placement == "both" else 1
    weights = 3 * sides * dim * (dim + 1)
    rows = settings.batch_size + (classes if settings.placement != "image" else 0)
    activations = 7 * rows * dim + 4 * settings.batch_size * classes
    return FLOAT_BYTES * (weights + activations)


def _free_memory(device: torch.device) -> int:
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    return psutil.virtual_memory().available
