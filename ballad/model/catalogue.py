"""open_clip's published backbones as a table to choose from, and their download; never imports torch."""

from pathlib import Path
from typing import Any

import pandas as pd

from ballad.model.hub import DownloadProgress, cached_file
from ballad.model.registry import HubWeights, architecture_config, architecture_names, image_size, pretrained_tags
from ballad.model.source import find_source, hub_weights, read_layout, weights_file
from ballad.model.tower_sizes import size_table
from ballad.sections import BackboneSettings


def list_backbones(search: str = "") -> pd.DataFrame:
    """All architectures and their pretrained weights whose names hold every word of ``search``.

    Columns: ``architecture``, ``tag`` (missing where nothing is published), ``image_parameters`` and
    ``text_parameters`` (missing for Hugging Face text towers), ``embed_dim``, ``image_size`` (pixels), ``on_disk``.
    An architecture and a tag are what the settings ``backbone.name`` and ``backbone.pretrained`` take.
    """
    words = search.lower().split()
    rows = [row for name in architecture_names() for row in _rows(name) if _names_hold(row, words)]
    columns = ["architecture", "tag", "embed_dim", "image_size", "on_disk"]
    parameters = size_table()[["image_parameters", "text_parameters"]]
    return pd.DataFrame(rows, columns=columns).join(parameters, on="architecture")


def weights_to_download(settings: BackboneSettings) -> HubWeights | None:
    """The published weights that these settings need and this disk lacks. Raises BackboneError as find_source does."""
    published = hub_weights(find_source(settings))
    return None if published is None or _is_on_disk(published) else published


def download_weights(settings: BackboneSettings, progress: DownloadProgress | None = None) -> Path:
    """Download published weights to this disk, where every later run finds them; returns the file.

    Raises BackboneError for an unknown backbone or tag, or where the hub cannot be reached.
    """
    source = find_source(settings)
    if source.kind == "hub":
        read_layout(source)
    return weights_file(source, progress)


def _rows(architecture: str) -> list[dict[str, Any]]:
    config = architecture_config(architecture)
    row = {
        "architecture": architecture,
        "tag": None,
        "embed_dim": config["embed_dim"],
        "image_size": image_size(config),
        "on_disk": False,
    }
    published = pretrained_tags(architecture).items()
    return [{**row, "tag": tag, "on_disk": _is_on_disk(weights)} for tag, weights in published] or [row]


def _names_hold(row: dict[str, Any], words: list[str]) -> bool:
    names = f"{row['architecture']} {row['tag'] or ''}".lower()
    return all(word in names for word in words)


def _is_on_disk(weights: HubWeights) -> bool:
    return cached_file(weights.repository, weights.filenames) is not None
