"""Image files of a split: names relative to one folder, with their sizes."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import overload

import numpy as np
from numpy.typing import NDArray

from ballad.data.roots import data_roots
from ballad.errors import DataError

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm", ".avif"})


def is_image_name(name: str) -> bool:
    """Whether a file of this name is taken for an image."""
    return not name.startswith(".") and os.path.splitext(name)[1].lower() in IMAGE_SUFFIXES


@dataclass(frozen=True, eq=False)
class ImageFiles(Sequence[Path]):
    """N image files as a sequence of paths.

    Keeps names instead of Path objects: half a million of those would take 200 MB.
    """

    folder: Path
    names: tuple[str, ...]
    """Paths relative to ``folder``, with forward slashes."""
    sizes: NDArray[np.int64]
    """Bytes [N]."""

    @classmethod
    def find(cls, folder: Path, names: Sequence[str]) -> "ImageFiles":
        """The files ``names`` under ``folder``, or by a whole path inside it or a data root.

        DataError names the first that lies elsewhere, or that is missing.
        """
        names = [_kept_inside(folder, name) for name in names]
        sizes = np.empty(len(names), dtype=np.int64)
        missing = []
        for position, name in enumerate(names):
            try:
                sizes[position] = os.stat(os.path.join(folder, name)).st_size
            except OSError:
                missing.append(name)
        if missing:
            others = f" (and {len(missing) - 1:,} more)" if len(missing) > 1 else ""
            raise DataError(f"The image {missing[0]}{others} is missing in {folder}.")
        return cls(folder, tuple(names), sizes)

    def take(self, indices: NDArray[np.int64]) -> "ImageFiles":
        """The files at ``indices``, in that order."""
        return ImageFiles(self.folder, tuple(self.names[i] for i in indices), self.sizes[indices])

    def __len__(self) -> int:
        return len(self.names)

    @overload
    def __getitem__(self, index: int) -> Path: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Path, ...]: ...
    def __getitem__(self, index: int | slice) -> Path | tuple[Path, ...]:
        if isinstance(index, slice):
            return tuple(self.folder / name for name in self.names[index])
        return self.folder / self.names[index]

    def __iter__(self) -> Iterator[Path]:
        return (self.folder / name for name in self.names)


def _kept_inside(folder: Path, name: str) -> str:
    """``name`` relative to ``folder`` if it lies there, else as a whole path. DataError outside the data roots too."""
    if not (name.startswith("/") or ".." in name):
        return name
    base = os.path.abspath(folder)
    path = Path(os.path.normpath(os.path.join(base, name)))
    if path.is_relative_to(base):
        return path.relative_to(base).as_posix()
    roots = data_roots()
    if any(path.resolve().is_relative_to(root) for root in roots):
        return str(path)
    raise DataError(
        f"The image {name} lies outside {folder} and the data roots ({', '.join(map(str, roots))}); "
        "add its folder to BALLAD_DATA."
    )
