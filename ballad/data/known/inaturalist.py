"""iNaturalist 2018: a natural long tail of 8,142 species."""

import json
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from ballad.data.class_names import NamesFile
from ballad.data.files import ImageFiles
from ballad.data.known.entry import KnownDataset, missing_paths
from ballad.data.long_tail import Split
from ballad.data.readers.collection import ImageCollection
from ballad.data.readers.list_files import find_list, read_lists
from ballad.data.texts import read_text
from ballad.errors import DataError


class INaturalist2018(KnownDataset):
    name = "inaturalist2018"
    title = "iNaturalist 2018"
    citation = "Van Horn et al. 2018, The iNaturalist Species Classification and Detection Dataset, CVPR."
    licence = "The competition's terms: non-commercial research and education; each picture has its owner's licence."
    how_to_get = (
        "Get train_val2018.tar.gz (120 GB), the annotations and categories.json with the un-obfuscated names from "
        "https://github.com/visipedia/inat_comp/tree/master/2018."
    )
    layout = (
        "inaturalist2018/iNaturalist18_train.txt, iNaturalist18_val.txt, categories.json\n"
        "inaturalist2018/train_val2018/Aves/2761/*.jpg\n\n"
        "inaturalist2018/train2018.json, val2018.json, categories.json and the same pictures"
    )
    num_classes = 8142
    expected: ClassVar = {"train": 437_513, "val": 24_426}
    folders = ("inaturalist2018", "iNaturalist18", "inaturalist-2018", "iNaturalist2018", "inat2018")

    def missing_in(self, folder: Path) -> list[str]:
        lists = missing_paths(folder, "iNaturalist18_train.txt", "iNaturalist18_val.txt")
        annotations = missing_paths(folder, "train2018.json", "val2018.json")
        names = [] if (folder / "classnames.txt").exists() else missing_paths(folder, "categories.json")
        return min(lists, annotations, key=len) + names + missing_paths(folder, "train_val2018")

    def read(self, folder: Path) -> ImageCollection:
        class_names = _class_names(folder)
        if find_list(folder, "train") is not None:
            splits, notes = read_lists(folder, folder, class_names)
        else:
            splits, notes = {split: _annotated_split(folder, split) for split in ("train", "val")}, []
        return ImageCollection(self.name, self.title, class_names, splits, notes=tuple(notes))


def _class_names(folder: Path) -> tuple[str, ...]:
    if (folder / "classnames.txt").exists():
        return tuple(NamesFile.read(folder / "classnames.txt").in_label_order)
    categories = _read_json(folder / "categories.json")
    try:
        name_of = {category["id"]: category["name"] for category in categories}
        return tuple(name_of[label] for label in range(len(name_of)))
    except (KeyError, TypeError):
        raise DataError(
            f"{folder / 'categories.json'} must hold a list of categories, each with a 'name' and an 'id'; the "
            "ids count from 0."
        ) from None


def _annotated_split(folder: Path, split: str) -> Split:
    """Read the competition's own JSON, where an annotation ties an image to its category."""
    path = folder / f"{split}2018.json"
    content = _read_json(path)
    try:
        file_of_image = {image["id"]: image["file_name"] for image in content["images"]}
        names = [file_of_image[annotation["image_id"]] for annotation in content["annotations"]]
        labels = np.array([annotation["category_id"] for annotation in content["annotations"]], dtype=np.int64)
    except (KeyError, TypeError) as error:
        raise DataError(f"{path} is not an iNaturalist annotation file: {error} is missing.") from None
    return Split(split, labels, ImageFiles.find(folder, names))


def _read_json(path: Path) -> Any:
    try:
        return json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise DataError(f"{path} is not a JSON file: {error}.") from None
