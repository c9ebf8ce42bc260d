"""How many heads of a sweep may train together: as many as fit the memory."""

import psutil
import torch

from ballad.sections import PhaseBSettings

SHARE_OF_FREE_MEMORY = 0.5
"""The rest is for the features themselves and for what else runs on the device."""


def members_that_fit(settings: PhaseBSettings, dim: int, classes: int, device: torch.device) -> int:
    """Heads on features of size d = ``dim`` that fit the free memory of ``device`` while they train; at least 1."""
    member = settings.head.bytes_of_member(
        settings.head_options, batch_size=settings.batch_size, dim=dim, classes=classes
    )
    return max(1, int(SHARE_OF_FREE_MEMORY * _free_memory(device)) // member)


def _free_memory(device: torch.device) -> int:
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    return psutil.virtual_memory().available
