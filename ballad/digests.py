"""Whether files are still what was computed: their sizes and SHA-256 digests, as manifests hold them.

A file is read once per process for each state it is in: size, time of change and inode.
"""

import hashlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

Record = dict[str, dict[str, Any]]
"""``bytes`` and ``sha256`` of each file, by its path in the folder."""

_digests: dict[tuple[int, int, int, int], str] = {}


def record(folder: Path, paths: Iterable[Path] | None = None) -> Record:
    """Sizes and digests of these files below ``folder``, or of all."""
    if paths is None:
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): {"bytes": path.stat().st_size, "sha256": sha256(path)} for path in paths
    }


def is_record(value: object) -> bool:
    """Whether a value that was read from a manifest has the form of a :data:`Record`."""
    return isinstance(value, dict) and all(
        isinstance(file, dict) and isinstance(file.get("bytes"), int) and "sha256" in file for file in value.values()
    )


def missing_file(folder: Path, recorded: Mapping[str, Any]) -> str | None:
    """The first recorded file that is missing or has another size; reads no content."""
    for name, file in recorded.items():
        path = folder / name
        if not path.is_file() or path.stat().st_size != file["bytes"]:
            return name
    return None


def changed_file(folder: Path, recorded: Mapping[str, Any]) -> str | None:
    """The first recorded file whose content has changed or cannot be read."""
    for name, file in recorded.items():
        try:
            if sha256(folder / name) != file["sha256"]:
                return name
        except OSError:
            return name
    return None


def sha256(path: Path) -> str:
    """The digest of a file in hexadecimal, as ``sha256sum`` prints it."""
    with path.open("rb") as file:
        found = os.fstat(file.fileno())
        state = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)
        if state not in _digests:
            _digests[state] = hashlib.file_digest(file, "sha256").hexdigest()
    return _digests[state]
