"""What an image tower takes: size and preparation of the pictures, and their layout in memory."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import nn

from ballad.data.images import ImageSpec
from ballad.errors import BackboneError

ImageTower = Any
"""One of open_clip's untyped image towers: ModifiedResNet, VisionTransformer or TimmModel."""


def image_spec(visual: ImageTower, preprocess: Mapping[str, Any]) -> ImageSpec:
    """What an image tower wants to see; what ``preprocess`` leaves open is as OpenAI's models have it."""
    from open_clip.transform import PreprocessCfg, merge_preprocess_dict

    preprocess = merge_preprocess_dict(asdict(PreprocessCfg()), dict(preprocess))
    mode, interpolation = preprocess["resize_mode"], preprocess["interpolation"]
    if mode not in ("shortest", "squash") or interpolation not in ("bicubic", "bilinear"):
        raise BackboneError(
            f"The backbone wants pictures resized by '{mode}' with '{interpolation}' interpolation; "
            "supported are shortest and squash, bicubic and bilinear."
        )
    return ImageSpec(
        size=input_size(visual),
        mean=tuple(preprocess["mean"]),
        std=tuple(preprocess["std"]),
        interpolation=interpolation,
        resize_mode=mode,
    )


def input_size(visual: ImageTower) -> int:
    """The side in pixels. Raises BackboneError for a tower of oblong pictures."""
    sides = visual.image_size if isinstance(visual.image_size, tuple | list) else (visual.image_size,) * 2
    height, width = cast(tuple[int, int], sides)
    if height != width:
        raise BackboneError(f"The backbone takes pictures of {height} × {width} pixels; they must be square.")
    return height


def resize_input(visual: ImageTower, size: int) -> None:
    """Let a tower take pictures of another side; its position embeddings are interpolated.

    Raises BackboneError where the tower cannot take that side.
    """
    from open_clip.modified_resnet import ModifiedResNet
    from open_clip.timm_model import TimmModel
    from open_clip.transformer import VisionTransformer

    if size == input_size(visual):
        return
    if isinstance(visual, TimmModel):
        _resize_timm(visual, size)
    elif isinstance(visual, ModifiedResNet):
        _require_multiple(size, 32)
        visual.image_size = size
        visual.attnpool.positional_embedding = _interpolated(visual.attnpool.positional_embedding, size // 32)
    elif isinstance(visual, VisionTransformer):
        _require_multiple(size, visual.patch_size[0])
        grid = size // visual.patch_size[0]
        visual.image_size, visual.grid_size = (size, size), (grid, grid)
        visual.positional_embedding = _interpolated(visual.positional_embedding, grid)


def memory_format(visual: nn.Module) -> torch.memory_format:
    """``channels_last``, which makes convolutions about twice as fast on a CPU, wherever that works.

    A strided 1 × 1 convolution on the picture itself (the stem of MobileCLIP) does not: in ``channels_last`` its
    backward pass on a CPU gives wrong gradients or ends the process, with fewer input channels than a vector holds
    (github.com/uxlfoundation/oneDNN/issues/6035, seen with torch 2.14).
    """
    convolutions = [module for module in visual.modules() if isinstance(module, nn.Conv2d)]
    unsafe = any(c.kernel_size == (1, 1) and max(c.stride) > 1 and c.in_channels < 16 for c in convolutions)
    return torch.contiguous_format if unsafe else torch.channels_last


def _resize_timm(visual: ImageTower, size: int) -> None:
    try:
        visual.set_input_size(size)
    except (AssertionError, RuntimeError, ValueError) as error:
        raise BackboneError(f"backbone.image_size = {size}: this backbone cannot take that ({error}).") from None


def _require_multiple(size: int, of: int) -> None:
    if size % of:
        raise BackboneError(f"backbone.image_size = {size}: this backbone takes multiples of {of} pixels.")


def _interpolated(positions: nn.Parameter, grid: int) -> nn.Parameter:
    """Position embeddings ``[1 + g², d]``, one of the class token before a square grid, to ``[1 + grid², d]``."""
    token, cells = positions.detach()[:1], positions.detach()[1:]
    side = round(len(cells) ** 0.5)
    image = cells.T.reshape(1, -1, side, side)
    image = F.interpolate(image, size=(grid, grid), mode="bicubic", antialias=True, align_corners=False)
    return nn.Parameter(torch.cat([token, image.flatten(2)[0].T]), positions.requires_grad)
