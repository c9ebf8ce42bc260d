"""The three objectives of Phase A, from similarity logits to a loss for each image."""

import torch
import torch.nn.functional as F
from torch import Tensor


def class_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy over all K class texts for each image (Algorithm 1): ``[B, K]``, ``[B]`` to ``[B]``."""
    return F.cross_entropy(logits, labels, reduction="none")


def image_to_text_loss(logits: Tensor, labels: Tensor, batch_labels: Tensor) -> Tensor:
    """Eq. 2 for each image: its text against the texts of the batch.

    ``logits [b, K]`` and ``labels [b]`` may be a part of the batch; ``batch_labels [B]`` is the whole of it.
    Texts of the image's own class are one text, not each other's negatives; a text that several images of another
    class share counts once for each of them.
    """
    copies = torch.bincount(batch_labels, minlength=logits.shape[1]).to(logits)
    weights = copies.expand_as(logits).scatter(1, labels[:, None], 1.0)
    denominator = torch.logsumexp(logits + weights.log(), dim=1)
    return denominator - logits.gather(1, labels[:, None])[:, 0]


def text_to_image_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Eq. 3 for each image's text: its image against the images of the whole batch, ``[B, K]`` to ``[B]``.

    Other images of the same class are left out: they are not negatives.
    """
    image_by_text = logits[:, labels]  # [image j, text of image i]
    same_class = labels[:, None] == labels[None, :]
    own = torch.eye(len(labels), dtype=torch.bool, device=labels.device)
    denominator = torch.logsumexp(image_by_text.masked_fill(same_class & ~own, -torch.inf), dim=0)
    return denominator - image_by_text.diagonal()
