"""Files and folders that are either complete or absent, whenever a process is killed or the power fails.

What is new gets a temporary name, is flushed to the disk, and only then its own name; what goes loses its name first.
"""

import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

REMOVED = ".removed"
"""Ends the name of a folder that is being deleted."""


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Let ``write`` fill a temporary file beside ``path``, then give it that name: readers see all of it or nothing."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.tmp")
    try:
        write(temporary)
        name_whole(temporary, path)
    finally:
        # Also after success: renaming one link of a file over another does nothing.
        temporary.unlink(missing_ok=True)


def write_text_whole(path: Path, text: str) -> None:
    """Write UTF-8 text as :func:`write_whole`."""
    write_whole(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def name_whole(finished: Path, name: Path) -> None:
    """Rename a finished file or folder, in place of a file that has the name, so that no power cut can undo it."""
    for path in [finished, *finished.rglob("*")] if finished.is_dir() else [finished]:
        _flush(path)
    os.replace(finished, name)
    _flush(name.parent)


def remove_whole(path: Path) -> None:
    """Delete a file or folder, if it is there; one that is cut off leaves a folder called ``….removed`` at most."""
    if path.is_dir() and not path.is_symlink():
        removed = path.with_name(f"{path.name}{REMOVED}")
        shutil.rmtree(removed, ignore_errors=True)
        os.replace(path, removed)
        _flush(path.parent)
        shutil.rmtree(removed, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def remove_leftovers(folder: Path) -> None:
    """Remove what writers that were killed left under temporary names, ours and safetensors' own."""
    for pattern in ("**/*.tmp", "**/*.part", "**/.tmp*"):
        for path in folder.glob(pattern):
            path.unlink()


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
