"""Where datasets lie: the data roots, and the paths a user may type."""

import os
from collections.abc import Sequence
from pathlib import Path

from ballad.errors import DataError


def data_roots() -> list[Path]:
    """The folders of ``$BALLAD_DATA``, separated as in ``$PATH``; ``./data`` where it is not set."""
    listed = [folder for folder in os.environ.get("BALLAD_DATA", "").split(os.pathsep) if folder]
    return [Path(folder).expanduser().resolve() for folder in listed or ["data"]]


def resolve_inside_roots(path: str | Path, roots: Sequence[Path]) -> Path:
    """The absolute form of a typed path, symbolic links followed; a relative one is searched for under each root.

    Raises DataError if it lies outside all ``roots`` or does not exist.
    """
    typed = os.path.expanduser(path)
    bases = [Path(root).expanduser().resolve() for root in roots]
    try:
        places = [(base / typed).resolve() for base in bases]
        found = next((place for place in places if place.exists()), None)
    except (OSError, ValueError):
        raise DataError(f"'{path!s:.80}' is not a valid file name; give a path inside a data root.") from None
    for place in places if found is None else [found]:
        if not any(place.is_relative_to(base) for base in bases):
            raise DataError(f"{path} lies outside the data roots ({_listed(bases)}); add its folder to BALLAD_DATA.")
    if found is None:
        raise DataError(f"{path} does not exist in the data roots ({_listed(bases)}).")
    return found


def _listed(roots: Sequence[Path]) -> str:
    return ", ".join(str(root) for root in roots) or "none are set"
