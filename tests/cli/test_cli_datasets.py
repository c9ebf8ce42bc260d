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
    assert "0 unreadable images\n1 images that are also trained on" in shown
    assert "test/cat/a.png" in shown


def test_check_fails_on_unreadable_images(folder, capsys):
    (folder / "train/dog/b.png").write_bytes(b"broken")
    assert main(["check", str(folder)]) == 1
    assert "1 unreadable images" in capsys.readouterr().out


def test_check_takes_the_settings_of_a_cut(folder, capsys):
    single = str(folder / "train")
    assert main(["check", single]) == 2
    assert "set dataset.test_per_class" in capsys.readouterr().err
    assert main(["check", single, "--set", "dataset.test_per_class=1"]) == 0
    assert "images: 2 train, 2 test" in capsys.readouterr().out


def test_download_of_what_cannot_be_had_says_how_to_get_it(folder, capsys):
    assert main(["download", "imagenet-lt"]) == 2
    assert "ImageNet-LT cannot be downloaded from here. Get ILSVRC2012" in capsys.readouterr().err
    assert main(["download", "imagenet"]) == 2
    assert "There is no dataset 'imagenet'" in capsys.readouterr().err


def test_backbones_lists_what_contains_the_text(capsys):
    assert main(["backbones", "RN50x16"]) == 0
    shown = capsys.readouterr().out
    assert "RN50x16-quickgelu" in shown and "openai" in shown and "ViT-B-32" not in shown
