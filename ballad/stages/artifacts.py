"""The files inside stage folders, and how they are read and written."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from ballad.events import EpochEvaluated
from ballad.experiment import Experiment
from ballad.model.adapter import Adapters
from ballad.training.phase_b import Member, build_adapters

TOWERS = "towers.safetensors"
ADAPTER = "adapter.safetensors"
CLASS_TEXT = "class_text.safetensors"
HISTORY = "history.json"


def load_adapter(path: Path, experiment: Experiment) -> Adapters:
    """A trained adapter of the form that the experiment gives it, as the only member of its stack."""
    state = load_file(path)
    dim = next(tensor for name, tensor in state.items() if name.startswith("weights.")).shape[0]
    adapter = build_adapters([Member(experiment.phase_b, experiment.adapter_seed)], dim)
    adapter.load_member_state(0, state)
    return adapter.requires_grad_(False)


@torch.inference_mode()
def adapted(adapter: Adapters | None, features: Tensor, text: Tensor) -> tuple[Tensor, Tensor]:
    """Image features ``[N, d]`` and class texts ``[K, d]`` as a model compares them: through its adapter, if any."""
    if adapter is None:
        return features, text
    return adapter.image(features).view(features.shape), adapter.text(text).view(text.shape)


def write_history(history: Sequence[EpochEvaluated], folder: Path) -> None:
    """Keep the epochs of a training beside its result."""
    (folder / HISTORY).write_text(json.dumps([asdict(event) for event in history]), encoding="utf-8")


def read_history(folder: Path) -> list[EpochEvaluated]:
    """The epochs that :func:`write_history` kept."""
    return [EpochEvaluated(**event) for event in json.loads((folder / HISTORY).read_text(encoding="utf-8"))]
