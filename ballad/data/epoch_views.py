"""Which views an epoch shows, batch by batch, and what chance decides about each."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from ballad.data.long_tail import Split
from ballad.data.views import Draw, ImageSpec, evaluation_view, training_view
from ballad.errors import DataError
from ballad.sections import Augmentation

Pixels = NDArray[np.uint8]
"""Views of a batch [B, S, S, 3]."""


@dataclass(frozen=True, eq=False)
class EpochViews:
    """Every view of an epoch, by the number of the batch and the place in it."""

    split: Split
    spec: ImageSpec
    batches: Sequence[NDArray[np.int64]]
    starts: list[int]
    """Position in the epoch of each batch's first sample."""
    augmentation: Augmentation
    seed: int
    epoch: int

    @classmethod
    def of(
        cls,
        split: Split,
        spec: ImageSpec,
        batches: Sequence[NDArray[np.int64]],
        augmentation: Augmentation,
        seed: int,
        epoch: int,
    ) -> "EpochViews":
        starts = [0, *accumulate(len(batch) for batch in batches)]
        return cls(split, spec, batches, starts, augmentation, seed, epoch)

    def draw(self, number: int, place: int, width: int, height: int) -> Draw | None:
        """What chance decides about a view of an image of this size; None for the plain view.

        It depends on the seed, the epoch and the position in the epoch alone.
        """
        if self.augmentation == "none":
            return None
        rng = np.random.default_rng([self.seed, self.epoch, self.starts[number] + place])
        return Draw.of(width, height, self.augmentation, rng)

    def empty(self, number: int) -> Pixels:
        """Room for the views of batch ``number``."""
        return np.empty((len(self.batches[number]), self.spec.size, self.spec.size, 3), dtype=np.uint8)

    def write(self, number: int, places: range, out: Pixels) -> None:
        """Write the views at ``places`` of batch ``number`` to ``out``. Raises DataError for an unreadable image."""
        if (ready := self._ready_views()) is not None:
            out[places.start : places.stop] = ready[self.batches[number][places.start : places.stop]]
            return
        for place in places:
            index = int(self.batches[number][place])
            try:
                image = self.split.image(index)
            except DataError as error:
                raise DataError(f"{error} Set dataset.skip_unreadable to leave such images out.") from None
            draw = self.draw(number, place, *image.size)
            out[place] = evaluation_view(image, self.spec) if draw is None else training_view(image, self.spec, draw)

    def _ready_views(self) -> Pixels | None:
        """All pictures [N, S, S, 3] if they lie in memory just as the plain view has them."""
        pixels, side = self.split.pixels, self.spec.size
        ready = self.augmentation == "none" and pixels is not None and pixels.shape[1:3] == (side, side)
        return pixels if ready else None
