import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from ballad.data import decoding
from ballad.data.decoding import open_rgb
from ballad.errors import DataError


def save(path, image, **options):
    image.save(path, **options)
    return path


def colour(image, place=(0, 0)):
    return image.getpixel(place)


def test_grey_becomes_rgb(tmp_path):
    picture = open_rgb(save(tmp_path / "a.png", Image.new("L", (4, 4), 77)))
    assert (picture.mode, colour(picture)) == ("RGB", (77, 77, 77))


def test_16_bit_grey_keeps_the_high_byte(tmp_path):
    values = np.full((4, 4), 0x7F80, dtype=np.uint16)
    assert colour(open_rgb(save(tmp_path / "a.png", Image.fromarray(values)))) == (127, 127, 127)


def test_dark_16_bit_grey_stays_dark(tmp_path):
    values = np.full((4, 4), 200, dtype=np.uint16)
    assert colour(open_rgb(save(tmp_path / "a.png", Image.fromarray(values)))) == (0, 0, 0)


def test_floats_in_0_to_1(tmp_path):
    values = np.full((4, 4), 0.5, dtype=np.float32)
    assert colour(open_rgb(save(tmp_path / "a.tif", Image.fromarray(values)))) == (127, 127, 127)


COLOUR = (200, 100, 50)


def deep_png(path, channels):
    """A PNG of 16 bits a channel, which Pillow reads but does not write."""
    row = b"\0" + np.tile(np.array(channels) * 256 + 77, 8).astype(">u2").tobytes()
    kind = {3: 2, 4: 6}[len(channels)]
    chunks = {b"IHDR": struct.pack(">IIBBBBB", 8, 6, 16, kind, 0, 0, 0), b"IDAT": zlib.compress(row * 6), b"IEND": b""}
    data = b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in chunks.items()
    )
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + data)
    return path


def in_every_form(folder):
    picture, other = Image.new("RGB", (8, 6), COLOUR), Image.new("RGB", (8, 6), "blue")
    yield save(folder / "plain.png", picture)
    yield save(folder / "plain.bmp", picture)
    yield save(folder / "plain.webp", picture, lossless=True)
    yield save(folder / "alpha.png", picture.convert("RGBA"))
    yield save(folder / "palette.png", picture.quantize(4))
    yield save(folder / "cmyk.tif", picture.convert("CMYK"))
    yield save(folder / "animated.gif", picture, save_all=True, append_images=[other])
    yield save(folder / "animated.png", picture, save_all=True, append_images=[other])
    yield save(folder / "animated.webp", picture, save_all=True, append_images=[other], lossless=True)
    yield deep_png(folder / "deep.png", COLOUR)
    yield deep_png(folder / "deep-alpha.png", (*COLOUR, 255))


def test_one_picture_is_the_same_rgb_in_every_form(tmp_path):
    for path in in_every_form(tmp_path):
        picture = open_rgb(path)
        assert (picture.mode, picture.size) == ("RGB", (8, 6)), path.name
        assert (np.asarray(picture) == COLOUR).all(), path.name


def test_cmyk_becomes_rgb(tmp_path):
    red, green, blue = colour(open_rgb(save(tmp_path / "a.jpg", Image.new("CMYK", (8, 8), (0, 255, 255, 0)))))
    assert red > 240 and green < 15 and blue < 15


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparency_lies_on_white(tmp_path, mode):
    clear = Image.new("RGBA", (4, 4), (0, 0, 0, 0))
    clear.putpixel((3, 3), (0, 0, 0, 255))
    picture = open_rgb(save(tmp_path / "a.png", clear.convert(mode)))
    assert colour(picture) == (255, 255, 255)
    assert colour(picture, (3, 3)) == (0, 0, 0)


def test_an_animation_gives_its_first_frame(tmp_path):
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    path = save(tmp_path / "a.gif", frames[0], save_all=True, append_images=frames[1:])
    assert colour(open_rgb(path)) == (255, 0, 0)


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp"])
def test_exif_orientation_is_applied(tmp_path, name):
    exif = Image.Exif()
    exif[0x0112] = 6  # shown after a quarter turn clockwise
    picture = Image.new("RGB", (30, 20), "blue")
    picture.paste("red", (0, 0, 30, 10))
    turned = open_rgb(save(tmp_path / name, picture, exif=exif))
    assert turned.size == (20, 30)
    assert colour(turned, (17, 15))[0] > 200


