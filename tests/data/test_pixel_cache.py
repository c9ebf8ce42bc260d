import os
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from ballad.data.files import ImageFiles
from ballad.data.images import ImageSpec, image_batches
from ballad.data.long_tail import Split
from ballad.data.pixel_cache import decoded_once, remove_unfinished
from ballad.errors import Cancelled, DataError
from ballad.events import CancelToken, Notice
from ballad.locks import exclusive

SPEC = ImageSpec(size=32, mean=(0.5,) * 3, std=(0.5,) * 3)


@pytest.fixture
def split(tmp_path) -> Split:
    """Twelve noisy JPEG and PNG pictures of 20 × 24 pixels."""
    rng = np.random.default_rng(0)
    names = [f"{number}.{'jpg' if number % 2 else 'png'}" for number in range(12)]
    for name in names:
        Image.fromarray(rng.integers(0, 256, (24, 20, 3), dtype=np.uint8)).save(tmp_path / name)
    return Split("train", np.arange(12) % 3, paths=ImageFiles.find(tmp_path, names))


@pytest.fixture
def decode(tmp_path):
    notices: list[str] = []

    def go(split: Split, cancel: CancelToken | None = None) -> Split:
        return decoded_once(
            split,
            tmp_path / "pixels",
            on_event=lambda event: notices.append(event.message) if isinstance(event, Notice) else None,
            cancel=cancel or CancelToken(),
        )

    go.notices = notices
    go.folder = tmp_path / "pixels"
    return go


@pytest.mark.parametrize("augmentation", ["none", "crop_flip", "crop_flip_jitter"])
@pytest.mark.parametrize("workers", [0, 1])
def test_batches_are_pixel_identical_to_those_of_the_files(split, decode, augmentation, workers):
    batches = [np.array([3, 1, 7, 7]), np.array([0, 11])]
    cached = decode(split)
    assert cached.pixels is not None
    ours = image_batches(cached, SPEC, batches, augmentation=augmentation, seed=4, workers=workers)
    files = image_batches(split, SPEC, batches, augmentation=augmentation, seed=4)
    for (pixels, labels, _), (expected, expected_labels, _) in zip(ours, files, strict=True):
        assert pixels.equal(expected) and labels.equal(expected_labels)


def test_it_is_announced_with_its_size_and_written_once(split, decode):
    first = decode(split)
    assert len(decode.notices) == 1 and "12 images of train" in decode.notices[0] and "MB" in decode.notices[0]
    written = [path.stat().st_mtime_ns for path in decode.folder.iterdir()]
    again = decode(split)
    assert len(decode.notices) == 1
    assert [path.stat().st_mtime_ns for path in decode.folder.iterdir()] == written
    assert np.array_equal(first.pixels, again.pixels)


def test_a_picture_of_another_size_leaves_the_files_in_use(split, decode, tmp_path):
    Image.new("RGB", (24, 20)).save(tmp_path / "2.png")
    assert decode(split) is split
    assert not list(decode.folder.glob("*"))


def test_large_pictures_stay_in_their_files(decode, tmp_path):
    Image.new("RGB", (300, 300)).save(tmp_path / "large.png")
    split = Split("test", np.array([0]), paths=ImageFiles.find(tmp_path, ["large.png"]))
    assert decode(split) is split and not decode.notices


@pytest.fixture
def photographs(tmp_path) -> Split:
    """Pictures of several sizes, larger than the cache takes unasked; the last is small."""
    sizes = [(300, 200), (210, 280), (200, 200), (24, 20)]
    names = [f"{width}x{height}.png" for width, height in sizes]
    for name, (width, height) in zip(names, sizes, strict=True):
        noise = np.random.default_rng(width).integers(0, 256, (height, width, 3), dtype=np.uint8)
        Image.fromarray(noise).save(tmp_path / name)
    return Split("train", np.arange(4) % 2, paths=ImageFiles.find(tmp_path, names), shorter_side=32)


