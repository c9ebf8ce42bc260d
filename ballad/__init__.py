"""BALLAD: balanced linear adapters for long-tailed recognition (arXiv 2111.14745).

import ballad

finished = ballad.run(ballad.Experiment(name="first"))
table = ballad.sweep(ballad.Experiment(), {"phase_b.residual_factor": [0.1, 0.2, 0.3], "seed": [0, 1]})
everything = ballad.runs()
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ballad.package import VERSION as __version__

if TYPE_CHECKING:
    from ballad.api import run, runs, sweep
    from ballad.experiment import Experiment

__all__ = ["Experiment", "__version__", "run", "runs", "sweep"]

_HOMES = {
    "Experiment": "ballad.experiment",
    "run": "ballad.api",
    "runs": "ballad.api",
    "sweep": "ballad.api",
}


def __getattr__(name: str) -> Any:
    """Load what is asked for, and no more: ``import ballad`` alone stays quick."""
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'ballad' has no attribute '{name}'")
