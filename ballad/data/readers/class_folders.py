"""A folder of class folders, with ``train``, ``val`` and ``test`` above them or a single level to be split.

folder/train/goldfish/*.jpg         folder/goldfish/*.jpg
folder/test/goldfish/*.jpg          folder/bullfrog/*.jpg
folder/classnames.txt               (optional: names for the folders)
"""

import re
from pathlib import Path

import numpy as np

from ballad.data.class_names import NamesFile, readable_name
from ballad.data.files import ImageFiles
from ballad.data.ignored import BESIDE_SPLITS, OUTSIDE_CLASSES, Ignored
from ballad.data.long_tail import Split
from ballad.data.readers.collection import ImageCollection
from ballad.data.readers.folders import FolderWalk, ignore_beside, visible_folders
from ballad.data.readers.list_files import has_lists
from ballad.data.readers.splits import SPLITS, split_called
from ballad.data.texts import is_text, printable
from ballad.errors import DataError


def read_class_folders(folder: Path) -> ImageCollection:
    """Read every image below the class folders, at any depth; the classes are in the order of their folders' names.

    Folders that are numbers are in the order of the numbers. What is left out is counted in ``ignored``. Raises
    DataError if there are no class folders, a class folder is empty, a class is missing from training, or splits,
    classes or names can be understood in two ways.
    """
    split_folders = _split_folders(folder)
    classes = _class_folders(split_folders["train"])
    ignored = Ignored()
    walk = FolderWalk(folder, [path / name for path in split_folders.values() for name in classes], ignored)
    splits = {split: _read_split(split, path, classes, walk) for split, path in split_folders.items()}
    ignore_beside(folder, {*split_folders.values(), *(folder / name for name in classes)}, BESIDE_SPLITS, ignored)
    for path in {*split_folders.values()} - {folder}:
        ignore_beside(path, {path / name for name in classes}, OUTSIDE_CLASSES, ignored)
    class_names = _names_of(classes, folder / "classnames.txt")
    return ImageCollection(folder.name, folder.name, class_names, splits, sources=tuple(classes), ignored=ignored)


def set_inside(folder: Path) -> Path:
    """Where an archive was unpacked into folders of its own, the folder inside that holds the set; else ``folder``."""
    inner = [folder / name for name in visible_folders(folder)]
    if len(inner) != 1 or has_lists(folder) or split_called(inner[0].name) is not None:
        return folder
    return set_inside(inner[0]) if has_lists(inner[0]) or visible_folders(inner[0]) else folder


def _split_folders(folder: Path) -> dict[str, Path]:
    """The folder of each split there is; the folder itself is the training split where it holds the class folders."""
    candidates: dict[str, list[Path]] = {}
    for path in map(folder.joinpath, visible_folders(folder)):
        split = split_called(path.name)
        if split is not None:
            candidates.setdefault(split, []).append(path)
    with_classes = {split: [path for path in paths if visible_folders(path)] for split, paths in candidates.items()}
    if not any(with_classes.values()):
        _refuse_unsorted(folder, [path for paths in candidates.values() for path in paths])
        _refuse_splits_below(folder)
        return {"train": folder}
    for split, paths in candidates.items():
        if len(paths) > 1:
            raise DataError(
                f"{folder} has more than one folder for the {split} split, {_named(paths)}; keep one of them."
            )
        if not with_classes[split]:
            raise DataError(f"{paths[0]} holds no class folders; sort its images by class, or move it elsewhere.")
    if "train" not in candidates:
        raise DataError(
            f"{folder} has {_named(next(iter(candidates.values())))}, but no folder called train beside it."
        )
    return {split: candidates[split][0] for split in SPLITS if split in candidates}


def _refuse_unsorted(folder: Path, split_folders: list[Path]) -> None:
    if split_folders and len(split_folders) == len(visible_folders(folder)):
        raise DataError(f"{_named(split_folders)} in {folder} hold no class folders; sort their images by class.")


