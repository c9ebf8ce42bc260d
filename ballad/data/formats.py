"""The picture formats that are read: nothing else is opened, whatever a file is called.

Pillow knows more, some of which start helper programs (PostScript) or are made to hide surprises.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

FORMATS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"),
        "PNG": (".png",),
        "BMP": (".bmp",),
        "GIF": (".gif",),
        "WEBP": (".webp",),
        "TIFF": (".tif", ".tiff"),
        "PPM": (".ppm", ".pgm"),
        "AVIF": (".avif",),
    }
)
"""Pillow's name of each format that is read, and the endings of its files."""

SUFFIXES = frozenset(suffix for suffixes in FORMATS.values() for suffix in suffixes)

PICTURES_NOT_READ = frozenset(
    {".heic", ".heif", ".jp2", ".j2k", ".jpx", ".jxl", ".jxr", ".psd", ".xcf", ".svg", ".eps", ".ai", ".pdf", ".ico"}
    | {".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".rw2", ".raf", ".exr", ".hdr", ".tga", ".pcx", ".dds"}
)
"""Endings of pictures in other formats; they are to be converted first."""

_SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a", b"II*\0", b"MM\0*")


def is_picture(path: str | Path) -> bool:
    """Whether the file is taken for a picture: by the ending of its name, or without one by its first bytes."""
    suffix = os.path.splitext(path)[1].lower()
    return suffix in SUFFIXES if suffix else _starts_as_picture(path)


def _starts_as_picture(path: str | Path) -> bool:
    try:
        with open(path, "rb") as file:
            start = file.read(12)
    except OSError:
        return False
    return start.startswith(_SIGNATURES) or (start.startswith(b"RIFF") and start.endswith(b"WEBP"))
