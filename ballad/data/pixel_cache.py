"""Pictures decoded once and kept in one file: epochs and features read pixels instead of decoding files again.

That pays for small pictures of one size, and where ``dataset.shorter_side`` scales larger ones down.
"""

import hashlib
import os
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

from ballad.data.long_tail import Split
from ballad.data.prefetch import available_cores
from ballad.data.stored_pictures import StoredPictures, write_pictures
from ballad.errors import DataError
from ballad.events import CancelToken, EventSink, Notice, Progress
from ballad.locks import exclusive, exclusive_if_free

LARGEST_SIDE = 128
"""Larger pictures vary in size, and decoded they take ten times the disk of their files."""
IMAGES_AT_ONCE = 500
PROBED = 32
"""Images whose sizes are looked at to estimate the room that all of them need."""


class _OfAnotherSize(Exception):
    """A picture differs in size from those before it."""


def decoded_once(split: Split, folder: Path, *, on_event: EventSink, cancel: CancelToken) -> Split:
    """The split with decoded pictures in place of files, memory-mapped from ``folder``; written there the first time.

    Gives ``split`` itself where it has no files, where it has no ``shorter_side`` and pictures are large or differ in
    size, where one cannot be read (its reader says so), and where the disk has no room. Files of another size or
    time of change are decoded anew. Raises Cancelled.
    """
    if split.paths is None or len(split) == 0:
        return split
    try:
        path = folder / f"{_key(split)}.npy"
    except OSError:
        return split
    stored = _open(path)
    if stored is None:
        if not _write(split, path, on_event, cancel):
            return split
        stored = StoredPictures.open(path)
    if stored.as_array is not None:
        return Split(split.name, split.labels, pixels=stored.as_array)
    return Split(split.name, split.labels, stored=stored)


def remove_unfinished(folder: Path) -> None:
    """Remove what writers that were killed left in ``folder``; those at work keep their files."""
    for path in [*folder.glob("*.tmp*"), *folder.glob("*.lock")]:
        with exclusive_if_free(_lock_file(folder / path.name.lstrip("."))) as free:
            if free:
                path.unlink(missing_ok=True)


def _open(path: Path) -> StoredPictures | None:
    """None where nothing was written, or where the files have changed since."""
    try:
        return StoredPictures.open(path)
    except (OSError, ValueError):
        return None


def _lock_file(path: Path) -> Path:
    """One lock for all files of a key."""
    return path.with_name(f"{path.name.partition('.')[0]}.lock")


def _key(split: Split) -> str:
    assert split.paths is not None
    form = ["one after the other", str(split.shorter_side), str(split.paths.folder.absolute())]
    digest = hashlib.sha256("\0".join([*form, *split.paths.names]).encode())
    found = [os.stat(os.path.join(split.paths.folder, name)) for name in split.paths.names]
    facts = [(file.st_size, file.st_mtime_ns, file.st_ctime_ns) for file in found]
    digest.update(np.array(facts, dtype="<i8").tobytes())
    return digest.hexdigest()[:16]


def _write(split: Split, path: Path, on_event: EventSink, cancel: CancelToken) -> bool:
    """Decode every image into the file; whether that could be done."""
    try:
        sizes = _probed_sizes(split)
    except DataError:
        return False
    differ = len(set(sizes)) > 1
    if split.shorter_side is None and (differ or max(sizes[0]) > LARGEST_SIDE):
        return False
    needed = int(len(split) * np.mean([width * height * 3 for width, height in sizes]))
    megabytes = f"{'about ' * differ}{needed / 1e6:,.0f} MB"
    path.parent.mkdir(parents=True, exist_ok=True)
    # Runs that begin together on several devices want the same file.
    with exclusive(_lock_file(path), cancel.check):
        return _open(path) is not None or _write_alone(split, path, needed, megabytes, on_event, cancel)


def _write_alone(
    split: Split, path: Path, needed: int, megabytes: str, on_event: EventSink, cancel: CancelToken
) -> bool:
    for leftover in path.parent.glob(f"*{path.stem}*.tmp*"):
        leftover.unlink()
    if shutil.disk_usage(path.parent).free < 2 * needed:
        on_event(Notice(f"The images of {split.name} stay in their files: {path.parent} has no room for {megabytes}."))
        return False
    why = "anew, since what was kept of them is incomplete or has changed" if path.exists() else "once"
    on_event(Notice(f"Decoding the {len(split):,} images of {split.name} {why}, to {path.parent} ({megabytes})."))
    try:
        write_pictures(_pictures(split, on_event, cancel), path)
    except (DataError, _OfAnotherSize):
        return False
    return True


def _probed_sizes(split: Split) -> list[tuple[int, int]]:
    """Widths and heights of a few images spread over the split. Raises DataError."""
    return [split.image(int(index)).size for index in np.linspace(0, len(split) - 1, PROBED)]


def _pictures(split: Split, on_event: EventSink, cancel: CancelToken) -> Iterator[Image.Image]:
    """Every image, decoded a few ahead. Raises DataError, _OfAnotherSize and Cancelled."""
    started = time.monotonic()
    parts = range(0, len(split), IMAGES_AT_ONCE)
    first_size = split.image(0).size
    with ThreadPoolExecutor(available_cores(), thread_name_prefix="decode") as pool:
        for number, first in enumerate(parts, start=1):
            cancel.check()
            for picture in pool.map(split.image, range(first, min(first + IMAGES_AT_ONCE, len(split)))):
                if split.shorter_side is None and picture.size != first_size:
                    raise _OfAnotherSize
                yield picture
            seconds = time.monotonic() - started
            on_event(
                Progress(
                    f"decoding of {split.name}",
                    1,
                    1,
                    number,
                    len(parts),
                    images_per_second=number * IMAGES_AT_ONCE / seconds,
                    eta_seconds=(len(parts) - number) * seconds / number,
                )
            )
