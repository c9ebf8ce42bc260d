"""From a backbone's name to the place its layout and weights come from; reads names and folders, not weights."""

import json
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

from ballad.errors import BackboneError
from ballad.model.hub import DownloadProgress, fetch_file
from ballad.model.layout_limits import check_layout
from ballad.model.registry import DEFAULT_WEIGHTS, HubWeights, architecture_config, architecture_names, pretrained_tags
from ballad.package import ASSETS
from ballad.sections import BackboneSettings

DEMO_FOLDER = ASSETS / "demo-backbone"

PAPER_ARCHITECTURES = {
    "RN50": "RN50-quickgelu",
    "RN101": "RN101-quickgelu",
    "ViT-B/16": "ViT-B-16-quickgelu",
    "RN50x16": "RN50x16-quickgelu",
}
"""The paper's four by the names it uses. open_clip's architectures without the suffix have another activation."""

CONFIG_FILE = "open_clip_config.json"

TOKENIZER_CONFIG = "tokenizer_config.json"
"""In a folder that brings a Hugging Face tokenizer along."""

WEIGHTS_FILES = (
    *DEFAULT_WEIGHTS,
    "open_clip_pytorch_model.safetensors",
    "open_clip_pytorch_model.pth",
    "model.safetensors",
    "pytorch_model.bin",
    "pytorch_model.pth",
    "model.pth",
)
"""What a folder's weights may be called, in order of preference; any single other weights file will do too."""


@dataclass(frozen=True)
class BackboneSource:
    """Where a backbone comes from."""

    kind: Literal["architecture", "folder", "hub"]
    name: str
    """An open_clip architecture, a folder, or a hub repository."""
    tag: str | None = None
    """The pretrained weights of an architecture."""
    checkpoint: Path | None = None
    """A weights file of the user's, in place of the weights that belong to the name."""
    needs_weights: bool = True
    """False where both towers start from random numbers."""


@dataclass(frozen=True)
class BackboneLayout:
    """What to build: open_clip's model configuration, and what an ``open_clip_config.json`` says of the pictures."""

    model: dict[str, Any]
    preprocess: dict[str, Any]
    folder: Path | None = None
    """Where the configuration lies, and a tokenizer's files may."""


def find_source(settings: BackboneSettings) -> BackboneSource:
    """Where the named backbone comes from.

    Raises BackboneError for an unknown name or tag (with near matches), or a missing folder or file. The network is
    not asked: a hub repository may turn out not to exist.
    """
    needs_weights = not (settings.image_tower == settings.text_tower == "random")
    kind, name = _kind_and_name(settings.name)
    if not needs_weights:
        return BackboneSource(kind, name, needs_weights=False)
    if kind == "architecture":
        tag, checkpoint = _tag_or_checkpoint(settings, name)
        return BackboneSource(kind, name, tag, checkpoint)
    checkpoint = _checkpoint(settings.pretrained, name) if settings.pretrained else None
    return BackboneSource(kind, name, checkpoint=checkpoint)


def read_layout(source: BackboneSource) -> BackboneLayout:
    """The layout of a source; of a hub repository after a download. Raises BackboneError if it is malformed."""
    if source.kind == "architecture":
        return BackboneLayout(architecture_config(source.name), preprocess={})
    folder = Path(source.name) if source.kind == "folder" else fetch_file(source.name, [CONFIG_FILE]).parent
    path = folder / CONFIG_FILE
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
        model, preprocess = config["model_cfg"], config.get("preprocess_cfg", {})
        model["embed_dim"], model["vision_cfg"].items(), model["text_cfg"].items()
    except OSError as error:
        raise BackboneError(f"The backbone's configuration {path} cannot be read: {error.strerror}.") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise BackboneError(
            f"The backbone's configuration {path} is not open_clip's: it must be JSON with a model_cfg that has "
            "embed_dim, vision_cfg and text_cfg."
        ) from None
    check_layout(model, path)
    return BackboneLayout(model, preprocess, folder)


def hub_weights(source: BackboneSource) -> HubWeights | None:
    """Where the hub has the weights of a source; None for those that lie in a file or folder, or are random."""
    if source.kind == "folder" or source.checkpoint or not source.needs_weights:
        return None
    if source.kind == "hub":
        return HubWeights(source.name, DEFAULT_WEIGHTS)
    assert source.tag is not None
    return pretrained_tags(source.name)[source.tag]


def weights_file(source: BackboneSource, progress: DownloadProgress | None = None) -> Path:
    """The file that holds the weights; downloaded first where they are on the hub and not on this disk."""
    if source.checkpoint:
        return source.checkpoint
    published = hub_weights(source)
    if published is None:
        return folder_weights(Path(source.name))
    return fetch_file(published.repository, published.filenames, progress)


def tokenizer_files(folder: Path) -> list[Path]:
    """What a Hugging Face tokenizer in a backbone's folder may be made of; nothing where the folder brings none."""
    if not (folder / TOKENIZER_CONFIG).is_file():
        return []
    return sorted(path for path in folder.iterdir() if path.suffix in (".json", ".txt", ".model") and path.is_file())


