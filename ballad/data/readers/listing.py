"""Pictures named by the lines of a list or the rows of a table."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ballad.data.files import ImageFiles
from ballad.data.long_tail import Split
from ballad.errors import DataError


@dataclass(frozen=True)
class Listing:
    """The pictures of a split as a file lists them."""

    names: Sequence[str]
    labels: NDArray[np.int64]
    """Class indices [N]."""
    place: Callable[[int], str]
    """Where picture ``index`` is listed: ``train.txt, line 8``."""


def find_listed(listings: Mapping[str, Listing], folder: Path) -> tuple[dict[str, Split], list[str]]:
    """The splits, their pictures found in ``folder``, with notes on pictures that a split lists more than once.

    Such a picture counts once. Raises DataError for a picture that is missing or that has two labels.
    """
    first: dict[str, tuple[str, int]] = {}
    splits, repeats = {}, []
    for split, listing in listings.items():
        files, kept = ImageFiles.find(folder, listing.names), []
        for index, name in enumerate(files.names):
            other_split, other = first.setdefault(os.path.normpath(name), (split, index))
            if listings[other_split].labels[other] != listing.labels[index]:
                raise DataError(
                    f"The image {name} has two labels, one in {listings[other_split].place(other)} and another in "
                    f"{listing.place(index)}; keep the right one."
                )
            if (other_split, other) == (split, index) or other_split != split:
                kept.append(index)
            else:
                repeats.append(listing.place(index))
        found = Split(split, listing.labels, files)
        splits[split] = found if len(kept) == len(found) else found.take(np.array(kept, dtype=np.int64))
    if not repeats:
        return splits, []
    lines = "1 image is" if len(repeats) == 1 else f"{len(repeats):,} images are"
    return splits, [f"{lines} listed again with the same label, the first in {repeats[0]}; each counts once."]
