import json

import numpy as np
import pytest
from PIL import Image

from ballad.cli import main


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Two classes of two training images and a test image; one test image is trained on."""
    monkeypatch.setenv("BALLAD_DATA", str(tmp_path / "root"))
    pixels = np.random.default_rng(0).integers(0, 256, (6, 8, 8, 3), dtype=np.uint8)
    names = ("train/cat/a", "train/cat/b", "train/dog/a", "train/dog/b", "test/cat/a", "test/dog/a")
    for place, (name, picture) in enumerate(zip(names, pixels, strict=True)):
        path = tmp_path / "pets" / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels[0] if place == 4 else picture).save(path)
    return tmp_path / "pets"


def test_every_dataset_is_listed_with_its_state(folder, capsys):
    assert main(["datasets"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:2] == ["demo", "present"]
    assert [line.split()[1] for line in lines if line.startswith(("cifar100", "imagenet"))] == [
        "downloadable",
        "missing",
    ]


def test_check_counts_and_lists_duplicates(folder, capsys):
    assert main(["check", str(folder)]) == 0
    shown = capsys.readouterr().out
    assert "pets: 2 classes (0 many, 0 medium, 2 few), images: 4 train, 2 test" in shown
    assert "training images of a class: 2 to 2, imbalance ratio 1" in shown
    assert (
        "0 unreadable images\n0 images that occur more than once in their split\n1 images that are also training images"
        in shown
    )
    assert "  cat → cat (2 + 0 + 1 images)\n  dog → dog (2 + 0 + 1 images)" in shown
    assert "test/cat/a.png" in shown


def test_check_fails_on_unreadable_images(folder, capsys):
    (folder / "train/dog/b.png").write_bytes(b"broken")
    assert main(["check", str(folder)]) == 1
    assert "1 unreadable images" in capsys.readouterr().out


def test_check_as_one_json_object(folder, capsys):
    (folder / "train/dog/b.png").write_bytes(b"broken")
    (folder / "train/cat/a.HEIC").write_bytes(b"")
    (folder / "train/cat/c.png").write_bytes((folder / "train/cat/b.png").read_bytes())
    (folder / "classnames.txt").write_text("Crane\ncrane\n")
    assert main(["check", str(folder), "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["classes"] == [
        {"id": 0, "name": "Crane", "source": "cat", "group": "few", "train": 3, "val": 0, "test": 1},
        {"id": 1, "name": "crane", "source": "dog", "group": "few", "train": 2, "val": 0, "test": 1},
    ]
    assert report["images"] == {"train": 5, "test": 2}
    (ignored,) = report["ignored"].values()
    assert ignored == {"count": 1, "examples": ["train/cat/a.HEIC"]}
    assert [(each["sample"], each["first_sample"]) for each in report["duplicates"]] == [
        ("train/cat/c.png", "train/cat/b.png")
    ]
    assert [(each["sample"], each["train_sample"]) for each in report["leaks"]] == [
        ("test/cat/a.png", "train/cat/a.png")
    ]
    assert [each["sample"] for each in report["unreadable"]] == ["train/dog/b.png"]
    assert report["notes"] == [
        "1 file is ignored, in a format that is not read; convert them to JPEG or PNG: train/cat/a.HEIC.",
        "The classes Crane and crane are the same to the backbone's tokenizer, so they cannot be told apart.",
    ]


def test_check_of_what_is_refused_says_so_as_json(folder, capsys):
    assert main(["check", str(folder / "nowhere"), "--json"]) == 2
    assert "There is no folder or table" in json.loads(capsys.readouterr().out)["error"]


def test_check_takes_the_settings_of_a_cut(folder, capsys):
    single = str(folder / "train")
    assert main(["check", single]) == 2
    assert "set dataset.test_per_class" in capsys.readouterr().err
    assert main(["check", single, "--set", "dataset.test_per_class=1"]) == 0
    assert "images: 2 train, 2 test" in capsys.readouterr().out


def test_download_of_what_cannot_be_had_says_how_to_get_it(folder, capsys):
    assert main(["download", "imagenet-lt"]) == 2
    assert "ImageNet-LT cannot be downloaded automatically. Get ILSVRC2012" in capsys.readouterr().err
    assert main(["download", "imagenet"]) == 2
    assert "There is no dataset 'imagenet'" in capsys.readouterr().err


def test_backbones_lists_what_contains_the_text(capsys):
    assert main(["backbones", "RN50x16"]) == 0
    shown = capsys.readouterr().out
    assert "RN50x16-quickgelu" in shown and "openai" in shown and "ViT-B-32" not in shown