def test_a_shorter_side_stores_pictures_of_any_size(photographs, decode):
    stored = decode(photographs)
    assert [stored.image(index).size for index in range(4)] == [(48, 32), (32, 42), (32, 32), (24, 20)]
    assert "about" in decode.notices[0] and "MB" in decode.notices[0]
    for augmentation in ("none", "crop_flip"):
        how = {"batches": [np.array([3, 1]), np.array([0, 2])], "augmentation": augmentation}
        for ours, files in zip(
            image_batches(stored, SPEC, **how), image_batches(photographs, SPEC, **how), strict=True
        ):
            assert ours[0].equal(files[0])
    assert stored.take(np.array([2, 0])).image(1).size == (48, 32)


def test_a_shorter_side_of_the_backbone_s_size_keeps_the_plain_views(photographs):
    ((scaled, _, _),) = image_batches(photographs, SPEC, [np.arange(4)])
    ((whole, _, _),) = image_batches(replace(photographs, shorter_side=None), SPEC, [np.arange(4)])
    assert scaled.equal(whole)


def test_a_full_disk_leaves_the_files_in_use(photographs, decode, monkeypatch):
    usage = type(shutil.disk_usage("."))
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(100, 99, 1))
    assert decode(photographs) is photographs
    assert "has no room for about" in decode.notices[0]


def test_an_unreadable_picture_is_left_to_the_reader(split, decode, tmp_path):
    (tmp_path / "2.png").write_bytes(b"no picture")
    assert decode(split) is split
    with pytest.raises(DataError, match=r"2\.png"):
        list(image_batches(split, SPEC, [np.array([2])]))


def test_a_changed_file_is_decoded_again(split, decode, tmp_path):
    decode(split)
    Image.new("RGB", (20, 24), "red").save(tmp_path / "0.png")
    assert decode(split).pixels[0, 0, 0].tolist() == [255, 0, 0]


def test_cancel_leaves_nothing_behind(split, decode):
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        decode(split, cancel)
    assert not list(decode.folder.glob("*"))


def test_runs_that_begin_together_decode_once_and_get_the_same_pixels(split, decode):
    expected = [np.asarray(split.image(index)) for index in range(len(split))]
    together = threading.Barrier(4)

    def begin(_: int) -> np.ndarray:
        together.wait(10)
        return decode(split).pixels

    for _ in range(10):
        shutil.rmtree(decode.folder, ignore_errors=True)
        decode.notices.clear()
        with ThreadPoolExecutor(4) as pool:
            pixels = list(pool.map(begin, range(4)))
        assert all(np.array_equal(found, expected) for found in pixels)
        assert len(decode.notices) == 1


def test_what_killed_writers_left_goes_and_writers_at_work_keep_their_files(split, decode):
    decode(split)
    whole = sorted(decode.folder.iterdir())
    for name in (".0123.npy.values.7-7.tmp", ".4567.npy.7-7.tmp", "89ab.npy.7.tmp.values", "89ab.lock"):
        (decode.folder / name).touch()
    with exclusive(decode.folder / "4567.lock", lambda: None):
        remove_unfinished(decode.folder)
        assert sorted({*decode.folder.iterdir()} - {*whole}) == [
            decode.folder / ".4567.npy.7-7.tmp",
            decode.folder / "4567.lock",
        ]
    remove_unfinished(decode.folder)
    assert sorted(decode.folder.iterdir()) == whole


def test_the_next_writer_of_the_same_pictures_removes_what_the_last_one_left(split, decode):
    decode(split)
    path = next(decode.folder.glob("*.npy"))
    leftover = decode.folder / f".{path.name}.values.7-7.tmp"
    leftover.touch()
    path.unlink()
    decode(split)
    assert path.exists() and not leftover.exists()


@pytest.mark.parametrize("suffix", [".npy", ".npy.values", ".npy.json"])
@pytest.mark.parametrize("damage", ["lost", "cut short", "a byte changed"])
def test_damaged_files_are_decoded_anew(split, decode, suffix, damage):
    expected = np.array(decode(split).pixels)
    path = next(path for path in decode.folder.iterdir() if path.name.endswith(suffix))
    match damage:
        case "lost":
            path.unlink()
        case "cut short":
            os.truncate(path, path.stat().st_size // 2)
        case "a byte changed":
            content = bytearray(path.read_bytes())
            content[-2] ^= 1
            path.write_bytes(content)
    assert np.array_equal(decode(split).pixels, expected)
    assert len(decode.notices) == 2
    assert ("once" in decode.notices[1]) == (damage == "lost" and suffix == ".npy")
