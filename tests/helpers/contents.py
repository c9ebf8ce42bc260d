"""What a dataset holds, whatever its order, numbers and folders."""

import hashlib
from collections import Counter

from ballad.data.long_tail import LongTailDataset


def contents(dataset: LongTailDataset) -> Counter[tuple[str, str, str]]:
    """How often each image stands in a split under a class's name: (split, class name, digest of the image)."""
    return Counter(
        (split.name, dataset.class_names[label], hashlib.sha256(split.encoded(index)).hexdigest())
        for split in dataset.splits
        for index, label in enumerate(split.labels)
    )
