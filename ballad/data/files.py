"""Image files of a split: names relative to one folder, with their sizes."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import overload

import numpy as np
from numpy.typing import NDArray

from ballad.data.roots import data_roots
from ballad.data.texts import printable
from ballad.errors import DataError


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
    times: NDArray[np.int64]
    """When content and when anything else was last changed, in nanoseconds since 1970 [N, 2]."""
    marks: NDArray[np.uint8] | None = None
    """What tells the contents of changed files apart [N, 16], zeros for all others; see :mod:`ballad.data.contents`."""

    @classmethod
    def find(cls, folder: Path, names: Sequence[str]) -> "ImageFiles":
        """The files ``names`` under ``folder``, or by a whole path inside it or a data root.

        Backslashes separate folders where no such file exists. DataError names the first that lies elsewhere, or that
        is missing.
        """
        kept = [_kept_inside(folder, name) for name in names]
        facts = np.empty((len(kept), 3), dtype=np.int64)
        missing = []
        for position, name in enumerate(kept):
            found = _stat(folder, name)
            if found is None and "\\" in name:
                kept[position] = _kept_inside(folder, name.replace("\\", "/"))
                found = _stat(folder, kept[position])
            if found is None:
                missing.append(name)
            else:
                facts[position] = found.st_size, found.st_mtime_ns, found.st_ctime_ns
        if missing:
            others = f" (and {len(missing) - 1:,} more)" if len(missing) > 1 else ""
            raise DataError(f"The image {printable(missing[0])}{others} is missing in {folder}.")
        return cls(folder, tuple(kept), facts[:, 0].copy(), facts[:, 1:].copy())

    def take(self, indices: NDArray[np.int64]) -> "ImageFiles":
        """The files at ``indices``, in that order."""
        return ImageFiles(
            self.folder,
            tuple(self.names[i] for i in indices),
            self.sizes[indices],
            self.times[indices],
            None if self.marks is None else self.marks[indices],
        )

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


def _stat(folder: Path, name: str) -> os.stat_result | None:
    try:
        return os.stat(os.path.join(folder, name))
    except (OSError, ValueError):  # no such file, or no such name: one with a NUL, or without a spelling in UTF-8
        return None


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
