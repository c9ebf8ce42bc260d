"""Small pictures of one size, decoded once and kept as one array: epochs and features read pixels, not files."""

import hashlib
import os
import shutil
from pathlib import Path

import numpy as np
from numpy.lib.format import open_memmap

from ballad.data.long_tail import Split
from ballad.errors import DataError
from ballad.events import CancelToken, EventSink, Notice

LARGEST_SIDE = 128
"""Larger pictures vary in size, and decoded they take ten times the disk of their files."""
IMAGES_BETWEEN_CHECKS = 500


def decoded_once(split: Split, folder: Path, *, on_event: EventSink, cancel: CancelToken) -> Split:
    """The split with pixels in place of files, memory-mapped from ``folder``; written there the first time.

    Gives ``split`` itself where it has no files, where pictures are large or differ in size, where one cannot be read
    (whoever reads it says so), and where the disk has no room. Files of another size or time of change are decoded
    anew. Raises Cancelled.
    """
    if split.paths is None or len(split) == 0:
        return split
    try:
        path = folder / f"{_key(split)}.npy"
    except OSError:
        return split
    if not path.exists() and not _write(split, path, on_event, cancel):
        return split
    return Split(split.name, split.labels, pixels=np.load(path, mmap_mode="r"))


def _key(split: Split) -> str:
    assert split.paths is not None
    digest = hashlib.sha256("\0".join([str(split.paths.folder.absolute()), *split.paths.names]).encode())
    found = [os.stat(os.path.join(split.paths.folder, name)) for name in split.paths.names]
    digest.update(np.array([(file.st_size, file.st_mtime_ns) for file in found], dtype="<i8").tobytes())
    return digest.hexdigest()[:16]


def _write(split: Split, path: Path, on_event: EventSink, cancel: CancelToken) -> bool:
    """Decode every image into the file; whether that could be done."""
    size = _common_size(split)
    if size is None:
        return False
    width, height = size
    path.parent.mkdir(parents=True, exist_ok=True)
    needed = len(split) * width * height * 3
    megabytes = f"{needed / 1e6:,.0f} MB"
    if shutil.disk_usage(path.parent).free < 2 * needed:
        on_event(Notice(f"The images of {split.name} stay in their files: {path.parent} has no room for {megabytes}."))
        return False
    on_event(Notice(f"Decoding the {len(split):,} images of {split.name} once, to {path.parent} ({megabytes})."))
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        pixels = open_memmap(temporary, mode="w+", dtype=np.uint8, shape=(len(split), height, width, 3))
        for index in range(len(split)):
            if index % IMAGES_BETWEEN_CHECKS == 0:
                cancel.check()
            image = split.image(index)
            if image.size != size:
                return False
            pixels[index] = image
        pixels.flush()
        os.replace(temporary, path)
    except DataError:
        return False
    finally:
        temporary.unlink(missing_ok=True)
    return True


def _common_size(split: Split) -> tuple[int, int] | None:
    """Width and height of a few images spread over the split, if they are small and agree."""
    try:
        sizes = {split.image(index).size for index in np.linspace(0, len(split) - 1, 8).astype(int)}
    except DataError:
        return None
    size = sizes.pop()
    return size if not sizes and max(size) <= LARGEST_SIDE else None
