"""Open any image file as 8-bit RGB, the same way everywhere."""

import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from ballad.errors import DataError

# What Pillow's decoders raise on a damaged file, beside OSError.
_DAMAGED = (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error, Image.DecompressionBombError)


def open_rgb(path: Path) -> Image.Image:
    """Decode the file at ``path`` to RGB, 8 bits a channel.

    The EXIF orientation is applied, an animation gives its first frame, transparency lies on white,
    grey and CMYK become RGB, 16-bit values keep their high byte.

    Raises DataError if the file is missing, truncated or not an image.
    """
    try:
        with Image.open(path) as image:
            image.load()
            if image.mode == "RGB" and "exif" not in image.info and image.format == "JPEG":
                return image  # nearly every file of the benchmarks
            return to_rgb(ImageOps.exif_transpose(image))
    except FileNotFoundError:
        raise DataError(f"The image {path} does not exist.") from None
    except _DAMAGED as error:
        raise DataError(f"The image {path} cannot be read: {_reason(error)}.") from None


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
        return "it is no image in a known format"  # Pillow's own words repeat the path
    if isinstance(error, Image.DecompressionBombError):
        return "it has more pixels than can safely be decoded"
    return str(error).rstrip(".") or type(error).__name__


def _to_eight_bits(values: np.ndarray) -> np.ndarray:
    """Grey values [H, W]: floats in 0..1, 16-bit or 8-bit integers, to uint8."""
    top = values.max(initial=0)
    if values.dtype.kind == "f" and top <= 1:
        values = values * 255
    elif values.dtype == np.uint16 or top > 255:
        values = values / 256
    return np.clip(values, 0, 255).astype(np.uint8)
