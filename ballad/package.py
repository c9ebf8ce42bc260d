"""Where this package lies: its assets, and how another interpreter finds it."""

import os
from pathlib import Path

_FOLDER = Path(__file__).resolve().parent

ASSETS = _FOLDER / "assets"


def interpreter_environment() -> dict[str, str]:
    """This process's environment, in which a new interpreter imports this same package first."""
    paths = [str(_FOLDER.parent), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
