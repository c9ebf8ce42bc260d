"""CIFAR-10-LT and CIFAR-100-LT, from the archives of Krizhevsky's page."""

import pickle
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from ballad.data.download import Archive
from ballad.data.known.entry import KnownDataset, missing_paths
from ballad.data.long_tail import Split
from ballad.data.readers.collection import ImageCollection
from ballad.errors import DataError

_CITATION = (
    "Krizhevsky 2009, Learning Multiple Layers of Features from Tiny Images; "
    "long tail of Cao et al. 2019, arXiv 1906.07413."
)
_LICENCE = "No licence is stated; the page asks for the citation of the technical report."


class _Cifar(KnownDataset):
    citation = _CITATION
    licence = _LICENCE
    imbalance_ratio = 100
    train_files: ClassVar[tuple[str, ...]]
    test_file: ClassVar[str]
    meta_file: ClassVar[str]
    label_key: ClassVar[str]
    names_key: ClassVar[str]

    def missing_in(self, folder: Path) -> list[str]:
        return missing_paths(folder, *self.train_files, self.test_file, self.meta_file)

    def read(self, folder: Path) -> ImageCollection:
        names = _read_pickle(folder / self.meta_file, self.names_key)
        class_names = tuple(str(name).replace("_", " ") for name in names)
        splits = {
            "train": self._split(folder, "train", self.train_files),
            "test": self._split(folder, "test", (self.test_file,)),
        }
        return ImageCollection(self.name, self.title, class_names, splits)

    def _split(self, folder: Path, name: str, files: tuple[str, ...]) -> Split:
        labels = [np.array(_read_pickle(folder / file, self.label_key), dtype=np.int64) for file in files]
        planes = [_read_pickle(folder / file, "data").reshape(-1, 3, 32, 32) for file in files]
        pixels = np.ascontiguousarray(np.concatenate(planes).transpose(0, 2, 3, 1))
        return Split(name, np.concatenate(labels), pixels=pixels)


class Cifar10LT(_Cifar):
    name = "cifar10-lt"
    title = "CIFAR10-LT"
    how_to_get = "Download cifar-10-python.tar.gz from https://www.cs.toronto.edu/~kriz/cifar.html and unpack it."
    layout = "cifar-10-batches-py/data_batch_1 … data_batch_5, test_batch, batches.meta"
    num_classes = 10
    expected: ClassVar = {"train": 12_406, "test": 10_000}
    folders = ("cifar-10-batches-py",)
    archive = Archive(
        "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz", "c58f30108f718f92721af3b95e74349a", 170_498_071
    )
    train_files = tuple(f"data_batch_{number}" for number in range(1, 6))
    test_file, meta_file, label_key, names_key = "test_batch", "batches.meta", "labels", "label_names"


class Cifar100LT(_Cifar):
    name = "cifar100-lt"
    title = "CIFAR100-LT"
    how_to_get = "Download cifar-100-python.tar.gz from https://www.cs.toronto.edu/~kriz/cifar.html and unpack it."
    layout = "cifar-100-python/train, test, meta"
    num_classes = 100
    expected: ClassVar = {"train": 10_847, "test": 10_000}
    shot_classes = (35, 35, 30)
    folders = ("cifar-100-python",)
    archive = Archive(
        "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz", "eb9058c3a382ffc7106e4002c42a8d85", 169_001_437
    )
    train_files = ("train",)
    test_file, meta_file, label_key, names_key = "test", "meta", "fine_labels", "fine_label_names"


class _ArraysOnly(pickle.Unpickler):
    """Reads lists, texts and arrays; a file that names anything else is refused, so none can run code."""

    _ALLOWED: ClassVar[dict[tuple[str, str], tuple[str, str]]] = {
        ("numpy.core.multiarray", "_reconstruct"): ("numpy._core.multiarray", "_reconstruct"),
        ("numpy._core.multiarray", "_reconstruct"): ("numpy._core.multiarray", "_reconstruct"),
        ("numpy", "ndarray"): ("numpy", "ndarray"),
        ("numpy", "dtype"): ("numpy", "dtype"),
        ("_codecs", "encode"): ("_codecs", "encode"),
    }

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self._ALLOWED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}")
        return super().find_class(*self._ALLOWED[module, name])


def _read_pickle(path: Path, key: str) -> Any:
    """One entry of a CIFAR file. Raises DataError if the file is damaged or is not one."""
    try:
        with path.open("rb") as file:
            return _ArraysOnly(file, encoding="latin1").load()[key]
    except (pickle.UnpicklingError, EOFError, KeyError, TypeError, ValueError, OSError) as error:
        raise DataError(f"{path} is damaged or no CIFAR file ({error}); download the archive again.") from None
