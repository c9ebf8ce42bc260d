"""The gradient of one batch of Phase A, computed one micro-batch at a time."""

from typing import assert_never

import torch
from torch import Tensor

from ballad.sections import Objective
from ballad.training.objectives import class_loss, image_to_text_loss, text_to_image_loss
from ballad.training.tuned_model import TunedModel

Part = tuple[Tensor, Tensor]
"""Pixels and labels of a micro-batch."""


def accumulate_gradients(
    model: TunedModel, pixels: Tensor, labels: Tensor, objective: Objective, micro_batch: int
) -> float:
    """Add the gradient of the batch's mean loss to the parameters; return that loss.

    The text is encoded once: image micro-batches add to the gradient on a detached copy of it, which then passes
    through the text tower once. The result does not depend on ``micro_batch`` but for rounding.
    """
    text = model.text()
    text_copy = text.detach().requires_grad_(text.requires_grad)
    parts = list(zip(pixels.split(micro_batch), labels.split(micro_batch), strict=True))
    if objective == "symmetric" and len(parts) > 1:
        loss = _through_cached_features(model, parts, text_copy, labels)
    else:
        loss = sum(_of_part(model, part, text_copy, labels, objective) for part in parts)
    if text_copy.grad is not None:  # not every head looks at the texts
        text.backward(text_copy.grad)
    return loss


def _of_part(model: TunedModel, part: Part, text: Tensor, batch_labels: Tensor, objective: Objective) -> float:
    pixels, labels = part
    losses = _losses(model.training_logits(model.encode_images(pixels), text), labels, batch_labels, objective)
    loss = losses.sum() / len(batch_labels)
    loss.backward()
    return loss.item()


def _through_cached_features(model: TunedModel, parts: list[Part], text: Tensor, labels: Tensor) -> float:
    """Eq. 3 compares a text with all images of the batch, so its micro-batches need the whole batch's features first.

    Gao et al., "Scaling deep contrastive learning batch size" (arXiv 2101.06983): encode without gradients, take the
    gradient on the features, then encode each part again and pass its share back.
    """
    with torch.no_grad():
        features = torch.cat([model.encode_images(pixels) for pixels, _ in parts])
    features.requires_grad_()
    loss = _losses(model.training_logits(features, text), labels, labels, "symmetric").mean()
    loss.backward()
    if model.tunes_images and features.grad is not None:
        sizes = [len(part_labels) for _, part_labels in parts]
        for (pixels, _), gradient in zip(parts, features.grad.split(sizes), strict=True):
            model.encode_images(pixels).backward(gradient)
    return loss.item()


def _losses(logits: Tensor, labels: Tensor, batch_labels: Tensor, objective: Objective) -> Tensor:
    match objective:
        case "class":
            return class_loss(logits, labels)
        case "image_to_text":
            return image_to_text_loss(logits, labels, batch_labels)
        case "symmetric":
            return image_to_text_loss(logits, labels, batch_labels) + text_to_image_loss(logits, labels)
    assert_never(objective)
