"""Notices files that were overwritten by others of the same size, which names and sizes cannot tell.

A fingerprint of names and sizes stands for the contents that a home first saw under it, its originals. A file whose
content has changed since is marked, and marks are part of the fingerprint: it changes with the content and comes back
with it. A folder that is copied elsewhere, or only touched, keeps its fingerprint.

``contents.sqlite`` in the home remembers

- the digest of each file that was read, with the size and times it had then: unless one of them has changed, the file
  is not read again;
- the versions of the originals: digests, or for files that were never read the time of their last change. Datasets of
  more than READ_AT_ONCE bytes are not read when they are first seen: there, a file with an unchanged time is taken to
  be unchanged.

Stages older than this memory were made from contents that nobody remembers. If they bear the fingerprint, files younger
than the stages count as changed.
"""

import hashlib
import json
import sqlite3
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ballad.data.files import ImageFiles
from ballad.data.long_tail import LongTailDataset, Split
from ballad.data.prefetch import available_cores
from ballad.errors import DataError
from ballad.home import stages_dir

READ_AT_ONCE = 1 << 30
"""The most bytes of pictures that are read at once to learn their contents."""
VERSION_BYTES = 16
_UNREAD = b"unread: "
"""Begins the version of a file that was not read; the time of its last change follows."""
_LOST = np.frombuffer(b"not remembered: ", dtype=np.uint8)
"""The version of an original that was overwritten before anything was remembered of it."""
_CLOCK_GRAIN_NS = 2_000_000_000
"""Files changed this recently may change again without a new time, so their digests are not remembered."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS digests (
    folder TEXT, name TEXT, size INTEGER, modified INTEGER, changed INTEGER, digest BLOB, PRIMARY KEY (folder, name)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS originals (fingerprint TEXT PRIMARY KEY, versions BLOB);
"""

Versions = NDArray[np.uint8]
"""What tells a file's contents apart, [N, 16]: digests, or times of files that were not read."""


def with_changes_marked(dataset: LongTailDataset, home: Path) -> LongTailDataset:
    """The dataset, with a mark on every file whose content is no longer what its fingerprint stands for in ``home``.

    A home that cannot be written remembers nothing. Raises DataError if the memory is damaged or in use for too long.
    """
    dataset = _marked(dataset, None)
    parts = [split.paths for split in dataset.splits if split.paths is not None]
    if not parts:
        return dataset
    path = home / "contents.sqlite"
    try:
        home.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(path, timeout=30)) as memory:
            memory.executescript(_SCHEMA)
            originals = _originals(memory, dataset.fingerprint)
            if originals is None:
                now = _versions(memory, parts)
                originals = _remember_originals(memory, dataset.fingerprint, parts, now, home)
            else:
                now = _versions(memory, parts, unless=originals)
    except OSError:
        return dataset
    except sqlite3.DatabaseError as error:
        if _cannot_be_written(error):
            return dataset
        raise DataError(f"{path} cannot be used ({error}); try again, or delete it if it is damaged.") from None
    changed = (now != originals).any(axis=1, keepdims=True)
    return _marked(dataset, np.where(changed, now, 0).astype(np.uint8)) if changed.any() else dataset


def _marked(dataset: LongTailDataset, marks: Versions | None) -> LongTailDataset:
    first = 0

    def marked(split: Split) -> Split:
        nonlocal first
        if split.paths is None or (marks is None and split.paths.marks is None):
            return split
        last = first + len(split)
        own, first = None if marks is None else marks[first:last], last
        return replace(split, paths=replace(split.paths, marks=own))

    train = marked(dataset.train)
    val = None if dataset.val is None else marked(dataset.val)
    return replace(dataset, train=train, val=val, test=marked(dataset.test))


def _originals(memory: sqlite3.Connection, fingerprint: str) -> Versions | None:
    found = memory.execute("SELECT versions FROM originals WHERE fingerprint = ?", [fingerprint]).fetchone()
    return None if found is None else np.frombuffer(found[0], dtype=np.uint8).reshape(-1, VERSION_BYTES)


