"""Backbones that were typed as a folder or a file: they lie inside the data roots, as datasets do."""

from contextlib import suppress
from pathlib import Path

from ballad.data.roots import data_roots, resolve_inside_roots
from ballad.errors import BackboneError
from ballad.model.source import DEMO_FOLDER, find_source
from ballad.sections import BackboneSettings


def check_backbone_paths(settings: BackboneSettings) -> None:
    """Raises DataError for a folder or a weights file outside the data roots; what else is wrong shows elsewhere."""
    with suppress(BackboneError):
        source = find_source(settings)
        typed = [source.checkpoint] if source.checkpoint else []
        if source.kind == "folder" and Path(source.name) != DEMO_FOLDER:
            typed.append(Path(source.name))
        for path in typed:
            resolve_inside_roots(path.absolute(), data_roots())
