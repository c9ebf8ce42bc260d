"""Which N training images an epoch shows, drawn all at once by one of :data:`ballad.samplers.SAMPLERS`."""

import torch
from torch import Tensor

from ballad.samplers import SAMPLERS


class EpochSampler:
    """Draws the image indices of whole epochs.

    Parameters
    ----------
    labels : class of each training image, int64 ``[N]``.
    sampler : the name of a registered sampler.
    images_per_draw : 1 draws classes and images independently. More takes that many images in a row from each
        drawn class, without repeating one until all of the class were shown.
    """

    def __init__(self, labels: Tensor, sampler: str, *, epochs: int, images_per_draw: int = 1) -> None:
        self.sampler = SAMPLERS[sampler]
        self.epochs = epochs
        self.images_per_draw = images_per_draw
        self.counts = torch.bincount(labels)
        self.images_by_class = torch.argsort(labels, stable=True)
        self.class_starts = self.counts.cumsum(0) - self.counts

    def draw(self, epoch: int, seed: int) -> Tensor:
        """The images of epoch ``epoch`` (from 0) in order, int64 ``[N]``; each seed gives one order."""
        generator = torch.Generator().manual_seed(seed)
        total = len(self.images_by_class)
        if self.sampler.each_image_once:
            return torch.randperm(total, generator=generator)
        if self.images_per_draw == 1:
            classes = self._independent_classes(total, epoch, generator)
            within = (torch.rand(total, generator=generator, dtype=torch.double) * self.counts[classes]).long()
        else:
            draws = -(-total // self.images_per_draw)
            classes = self._classes_in_rounds(draws, epoch, generator).repeat_interleave(self.images_per_draw)[:total]
            within = self._images_without_repeats(classes, generator)
        return self.images_by_class[self.class_starts[classes] + within]

    def _independent_classes(self, draws: int, epoch: int, generator: torch.Generator) -> Tensor:
        probabilities = self.sampler.probabilities(self.counts.double(), epoch / max(self.epochs - 1, 1))
        places = torch.rand(draws, generator=generator, dtype=torch.double) * probabilities.sum()
        classes = torch.searchsorted(probabilities.cumsum(0), places, right=True)
        return classes.clamp_(max=int(self.counts.nonzero().max()))

    def _classes_in_rounds(self, draws: int, epoch: int, generator: torch.Generator) -> Tensor:
        if not self.sampler.in_rounds:
            return self._independent_classes(draws, epoch, generator)
        present = self.counts.nonzero().flatten()
        rounds = -(-draws // len(present))
        order = torch.cat([torch.randperm(len(present), generator=generator) for _ in range(rounds)])
        return present[order[:draws]]

    def _images_without_repeats(self, classes: Tensor, generator: torch.Generator) -> Tensor:
        drawn = torch.bincount(classes, minlength=len(self.counts))
        rounds = torch.ceil(drawn / self.counts.clamp(min=1)).long()
        # One slot for each image of each round of its class, shuffled within the round.
        slots = rounds * self.counts
        slot_class = torch.arange(len(slots)).repeat_interleave(slots)
        slot_place = torch.arange(len(slot_class)) - (slots.cumsum(0) - slots)[slot_class]
        slot_round = slot_place // self.counts[slot_class]
        shuffled = torch.randperm(len(slot_class), generator=generator)
        shuffled = shuffled[torch.argsort(slot_round[shuffled], stable=True)]
        shuffled = shuffled[torch.argsort(slot_class[shuffled], stable=True)]
        image_of_slot = slot_place[shuffled] % self.counts[slot_class[shuffled]]
        # The j-th draw of a class takes the j-th of its slots.
        by_class = torch.argsort(classes, stable=True)
        occurrence = torch.arange(len(classes)) - (drawn.cumsum(0) - drawn)[classes[by_class]]
        within = torch.empty_like(classes)
        within[by_class] = image_of_slot[(slots.cumsum(0) - slots)[classes[by_class]] + occurrence]
        return within


def split_into_batches(indices: Tensor, batch_size: int, *, drop_last: bool) -> list[Tensor]:
    """Cut an epoch ``[N]`` into batches; the last, shorter one is kept unless ``drop_last`` (or it is the only one)."""
    batches = list(indices.split(batch_size))
    if drop_last and len(batches) > 1 and len(batches[-1]) < batch_size:
        batches.pop()
    return batches
