"""Two hundred picture files such as are found in the wild: each is decoded rightly, or refused with a sentence."""

import io
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from ballad.data.decoding import open_rgb
from ballad.errors import DataError

WIDTH, HEIGHT = 24, 16
TRANSPOSED = (5, 6, 7, 8)
"""EXIF orientations that exchange the sides."""


@dataclass(frozen=True)
class OddPicture:
    """A file; ``pixels`` [H, W, 3] is what it shows, None where it must be refused, "either" where both are right.

    ``within``: how far compression may be off on average.
    """

    name: str
    content: bytes
    pixels: np.ndarray | str | None
    within: float = 0.0


def odd_pictures(count: int = 200) -> list[OddPicture]:
    """The first of every kind, then damaged ones until there are enough."""
    pictures = [*_rightly_read(), *_refused()]
    damaged = _damaged()
    while len(pictures) < count:
        pictures.append(next(damaged))
    return pictures


def try_pictures(folder: Path, pictures: list[OddPicture]) -> dict[str, int]:
    """How many were read and refused. AssertionError for one that was neither."""
    figures = {"read": 0, "refused": 0}
    for picture in pictures:
        path = folder / picture.name
        path.write_bytes(picture.content)
        try:
            found = np.asarray(open_rgb(path))
        except DataError as error:
            figures["refused"] += 1
            assert picture.pixels is None or isinstance(picture.pixels, str), f"{picture.name} is refused: {error}"
            assert str(path) in str(error) and "Traceback" not in str(error) and "\n" not in str(error), error
            continue
        figures["read"] += 1
        assert picture.pixels is not None, f"{picture.name} is no picture and was read"
        assert found.dtype == np.uint8 and found.ndim == 3 and found.shape[2] == 3, picture.name
        if isinstance(picture.pixels, np.ndarray):
            assert found.shape == picture.pixels.shape, (picture.name, found.shape)
            off = np.abs(found.astype(int) - picture.pixels).mean()
            assert off <= picture.within, f"{picture.name} is off by {off:.1f}"
    return figures


