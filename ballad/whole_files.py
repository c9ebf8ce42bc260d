"""Files that readers see whole or not at all, whatever happens to their writer."""

import os
from collections.abc import Callable
from pathlib import Path


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Let ``write`` fill a temporary file, then give it its name: readers see all of it or nothing."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        write(temporary)
        os.replace(temporary, path)
    finally:
        # Left by a failure, and where one link of a file was renamed over another, which does nothing.
        temporary.unlink(missing_ok=True)


def write_text_whole(path: Path, text: str) -> None:
    """As :func:`write_whole`, for a text in UTF-8."""
    write_whole(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def remove_leftovers(folder: Path) -> None:
    """Remove what writers that were killed left under temporary names, ours and safetensors' own."""
    for pattern in ("**/*.tmp", "**/*.part", "**/.tmp*"):
        for path in folder.glob(pattern):
            path.unlink()
