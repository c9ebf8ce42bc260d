"""Tiny-ImageNet-LT: list files, or the original Tiny-ImageNet-200 folder that the same split is cut from."""

from pathlib import Path
from typing import ClassVar

import numpy as np

from ballad.data.class_names import NamesFile
from ballad.data.download import Archive
from ballad.data.files import ImageFiles
from ballad.data.known.entry import KnownDataset, missing_paths
from ballad.data.long_tail import Split, long_tail_counts
from ballad.data.readers.collection import ImageCollection
from ballad.data.readers.list_files import has_lists, read_list_folder
from ballad.data.texts import read_text
from ballad.errors import DataError

VALIDATION_PER_CLASS = 20
IMBALANCE_RATIO = 100


class TinyImageNetLT(KnownDataset):
    name = "tiny-imagenet-lt"
    title = "Tiny-ImageNet-LT"
    citation = "Tiny-ImageNet-200 (Stanford CS231n), cut to the long tail of Cao et al. 2019, arXiv 1906.07413."
    licence = "ImageNet's terms: non-commercial research and education."
    how_to_get = "Download http://cs231n.stanford.edu/tiny-imagenet-200.zip and unpack it."
    layout = (
        "tiny-imagenet-lt/TinyImageNet_LT_train.txt, …_val.txt, …_test.txt, classnames.txt and the pictures\n\n"
        "tiny-imagenet-200/wnids.txt, words.txt, train/n01443537/images/*.JPEG\n"
        "tiny-imagenet-200/val/val_annotations.txt, val/images/*.JPEG"
    )
    num_classes = 200
    expected: ClassVar = {"train": 21_521, "val": 4_000, "test": 10_000}
    shot_classes = (70, 70, 60)
    folders = ("tiny-imagenet-200", "tiny-imagenet-lt")
    archive = Archive(
        "http://cs231n.stanford.edu/tiny-imagenet-200.zip", "90528d7ca1a48142e341f4ef8d21d0de", 248_100_043
    )

    def missing_in(self, folder: Path) -> list[str]:
        if has_lists(folder):
            return missing_paths(folder, "classnames.txt")
        return missing_paths(folder, "wnids.txt", "words.txt", "train", "val/val_annotations.txt")

    def read(self, folder: Path) -> ImageCollection:
        return read_list_folder(folder) if has_lists(folder) else _cut_from_original(folder)


def _cut_from_original(folder: Path) -> ImageCollection:
    """The split of the list files, from the pictures of Tiny-ImageNet-200.

    One legacy generator with seed 0 orders the classes by size, then shuffles each class: the first n_c pictures train,
    the next 20 validate. The largest classes give up what validation needs. The original ``val`` is the test split.
    """
    synsets = sorted(read_text(folder / "wnids.txt").split())
    generator = np.random.RandomState(0)
    place_of_size = generator.permutation(len(synsets))
    pictures = [_training_pictures(folder, synset) for synset in synsets]
    wanted = np.empty(len(synsets), dtype=np.int64)
    wanted[place_of_size] = long_tail_counts(max(map(len, pictures)), len(synsets), IMBALANCE_RATIO)

    train: list[list[str]] = []
    val: list[list[str]] = []
    for names, count in zip(pictures, wanted, strict=True):
        shuffled = [names[index] for index in generator.permutation(len(names))]
        kept = min(int(count), len(names) - VALIDATION_PER_CLASS)
        train.append(sorted(shuffled[:kept], key=_number))
        val.append(sorted(shuffled[kept : kept + VALIDATION_PER_CLASS], key=_number))
    splits = {
        "train": _split("train", folder, train),
        "val": _split("val", folder, val),
        "test": _split("test", folder, _test_pictures(folder, synsets)),
    }
    return ImageCollection("tiny-imagenet-lt", "Tiny-ImageNet-LT", _class_names(folder, synsets), splits)


def _training_pictures(folder: Path, synset: str) -> list[str]:
    pictures = sorted((folder / "train" / synset / "images").glob("*.JPEG"), key=lambda path: _number(path.name))
    if len(pictures) <= VALIDATION_PER_CLASS:
        raise DataError(f"{folder / 'train' / synset / 'images'} holds {len(pictures)} pictures; it should hold 500.")
    return [f"train/{synset}/images/{path.name}" for path in pictures]


def _test_pictures(folder: Path, synsets: list[str]) -> list[list[str]]:
    path = folder / "val" / "val_annotations.txt"
    pictures: dict[str, list[str]] = {synset: [] for synset in synsets}
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        name, synset, *_ = [*line.split("\t"), "", ""]
        if synset not in pictures:
            raise DataError(f"{path}, line {number}: '{synset}' is not in wnids.txt.")
        pictures[synset].append(f"val/images/{name}")
    return list(pictures.values())


def _class_names(folder: Path, synsets: list[str]) -> tuple[str, ...]:
    """``classnames.txt`` where the user has one, otherwise the first WordNet synonym of each class."""
    if (folder / "classnames.txt").exists():
        return tuple(NamesFile.read(folder / "classnames.txt").in_label_order)
    entries = (line.partition("\t") for line in read_text(folder / "words.txt").splitlines())
    name_of = {synset: words.split(",")[0].strip() for synset, _, words in entries}
    return tuple(name_of.get(synset, "") for synset in synsets)


def _split(name: str, folder: Path, pictures: list[list[str]]) -> Split:
    labels = np.repeat(np.arange(len(pictures)), [len(names) for names in pictures])
    return Split(name, labels, ImageFiles.find(folder, [picture for names in pictures for picture in names]))


def _number(name: str) -> int:
    return int(name.rpartition("_")[2].partition(".")[0])
