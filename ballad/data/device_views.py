"""Views of small pictures of one size, made on the device where the pictures lie.

Crop, flip and resize are one matrix product per side, with the weights that Pillow uses. The views are those of
:mod:`ballad.data.views`, from the same draws, but for a few levels where rounding or the order of the sides differs.
On a CPU Pillow is several times faster, so this is for other devices.
"""

from collections.abc import Generator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ballad.data.epoch_views import EpochViews
from ballad.data.views import ENHANCERS, Draw, ImageSpec

SHARE_OF_FREE_MEMORY = 0.25
"""Pictures that would take more of a GPU's free memory stay in the host's, and are sent batch by batch."""
GREY = (19595, 38470, 7471)
"""Pillow's weights of red, green and blue in a grey level, in 1/65536."""
CUBIC = -0.5
"""The parameter a of Pillow's bicubic kernel."""


def views_on_device(views: EpochViews, numbers: range, device: torch.device) -> Generator[Tensor, None, None]:
    """The batches ``numbers`` of a split with pixels, in order: uint8 ``[B, S, S, 3]`` on ``device``.

    The pixels of all images go to the device at once, unless they would fill it.
    """
    pixels = views.split.pixels
    assert pixels is not None, "only pixels can lie on a device"
    height, width = pixels.shape[1:3]
    on_device = torch.from_numpy(np.array(pixels)).to(device) if _fits(pixels, device) else None
    for number in numbers:
        images = views.batches[number]
        if on_device is None:
            batch = torch.from_numpy(pixels[images]).to(device)
        else:
            batch = on_device[torch.from_numpy(images).to(device)]
        draws = [views.draw(number, place, width, height) for place in range(len(images))]
        drawn = [draw for draw in draws if draw is not None]
        yield training_views(batch, views.spec, drawn) if drawn else evaluation_views(batch, views.spec)


def evaluation_views(pictures: Tensor, spec: ImageSpec) -> Tensor:
    """Plain views of pictures uint8 ``[B, H, W, 3]``: uint8 ``[B, S, S, 3]``."""
    height, width = pictures.shape[1:3]
    scaled_width, scaled_height = spec.resized(width, height)
    left, top, right, bottom = spec.centre(scaled_width, scaled_height)
    whole = torch.zeros(1, device=pictures.device)
    horizontal = resampling_weights(whole, whole + width, width, scaled_width, spec)[:, left:right]
    vertical = resampling_weights(whole, whole + height, height, scaled_height, spec)[:, top:bottom]
    return _resampled(pictures, vertical, horizontal)


def training_views(pictures: Tensor, spec: ImageSpec, draws: Sequence[Draw]) -> Tensor:
    """Augmented views of pictures uint8 ``[B, H, W, 3]``, one for each draw: uint8 ``[B, S, S, 3]``."""
    height, width = pictures.shape[1:3]
    left, top, right, bottom = torch.tensor([draw.box for draw in draws], device=pictures.device).float().T
    mirrored = torch.tensor([draw.mirrored for draw in draws], device=pictures.device)
    horizontal = resampling_weights(left, right, width, spec.size, spec)
    horizontal = torch.where(mirrored[:, None, None], horizontal.flip(1), horizontal)
    vertical = resampling_weights(top, bottom, height, spec.size, spec)
    return _enhanced(_resampled(pictures, vertical, horizontal), draws)


def resampling_weights(starts: Tensor, ends: Tensor, extent: int, size: int, spec: ImageSpec) -> Tensor:
    """Weights ``[B, size, extent]`` that scale the pixels from start to end of a side to ``size`` of them, as Pillow.

    ``starts`` and ``ends``: pixel edges ``[B]`` within ``extent``; pixels outside of them have no weight. Where the
    side shrinks the kernel grows with it (antialiasing).
    """
    edges = torch.arange(extent, device=starts.device)
    scale = (ends - starts) / size
    centres = starts[:, None] + (torch.arange(size, device=starts.device) + 0.5) * scale[:, None]
    distances = (edges + 0.5 - centres[..., None]) / scale.clamp(min=1)[:, None, None]
    inside = (edges >= starts[:, None]) & (edges < ends[:, None])
    weights = _kernel(distances.abs(), spec) * inside[:, None]
    return weights / weights.sum(-1, keepdim=True)


def _kernel(x: Tensor, spec: ImageSpec) -> Tensor:
    if spec.interpolation == "bilinear":
        return (1 - x).clamp(min=0)
    near = ((CUBIC + 2) * x - (CUBIC + 3)) * x * x + 1
    far = CUBIC * (((x - 5) * x + 8) * x - 4)
    return torch.where(x < 1, near, torch.where(x < 2, far, 0))


def _resampled(pictures: Tensor, vertical: Tensor, horizontal: Tensor) -> Tensor:
    """Pictures ``[B, H, W, 3]`` under weights ``[B or 1, S, H]`` and ``[B or 1, S, W]``; eight bits after each side."""
    batch, height, width, channels = pictures.shape
    rows = pictures.permute(0, 1, 3, 2).reshape(batch, height * channels, width).float()
    narrow = _eight_bits(rows @ horizontal.transpose(1, 2))
    views = _eight_bits(vertical @ narrow.view(batch, height, -1))
    return views.view(batch, vertical.shape[1], channels, -1).transpose(2, 3).to(torch.uint8).contiguous()


def _eight_bits(levels: Tensor) -> Tensor:
    return levels.add_(0.5).floor_().clamp_(0, 255)


def _enhanced(views: Tensor, draws: Sequence[Draw]) -> Tensor:
    """Each view blended with itself without brightness, contrast or colour, in the order that was drawn."""
    if not draws[0].enhancements:
        return views
    levels = views.float()
    drawn = torch.tensor([draw.enhancements for draw in draws], device=views.device)  # [B, 3, (which, factor)]
    for step in drawn[..., None, None, None].unbind(1):
        which, factor = step.unbind(1)
        grey = _grey(levels)
        average = (grey.mean((1, 2, 3), keepdim=True) + 0.5).floor_()
        brightness, contrast, _ = (which == number for number in range(len(ENHANCERS)))
        without = torch.where(brightness, 0, torch.where(contrast, average, grey))
        levels = (without + factor * (levels - without)).clamp_(0, 255).floor_()
    return levels.to(torch.uint8)


def _grey(levels: Tensor) -> Tensor:
    """Levels ``[B, S, S, 3]`` as Pillow greys them, ``[B, S, S, 1]``."""
    weights = torch.tensor(GREY, device=levels.device)
    return ((levels.to(torch.int32) * weights).sum(-1, keepdim=True) + (1 << 15)).bitwise_right_shift(16).float()


def _fits(pixels: NDArray[np.uint8], device: torch.device) -> bool:
    return device.type == "cuda" and pixels.nbytes < SHARE_OF_FREE_MEMORY * torch.cuda.mem_get_info(device)[0]
