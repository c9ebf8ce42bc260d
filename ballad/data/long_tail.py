"""A long-tailed image set: class names, splits, class counts, shot groups, fingerprints."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal, assert_never

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ballad.data.decoding import open_rgb, scaled_down
from ballad.data.files import ImageFiles
from ballad.data.ignored import Ignored
from ballad.data.stored_pictures import StoredPictures
from ballad.errors import DataError
from ballad.shot_groups import shot_groups

if TYPE_CHECKING:
    import pandas as pd

PARETO_SHAPE = 6
"""The power of ImageNet-LT (Liu et al. 2019)."""


def long_tail_counts(
    largest: int, num_classes: int, ratio: float, profile: Literal["exponential", "pareto"] = "exponential"
) -> NDArray[np.int64]:
    """Training images [K] of a long-tailed set, from ``largest`` down to ``largest / ratio``.

    ``exponential`` is the form of CIFAR-LT, ``n_c = int(n_max · ρ^(−c/(K−1)))`` (Cao et al. 2019, arXiv 1906.07413).
    ``pareto`` follows the density of a Pareto distribution of shape α = 6 as ImageNet-LT does:
    ``n_c = int(n_max · x_c^(−α−1))`` with x_c evenly spaced from 1 to ``ρ^(1/(α+1))``.

    >>> long_tail_counts(500, 100, 100).sum()
    np.int64(10847)
    """
    place = np.arange(num_classes) / max(num_classes - 1, 1)
    match profile:
        case "exponential":
            counts = [largest * (1 / ratio) ** p for p in place]
        case "pareto":
            end = ratio ** (1 / (PARETO_SHAPE + 1))
            counts = [largest * (1 + (end - 1) * p) ** -(PARETO_SHAPE + 1) for p in place]
        case _:
            assert_never(profile)
    # The last count is exactly largest / ratio; rounding errors must not cost it an image.
    return np.maximum(np.floor(np.array(counts) + 1e-9), 1).astype(np.int64)


@dataclass(frozen=True, eq=False)
class Split:
    """N labelled images: files, an array of small pictures, or stored pictures of any size."""

    name: str
    """``train``, ``val`` or ``test``."""
    labels: NDArray[np.int64]
    """Class indices [N]."""
    paths: ImageFiles | None = None
    pixels: NDArray[np.uint8] | None = None
    """RGB [N, H, W, 3]."""
    stored: StoredPictures | None = None
    shorter_side: int | None = None
    """Files with larger pictures are read scaled down to this shorter side, in pixels."""

    def __post_init__(self) -> None:
        if sum(images is not None for images in (self.paths, self.pixels, self.stored)) != 1:
            raise ValueError("a split has either paths, or pixels, or stored pictures")
        if len(self.images) != len(self.labels):
            raise ValueError(f"{len(self.images)} images and {len(self.labels)} labels")

    @property
    def images(self) -> "ImageFiles | NDArray[np.uint8] | StoredPictures":
        """The files or the decoded pictures, whichever there are."""
        return next(images for images in (self.paths, self.pixels, self.stored) if images is not None)

    def __len__(self) -> int:
        return len(self.labels)

    def image(self, index: int, *, at_least: int | None = None) -> Image.Image:
        """The image as RGB; perhaps smaller, but no side below ``at_least``. DataError if its file cannot be read."""
        if self.paths is None:
            return Image.fromarray(self.images[index])  # type: ignore[arg-type]
        image = open_rgb(self.paths[index], at_least=at_least)
        return image if self.shorter_side is None else scaled_down(image, self.shorter_side)

    def sample_name(self, index: int) -> str:
        """What the sample is called in tables: its relative path, or ``test/17``."""
        return self.paths.names[index] if self.paths is not None else f"{self.name}/{index}"

    def problem(self, index: int) -> str | None:
        """Why the image cannot be read, in a sentence; None if it can."""
        try:
            self.image(index)
        except DataError as error:
            return str(error)
        return None

    def encoded(self, index: int) -> bytes:
        """The bytes of the file, or of the pixels. Raises DataError if the file cannot be read."""
        if self.paths is None:
            return self.images[index].tobytes()  # type: ignore[union-attr]
        path = self.paths[index]
        try:
            return path.read_bytes()
        except OSError as error:
            raise DataError(f"The image {path} cannot be read: {error.strerror}.") from None

    def counts(self, num_classes: int) -> NDArray[np.int64]:
        """Images of each class [K]."""
        return np.bincount(self.labels, minlength=num_classes)

    def take(
        self, indices: NDArray[np.int64], *, name: str | None = None, labels: NDArray[np.int64] | None = None
    ) -> "Split":
        """The samples at ``indices``, in that order, on request under another name and with other labels."""
        return replace(
            self,
            name=name or self.name,
            labels=self.labels[indices] if labels is None else labels,
            paths=None if self.paths is None else self.paths.take(indices),
            pixels=None if self.pixels is None else self.pixels[indices],
            stored=None if self.stored is None else self.stored.take(indices),
        )


@dataclass(frozen=True, eq=False)
class LongTailDataset:
    """A training split with a long tail, a test split, perhaps a validation split, and K class names."""

    name: str
    title: str
    class_names: tuple[str, ...]
    train: Split
    val: Split | None
    test: Split
    synthetic: bool = False
    """Whether a program rendered the pictures, which is stated wherever the set appears."""
    notes: tuple[str, ...] = ()
    """Sentences the user should see: skipped images, classes with the same name."""
    reference_counts: NDArray[np.int64] | None = None
    """Counts [K] that define the shot groups in place of the training counts."""
    class_sources: tuple[str, ...] = ()
    """The folder, label or number that each class was read from [K]; empty for the demo."""
    ignored: Ignored = field(default_factory=Ignored)
    """Files that the reader left out."""

    @property
    def num_classes(self) -> int:
        return len(self.class_names)

    @property
    def splits(self) -> tuple[Split, ...]:
        """The splits there are, training first."""
        return tuple(split for split in (self.train, self.val, self.test) if split is not None)

    @cached_property
    def class_counts(self) -> NDArray[np.int64]:
        """Training images of each class [K]."""
        return self.train.counts(self.num_classes)

    @cached_property
    def shot_group_of_class(self) -> list[str]:
        """``many``, ``medium`` or ``few`` for each class [K]."""
        return shot_groups(self.class_counts if self.reference_counts is None else self.reference_counts)

    def class_table(self) -> "pd.DataFrame":
        """One row per class: class_id, class_name, group, train_count, val_count, test_count."""
        import pandas as pd

        none = np.zeros(self.num_classes, dtype=np.int64)
        return pd.DataFrame(
            {
                "class_id": np.arange(self.num_classes),
                "class_name": self.class_names,
                "group": self.shot_group_of_class,
                "train_count": self.class_counts,
                "val_count": none if self.val is None else self.val.counts(self.num_classes),
                "test_count": self.test.counts(self.num_classes),
            }
        )

    @cached_property
    def fingerprint(self) -> str:
        """16 hex digits of names, labels, shot groups, and each file's relative path, size and mark; opens no file."""
        digest = hashlib.sha256()
        _update(digest, self.class_names)
        _update(digest, self.shot_group_of_class)
        for split in self.splits:
            _update(digest, [split.name, str(len(split))])
            digest.update(split.labels.astype("<i8").tobytes())
            if split.shorter_side is not None:
                _update(digest, [f"shorter side {split.shorter_side}"])
            if split.paths is not None:
                _update(digest, split.paths.names)
                digest.update(split.paths.sizes.astype("<i8").tobytes())
                if split.paths.marks is not None and split.paths.marks.any():
                    digest.update(split.paths.marks.tobytes())
            if split.pixels is not None:
                _update(digest, [str(split.pixels.shape)])
                digest.update(np.ascontiguousarray(split.pixels).data)
        return digest.hexdigest()[:16]

    def scaled_down(self, shorter_side: int) -> "LongTailDataset":
        """The same images, files read with larger pictures scaled down to this shorter side."""

        def scaled(split: Split) -> Split:
            return split if split.paths is None else replace(split, shorter_side=shorter_side)

        val = None if self.val is None else scaled(self.val)
        return replace(self, train=scaled(self.train), val=val, test=scaled(self.test))


def _update(digest: "hashlib._Hash", texts: Sequence[str]) -> None:
    # A separator no text holds keeps ("ab", "c") and ("a", "bc") apart.
    digest.update(("\0".join(texts) + "\0\0").encode())
