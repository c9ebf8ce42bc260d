"""The whole pipeline on a handful of pictures, a second or two of work."""

from pathlib import Path
from typing import Any

from ballad.experiment import Experiment


def tiny_experiment(images: Path, backbone: Path, **changes: Any) -> Experiment:
    """``changes`` are settings with ``__`` for the dot."""
    values = {
        "dataset.source": str(images),
        "backbone.name": str(backbone),
        "phase_a.epochs": 2,
        "phase_a.batch_size": 16,
        "phase_a.learning_rate": 0.01,
        "phase_b.epochs": 2,
        "phase_b.batch_size": 16,
        "phase_b.learning_rate": 0.05,
    }
    return Experiment().with_values(values | {name.replace("__", "."): value for name, value in changes.items()})
