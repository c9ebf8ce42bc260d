"""Losses of stacked members."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def cross_entropy(logits: "Tensor", targets: "Tensor", class_weights: "Tensor | None" = None) -> "Tensor":
    """Cross-entropy of each member ``[M]``: the mean over its images, weighted by class where weights are given.

    logits : ``[M, B, K]``. targets : ``[B]`` or ``[M, B]``. class_weights : ``[K]``; as in torch, the weighted mean
    divides by the sum of its weights.
    """
    from torch.nn.functional import cross_entropy as of_images

    flat = targets.expand(logits.shape[:2]).flatten()
    losses = of_images(logits.flatten(0, 1), flat, reduction="none").view(logits.shape[:2])
    if class_weights is None:
        return losses.mean(1)
    weights = class_weights[flat].view(logits.shape[:2])
    return (weights * losses).sum(1) / weights.sum(1)
