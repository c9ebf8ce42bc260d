"""What a reader finds: named classes and the splits there are, before any is made or thinned out."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from ballad.data.ignored import Ignored
from ballad.data.long_tail import Split
from ballad.errors import DataError


@dataclass(frozen=True, eq=False)
class ImageCollection:
    """Labelled images as they lie on disk; becomes a LongTailDataset in :mod:`ballad.data.subsets`."""

    name: str
    title: str
    class_names: tuple[str, ...]
    splits: Mapping[str, Split]
    """``train`` always, ``val`` and ``test`` if there are any."""
    synthetic: bool = False
    notes: tuple[str, ...] = ()
    sources: tuple[str, ...] | None = None
    """The folder or label that each class came from [K]; the classes' numbers where there is none."""
    ignored: Ignored = field(default_factory=Ignored)

    @property
    def class_sources(self) -> tuple[str, ...]:
        """The folder, label or number that each class came from [K]."""
        return self.sources or tuple(map(str, range(len(self.class_names))))

    @property
    def train(self) -> Split:
        return self.splits["train"]

    def check(self) -> None:
        """Raise DataError unless every class has a name, training images and, if there is a test split, test images."""
        num_classes = len(self.class_names)
        if num_classes < 2:
            raise DataError(f"{self.title} has {num_classes} class{'es' * (num_classes != 1)}; at least 2 are needed.")
        for label, name in enumerate(self.class_names):
            if not name.strip():
                raise DataError(f"Class {label} of {self.title} has no name.")
        for split in self.splits.values():
            if len(split) == 0:
                raise DataError(f"The {split.name} split of {self.title} is empty.")
            if split.labels.min() < 0 or split.labels.max() >= num_classes:
                wrong = split.labels.max() if split.labels.min() >= 0 else split.labels.min()
                raise DataError(
                    f"The {split.name} split of {self.title} has the label {wrong}, "
                    f"but its {num_classes} named classes are 0 to {num_classes - 1}."
                )
        self._check_classes_match()

    def _check_classes_match(self) -> None:
        in_train = self.train.counts(len(self.class_names)) > 0
        in_test = self.splits.get("test", self.train).counts(len(self.class_names)) > 0
        for lacking, split in ((~in_train, "training"), (~in_test, "test")):
            labels = np.flatnonzero(lacking)
            if len(labels):
                others = f" (and {len(labels) - 1} more)" if len(labels) > 1 else ""
                raise DataError(
                    f"Class '{self.class_names[labels[0]]}', label {labels[0]}{others}, of {self.title} "
                    f"has no {split} image; add some, or remove the class from every split."
                )
