"""The feature bank: image features computed once per tower checkpoint, kept on disk, read as a memory map.

A bank's first N rows are the plain evaluation views of the N images. For training, further augmented views may
follow. Phase B draws a rare class's images hundreds of times and a head class's hardly once, so views are budgeted
by class: ``V_k = min(V, ⌈128 / n_k⌉)``.
"""

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ballad.data.images import image_batches, to_input
from ballad.data.long_tail import Split
from ballad.errors import Cancelled, RunError
from ballad.events import CancelToken, EventSink, Progress
from ballad.model.backbone import Backbone
from ballad.sections import Augmentation
from ballad.spaces import Space
from ballad.whole_files import write_text_whole

VIEW_TARGET = 128
"""Views that a class should have in all, as far as the limit per image allows."""

SECONDS_BETWEEN_MARKS = 20.0


@dataclass(frozen=True)
class FeatureBank:
    """Features before normalisation, float16, and which image each row shows.

    ``plain [N, d]``: the evaluation view of every image. ``augmented [R, d]``: further views, grouped by image;
    image i has rows ``augmented_starts[i]`` to ``augmented_starts[i + 1]`` (``[N + 1]``). Without further views
    ``augmented`` is empty.
    """

    plain: np.ndarray
    augmented: np.ndarray
    augmented_starts: np.ndarray

    @classmethod
    def of_plain(cls, plain: np.ndarray) -> "FeatureBank":
        """A bank with one view per image."""
        return cls(plain, plain[:0], np.zeros(len(plain) + 1, dtype=np.int64))

    def on(self, device: torch.device) -> Tensor:
        """All rows, plain then augmented, ``[N + R, d]`` on the device."""
        return torch.from_numpy(np.concatenate([self.plain, self.augmented])).to(device)

    def rows_of(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """For each drawn image one of its views, uniformly: rows of :meth:`on`, shaped as ``images``."""
        if not len(self.augmented):
            return images
        starts = torch.from_numpy(self.augmented_starts)
        extra = (starts[1:] - starts[:-1])[images]
        view = (torch.rand(images.shape, generator=generator, dtype=torch.double) * (extra + 1)).long()
        return torch.where(view == 0, images, len(self.plain) + starts[:-1][images] + view - 1)

    def mean_views(self, start: int, stop: int) -> Tensor:
        """The mean of the unit features of all views of each image from ``start`` to ``stop``: float32 ``[B, d]``."""
        rows = range(int(self.augmented_starts[start]), int(self.augmented_starts[stop]))
        extra = np.diff(self.augmented_starts[start : stop + 1])
        image_of_row = torch.from_numpy(np.repeat(np.arange(stop - start), extra))
        plain, augmented = (
            F.normalize(torch.from_numpy(np.array(features)).float(), dim=-1)
            for features in (self.plain[start:stop], self.augmented[rows.start : rows.stop])
        )
        sums = plain.index_add(0, image_of_row, augmented)
        return sums / torch.from_numpy(1 + extra)[:, None]


def augmented_view_counts(labels: np.ndarray, views: int) -> np.ndarray:
    """Views beyond the plain one for each image, int64 ``[N]``: ``min(views, ⌈128 / n_k⌉) − 1``."""
    class_counts = np.bincount(labels)
    budget = np.minimum(views, -(-VIEW_TARGET // np.maximum(class_counts, 1)))
    return budget[labels] - 1


def extract_features(
    backbone: Backbone,
    split: Split,
    images: np.ndarray,
    folder: Path,
    *,
    space: Space = "joint",
    augmentation: Augmentation,
    seed: int,
    batch_size: int,
    device: torch.device,
    workers: int,
    on_event: EventSink,
    cancel: CancelToken,
) -> np.ndarray:
    """Encode ``images`` (indices ``[R]`` into the split) in order to ``folder/features.npy``, float16 ``[R, d]``.

    Progress is marked on disk, so that an extraction that was cut off continues where it stopped.
    Raises DataError for an unreadable image, RunError for features that are not finite in half precision, OSError where
    the disk has no room for all of them, and Cancelled.
    """
    path, mark = folder / "features.npy", folder / "progress.json"
    shape = (len(images), backbone.dim(space))
    features, done = _begun(path, mark, shape) or (_create(path, shape), 0)
    batches = [images[start : start + batch_size] for start in range(0, len(images), batch_size)]
    first = done // batch_size
    pixels_of_batches = image_batches(
        split,
        backbone.image_spec,
        batches,
        augmentation=augmentation,
        seed=seed,
        first_batch=first,
        device=device,
        workers=workers,
        cancel=cancel,
    )
    started = marked = time.monotonic()
    done = first * batch_size
    try:
        for number, (pixels, _, _) in enumerate(pixels_of_batches, start=first + 1):
            cancel.check()
            with torch.inference_mode():
                encoded = backbone.encode_images(to_input(pixels, backbone.image_spec, device), space)
            rows = encoded.to(torch.float16).cpu().numpy()
            if not (finite := np.isfinite(rows).all(axis=1)).all():
                raise _not_finite(split, int(images[done + int(np.argmin(finite))]))
            features[done : done + len(pixels)] = rows
            done += len(pixels)
            now = time.monotonic()
            rate = (done - first * batch_size) / max(now - started, 1e-9)
            on_event(
                Progress(
                    f"features of {split.name}",
                    1,
                    1,
                    number,
                    len(batches),
                    images_per_second=rate,
                    eta_seconds=(len(images) - done) / rate,
                )
            )
            if now - marked > SECONDS_BETWEEN_MARKS:
                features.flush()
                _mark(mark, done)
                marked = now
    except Cancelled:
        features.flush()
        _mark(mark, done)
        raise
    features.flush()
    mark.unlink(missing_ok=True)
    return np.load(path, mmap_mode="r")


def _begun(path: Path, mark: Path, shape: tuple[int, int]) -> tuple[np.memmap, int] | None:
    """The features of an attempt that was cut off and how many rows are done; None if there are none to go on from."""
    try:
        done = json.loads(mark.read_text(encoding="utf-8"))["rows"]
        features = np.lib.format.open_memmap(path, mode="r+")
    except (OSError, ValueError, KeyError, TypeError):
        return None
    fits = features.shape == shape and features.dtype == np.float16 and isinstance(done, int) and 0 <= done <= shape[0]
    return (features, done) if fits else None


def _create(path: Path, shape: tuple[int, int]) -> np.memmap:
    features = np.lib.format.open_memmap(path, mode="w+", dtype=np.float16, shape=shape)
    # A disk that is full when a page of the map is written kills the process; taking the room now raises OSError.
    if hasattr(os, "posix_fallocate") and features.nbytes:
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
    return features


def _not_finite(split: Split, image: int) -> RunError:
    return RunError(
        f"The features of {split.name} image {split.sample_name(image)} are not finite in half precision. "
        "If the towers were trained, try a lower phase_a.learning_rate; if not, choose another backbone."
    )


def _mark(path: Path, rows: int) -> None:
    write_text_whole(path, json.dumps({"rows": rows}))