@pytest.mark.parametrize("name", ["a.jpg", "a.png"])
def test_a_truncated_file(tmp_path, write_picture, name):
    path = write_picture(tmp_path / name, size=(64, 64))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(DataError, match=rf"The image .*{name} cannot be read: .*[^.]\.$"):
        open_rgb(path)


@pytest.mark.parametrize("content", [b"", b"no picture at all"])
def test_a_file_that_is_no_image(tmp_path, content):
    (tmp_path / "a.jpg").write_bytes(content)
    with pytest.raises(DataError, match=r"a.jpg cannot be read: it is not an image in a known format\.$"):
        open_rgb(tmp_path / "a.jpg")


def test_a_missing_file(tmp_path):
    with pytest.raises(DataError, match=r"The image .*a.jpg does not exist"):
        open_rgb(tmp_path / "a.jpg")


def with_damaged_exif(path):
    """A PNG whose EXIF chunk does not begin as a TIFF file does."""
    data, exif = save(path, Image.new("RGB", (8, 6), COLOUR)).read_bytes(), b"\0\x08\0\2\1\x12\0\3"
    chunk = struct.pack(">I", len(exif)) + b"eXIf" + exif + struct.pack(">I", zlib.crc32(b"eXIf" + exif))
    path.write_bytes(data[:33] + chunk + data[33:])  # after the header
    return path


def test_damaged_exif_does_not_cost_the_picture(tmp_path):
    picture = open_rgb(with_damaged_exif(tmp_path / "a.png"))
    assert (picture.mode, picture.size, colour(picture)) == ("RGB", (8, 6), COLOUR)


def test_a_jpeg_beyond_the_limit_is_decoded_at_a_reduced_size(tmp_path, monkeypatch):
    monkeypatch.setattr(decoding, "MOST_PIXELS", 64 * 64)
    halves = Image.new("RGB", (500, 200), "red")
    halves.paste("blue", (250, 0, 500, 200))
    picture = open_rgb(save(tmp_path / "a.jpg", halves))
    assert picture.size == (63, 25)  # an eighth; a quarter, 125 × 50, would be too large
    assert colour(picture, (5, 12))[0] > 240 and colour(picture, (57, 12))[2] > 240


@pytest.mark.parametrize(("name", "size"), [("a.png", (65, 64)), ("a.jpg", (600, 600))])
def test_what_cannot_be_reduced_to_the_limit_is_refused(tmp_path, monkeypatch, name, size):
    monkeypatch.setattr(decoding, "MOST_PIXELS", 64 * 64)
    with pytest.raises(DataError, match=rf"its {size[0]} × {size[1]} pixels are more than .* scale it down\.$"):
        open_rgb(save(tmp_path / name, Image.new("RGB", size)))


def test_a_huge_picture_is_refused_before_its_pixels_are_read(tmp_path):
    path = save(tmp_path / "a.png", Image.new("1", (13_300, 13_300)))
    path.write_bytes(path.read_bytes()[:100])  # enough for the header alone
    with pytest.raises(DataError, match="more than the 100 million"):
        open_rgb(path)


@pytest.mark.parametrize(("asked", "size"), [(None, (400, 240)), (224, (400, 240)), (100, (200, 120)), (30, (50, 30))])
def test_a_thumbnail_asks_for_as_many_pixels_as_it_needs(tmp_path, asked, size):
    path = save(tmp_path / "a.jpg", Image.new("RGB", (400, 240), "red"))
    assert open_rgb(path, at_least=asked).size == size


@pytest.mark.parametrize("form", ["EPS", "ICO", "TGA"])
def test_other_formats_are_not_opened_whatever_they_are_called(tmp_path, form):
    path = save(tmp_path / "a.jpg", Image.new("RGB", (16, 16)), format=form)
    with pytest.raises(DataError, match="it is not an image in a known format"):
        open_rgb(path)


def test_a_jpeg_of_several_pictures_gives_the_first(tmp_path):
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "blue")]
    path = save(tmp_path / "a.jpg", frames[0], format="MPO", save_all=True, append_images=frames[1:])
    assert colour(open_rgb(path))[0] > 240


def test_a_path_with_a_nul(tmp_path):
    with pytest.raises(DataError, match="cannot be read: embedded null byte"):
        open_rgb(tmp_path / "a\0.png")
