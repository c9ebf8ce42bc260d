"""A tiny long-tailed image set on disk and a tiny pretrained-looking backbone, made once."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ballad.store.owners import Owner
from ballad.store.run_store import RunStore

if not torch.cuda.is_available():
    # Autograd counts the devices once, in the first backward pass of a process.
    from tests.simulated_gpu import simulated_gpu

CLASS_COLOURS = {"red": (200, 40, 40), "green": (40, 200, 40), "blue": (40, 40, 200), "grey": (120, 120, 120)}
TRAIN_COUNTS = {"red": 24, "green": 12, "blue": 6, "grey": 3}
LONGEST = ("test_demo_effects.py", "test_workbench.py", "test_crash.py", "test_pipeline.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest files, so that none of them runs alone at the end beside an idle process."""
    items.sort(key=lambda item: item.path.name not in LONGEST)


@pytest.fixture(scope="session", autouse=True)
def no_power_cuts() -> Iterator[None]:
    """Flushing to the disk guards against what no test can do, and tests would wait for it thousands of times."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda handle: None)
        yield


@pytest.fixture(scope="session")
def tiny_images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of class folders, 45 training, 12 validation and 16 test pictures of noisy colours."""
    root = tmp_path_factory.mktemp("tiny-images")
    rng = np.random.default_rng(0)
    for split, count_of in (("train", TRAIN_COUNTS.get), ("val", lambda name: 3), ("test", lambda name: 4)):
        for name, colour in CLASS_COLOURS.items():
            folder = root / split / name
            folder.mkdir(parents=True)
            for number in range(count_of(name) or 0):
                noise = rng.normal(0, 40, (32, 32, 3)) + np.array(colour)
                Image.fromarray(noise.clip(0, 255).astype(np.uint8)).save(folder / f"{number}.png")
    return root


@pytest.fixture(scope="session")
def tiny_backbone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A local-dir of a CLIP with a small ResNet (batch norm) and a small text transformer, random weights."""
    import open_clip
    from safetensors.torch import save_file

    config = {
        "embed_dim": 16,
        "vision_cfg": {"image_size": 32, "layers": [1, 1, 1, 1], "width": 8, "patch_size": None},
        "text_cfg": {"context_length": 16, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1},
    }
    folder = tmp_path_factory.mktemp("tiny-backbone")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = open_clip.CLIP(**config)
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": config, "preprocess_cfg": {}}))
    save_file(model.state_dict(), folder / "open_clip_model.safetensors")
    return folder


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    """An empty store."""
    return RunStore(tmp_path / "home")


@pytest.fixture
def owner() -> Owner:
    """Somebody who works on runs: this process."""
    return Owner.new()


@pytest.fixture
def gpu() -> Iterator[torch.device]:
    """A CUDA device; where there is none, one that is simulated in the host's memory."""
    if torch.cuda.is_available():
        yield torch.device("cuda:0")
        return
    with simulated_gpu() as device:
        yield device
