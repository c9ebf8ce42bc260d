"""The files inside stage folders, and how they are read and written."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from ballad.events import EpochEvaluated

TOWERS = "towers.safetensors"
ADAPTER = "adapter.safetensors"
CLASS_TEXT = "class_text.safetensors"
HISTORY = "history.json"


def write_history(history: Sequence[EpochEvaluated], folder: Path) -> None:
    """Keep the epochs of a training beside its result."""
    (folder / HISTORY).write_text(json.dumps([asdict(event) for event in history]), encoding="utf-8")


def read_history(folder: Path) -> list[EpochEvaluated]:
    """The epochs that :func:`write_history` kept."""
    return [EpochEvaluated(**event) for event in json.loads((folder / HISTORY).read_text(encoding="utf-8"))]
