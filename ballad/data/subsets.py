"""From the images on disk to the set that is trained on: splits set aside, a long tail cut, classes chosen."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ballad.data.long_tail import LongTailDataset, Split, long_tail_counts
from ballad.data.readers.collection import ImageCollection
from ballad.errors import DataError, SettingsError
from ballad.sections import DatasetSettings

REFERENCE_RATIO = 100
"""The imbalance ratio whose shot groups ``shot_groups: rho100`` keeps."""


def build_dataset(found: ImageCollection, settings: DatasetSettings) -> LongTailDataset:
    """The dataset that ``settings`` ask for. Raises DataError or SettingsError if ``found`` cannot give it."""
    found = _with_test_split(found, settings)
    found.check()
    counts = found.train.counts(len(found.class_names))
    wanted = _wanted_counts(counts, settings.imbalance_ratio, settings.imbalance_profile)
    val_each = 0 if "val" in found.splits else settings.validation_per_class
    test_each = 0 if "test" in found.splits else settings.test_per_class
    train, val, test = _partition(found, wanted, val_each, test_each, settings.split_seed)
    dataset = LongTailDataset(
        name=found.name,
        title=found.title,
        class_names=found.class_names,
        train=train,
        val=val,
        test=test,
        synthetic=found.synthetic,
        notes=found.notes,
        reference_counts=_reference(counts, settings),
        class_sources=found.class_sources,
        ignored=found.ignored,
    )
    return dataset if settings.classes is None else keep_classes(dataset, settings.classes)


def _with_test_split(found: ImageCollection, settings: DatasetSettings) -> ImageCollection:
    if "test" in found.splits or settings.test_per_class:
        return found
    if "val" not in found.splits:
        raise DataError(f"{found.title} has no test split; set dataset.test_per_class to take one from training.")
    splits = {"train": found.train, "test": replace(found.splits["val"], name="test")}
    note = "There is no separate test split, so the validation split is used for testing."
    return replace(found, splits=splits, notes=(*found.notes, note))


def _wanted_counts(counts: NDArray[np.int64], ratio: float | None, profile: str) -> NDArray[np.int64]:
    """Training images to keep [K]: the long tail runs over the classes in order of their size.

    Classes of equal size stay in the order of their labels, as in CIFAR-LT.
    """
    if ratio is None:
        return counts
    wanted = np.empty_like(counts)
    by_size = np.argsort(-counts, kind="stable")
    wanted[by_size] = long_tail_counts(int(counts.max()), len(counts), ratio, profile)  # type: ignore[arg-type]
    return np.minimum(wanted, counts)


def _reference(counts: NDArray[np.int64], settings: DatasetSettings) -> NDArray[np.int64] | None:
    if settings.shot_groups == "recount":
        return None
    if settings.imbalance_ratio is None:
        raise SettingsError(
            "dataset.shot_groups = 'rho100' keeps the shot groups of ratio 100, so it needs dataset.imbalance_ratio."
        )
    return _wanted_counts(counts, REFERENCE_RATIO, settings.imbalance_profile)


def _partition(
    found: ImageCollection, wanted: NDArray[np.int64], val_each: int, test_each: int, seed: int
) -> tuple[Split, Split | None, Split]:
    """Shuffle each class once; the first images train, the last are set aside for validation, those before for test.

    NumPy's legacy generator runs over the classes in order, so seed 0 gives the CIFAR-LT of the literature.
    """
    generator = np.random.RandomState(seed)
    kept: dict[str, list[NDArray[np.int64]]] = {"train": [], "val": [], "test": []}
    for label, name in enumerate(found.class_names):
        members = np.flatnonzero(found.train.labels == label)
        left = len(members) - val_each - test_each
        if left < 1:
            raise DataError(
                f"Class '{name}' has {len(members)} training images; setting {val_each + test_each} aside "
                f"(validation_per_class {val_each}, test_per_class {test_each}) leaves none to train on."
            )
        generator.shuffle(members)
        kept["train"].append(members[: min(wanted[label], left)])
        kept["test"].append(members[left : left + test_each])
        kept["val"].append(members[left + test_each :])
    made = {split: found.train.take(np.sort(np.concatenate(parts)), name=split) for split, parts in kept.items()}
    val = made["val"] if val_each else found.splits.get("val")
    return made["train"], val, found.splits.get("test", made["test"])


def keep_classes(dataset: LongTailDataset, number: int) -> LongTailDataset:
    """Keep ``number`` classes, evenly spaced over the classes ordered by training count, and number them anew."""
    if number > dataset.num_classes:
        raise SettingsError(f"dataset.classes = {number}: {dataset.title} has only {dataset.num_classes} classes.")
    by_count = np.argsort(-dataset.class_counts, kind="stable")
    places = np.round(np.linspace(0, dataset.num_classes - 1, number)).astype(np.int64)
    kept = np.sort(by_count[places])
    new_label = np.full(dataset.num_classes, -1, dtype=np.int64)
    new_label[kept] = np.arange(number)

    def of_kept(split: Split) -> Split:
        indices = np.flatnonzero(new_label[split.labels] >= 0)
        return split.take(indices, labels=new_label[split.labels[indices]])

    return replace(
        dataset,
        class_names=tuple(dataset.class_names[label] for label in kept),
        train=of_kept(dataset.train),
        val=None if dataset.val is None else of_kept(dataset.val),
        test=of_kept(dataset.test),
        reference_counts=None if dataset.reference_counts is None else dataset.reference_counts[kept],
        class_sources=tuple(dataset.class_sources[label] for label in kept),
    )