def _remember_originals(
    memory: sqlite3.Connection, fingerprint: str, parts: Sequence[ImageFiles], now: Versions, home: Path
) -> Versions:
    made = _oldest_stage(home, fingerprint)
    modified = np.concatenate([files.times[:, :1] for files in parts])
    originals = now if made is None else np.where(modified > made * 1e9, _LOST, now)
    with memory:
        memory.execute("INSERT OR IGNORE INTO originals VALUES (?, ?)", [fingerprint, originals.tobytes()])
    return originals


def _oldest_stage(home: Path, fingerprint: str) -> float | None:
    """When the first of the stages that bear the dataset's fingerprint was begun, in seconds since 1970."""
    begun = []
    for path in stages_dir(home).glob("*/*/manifest.json"):
        try:
            manifest = json.loads(path.read_text(encoding="utf-8"))
            if manifest["inputs"].get("dataset") == fingerprint:
                begun.append(manifest["created"] - manifest["seconds"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue  # damaged, or removed meanwhile: nothing that a run could use
    return min(begun, default=None)


def _versions(memory: sqlite3.Connection, parts: Sequence[ImageFiles], unless: Versions | None = None) -> Versions:
    """The versions of all files: digests as far as they are known or may be read now.

    Files that still have the time recorded in ``unless`` are not read.
    """
    versions = np.concatenate([_unread(files) for files in parts])
    asked = np.ones(len(versions), dtype=bool) if unless is None else (versions != unless).any(axis=1)
    firsts = np.cumsum([0, *map(len, parts)])
    unknown: list[list[int]] = []
    for files, first in zip(parts, firsts, strict=False):
        known = _known_digests(memory, files)
        unknown.append([])
        for index in np.flatnonzero(asked[first : first + len(files)]).tolist():
            digest = known.get((files.names[index], int(files.sizes[index]), *files.times[index].tolist()))
            if digest is None:
                unknown[-1].append(index)
            else:
                versions[first + index] = np.frombuffer(digest, dtype=np.uint8)
    if sum(int(files.sizes[indices].sum()) for files, indices in zip(parts, unknown, strict=True)) <= READ_AT_ONCE:
        for files, indices, first in zip(parts, unknown, firsts, strict=False):
            for index, digest in _read(memory, files, indices).items():
                versions[first + index] = np.frombuffer(digest, dtype=np.uint8)
    return versions


def _unread(files: ImageFiles) -> Versions:
    modified = files.times[:, :1].astype("<i8").copy().view(np.uint8)
    return np.hstack([np.tile(np.frombuffer(_UNREAD, dtype=np.uint8), (len(files), 1)), modified])


def _known_digests(memory: sqlite3.Connection, files: ImageFiles) -> dict[tuple[str, int, int, int], bytes]:
    rows = memory.execute(
        "SELECT name, size, modified, changed, digest FROM digests WHERE folder = ?", [str(files.folder.absolute())]
    )
    return {(name, size, modified, changed): digest for name, size, modified, changed, digest in rows}


def _read(memory: sqlite3.Connection, files: ImageFiles, indices: Sequence[int]) -> dict[int, bytes]:
    """Digests of the files at ``indices`` that can be read, remembered from now on."""

    def digest(index: int) -> bytes | None:
        try:
            with files[index].open("rb") as file:
                return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=VERSION_BYTES)).digest()
        except OSError:
            return None  # the reader of the picture says why it cannot be read

    with ThreadPoolExecutor(available_cores(), thread_name_prefix="contents") as pool:
        digests = {index: found for index, found in zip(indices, pool.map(digest, indices), strict=True) if found}
    still = time.time_ns() - _CLOCK_GRAIN_NS
    folder = str(files.folder.absolute())
    rows = [
        (folder, files.names[index], int(files.sizes[index]), *files.times[index].tolist(), found)
        for index, found in digests.items()
        if files.times[index].max() < still
    ]
    with memory:
        memory.executemany("INSERT OR REPLACE INTO digests VALUES (?, ?, ?, ?, ?, ?)", rows)
    return digests


def _cannot_be_written(error: sqlite3.DatabaseError) -> bool:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)