def _scene() -> np.ndarray:
    """Smooth, so that compression changes little; every corner another colour, so that a turn shows."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    return np.stack([x * 255 // (WIDTH - 1), y * 255 // (HEIGHT - 1), (x + y) * 120 // (WIDTH + HEIGHT)], -1).astype(
        np.uint8
    )


def _file(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def _rightly_read() -> Iterator[OddPicture]:
    scene = _scene()
    image = Image.fromarray(scene)
    grey = np.asarray(image.convert("L"))
    grey_rgb = np.repeat(grey[:, :, None], 3, axis=2)
    for kind, extension, within in (
        ("PNG", "png", 0),
        ("BMP", "bmp", 0),
        ("TIFF", "tif", 0),
        ("PPM", "ppm", 0),
        ("JPEG", "jpg", 6),
        ("WEBP", "webp", 8),
    ):
        content = _file(image, kind)
        yield OddPicture(f"plain.{extension}", content, scene, within)
        yield OddPicture(f"{kind} called by another.JPEG", content, scene, within)
        yield OddPicture(f"{kind} without extension", content, scene, within)
        yield OddPicture(f"bytes after the end of a {kind}.{extension}", content + b"\0trailing" * 40, scene, within)
        yield OddPicture(f"λ né \u202e {kind}.{extension}", content, scene, within)
    yield OddPicture("grey.png", _file(Image.fromarray(grey), "PNG"), grey_rgb)
    yield OddPicture("grey.jpg", _file(Image.fromarray(grey), "JPEG"), grey_rgb, 6)
    yield OddPicture("bilevel.png", _file(image.convert("1"), "PNG"), np.asarray(image.convert("1").convert("RGB")))
    palette = image.quantize(32)
    shown = np.asarray(palette.convert("RGB"))
    yield OddPicture("palette.png", _file(palette, "PNG"), shown)
    yield OddPicture("palette.gif", _file(palette, "GIF"), shown)
    yield OddPicture("palette with a hole.png", _file(palette, "PNG", transparency=0), "either")
    yield OddPicture("16 bits.png", _file(Image.fromarray(grey.astype(np.uint16) * 257), "PNG"), grey_rgb)
    yield OddPicture("16 bits.tif", _file(Image.fromarray(grey.astype(np.uint16) * 257), "TIFF"), grey_rgb)
    yield OddPicture(
        "float.tif", _file(Image.fromarray((grey / np.float32(255)).astype(np.float32)), "TIFF"), grey_rgb, 1
    )
    yield OddPicture("cmyk.jpg", _file(image.convert("CMYK"), "JPEG"), scene, 8)
    yield OddPicture("cmyk.tif", _file(image.convert("CMYK"), "TIFF"), scene, 2)
    yield OddPicture("progressive.jpg", _file(image, "JPEG", progressive=True), scene, 6)
    yield OddPicture("quality 100.jpg", _file(image, "JPEG", quality=100, subsampling=0), scene, 2)
    for alpha in (0, 128, 255):
        seen = image.copy()
        seen.putalpha(alpha)
        white = scene.astype(float) * alpha / 255 + 255 * (1 - alpha / 255)
        yield OddPicture(f"alpha {alpha}.png", _file(seen, "PNG"), white, 1)
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        upright = np.asarray(ImageOps.exif_transpose(_with_exif(image, exif)))
        assert (upright.shape[0] == WIDTH) == (orientation in TRANSPOSED)
        yield OddPicture(f"orientation {orientation}.png", _file(image, "PNG", exif=exif), upright)
        yield OddPicture(f"orientation {orientation}.jpg", _file(image, "JPEG", quality=100, exif=exif), upright, 4)
    for orientation in (0, 9, 65535):
        exif = Image.Exif()
        exif[0x0112] = orientation
        yield OddPicture(f"orientation {orientation}.png", _file(image, "PNG", exif=exif), scene)
    for number, exif in enumerate(
        (b"", b"junk", b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0MM\0*" + b"\xff" * 64)
    ):
        yield OddPicture(f"damaged exif {number}.png", _file(image, "PNG", exif=exif), scene)
        yield OddPicture(f"damaged exif {number}.jpg", _file(image, "JPEG", quality=100, exif=exif), scene, 4)
    for number, profile in enumerate((b"", b"junk", b"\0" * 128, bytes(range(256)) * 8)):
        yield OddPicture(f"damaged icc {number}.png", _file(image, "PNG", icc_profile=profile), scene)
        yield OddPicture(f"damaged icc {number}.jpg", _file(image, "JPEG", quality=100, icc_profile=profile), scene, 4)
    others = [Image.fromarray(255 - scene), Image.fromarray(np.zeros_like(scene))]
    yield OddPicture("animated.webp", _file(image, "WEBP", save_all=True, append_images=others, lossless=True), scene)
    yield OddPicture("animated.png", _file(image, "PNG", save_all=True, append_images=others), scene)
    yield OddPicture("animated.gif", _file(palette, "GIF", save_all=True, append_images=others), "either")
    yield OddPicture("pages.tif", _file(image, "TIFF", save_all=True, append_images=others), scene)
    for side in ((1, 1), (1, 500), (500, 1)):
        dot = Image.new("RGB", side, (9, 8, 7))
        yield OddPicture(f"{side[0]} by {side[1]}.png", _file(dot, "PNG"), np.asarray(dot))


def _with_exif(image: Image.Image, exif: Image.Exif) -> Image.Image:
    return Image.open(io.BytesIO(_file(image, "PNG", exif=exif)))


def _refused() -> Iterator[OddPicture]:
    png = _file(Image.fromarray(_scene()), "PNG")
    contents: dict[str, bytes] = {
        "empty.jpg": b"",
        "one byte.png": b"\x89",
        "text.jpg": "not a picture, λ\n".encode(),
        "page.png": b"<!DOCTYPE html><html><body>404</body></html>",
        "drawing.jpg": b'<svg xmlns="http://www.w3.org/2000/svg"/>',
        "postscript.jpg": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\nshowpage\n",
        "document.jpg": b"%PDF-1.7\n%%EOF",
        "pointer.jpg": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
        "archive.png": b"PK\x03\x04" + b"\0" * 60,
        "zeros.jpg": b"\0" * 4096,
        "header only.png": png[:8],
        "huge.png": _with_size(png, 60_000, 60_000),
        "no width.png": _with_size(png, 0, 16),
        "huge.bmp": _file(Image.fromarray(_scene()), "BMP").replace(
            WIDTH.to_bytes(4, "little"), (30_000).to_bytes(4, "little")
        ).replace(HEIGHT.to_bytes(4, "little"), (30_000).to_bytes(4, "little"), 1),
        "huge.ppm": b"P6 40000 40000 255\n" + b"\0" * 100,
        "truncated.ppm": b"P6 24 16 255\n" + b"\0" * 100,
    }  # fmt: skip
    for name, content in contents.items():
        yield OddPicture(name, content, None)
    for kind in ("PNG", "JPEG", "WEBP", "BMP"):
        content = _file(Image.fromarray(_scene()), kind)
        for part in (4, 2):
            yield OddPicture(f"{kind} of which 1 in {part} bytes is there.jpg", content[: len(content) // part], None)


def _with_size(png: bytes, width: int, height: int) -> bytes:
    import zlib

    header = b"IHDR" + width.to_bytes(4) + height.to_bytes(4) + png[24:29]
    return png[:12] + header + zlib.crc32(header).to_bytes(4) + png[33:]


def _damaged() -> Iterator[OddPicture]:
    """Flipped bytes: a format without checksums shows other pixels, which nobody can know."""
    chance = random.Random(0)
    image = Image.fromarray(_scene())
    kinds: list[tuple[str, Callable[[], bytes]]] = [
        (kind, lambda kind=kind: _file(image, kind)) for kind in ("PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP")
    ]
    number = 0
    while True:
        for kind, make in kinds:
            content = bytearray(make())
            for _ in range(chance.randint(1, 3)):
                content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
            number += 1
            yield OddPicture(f"damaged {number}.{kind.lower()}", bytes(content), "either")
