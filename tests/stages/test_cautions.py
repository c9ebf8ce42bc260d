"""Settings that do nothing, and those beside them that do."""

import json
import pickle
import shutil
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from ballad.experiment import Experiment
from ballad.stages.cautions import cautions

CONTRASTIVE = {"phase_a.objective": "symmetric", "phase_a.batch_size": 4}
DRAWS = {"phase_a.sampler": "class_balanced", "phase_a.images_per_draw": 4}
BY_EPOCH = {"optimizer.cosine_by": "epoch"}


@pytest.mark.parametrize(
    ("values", "has_validation", "about"),
    [
        ({}, True, []),
        ({"phase_a.selection": "best", "phase_b.selection": "best"}, True, []),
        ({"phase_a.selection": "best"}, False, ["phase_a.selection"]),
        ({"phase_b.selection": "best"}, False, ["phase_b.selection"]),
        ({"phase_b.selection": "best", "schedule": "finetune"}, False, []),
        ({"phase_b.selection": "best", "schedule": "joint"}, False, []),
        ({"phase_a.selection": "best", "schedule": "zero_shot"}, False, []),
        ({**BY_EPOCH, "phase_a.epochs": 1}, True, ["phase_a.epochs"]),
        ({**BY_EPOCH, "phase_b.epochs": 1}, True, ["phase_b.epochs"]),
        ({**BY_EPOCH, "phase_a.epochs": 2}, True, []),
        ({"phase_a.epochs": 1}, True, []),
        ({**BY_EPOCH, "phase_a.epochs": 1, "schedule": "zero_shot_adapter"}, True, []),
        ({**CONTRASTIVE, **DRAWS}, True, ["phase_a.objective"]),
        ({**CONTRASTIVE, **DRAWS, "phase_a.objective": "image_to_text"}, True, ["phase_a.objective"]),
        ({**CONTRASTIVE, **DRAWS, "phase_a.objective": "class"}, True, []),
        ({**CONTRASTIVE, **DRAWS, "phase_a.batch_size": 5}, True, []),
        ({**CONTRASTIVE, "phase_a.images_per_draw": 4}, True, []),  # instance sampling draws images
        ({**CONTRASTIVE, "phase_a.batch_size": 1}, True, ["phase_a.objective"]),
        ({"phase_a.interpolation": 0}, True, ["phase_a.interpolation"]),
        ({"phase_a.interpolation": 0.1}, True, []),
        ({"phase_a.interpolation": 0, "schedule": "joint"}, True, []),
        ({"phase_a.interpolation": 0, "schedule": "zero_shot_adapter"}, True, []),
    ],
)
def test_a_setting_that_does_nothing_is_named(values: dict, has_validation: bool, about: list[str]) -> None:
    found = cautions(Experiment().with_values(values), has_validation=has_validation)
    assert [sentence.split(" = ")[0] for sentence in found] == about


def with_backbone(folder: Path) -> list[str]:
    return cautions(Experiment().with_values({"backbone.name": str(folder)}), has_validation=True)


def test_a_tokenizer_of_another_vocabulary_is_named(tiny_backbone: Path, tmp_path: Path) -> None:
    folder = tmp_path / "backbone"
    shutil.copytree(tiny_backbone, folder)
    assert with_backbone(folder) == []
    path = folder / "open_clip_config.json"
    config = json.loads(path.read_text())
    config["model_cfg"]["text_cfg"]["vocab_size"] = 32000
    path.write_text(json.dumps(config))
    assert ["32,000 tokens" in sentence for sentence in with_backbone(folder)] == [True]
    config["model_cfg"]["text_cfg"]["hf_tokenizer_name"] = "somebody/theirs"
    path.write_text(json.dumps(config))
    assert with_backbone(folder) == []


def test_weights_of_8_bits_are_named(tiny_backbone: Path, tmp_path: Path) -> None:
    folder = tmp_path / "backbone"
    shutil.copytree(tiny_backbone, folder)
    weights = folder / "open_clip_model.safetensors"
    tensors = load_file(weights)
    save_file({**tensors, "steps": np.int8([3])}, weights)
    assert with_backbone(folder) == []
    save_file({**tensors, "visual.quantised": np.zeros((2, 2), np.int8)}, weights)
    assert ["8-bit" in sentence and str(weights) in sentence for sentence in with_backbone(folder)] == [True]
    weights.write_bytes(b"\xff" * 40)
    assert with_backbone(folder) == []  # refused where it is loaded


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("wrapped", [True, False])
def test_weights_of_8_bits_are_named_in_files_of_pytorch(
    tiny_backbone: Path, tmp_path: Path, zipped: bool, wrapped: bool
) -> None:
    import torch

    file = tmp_path / "weights.pt"
    settings = {"backbone.name": str(tiny_backbone), "backbone.pretrained": str(file)}

    def named(tensor: torch.Tensor) -> bool:
        state = OrderedDict({"steps": torch.ones(3, dtype=torch.int8), "visual.quantised": tensor})
        content = {"state_dict": state, "scaler": torch.amp.GradScaler} if wrapped else state
        torch.save(content, file, _use_new_zipfile_serialization=zipped)
        found = cautions(Experiment().with_values(settings), has_validation=True)
        return ["8-bit" in sentence and str(file) in sentence for sentence in found] == [True]

    assert not named(torch.zeros(2, 2))
    assert named(torch.zeros(2, 2, dtype=torch.int8))
    assert named(torch.nn.Parameter(torch.zeros(2, 2, dtype=torch.uint8), requires_grad=False))


def test_no_code_in_a_weights_file_is_run(tiny_backbone: Path, tmp_path: Path) -> None:
    file = tmp_path / "weights.pt"

    class Touches:
        def __reduce__(self) -> tuple:
            return Path.touch, (tmp_path / "touched",)

    file.write_bytes(pickle.dumps(1) * 3 + pickle.dumps({"state_dict": Touches()}))
    settings = {"backbone.name": str(tiny_backbone), "backbone.pretrained": str(file)}
    assert cautions(Experiment().with_values(settings), has_validation=True) == []
    assert not (tmp_path / "touched").exists()
