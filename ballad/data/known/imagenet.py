"""ImageNet-LT: the user's ImageNet with the list files of Liu et al."""

from pathlib import Path
from typing import ClassVar

from ballad.data.class_names import NamesFile
from ballad.data.known.entry import KnownDataset, missing_paths
from ballad.data.readers.collection import ImageCollection
from ballad.data.readers.list_files import read_lists


class ImageNetLT(KnownDataset):
    name = "imagenet-lt"
    title = "ImageNet-LT"
    citation = "Liu et al. 2019, Large-Scale Long-Tailed Recognition in an Open World, arXiv 1904.05160."
    licence = "ImageNet's terms: non-commercial research and education."
    how_to_get = (
        "Get ILSVRC2012 from https://image-net.org and the three ImageNet_LT_*.txt lists from "
        "https://github.com/zhmiao/OpenLongTailRecognition-OLTR."
    )
    layout = (
        "imagenet-lt/ImageNet_LT_train.txt, ImageNet_LT_val.txt, ImageNet_LT_test.txt\n"
        "imagenet-lt/train/n01440764/*.JPEG\n"
        "imagenet-lt/val/n01440764/*.JPEG, or val/*.JPEG without synset folders"
    )
    num_classes = 1000
    expected: ClassVar = {"train": 115_846, "val": 20_000, "test": 50_000}
    shot_classes = (385, 479, 136)
    folders = ("imagenet-lt", "ImageNet_LT", "imagenet", "ImageNet", "ILSVRC2012")

    def missing_in(self, folder: Path) -> list[str]:
        lists = (f"ImageNet_LT_{split}.txt" for split in ("train", "val", "test"))
        return missing_paths(folder, *lists, "train", "val")

    def read(self, folder: Path) -> ImageCollection:
        flat = not any((folder / "val").glob("n*/"))

        def relocate(name: str) -> str:
            top, *_, file = name.split("/")
            return f"val/{file}" if flat and top == "val" else name

        class_names = _class_names(folder)
        splits, notes = read_lists(folder, folder, class_names, relocate)
        return ImageCollection(self.name, self.title, class_names, splits, notes=tuple(notes))


def _class_names(folder: Path) -> tuple[str, ...]:
    """``classnames.txt`` where the user has one, otherwise the names open_clip ships, in the order of the synsets."""
    if (folder / "classnames.txt").exists():
        return tuple(NamesFile.read(folder / "classnames.txt").in_label_order)
    from open_clip.zero_shot_metadata import IMAGENET_CLASSNAMES

    return tuple(IMAGENET_CLASSNAMES)
