"""The field's list files: ``relative/path.jpg label`` a line, one file a split, with ``classnames.txt``.

folder/
  ImageNet_LT_train.txt   (or train.txt)
  ImageNet_LT_val.txt     (or val.txt; may be absent)
  ImageNet_LT_test.txt    (or test.txt)
  classnames.txt          one name a line in label order, perhaps after a WordNet id
  …                       the images, under the paths that the lists give
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ballad.data.class_names import read_class_names, read_text
from ballad.data.files import ImageFiles
from ballad.data.long_tail import Split
from ballad.data.readers.collection import ImageCollection
from ballad.errors import DataError

SPLITS = ("train", "val", "test")


def find_list(folder: Path, split: str) -> Path | None:
    """The list of a split: ``train.txt`` or ``*_train.txt``; DataError if there are several."""
    found = sorted(path for path in folder.glob("*.txt") if path.stem == split or path.stem.endswith(f"_{split}"))
    if len(found) > 1:
        names = " and ".join(path.name for path in found)
        raise DataError(f"{folder} holds several lists of the {split} split, {names}; keep one set of lists a folder.")
    return found[0] if found else None


def has_lists(folder: Path) -> bool:
    """Whether ``folder`` holds a list of training images."""
    return find_list(folder, "train") is not None


def read_list_folder(folder: Path) -> ImageCollection:
    """Read the lists and ``classnames.txt`` in ``folder``, and find every image.

    Raises DataError for a missing file or image, a malformed line, a label out of range or without a name.
    """
    names_file = folder / "classnames.txt"
    if not names_file.exists():
        raise DataError(f"{names_file} is missing; it names the classes, one a line, in the order of the labels.")
    class_names, _ = read_class_names(names_file)
    splits = read_lists(folder, folder, tuple(class_names))
    return ImageCollection(folder.name, folder.name, tuple(class_names), splits)


def read_lists(
    list_folder: Path,
    image_folder: Path,
    class_names: tuple[str, ...],
    relocate: Callable[[str], str] = lambda name: name,
) -> dict[str, Split]:
    """The splits that have a list, by name.

    ``relocate`` maps a listed path to where the image lies in ``image_folder``.
    """
    splits = {}
    for split in SPLITS:
        list_file = find_list(list_folder, split)
        if list_file is not None:
            names, labels = read_list(list_file, class_names)
            splits[split] = Split(split, labels, ImageFiles.find(image_folder, [relocate(name) for name in names]))
    return splits


def read_list(path: Path, class_names: tuple[str, ...]) -> tuple[list[str], NDArray[np.int64]]:
    """Paths and labels [N] of one list file; DataError names the line at fault."""
    names, labels = [], []
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        if not line.strip():
            continue
        name, _, label = line.strip().rpartition(" ")
        if not name or not label.isdecimal():
            raise DataError(f"{path}, line {number}: expected 'path label', found '{line.strip()}'.")
        if int(label) >= len(class_names):
            raise DataError(
                f"{path}, line {number}: label {label} has no class name; "
                f"the {len(class_names)} named classes are 0 to {len(class_names) - 1}."
            )
        names.append(name.strip())
        labels.append(int(label))
    if not names:
        raise DataError(f"{path} lists no image.")
    return names, np.array(labels, dtype=np.int64)
