"""What the catalogue knows about a dataset, and how it tells whether the dataset is available."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Literal

from ballad.data.download import Archive, OnBytes, alone_with, fetch, unpack
from ballad.data.readers.collection import ImageCollection
from ballad.data.roots import data_roots
from ballad.errors import DataError
from ballad.events import CancelToken


@dataclass(frozen=True)
class Status:
    """Whether a dataset can be used; ``message`` says it in a sentence."""

    state: Literal["present", "downloadable", "missing"]
    message: str
    folder: Path | None = None
    download_bytes: int | None = None


class KnownDataset(ABC):
    """A dataset of the catalogue. Subclasses say where its files are and how they are read."""

    name: ClassVar[str]
    title: ClassVar[str]
    citation: ClassVar[str]
    licence: ClassVar[str]
    how_to_get: ClassVar[str]
    layout: ClassVar[str]
    """The files below a data root, as text; alternatives are separated by a blank line."""
    num_classes: ClassVar[int]
    expected: ClassVar[Mapping[str, int]]
    """Images of each split in the literature."""
    shot_classes: ClassVar[tuple[int, int, int] | None] = None
    """Many-, medium- and few-shot classes in the literature."""
    folders: ClassVar[tuple[str, ...]] = ()
    """Names its folder may have below a data root; the first is suggested."""
    archive: ClassVar[Archive | None] = None
    imbalance_ratio: ClassVar[float | None] = None
    """Ratio of the long tail that is cut when the settings name none; None for sets that come with one."""

    @abstractmethod
    def missing_in(self, folder: Path) -> list[str]:
        """What ``folder`` lacks of the layout that it comes closest to; empty if the dataset is complete."""

    @abstractmethod
    def read(self, folder: Path) -> ImageCollection:
        """Read the set from its folder. Raises DataError."""

    def status(self) -> Status:
        """Present, downloadable or missing, under the data roots as they are set now."""
        try:
            return self._look()
        except DataError as error:
            return Status("missing", str(error))

    def _look(self) -> Status:
        candidates = [root / name for root in data_roots() for name in self.folders]
        there = [folder for folder in candidates if folder.is_dir()]
        for folder in there:
            if not self.missing_in(folder):
                return Status("present", f"{self.title} is in {folder}.", folder)
        if self.archive is not None:
            megabytes = round(self.archive.size / 1e6)
            message = f"{self.title} is not available yet; it can be downloaded ({megabytes} MB) to {data_roots()[0]}."
            return Status("downloadable", message, download_bytes=self.archive.size)
        folder = there[0] if there else candidates[0]
        missing = ", ".join(self.missing_in(folder))
        return Status("missing", f"{self.title} lacks {missing} in {folder}. {self.how_to_get}")

    def load(self) -> ImageCollection:
        """Read the set from where it is. Raises DataError that says what is missing and how to get it."""
        status = self.status()
        if status.state == "downloadable":
            raise DataError(f"{status.message} Run 'python -m ballad download {self.name}'.")
        if status.folder is None:
            raise DataError(status.message)
        found = self.read(status.folder)
        return replace(found, name=self.name, title=self.title, notes=(*found.notes, *self._count_notes(found)))

    def download(self, on_bytes: OnBytes = lambda done, size: None, cancel: CancelToken | None = None) -> Path:
        """Download and unpack the set below the first data root; returns its folder.

        An archive that lies there already is checked, unpacked and kept; a set that is there, perhaps because another
        process got it meanwhile, is left as it is. Raises DataError if it cannot be downloaded, Cancelled.
        """
        if self.archive is None:
            raise DataError(f"{self.title} cannot be downloaded automatically. {self.how_to_get}")
        root, cancel = data_roots()[0], cancel or CancelToken()
        folder, archive = root / self.folders[0], root / self.archive.file_name
        with alone_with(self.archive, root, cancel):
            if self.missing_in(folder):
                brought = archive.exists()
                fetch(self.archive, root, on_bytes, cancel)
                unpack(archive, root)
                if not brought:
                    archive.unlink()
        return folder

    def _count_notes(self, found: ImageCollection) -> list[str]:
        return [
            f"The {name} split has {len(split):,} images; the literature's has {self.expected[name]:,}."
            for name, split in found.splits.items()
            if name in self.expected and self.imbalance_ratio is None and len(split) != self.expected[name]
        ]


def missing_paths(folder: Path, *paths: str) -> list[str]:
    """Those of ``paths`` that are not in ``folder``."""
    return [path for path in paths if not (folder / path).exists()]
