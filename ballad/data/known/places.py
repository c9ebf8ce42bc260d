"""Places-LT: the user's Places365 with the list files of Liu et al."""

from pathlib import Path
from typing import ClassVar

from ballad.data.class_names import NamesFile
from ballad.data.known.entry import KnownDataset, missing_paths
from ballad.data.readers.collection import ImageCollection
from ballad.data.readers.list_files import find_list, read_lists
from ballad.data.texts import read_text
from ballad.errors import DataError

STANDARD_TRAIN = ("data_256", "data_large", "data_256_standard", "data_large_standard")
STANDARD_VAL = ("val_256", "val_large")

# A qualifier reads best before its noun ("outdoor stage"); these names are nouns in both parts, or no words.
_NAMES = {
    "bakery-shop": "bakery shop",
    "elevator-door": "elevator door",
    "subway_station-platform": "subway station platform",
    "temple-asia": "Asian temple",
    "train_station-platform": "train station platform",
    "underwater-ocean_deep": "deep ocean underwater",
    "mountain_snowy": "snowy mountain",
}


class PlacesLT(KnownDataset):
    name = "places-lt"
    title = "Places-LT"
    citation = "Liu et al. 2019, arXiv 1904.05160; pictures of Zhou et al. 2017, Places, TPAMI."
    licence = "Places365's terms: non-commercial research and education."
    how_to_get = (
        "Get Places365-Standard from http://places2.csail.mit.edu/download.html and the three Places_LT_*.txt lists "
        "from https://github.com/zhmiao/OpenLongTailRecognition-OLTR."
    )
    layout = (
        "places-lt/Places_LT_train.txt, Places_LT_val.txt, Places_LT_test.txt\n"
        "places-lt/train/airfield/*.jpg and val/airfield/*.jpg (easy directory structure)\n\n"
        "places-lt/data_256/a/airfield/*.jpg and val_256/*.jpg (standard), or data_large and val_large"
    )
    num_classes = 365
    expected: ClassVar = {"train": 62_500, "val": 7_300, "test": 36_500}
    shot_classes = (131, 163, 71)
    folders = ("places-lt", "Places_LT", "places365_standard", "places365", "Places365")

    def missing_in(self, folder: Path) -> list[str]:
        missing = missing_paths(folder, *(f"Places_LT_{split}.txt" for split in ("train", "val", "test")))
        if not _standard_folder(folder, STANDARD_TRAIN):
            return missing + missing_paths(folder, "train", "val")
        return missing if _standard_folder(folder, STANDARD_VAL) else [*missing, "val_256"]

    def read(self, folder: Path) -> ImageCollection:
        class_names = _class_names(folder)
        train, val = _standard_folder(folder, STANDARD_TRAIN), _standard_folder(folder, STANDARD_VAL)

        def relocate(name: str) -> str:
            if train is None:
                return name
            top, category, file = name.split("/")
            # Only subcategories are set off by a hyphen: stage-indoor lies in s/stage/indoor.
            return f"{val}/{file}" if top == "val" else f"{train}/{category[0]}/{category.replace('-', '/')}/{file}"

        splits, notes = read_lists(folder, folder, class_names, relocate)
        return ImageCollection(self.name, self.title, class_names, splits, notes=tuple(notes))


def readable_category(category: str) -> str:
    """A category of the lists in words: ``apartment_building-outdoor`` becomes ``outdoor apartment building``."""
    if category in _NAMES:
        return _NAMES[category]
    noun, _, qualifier = category.partition("-")
    return f"{qualifier} {noun}".strip().replace("_", " ")


def _standard_folder(folder: Path, names: tuple[str, ...]) -> str | None:
    return next((name for name in names if (folder / name).is_dir()), None)


def _class_names(folder: Path) -> tuple[str, ...]:
    """``classnames.txt`` where the user has one, otherwise the categories that the training list names."""
    if (folder / "classnames.txt").exists():
        return tuple(NamesFile.read(folder / "classnames.txt").in_label_order)
    list_file = find_list(folder, "train")
    assert list_file is not None
    categories: dict[int, str] = {}
    for number, line in enumerate(read_text(list_file).splitlines(), start=1):
        parts = line.replace("/", " ").split()
        if len(parts) != 4 or not parts[3].isdecimal():
            raise DataError(f"{list_file}, line {number}: expected 'train/category/file.jpg label', found '{line}'.")
        categories.setdefault(int(parts[3]), parts[1])
    absent = sorted(set(range(max(categories, default=0))) - set(categories))
    if absent:
        raise DataError(f"{list_file} lists no image of class {absent[0]}.")
    return tuple(readable_category(categories[label]) for label in sorted(categories))
