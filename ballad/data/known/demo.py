"""The embedded demo set; always there."""

from pathlib import Path
from typing import ClassVar

from ballad.data.known.entry import KnownDataset, Status
from ballad.data.readers.collection import ImageCollection


class Demo(KnownDataset):
    name = "demo"
    title = "Demo (synthetic shapes)"
    citation = "Part of this software: pictures rendered by a program, not photographs."
    licence = "Apache-2.0"
    how_to_get = "It is rendered when it is first used."
    layout = "no files"
    num_classes = 60
    expected: ClassVar = {}

    def status(self) -> Status:
        return Status("present", "The synthetic demo set is rendered when it is used.")

    def missing_in(self, folder: Path) -> list[str]:
        return []

    def load(self) -> ImageCollection:
        from ballad.data.demo.dataset import demo_dataset

        demo = demo_dataset()
        splits = {split.name: split for split in demo.splits}
        return ImageCollection(demo.name, demo.title, demo.class_names, splits, demo.synthetic, demo.notes)

    def read(self, folder: Path) -> ImageCollection:
        return self.load()
