"""From images to batches on the device: the front door of decoding, views and prefetching."""

from collections.abc import Generator, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ballad.data.decoding import open_rgb
from ballad.data.epoch_views import EpochViews
from ballad.data.long_tail import Split
from ballad.data.prefetch import BATCHES_AHEAD, decode_in_processes, decode_in_threads
from ballad.data.views import ImageSpec, evaluation_view
from ballad.events import CancelToken
from ballad.sections import Augmentation

if TYPE_CHECKING:
    import torch

    Batch = tuple[torch.Tensor, torch.Tensor, NDArray[np.int64]]

__all__ = ["ImageSpec", "evaluation_view", "image_batches", "open_rgb", "to_input"]


def image_batches(
    split: Split,
    spec: ImageSpec,
    batches: Sequence[NDArray[np.int64]],
    *,
    augmentation: Augmentation = "none",
    seed: int = 0,
    epoch: int = 0,
    first_batch: int = 0,
    device: "str | torch.device" = "cpu",
    workers: int = 0,
    cancel: CancelToken | None = None,
) -> "Iterator[Batch]":
    """The views of an epoch's ``batches`` of sample indices, from ``batches[first_batch]`` on.

    Yields pixels uint8 [B, S, S, 3], labels int64 [B] and the indices. Files are decoded a few batches ahead, to the
    host's memory; pixels that are there already become views on a ``device`` other than the CPU. Randomness comes from
    the seed, the epoch and the sample's position in the epoch alone, so neither ``workers`` nor a resumed epoch changes
    a pixel. Threads (``workers=0``) and processes end when the iterator is exhausted or closed.

    Raises DataError for an image that cannot be read and Cancelled when ``cancel`` was requested.
    """
    import torch

    views = EpochViews.of(split, spec, batches, augmentation, seed, epoch)
    numbers = range(first_batch, len(batches))
    batches_of_pixels = _batches_of_pixels(views, numbers, torch.device(device), workers)
    try:
        for number, pixels in zip(numbers, batches_of_pixels, strict=True):
            if cancel is not None:
                cancel.check()
            batch = batches[number]
            yield pixels, torch.from_numpy(split.labels[batch]), batch
    finally:
        batches_of_pixels.close()


def _batches_of_pixels(
    views: EpochViews, numbers: range, device: "torch.device", workers: int
) -> "Generator[torch.Tensor, None, None]":
    import torch

    from ballad.data.device_views import views_on_device

    if views.split.pixels is not None and device.type != "cpu":
        yield from views_on_device(views, numbers, device)
        return
    if views.split.paths is None:
        # Pixels that are there already would have to be copied to every process. Where the towers run on the CPU too,
        # making views meanwhile would only take its cores from them.
        decoded = decode_in_threads(views, numbers, ahead=0 if device.type == "cpu" else BATCHES_AHEAD)
    elif workers:
        decoded = decode_in_processes(views, numbers, workers)
    else:
        decoded = decode_in_threads(views, numbers)
    try:
        yield from map(torch.from_numpy, decoded)
    finally:
        decoded.close()


def to_input(pixels: "torch.Tensor", spec: ImageSpec, device: "str | torch.device") -> "torch.Tensor":
    """Pixels uint8 [B, S, S, 3] as a normalised float32 tensor [B, 3, S, S] on ``device``, channels last in memory."""
    import torch

    scaled = pixels.to(device, non_blocking=True).permute(0, 3, 1, 2).to(torch.float32).div_(255)
    mean, std = (torch.tensor(values, device=device).view(1, 3, 1, 1) for values in (spec.mean, spec.std))
    return scaled.sub_(mean).div_(std)
