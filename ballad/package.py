"""What this package is: its version, where it and its assets lie, and how another interpreter finds it."""

import os
from pathlib import Path

VERSION = "0.2.0"

_FOLDER = Path(__file__).resolve().parent

ASSETS = _FOLDER / "assets"
DASHBOARD_APP = _FOLDER.parent / "dashboard" / "app.py"
"""The workbench's server, beside this package both in the sources and where it is installed."""


def interpreter_environment() -> dict[str, str]:
    """This process's environment, in which a new interpreter imports this same package first."""
    paths = [str(_FOLDER.parent), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
