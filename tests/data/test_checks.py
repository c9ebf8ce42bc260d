import shutil

import numpy as np
import pytest

from ballad.data.catalog import load_dataset
from ballad.data.checks import equal_images, unreadable_images
from ballad.data.long_tail import LongTailDataset, Split
from ballad.errors import DataError
from ballad.sections import DatasetSettings


def load(folder, **settings):
    return load_dataset(DatasetSettings(source=str(folder), **settings))


def truncate(path):
    path.write_bytes(path.read_bytes()[:100])


def test_unreadable_images_are_listed(list_set):
    truncate(list_set / "train/class0/2.png")
    (list_set / "test/class1/1.png").write_bytes(b"")
    listed = unreadable_images(load(list_set))
    assert listed[["split", "index", "sample", "class_name"]].to_numpy().tolist() == [
        ["train", 2, "train/class0/2.png", "sea snake"],
        ["test", 3, "test/class1/1.png", "bullfrog"],
    ]
    assert listed["problem"].str.contains("cannot be read").all()


def test_unreadable_images_are_skipped_on_request_alone(list_set):
    truncate(list_set / "train/class0/2.png")
    assert len(load(list_set).train) == 12
    skipped = load(list_set, skip_unreadable=True)
    assert skipped.class_counts.tolist() == [5, 4, 2]
    assert skipped.notes == ("1 unreadable images are left out: train/class0/2.png.",)
    assert all(skipped.train.problem(index) is None for index in range(11))


def test_the_verdict_is_remembered(list_set, monkeypatch):
    truncate(list_set / "train/class0/2.png")
    first = load(list_set, skip_unreadable=True)
    monkeypatch.setattr(Split, "problem", lambda split, index: pytest.fail("decoded again"))
    assert load(list_set, skip_unreadable=True).fingerprint == first.fingerprint


def test_a_class_that_loses_every_image(list_set):
    for picture in (list_set / "test/class2").iterdir():
        truncate(picture)
    with pytest.raises(DataError, match="No test image of class 'goldfish' can be read"):
        load(list_set, skip_unreadable=True)


def test_training_images_among_the_test_images(list_set):
    shutil.copy(list_set / "train/class0/1.png", list_set / "test/class2/0.png")
    shutil.copy(list_set / "train/class1/0.png", list_set / "val/class1/0.png")
    repeats, leaks = equal_images(load(list_set))
    assert repeats.empty
    assert leaks.to_numpy().tolist() == [
        ["val", "val/class1/0.png", "bullfrog", "train/class1/0.png", "bullfrog"],
        ["test", "test/class2/0.png", "goldfish", "train/class0/1.png", "sea snake"],
    ]


def test_no_duplicates(tmp_path, write_picture):
    for split, names in (("train", "ab"), ("test", "cd")):
        for name in names:
            for label in ("cat", "dog"):
                write_picture(tmp_path / "set" / split / label / f"{name}.png")
    assert [found.empty for found in equal_images(load(tmp_path / "set"))] == [True, True]


def test_duplicates_among_pixels():
    pixels = np.random.default_rng(0).integers(0, 256, (4, 2, 2, 3), dtype=np.uint8)
    dataset = LongTailDataset(
        "set",
        "Set",
        ("a", "b"),
        Split("train", np.array([0, 1]), pixels=pixels[:2]),
        None,
        Split("test", np.array([0, 1]), pixels=pixels[[2, 1]]),
    )
    assert equal_images(dataset)[1].to_numpy().tolist() == [["test", "test/1", "b", "train/1", "b"]]


def test_pictures_that_come_again_in_their_own_split(list_set):
    for name in ("train/class0/3.png", "train/class2/1.png"):
        shutil.copy(list_set / "train/class0/1.png", list_set / name)
    shutil.copy(list_set / "test/class0/0.png", list_set / "test/class1/1.png")
    repeats, leaks = equal_images(load(list_set))
    assert leaks.empty
    assert repeats.to_numpy().tolist() == [
        ["train", "train/class0/3.png", "sea snake", "train/class0/1.png", "sea snake"],
        ["train", "train/class2/1.png", "goldfish", "train/class0/1.png", "sea snake"],
        ["test", "test/class1/1.png", "bullfrog", "test/class0/0.png", "sea snake"],
    ]
