"""Pictures that readers bring: kept under the hash of their bytes, never under a name they chose."""

import hashlib
import os
import re
import time
from contextlib import suppress
from functools import partial
from pathlib import Path

from PIL import Image

from ballad.data.decoding import open_rgb
from ballad.errors import DataError
from ballad.whole_files import write_whole

LONGEST_SIDE_OF_PREVIEW = 512
DAYS_KEPT = 30


def keep_upload(home: Path, data: bytes) -> str:
    """Keep the bytes as they came; returns the name to ask for them by."""
    name = hashlib.sha256(data).hexdigest()
    path = home / "uploads" / name
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, partial(_write_bytes, data))
    return name


def decode_upload(home: Path, name: str) -> Image.Image:
    """The picture as RGB; leaves a small copy to show. DataError if it is not there or no picture."""
    path = _path(home, name)
    try:
        image = open_rgb(path)
    except DataError as error:
        # The file's name is a hash, which tells its reader nothing.
        reason = str(error).replace(f"The image {path}", "The uploaded picture").rstrip(".")
        raise DataError(f"{reason}; choose another picture.") from None
    os.utime(path)
    preview = image.copy()
    preview.thumbnail((LONGEST_SIDE_OF_PREVIEW, LONGEST_SIDE_OF_PREVIEW))
    write_whole(preview_path(home, name), partial(preview.save, format="PNG"))
    return image


def remove_old_uploads(home: Path) -> None:
    """Remove the pictures, and their small copies, that were last decoded more than ``DAYS_KEPT`` days ago."""
    oldest = time.time() - DAYS_KEPT * 86_400
    for path in (home / "uploads").glob("*"):
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < oldest:
                path.unlink()


def is_kept(home: Path, name: str) -> bool:
    """Whether an upload of this name is there; False for anything else."""
    return re.fullmatch(r"[0-9a-f]{64}", name) is not None and (home / "uploads" / name).exists()


def preview_path(home: Path, name: str) -> Path:
    """The small PNG that :func:`decode_upload` leaves. DataError if there is no such upload."""
    return _path(home, name).with_suffix(".png")


def _path(home: Path, name: str) -> Path:
    if not is_kept(home, name):
        raise DataError("The uploaded picture is no longer there; upload it again.")
    return home / "uploads" / name


def _write_bytes(data: bytes, path: Path) -> None:
    path.write_bytes(data)
