"""A folder of class folders, with ``train``, ``val`` and ``test`` above them or a single level to be split.

folder/train/goldfish/*.jpg         folder/goldfish/*.jpg
folder/test/goldfish/*.jpg          folder/bullfrog/*.jpg
folder/classnames.txt               (optional: names for the folders)
"""

import os
from pathlib import Path

import numpy as np

from ballad.data.class_names import read_class_names, readable_name
from ballad.data.files import ImageFiles, is_image_name
from ballad.data.long_tail import Split
from ballad.data.readers.collection import ImageCollection
from ballad.errors import DataError

_SPLIT_FOLDERS = {"train": ("train", "training"), "val": ("val", "valid", "validation"), "test": ("test", "testing")}


def read_class_folders(folder: Path) -> ImageCollection:
    """Read every image below the class folders, at any depth; the classes are in the order of their folders' names.

    Raises DataError if there are no class folders, a class folder is empty, or a class is missing from training.
    """
    split_folders = {split: _first_folder(folder, names) for split, names in _SPLIT_FOLDERS.items()}
    if split_folders["train"] is None:
        split_folders = {"train": folder}
    classes = _class_folders(split_folders["train"])
    class_names = _names_of(classes, folder / "classnames.txt")
    splits = {
        split: _read_split(split, path, folder, classes) for split, path in split_folders.items() if path is not None
    }
    return ImageCollection(folder.name, folder.name, class_names, splits)


def _first_folder(folder: Path, names: tuple[str, ...]) -> Path | None:
    return next((folder / name for name in names if (folder / name).is_dir()), None)


def _class_folders(folder: Path | None) -> list[str]:
    assert folder is not None
    classes = sorted(entry.name for entry in os.scandir(folder) if entry.is_dir() and not entry.name.startswith("."))
    if not classes:
        raise DataError(
            f"{folder} holds neither list files (train.txt, test.txt, classnames.txt) nor one folder of images a class."
        )
    return classes


def _read_split(split: str, folder: Path, root: Path, classes: list[str]) -> Split:
    unknown = sorted(set(_class_folders(folder)) - set(classes))
    if unknown:
        raise DataError(f"The class folder {folder / unknown[0]} has no counterpart among the training classes.")
    names: list[str] = []
    labels: list[int] = []
    for label, class_folder in enumerate(classes):
        found = _images_below(folder / class_folder, root)
        if split == "train" and not found:
            raise DataError(f"The class folder {folder / class_folder} holds no image.")
        names += found
        labels += [label] * len(found)
    return Split(split, np.array(labels, dtype=np.int64), ImageFiles.find(root, names))


def _images_below(folder: Path, root: Path) -> list[str]:
    found = []
    for parent, _, files in os.walk(folder):
        found += [Path(parent, file) for file in files if is_image_name(file)]
    return sorted(path.relative_to(root).as_posix() for path in found)


def _names_of(folders: list[str], names_file: Path) -> tuple[str, ...]:
    """Readable names of class folders, from ``classnames.txt`` if it is there."""
    if not names_file.exists():
        return tuple(readable_name(folder) for folder in folders)
    names, wordnet_ids = read_class_names(names_file)
    if wordnet_ids is not None:
        name_of = dict(zip(wordnet_ids, names, strict=True))
        unnamed = [folder for folder in folders if folder not in name_of]
        if unnamed:
            raise DataError(f"The class folder '{unnamed[0]}' has no name in {names_file}.")
        return tuple(name_of[folder] for folder in folders)
    if len(names) != len(folders):
        raise DataError(f"{names_file} names {len(names)} classes, but there are {len(folders)} class folders.")
    return tuple(names)
