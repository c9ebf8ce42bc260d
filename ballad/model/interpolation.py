"""Towers between the untouched and the tuned ones."""

from collections.abc import Mapping

import torch
from torch import Tensor


def interpolated(untouched: Mapping[str, Tensor], tuned: Mapping[str, Tensor], share: float) -> dict[str, Tensor]:
    """``(1 − α) · θ_untouched + α · θ_tuned`` for each tensor, α being ``share`` (WiSE-FT, arXiv 2109.01903, Eq. 1).

    0 and 1 give the one and the other to the last bit. Whole numbers, which count and are not trained, are the tuned
    towers' own.
    """
    return {
        name: torch.lerp(untouched[name], tensor, share) if tensor.is_floating_point() else tensor
        for name, tensor in tuned.items()
    }
