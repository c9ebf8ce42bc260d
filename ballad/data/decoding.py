"""Open any image file as 8-bit RGB, the same way everywhere; within bounds of format and size."""

import struct
import threading
import zlib
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from ballad.data.formats import FORMATS
from ballad.errors import DataError

MOST_PIXELS = 100_000_000
"""Larger pictures are decoded at a reduced size where their format can (JPEG), and refused where it cannot."""
DECODED_ALONE = 25_000_000
"""Pictures with more pixels are decoded one at a time: a few at once would fill the memory of a small machine."""

# The limit above takes the place of Pillow's own, which refuses a JPEG before its size can be reduced.
Image.MAX_IMAGE_PIXELS = None

# What Pillow's decoders raise on a damaged file, beside OSError.
_DAMAGED = (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error)

_one_large_picture = threading.Lock()


def open_rgb(path: Path, *, at_least: int | None = None) -> Image.Image:
    """Decode the file at ``path`` to RGB, 8 bits per channel.

    The EXIF orientation is applied unless it is damaged, an animation gives its first frame, transparency lies on
    white, grey and CMYK become RGB, 16-bit values keep their high byte. With ``at_least``, a JPEG may come smaller,
    with no side below so many pixels: enough for a thumbnail, at a fraction of the cost.

    Raises DataError if the file is missing, truncated, not an image of a format in FORMATS, or too large.
    """
    try:
        with Image.open(path, formats=tuple(FORMATS)) as image:
            _reduce(image, at_least)
            with _room_for(image):
                image.load()
                if image.mode == "RGB" and "exif" not in image.info and image.format == "JPEG":
                    return image  # nearly every file of the benchmarks
                return to_rgb(_upright(image))
    except FileNotFoundError:
        raise DataError(f"The image {path} does not exist.") from None
    except _DAMAGED as error:
        raise DataError(f"The image {path} cannot be read: {_reason(error)}.") from None


def _reduce(image: Image.Image, at_least: int | None) -> None:
    """Have the decoder reduce the picture to the limit, and further towards ``at_least``. Raises ValueError."""
    width, height = image.size
    for factor in (1, 2, 4, 8):
        small_enough = width * height <= MOST_PIXELS * factor**2
        if small_enough and (at_least is None or min(width, height) < 2 * factor * at_least):
            break
    if factor > 1:
        image.draft(None, (width // factor, height // factor))
    if image.width * image.height > MOST_PIXELS:
        raise ValueError(
            f"its {width:,} × {height:,} pixels are more than the {MOST_PIXELS // 1_000_000} million that are decoded; "
            "scale it down"
        )


def _room_for(image: Image.Image) -> AbstractContextManager[object]:
    return _one_large_picture if image.width * image.height > DECODED_ALONE else nullcontext()


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except _DAMAGED:
        return image  # its EXIF data are damaged, its pixels are not


def scaled_down(image: Image.Image, shorter_side: int) -> Image.Image:
    """The image with its shorter side at this many pixels if it has more, in proportion (bicubic)."""
    shorter = min(image.size)
    if shorter <= shorter_side:
        return image
    width, height = (shorter_side * side // shorter for side in image.size)
    return image.resize((width, height), Image.Resampling.BICUBIC)


def to_rgb(image: Image.Image) -> Image.Image:
    """An image of any Pillow mode as RGB; see :func:`open_rgb`."""
    if image.mode == "RGB" and "transparency" not in image.info:
        return image
    if image.mode.startswith("I") or image.mode == "F":
        return Image.fromarray(_to_eight_bits(np.asarray(image))).convert("RGB")
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        white = Image.new("RGBA", layer.size, "white")
        return Image.alpha_composite(white, layer).convert("RGB")
    return image.convert("RGB")


def _reason(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "it is not an image in a known format"  # Pillow's own words repeat the path
    return str(error).rstrip(".") or type(error).__name__


def _to_eight_bits(values: np.ndarray) -> np.ndarray:
    """Grey values [H, W]: floats in 0..1, 16-bit or 8-bit integers, to uint8."""
    top = values.max(initial=0)
    if values.dtype.kind == "f" and top <= 1:
        values = values * 255
    elif values.dtype == np.uint16 or top > 255:
        values = values / 256
    return np.clip(values, 0, 255).astype(np.uint8)