def _refuse_splits_below(folder: Path) -> None:
    """Splits one level further down would be taken for parts of classes, and test images for training images."""
    for path in map(folder.joinpath, visible_folders(folder)):
        if any(split_called(name) == "train" for name in visible_folders(path)):
            raise DataError(
                f"{path} holds {_named([path / name for name in visible_folders(path) if split_called(name)])}: give "
                f"{path} if it is the dataset; if {path.name} is a class, put the splits above the classes."
            )


def _named(paths: list[Path]) -> str:
    return " and ".join(sorted(path.name for path in paths))


def _class_folders(folder: Path) -> list[str]:
    classes = visible_folders(folder)
    if not classes:
        lists = ", ".join(sorted(path.name for path in folder.glob("*.txt")))
        seen = f" It holds {printable(lists)}, none of which has a list file's name." if lists else ""
        raise DataError(
            f"{folder} holds neither list files (train.txt, test.txt, classnames.txt) nor one folder of images per "
            "class." + seen
        )
    for name in classes:
        if not is_text(name):
            raise DataError(f"The class folder {printable(name)} in {folder} has a name that is not UTF-8; rename it.")
    return sorted(classes, key=_by_number) if all(map(str.isdecimal, classes)) else sorted(classes)


def _by_number(name: str) -> tuple[int, str]:
    return int(name), name


def _read_split(split: str, folder: Path, classes: list[str], walk: FolderWalk) -> Split:
    unknown = sorted(set(_class_folders(folder)) - set(classes))
    if unknown:
        raise DataError(f"The class folder {folder / unknown[0]} has no counterpart among the training classes.")
    names: list[str] = []
    labels: list[int] = []
    for label, class_folder in enumerate(classes):
        found = walk.pictures_below(folder / class_folder)
        if split == "train" and not found:
            raise DataError(f"The class folder {folder / class_folder} holds no images.")
        names += found
        labels += [label] * len(found)
    return Split(split, np.array(labels, dtype=np.int64), ImageFiles.find(walk.root, names))


def _names_of(folders: list[str], path: Path) -> tuple[str, ...]:
    """Readable names of class folders, from ``classnames.txt`` if it is there."""
    if not path.exists():
        return tuple(readable_name(folder) for folder in folders)
    file = NamesFile.read(path)
    numbers = [int(folder) for folder in folders if folder.isdecimal()]
    if file.by_id is not None:
        name_of = dict(file.by_id)
    elif len(numbers) == len(folders) and file.by_number is not None:
        name_of = {folder: file.of_labels(numbers).get(int(folder), "") for folder in folders}
    else:
        name_of = _names_in_order(folders, file)
    unnamed = [folder for folder in folders if not name_of.get(folder)]
    if unnamed:
        raise DataError(f"The class folder '{unnamed[0]}' has no name in {path}.")
    return tuple(name_of[folder] for folder in folders)


def _names_in_order(folders: list[str], file: NamesFile) -> dict[str, str]:
    names = file.in_label_order
    if len(names) != len(folders):
        raise DataError(f"{file.path} names {len(names)} classes, but there are {len(folders)} class folders.")
    name_of_letters, folder_of_letters = ({_letters(text): text for text in texts} for texts in (names, folders))
    if len(folder_of_letters) == len(folders) and folder_of_letters.keys() == name_of_letters.keys():
        return {folder: name_of_letters[_letters(folder)] for folder in folders}
    by_number = sorted(folders, key=_natural)
    if by_number != folders and not all(map(str.isdecimal, folders)):
        place = next(place for place, folder in enumerate(folders) if folder != by_number[place])
        raise DataError(
            f"{file.path}, line {place + 1}, may name the class folder '{folders[place]}' (in the order of letters) or "
            f"'{by_number[place]}' (in that of numbers); write each folder's name and a tab before the class's name."
        )
    return dict(zip(folders, names, strict=True))


def _letters(text: str) -> str:
    """The letters and digits of a name without regard to case."""
    return re.sub(r"[\W_]+", "", text).casefold()


def _natural(name: str) -> list[tuple[int, str]]:
    """A key that orders class_2 before class_10."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)]
