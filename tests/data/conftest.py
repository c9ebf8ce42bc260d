"""Miniature copies of the layouts that image sets come in."""

import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

COUNTS = {"train": (6, 4, 2), "val": (1, 1, 1), "test": (2, 2, 2)}
"""Images of each class of the miniature list set."""
CLASSES = ("sea snake", "bullfrog", "goldfish")

WritePicture = Callable[..., Path]


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep every test's data roots and home to itself."""
    monkeypatch.setenv("BALLAD_DATA", str(tmp_path / "root"))
    monkeypatch.setenv("BALLAD_HOME", str(tmp_path / "home"))


@pytest.fixture
def write_picture() -> WritePicture:
    """Write a small noise picture whose pixels follow from its path's last three parts."""

    def write(path: Path, size: tuple[int, int] = (20, 16), **save: object) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        seed = zlib.crc32("/".join(path.parts[-3:]).encode())
        pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
        Image.fromarray(pixels).save(path, **save)
        return path

    return write


@pytest.fixture
def list_set(tmp_path: Path, write_picture: WritePicture) -> Path:
    """A folder with list files: 3 classes, 6 + 4 + 2 training, 1 validation and 2 test images per class."""
    folder = tmp_path / "pictures"
    for split, counts in COUNTS.items():
        lines = []
        for label, count in enumerate(counts):
            for number in range(count):
                name = f"{split}/class{label}/{number}.png"
                write_picture(folder / name)
                lines.append(f"{name} {label}\n")
        (folder / f"Mini_LT_{split}.txt").write_text("".join(lines))
    (folder / "classnames.txt").write_text("".join(f"{name}\n" for name in CLASSES))
    return folder
