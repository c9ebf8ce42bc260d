"""What can be wrong with the images of a dataset: unreadable files, test images that were trained on."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ballad.data.long_tail import LongTailDataset, Split
from ballad.data.prefetch import available_cores
from ballad.errors import DataError
from ballad.whole_files import write_text_whole

NAMES_SHOWN = 5


def unreadable_images(dataset: LongTailDataset, on_checked: Callable[[int], None] = lambda done: None) -> pd.DataFrame:
    """Decode every image; returns one row for each that fails: split, index, sample, class_name, problem.

    ``on_checked`` is called with the number of images decoded so far; what it raises ends the check.
    """
    rows, checked = [], 0
    with ThreadPoolExecutor(available_cores(), thread_name_prefix="decode") as pool:
        for split in dataset.splits:
            if split.paths is None:
                continue
            for index, problem in enumerate(_problems(split, pool)):
                checked += 1
                on_checked(checked)
                if problem is not None:
                    class_name = dataset.class_names[split.labels[index]]
                    rows.append((split.name, index, split.sample_name(index), class_name, problem))
    return pd.DataFrame(rows, columns=["split", "index", "sample", "class_name", "problem"])


def equal_images(dataset: LongTailDataset) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Images with the same bytes as another: again in the same split, and leaks.

    Both tables have one row per pair. Repeats: split, sample, class_name, first_sample, first_class_name. Leaks, of
    test and validation images that are also trained on: split, sample, class_name, train_sample, train_class_name.
    """
    sizes, counts = np.unique(np.concatenate([_sizes(split) for split in dataset.splits]), return_counts=True)
    repeats, leaks = [], []
    trained: dict[bytes, int] = {}
    for split in dataset.splits:
        first: dict[bytes, int] = trained if split is dataset.train else {}
        for index in np.flatnonzero(np.isin(_sizes(split), sizes[counts > 1])).tolist():
            try:
                digest = _digest(split, index)
            except DataError:
                continue  # one of the unreadable images
            if split is not dataset.train and digest in trained:
                twin = _named(dataset, dataset.train, trained[digest])
                leaks.append((split.name, *_named(dataset, split, index), *twin))
            if first.setdefault(digest, index) != index:
                repeats.append((split.name, *_named(dataset, split, index), *_named(dataset, split, first[digest])))
    columns = ["split", "sample", "class_name"]
    return (
        pd.DataFrame(repeats, columns=[*columns, "first_sample", "first_class_name"]),
        pd.DataFrame(leaks, columns=[*columns, "train_sample", "train_class_name"]),
    )


def without_unreadable(dataset: LongTailDataset, memory: Path) -> LongTailDataset:
    """The dataset without the images that cannot be decoded, with a note that lists them.

    Decoding every image takes a while, so the verdict is kept in the folder ``memory`` under the dataset's fingerprint.
    Raises DataError if a class loses its last training or test image.
    """
    unreadable = _remembered(dataset, memory / f"{dataset.fingerprint}.json")
    if unreadable.empty:
        return dataset
    kept = {split.name: _without(split, unreadable) for split in dataset.splits}
    for name in ("train", "test"):
        emptied = np.flatnonzero(kept[name].counts(dataset.num_classes) == 0)
        if len(emptied):
            raise DataError(f"No {name} image of class '{dataset.class_names[emptied[0]]}' can be read.")
    return replace(
        dataset,
        train=kept["train"],
        val=kept.get("val"),
        test=kept["test"],
        notes=(*dataset.notes, f"{len(unreadable)} unreadable images are left out: {_shown(unreadable['sample'])}."),
    )


def _problems(split: Split, pool: ThreadPoolExecutor) -> Iterator[str | None]:
    # A thousand at a time: the pool would queue every image of the split at once.
    for first in range(0, len(split), 1000):
        yield from pool.map(split.problem, range(first, min(first + 1000, len(split))))


def _remembered(dataset: LongTailDataset, path: Path) -> pd.DataFrame:
    if path.exists():
        return pd.DataFrame(json.loads(path.read_text(encoding="utf-8")), columns=["split", "index", "sample"])
    unreadable = unreadable_images(dataset)[["split", "index", "sample"]]
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text_whole(path, unreadable.to_json(orient="records"))
    return unreadable


def _without(split: Split, unreadable: pd.DataFrame) -> Split:
    bad = unreadable.loc[unreadable["split"] == split.name, "index"].to_numpy(dtype=np.int64)
    return split.take(np.setdiff1d(np.arange(len(split)), bad))


def _shown(names: Iterable[str]) -> str:
    names = list(names)
    more = f" and {len(names) - NAMES_SHOWN:,} more" if len(names) > NAMES_SHOWN else ""
    return ", ".join(names[:NAMES_SHOWN]) + more


def _sizes(split: Split) -> NDArray[np.int64]:
    """Bytes of each image [N]; only images of one size can be equal."""
    return split.paths.sizes if split.paths is not None else np.full(len(split), -1)


def _digest(split: Split, index: int) -> bytes:
    return hashlib.sha256(split.encoded(index)).digest()


def _named(dataset: LongTailDataset, split: Split, index: int) -> tuple[str, str]:
    return split.sample_name(index), dataset.class_names[split.labels[index]]
