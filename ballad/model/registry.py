"""open_clip's built-in architectures and pretrained tags, read without importing it.

Importing open_clip takes torch along, which is seconds that a page or an error message which only lists names
should not wait for. Its architectures are JSON files; its table of tags is a Python module, of which only the
syntax tree is read.
"""

import ast
import copy
import importlib.util
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class HubWeights:
    """Where a pretrained tag's weights lie on the Hugging Face hub."""

    repository: str
    filenames: tuple[str, ...]
    """Names to try in this order, safetensors first."""


DEFAULT_WEIGHTS = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")
"""The names of open_clip's weights in a hub repository that does not say otherwise."""


def architecture_names() -> list[str]:
    """All built-in architectures, sorted."""
    return sorted(_architectures())


def architecture_config(name: str) -> dict[str, Any]:
    """A copy of the architecture's ``embed_dim``, ``vision_cfg``, ``text_cfg`` and so on. Raises KeyError."""
    return copy.deepcopy(_architectures()[name])


def image_size(config: dict[str, Any]) -> int:
    """Side in pixels of the pictures that an architecture takes; its default is open_clip's."""
    return config["vision_cfg"].get("image_size", 224)


def pretrained_tags(architecture: str) -> dict[str, HubWeights]:
    """The pretrained weights of an architecture by tag; empty where there are none."""
    return dict(_pretrained().get(architecture, {}))


@cache
def _architectures() -> dict[str, dict[str, Any]]:
    configs = {path.stem: json.loads(path.read_text()) for path in (_package() / "model_configs").glob("*.json")}
    return {name: config for name, config in configs.items() if {"embed_dim", "vision_cfg", "text_cfg"} <= set(config)}


@cache
def _pretrained() -> dict[str, dict[str, HubWeights]]:
    """``_PRETRAINED`` of open_clip/pretrained.py: one table per architecture, ``dict(tag=_pcfg(hf_hub="…"), …)``."""
    module = ast.parse((_package() / "pretrained.py").read_text())
    tables = {
        target.id: statement.value
        for statement in module.body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Name)
    }
    index = tables["_PRETRAINED"]
    assert isinstance(index, ast.Dict)
    pretrained = {}
    for key, value in zip(index.keys, index.values, strict=True):
        architecture = ast.literal_eval(key)  # type: ignore[arg-type]
        table = tables[value.id] if isinstance(value, ast.Name) else value
        entries = {tag: _keywords(entry) for tag, entry in _items(table)}
        pretrained[architecture] = {tag: _hub_weights(entry["hf_hub"]) for tag, entry in entries.items()}
        # As open_clip does, tags trained with QuickGELU are listed under an architecture of their own too.
        quick = {tag: weights for tag, weights in pretrained[architecture].items() if entries[tag].get("quick_gelu")}
        if quick:
            pretrained[f"{architecture}-quickgelu"] = quick
    return pretrained


def _items(table: ast.expr) -> list[tuple[str, ast.expr]]:
    assert isinstance(table, ast.Call)
    return [(keyword.arg, keyword.value) for keyword in table.keywords if keyword.arg]


def _keywords(call: ast.expr) -> dict[str, Any]:
    return {name: ast.literal_eval(value) for name, value in _items(call) if name in ("hf_hub", "quick_gelu")}


def _hub_weights(hf_hub: str) -> HubWeights:
    """``org/model/`` stands for the default file names, ``org/model/file.bin`` for one file."""
    repository, _, filename = hf_hub.rpartition("/")
    if not filename:
        return HubWeights(repository, DEFAULT_WEIGHTS)
    return HubWeights(repository, (str(Path(filename).with_suffix(".safetensors")), filename))


def _package() -> Path:
    spec = importlib.util.find_spec("open_clip")
    assert spec is not None and spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0])