def folder_weights(folder: Path) -> Path:
    """The weights file of a local open_clip folder, safetensors preferred.

    Raises BackboneError if there is none, or several of other names.
    """
    for filename in WEIGHTS_FILES:
        if (folder / filename).is_file():
            return folder / filename
    for suffixes in ((".safetensors",), (".bin", ".pth", ".pt")):
        found = sorted(path for path in folder.iterdir() if path.suffix in suffixes)
        if len(found) == 1:
            return found[0]
        if found:
            raise BackboneError(
                f"The backbone folder {folder} holds several weights files ({_listed(path.name for path in found)}); "
                "choose one with --set backbone.pretrained=PATH."
            )
    raise BackboneError(f"The backbone folder {folder} holds no weights; put {DEFAULT_WEIGHTS[0]} into it.")


def _kind_and_name(name: str) -> tuple[Literal["architecture", "folder", "hub"], str]:
    if name == "demo":
        return "folder", str(_open_clip_folder(DEMO_FOLDER))
    if name.startswith("local-dir:"):
        return "folder", str(_open_clip_folder(Path(name.removeprefix("local-dir:"))))
    if name.startswith("hf-hub:"):
        return "hub", _repository(name.removeprefix("hf-hub:"))
    architecture = PAPER_ARCHITECTURES.get(name, name.replace("/", "-"))
    if architecture in architecture_names():
        return "architecture", architecture
    # Unlike pathlib's, these functions of os.path take any text, however long.
    if os.path.isdir(os.path.expanduser(name)):
        return "folder", str(_open_clip_folder(Path(name)))
    if Path(name).suffix in (".safetensors", ".pt", ".pth", ".bin"):
        raise BackboneError(
            f"Backbone '{name}' is a weights file: choose its architecture, and give the file with --set "
            f"backbone.pretrained={name}."
        )
    known = ["demo", *PAPER_ARCHITECTURES, *architecture_names()]
    raise BackboneError(
        f"There is no backbone '{name}': it is neither an open_clip architecture nor a folder. "
        f"{_did_you_mean(name, known, 'python -m ballad backbones lists them all.')}"
    )


def _open_clip_folder(folder: Path) -> Path:
    folder = Path(os.path.expanduser(folder))
    if not os.path.isdir(folder):
        raise BackboneError(f"The backbone folder {folder} does not exist.")
    if not (folder / CONFIG_FILE).is_file():
        raise BackboneError(f"The backbone folder {folder} has no {CONFIG_FILE}, which says what model it holds.")
    return folder


def _repository(name: str) -> str:
    if not re.fullmatch(r"[\w.-]+(/[\w.-]+)?", name):
        raise BackboneError(f"'hf-hub:{name}' does not name a hub repository; write hf-hub:OWNER/NAME.")
    return name


def _tag_or_checkpoint(settings: BackboneSettings, architecture: str) -> tuple[str | None, Path | None]:
    tags = sorted(pretrained_tags(architecture))
    if settings.pretrained is None:
        return _default_tag(settings.name, tags), None
    # open_clip's own spelling of a tag.
    tag = settings.pretrained.lower().replace("-", "_")
    if tag in tags:
        return tag, None
    return None, _checkpoint(settings.pretrained, architecture)


def _default_tag(name: str, tags: list[str]) -> str:
    if name in PAPER_ARCHITECTURES:
        return "openai"
    if len(tags) == 1:
        return tags[0]
    if not tags:
        raise BackboneError(
            f"Backbone '{name}' has no published weights; give a file with --set backbone.pretrained=PATH, "
            "or start both towers from random numbers."
        )
    raise BackboneError(
        f"Backbone '{name}' has several pretrained weights; choose one with --set backbone.pretrained=TAG, "
        f"TAG being one of {_listed(tags)}."
    )


def _checkpoint(pretrained: str, name: str) -> Path:
    path = Path(os.path.expanduser(pretrained))
    if os.path.isfile(path):
        return path
    if os.path.isdir(path):
        return folder_weights(path)
    if path.suffix or "/" in pretrained:
        raise BackboneError(f"The weights file {path} (backbone.pretrained) does not exist.")
    tags = sorted(pretrained_tags(name))
    hint = f"Its tags are {_listed(tags)}." if tags else "It accepts only a weights file."
    raise BackboneError(
        f"Backbone '{name}' has no pretrained weights '{pretrained}'. {_did_you_mean(pretrained, tags, hint)}"
    )


def _did_you_mean(given: str, known: Iterable[str], otherwise: str) -> str:
    by_lower = {name.lower(): name for name in known}
    matches = [by_lower[match] for match in get_close_matches(given.lower(), by_lower, n=3, cutoff=0.6)]
    return f"Did you mean {' or '.join(matches)}?" if matches else otherwise


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
