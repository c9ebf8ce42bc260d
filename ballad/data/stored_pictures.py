"""Decoded pictures of any size in one file, memory-mapped."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ballad.digests import changed_file, is_record, record
from ballad.whole_files import write_text_whole, write_whole


@dataclass(frozen=True, eq=False)
class StoredPictures:
    """N RGB pictures one after the other.

    ``values``: uint8, all of them flat. ``sizes``: width and height of each, int64 [N, 2]. ``starts``: the first value
    of each, int64 [N].
    """

    values: NDArray[np.uint8]
    sizes: NDArray[np.int64]
    starts: NDArray[np.int64]

    @classmethod
    def open(cls, path: Path) -> "StoredPictures":
        """What :func:`write_pictures` wrote to ``path``; OSError or ValueError where it is not there, byte for byte."""
        recorded = json.loads(_record_path(path).read_text(encoding="utf-8"))
        if not is_record(recorded) or changed_file(path.parent, recorded):
            raise ValueError(f"{path} has changed since it was written")
        sizes = np.load(path)
        ends = np.cumsum(sizes.prod(axis=1) * 3)
        values = np.memmap(_values_path(path), dtype=np.uint8, mode="r", shape=(int(ends[-1]),))
        return cls(values, sizes, np.concatenate([[0], ends[:-1]]))

    def __len__(self) -> int:
        return len(self.sizes)

    def __getitem__(self, index: int) -> NDArray[np.uint8]:
        """Picture ``index``, [H, W, 3]."""
        width, height = self.sizes[index]
        start = self.starts[index]
        return self.values[start : start + width * height * 3].reshape(height, width, 3)

    def take(self, indices: NDArray[np.int64]) -> "StoredPictures":
        """The pictures at ``indices``, in that order."""
        return StoredPictures(self.values, self.sizes[indices], self.starts[indices])

    @cached_property
    def as_array(self) -> NDArray[np.uint8] | None:
        """All pictures of a file as one array [N, H, W, 3], if they are of one size."""
        if (self.sizes != self.sizes[0]).any():
            return None
        width, height = self.sizes[0]
        return self.values.reshape(-1, height, width, 3)


def write_pictures(pictures: Iterable[Image.Image], path: Path) -> None:
    """Write RGB pictures for :meth:`StoredPictures.open`; what is cut off counts as absent."""
    sizes = []

    def write_values(temporary: Path) -> None:
        with temporary.open("wb") as file:
            for picture in pictures:
                file.write(picture.tobytes())
                sizes.append(picture.size)

    def write_sizes(temporary: Path) -> None:
        with temporary.open("wb") as file:
            np.save(file, np.array(sizes, dtype=np.int64))

    write_whole(_values_path(path), write_values)
    write_whole(path, write_sizes)
    write_text_whole(_record_path(path), json.dumps(record(path.parent, [path, _values_path(path)])))


def _values_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.values")


def _record_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.json")
