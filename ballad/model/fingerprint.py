"""What identifies a backbone's weights in the keys of stored results; reads files, never imports torch."""

import hashlib
from functools import lru_cache
from pathlib import Path

from ballad.model.source import CONFIG_FILE, find_source, folder_weights, tokenizer_files
from ballad.sections import BackboneSettings


def backbone_fingerprint(settings: BackboneSettings) -> str:
    """A text that changes when the weights behind the settings change.

    Local files count by content (SHA-256), so that a moved folder is the same backbone and an edited one is not;
    published weights count by name. Raises BackboneError as find_source does.
    """
    source = find_source(settings)
    if source.kind == "folder":
        folder = Path(source.name)
        parts = ["folder", file_hash(folder / CONFIG_FILE), *map(file_hash, tokenizer_files(folder))]
        if source.needs_weights and not source.checkpoint:
            parts.append(file_hash(folder_weights(folder)))
    else:
        parts = ["open_clip" if source.kind == "architecture" else "hf-hub", source.name]
    if source.tag:
        parts.append(source.tag)
    if source.checkpoint:
        parts.append(file_hash(source.checkpoint))
    return ":".join(parts)


def file_hash(path: Path) -> str:
    """16 hex digits of a file's content; a file is read again only when its size or time of change differs."""
    stat = path.stat()
    return _file_hash(path.resolve(), stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=64)
def _file_hash(path: Path, size: int, modified_ns: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]
