"""Recognises files that are not weights despite their name, such as failed downloads or copies often leave."""

from pathlib import Path

from ballad.errors import BackboneError

_LFS_POINTER = b"version https://git-lfs"
_PAGE_STARTS = (b"<!doctype", b"<html", b"<?xml", b"<head")


def check_holds_weights(path: Path) -> None:
    """Raises BackboneError for an empty file, a git-LFS pointer, a web page, and safetensors that were cut off."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(512)
    except OSError as error:
        raise BackboneError(f"The weights file {path} cannot be read: {error.strerror}.") from None
    if not start:
        raise BackboneError(
            f"The weights file {path} is empty: its download or copy did not finish; download or copy it again."
        )
    if start.startswith(_LFS_POINTER):
        raise BackboneError(
            f"{path} is a git-LFS pointer, which stands for the weights in a repository; `git lfs pull` there fetches "
            "the file itself."
        )
    if start.lstrip().lower().startswith(_PAGE_STARTS):
        raise BackboneError(
            f"{path} is a web page, not weights: the link led to a page about the file; download the file itself."
        )
    if path.suffix == ".safetensors" and (len(start) < 8 or int.from_bytes(start[:8], "little") + 8 > size):
        raise BackboneError(
            f"{path} cannot be read as safetensors: it is truncated or not a safetensors file; download or copy it "
            "again."
        )
