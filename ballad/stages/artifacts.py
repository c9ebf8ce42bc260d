"""The files inside stage folders, and how they are read and written."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ballad.events import EpochEvaluated

TOWERS = "towers.safetensors"
ADAPTER = "adapter.safetensors"
CLASS_TEXT = "class_text.safetensors"
HISTORY = "history.json"
SEARCH = "search.json"


def write_search(points: Sequence[Mapping[str, Any]], chosen: int, folder: Path) -> None:
    """Keep what a search tried, each point with its ``values`` and its ``accuracy`` on validation, and its choice."""
    (folder / SEARCH).write_text(json.dumps({"points": list(points), "chosen": chosen}), encoding="utf-8")


def read_search(folder: Path) -> dict[str, Any] | None:
    """``points`` and the index ``chosen`` as :func:`write_search` kept them; None where nothing was searched."""
    try:
        return json.loads((folder / SEARCH).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None


def write_history(history: Sequence[EpochEvaluated], folder: Path) -> None:
    """Keep the epochs of a training beside its result."""
    (folder / HISTORY).write_text(json.dumps([asdict(event) for event in history]), encoding="utf-8")


def read_history(folder: Path) -> list[EpochEvaluated]:
    """The epochs that :func:`write_history` kept."""
    return [EpochEvaluated(**event) for event in json.loads((folder / HISTORY).read_text(encoding="utf-8"))]
