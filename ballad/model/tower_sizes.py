"""How large the towers of known backbones are, and what training keeps of an input; never imports torch."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import pandas as pd

from ballad.model.registry import architecture_config, architecture_names, image_size, pretrained_tags
from ballad.model.source import DEMO_FOLDER, BackboneSource, find_source, read_layout
from ballad.package import ASSETS
from ballad.sections import BackboneSettings

SIZES_FILE = ASSETS / "tower_sizes.csv"
"""Written by scripts/count_tower_sizes.py, since counting means building all models."""

Layout = dict[str, Any]
"""open_clip's ``model_cfg``."""


@dataclass(frozen=True)
class TowerSizes:
    """Parameters of both towers, and what training keeps of an input for the backward pass, in bytes of fp32."""

    image_parameters: int
    text_parameters: int
    image_bytes: int
    """Of an image of the backbone's own size."""
    token_bytes: int
    """Of one token of a prompt."""
    prompt_tokens: int | None
    """Tokens that every prompt has; None where the text tower takes prompts at their own length."""
    image_size: int
    """Side in pixels."""


def tower_sizes(settings: BackboneSettings) -> TowerSizes | None:
    """The sizes of the backbone that the settings name.

    None where they were not counted: repositories of the hub, folders whose layout is not one of open_clip's
    architectures, and Hugging Face text towers. Raises BackboneError as find_source does, and for a folder with a
    malformed layout.
    """
    source = find_source(settings)
    if source.kind == "hub":
        return None
    layout, layouts = _layout(source), counted_layouts()
    name = next((name for name in size_table().index if layouts.get(name) == layout), None)
    if name is None:
        return None
    row = size_table().loc[name]
    tokens = row["prompt_tokens"]
    return TowerSizes(
        image_parameters=int(row["image_parameters"]),
        text_parameters=int(row["text_parameters"]),
        image_bytes=int(row["image_bytes"]),
        token_bytes=int(row["token_bytes"]),
        prompt_tokens=None if pd.isna(tokens) else int(tokens),
        image_size=image_size(layout),
    )


@cache
def size_table() -> pd.DataFrame:
    """The fields of :class:`TowerSizes` but ``image_size``, whole numbers, by the name of the architecture."""
    return pd.read_csv(SIZES_FILE, index_col="architecture").astype("Int64")


@cache
def counted_layouts() -> dict[str, Layout]:
    """The layouts whose sizes can be counted without the hub, by name: open_clip's architectures and ``demo``."""
    demo = read_layout(BackboneSource("folder", str(DEMO_FOLDER))).model
    layouts = {"demo": demo} | {name: architecture_config(name) for name in architecture_names()}
    return {name: layout for name, layout in layouts.items() if "hf_model_name" not in layout["text_cfg"]}


def _layout(source: BackboneSource) -> Layout:
    layout = read_layout(source).model
    if source.tag in pretrained_tags(f"{source.name}-quickgelu"):
        layout["quick_gelu"] = True
    return layout
