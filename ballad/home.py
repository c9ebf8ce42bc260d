"""Where runs live: ``$BALLAD_HOME``, by default ``./runs``.

- ``store.sqlite``: runs, metrics, log
- ``stages/<kind>/<key>/``: results shared by runs
- ``contents.sqlite``: what the files of datasets held
- ``pixels/``: small images, decoded once
- ``unreadable/``: which images of a dataset cannot be decoded
- ``runs/<run id>/``: what belongs to one run alone
"""

import os
from pathlib import Path

from ballad.errors import RunError


def default_home() -> Path:
    """The absolute folder named by ``BALLAD_HOME``, or ``./runs``; it need not exist yet."""
    return Path(os.environ.get("BALLAD_HOME") or "runs").expanduser().absolute()


def ensure_home(home: Path) -> Path:
    """Create the folder; RunError if it cannot be."""
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(
            f"The folder for runs {home} cannot be created: {error.strerror}. "
            "Set BALLAD_HOME to a folder that can be written."
        ) from None
    return home


def store_path(home: Path) -> Path:
    return home / "store.sqlite"


def stages_dir(home: Path) -> Path:
    return home / "stages"


def pixels_dir(home: Path) -> Path:
    return home / "pixels"


def unreadable_dir(home: Path) -> Path:
    return home / "unreadable"


def run_dir(home: Path, run_id: str) -> Path:
    return home / "runs" / run_id
