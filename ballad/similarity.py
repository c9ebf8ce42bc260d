"""Eq. 1: how similar image features and class texts are."""

import torch
from torch import Tensor

SMALLEST_NORM = 1e-12
"""As in F.normalize: a feature of zeros has logits of zero."""


def similarity_logits(image_features: Tensor, text_directions: Tensor, scale: float) -> Tensor:
    """``z = s · <f/‖f‖, u>`` for features ``[…, B, d]`` and unit vectors ``[…, K, d]``: ``[…, B, K]`` (Eq. 1)."""
    norms = torch.linalg.vector_norm(image_features, dim=-1, keepdim=True).clamp_min(SMALLEST_NORM)
    # One pass over the features for both factors; s on its own would take one over the larger logits.
    return (image_features * (scale / norms)) @ text_directions.transpose(-1, -2)
