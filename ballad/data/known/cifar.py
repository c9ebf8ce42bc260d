"""CIFAR-10-LT and CIFAR-100-LT, from the archives of Krizhevsky's page."""

import pickle
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ballad.data.download import Archive
from ballad.data.known.entry import KnownDataset, missing_paths
from ballad.data.long_tail import Split
from ballad.data.readers.collection import ImageCollection
from ballad.errors import DataError

_CITATION = (
    "Krizhevsky 2009, Learning Multiple Layers of Features from Tiny Images; "
    "long tail of Cao et al. 2019, arXiv 1906.07413."
)
_AGAIN = "download the archive again."
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
        (names,) = _read_pickle(folder / self.meta_file, self.names_key)
        class_names = tuple(str(name).replace("_", " ") for name in names)
        splits = {
            "train": self._split(folder, "train", self.train_files),
            "test": self._split(folder, "test", (self.test_file,)),
        }
        return ImageCollection(self.name, self.title, class_names, splits)

    def _split(self, folder: Path, name: str, files: tuple[str, ...]) -> Split:
        labels, planes = zip(*(_read_pictures(folder / file, self.label_key) for file in files), strict=True)
        pixels = np.ascontiguousarray(np.concatenate(planes).transpose(0, 2, 3, 1))
        return Split(name, np.concatenate(labels), pixels=pixels)


class Cifar10LT(_Cifar):
    name = "cifar10-lt"
    title = "CIFAR10-LT"
    how_to_get = "Download cifar-10-python.tar.gz from https://www.cs.toronto.edu/~kriz/cifar.html and unpack it."
    layout = "cifar-10-batches-py/data_batch_1 … data_batch_5, test_batch, batches.meta"
    num_classes = 10
    expected: ClassVar = {"train": 12_406, "test": 10_000}
    shot_classes = (8, 2, 0)
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


def _read_pictures(path: Path, label_key: str) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Labels [N] and colour planes [N, 3, 32, 32] of a CIFAR file. Raises DataError if it holds anything else."""
    labels, data = _read_pickle(path, label_key, "data")
    if not isinstance(data, np.ndarray) or data.dtype != np.uint8 or data.shape != (len(labels), 3072):
        raise DataError(f"{path} is damaged or not a CIFAR file (its pictures are not 32 × 32); {_AGAIN}")
    return np.array(labels, dtype=np.int64), data.reshape(-1, 3, 32, 32)


def _read_pickle(path: Path, *keys: str) -> list[Any]:
    """Entries of a CIFAR file. Raises DataError if the file is damaged or is not one."""
    try:
        with path.open("rb") as file:
            content = _ArraysOnly(file, encoding="latin1").load()
        return [content[key] for key in keys]
    except Exception as error:  # a damaged file can trip the reader in any way
        raise DataError(f"{path} is damaged or not a CIFAR file ({error}); {_AGAIN}") from None
