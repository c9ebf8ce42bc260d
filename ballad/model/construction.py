"""From a backbone's layout to an open_clip model: the right class and activation, weights, random towers."""

import copy
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from ballad.errors import BackboneError
from ballad.model.hub import fetch_file
from ballad.model.source import BackboneLayout, BackboneSource
from ballad.model.weights import is_torchscript, load_weights
from ballad.sections import BackboneSettings, Towers

OpenClipModel = Any
"""One of open_clip's untyped model classes: CLIP, CustomTextCLIP or CoCa."""

_OF_THE_PROCESS = threading.Lock()
"""Held while torch's own random numbers are seeded and drawn: runs on several devices are threads, and share them."""


def tower_of(name: str) -> Towers | None:
    """The tower that a parameter or statistic of an open_clip model belongs to, by its name.

    None for the logit scale and bias, which stay as they are, and for a captioning decoder (CoCa), which is not used.
    """
    if name.startswith("visual."):
        return "image"
    if name.startswith(("logit_", "text_decoder.")):
        return None
    return "text"


def complete_layout(layout: BackboneLayout, source: BackboneSource, checkpoint: Path | None) -> BackboneLayout:
    """The layout with what only the weights can tell: their activation, and how their pictures were prepared.

    A wrong activation gives no error, only bad features: OpenAI trained with QuickGELU.
    """
    import open_clip

    if source.kind != "architecture":
        return layout
    # A file says nothing of its pictures; the architecture's published weights do.
    tag = source.tag or next(iter(open_clip.list_pretrained_tags_by_model(source.name)), "")
    published = open_clip.get_pretrained_cfg(source.name, tag)
    model = dict(layout.model)
    if source.tag:
        model["quick_gelu"] = published.get("quick_gelu", False)
    elif checkpoint and is_torchscript(checkpoint):
        model["quick_gelu"] = True
    return replace(layout, model=model, preprocess=published)


def build_model(
    layout: BackboneLayout, checkpoint: Path | None, settings: BackboneSettings, *, seed: int
) -> OpenClipModel:
    """An open_clip model on the CPU with fp32 parameters.

    Towers that the settings want random keep what ``seed`` gave them (Table 4); the rest, logit scale included, comes
    from the checkpoint. With two random towers there is none, and the logit scale is open_clip's start, 1 / 0.07.
    """
    with _OF_THE_PROCESS, torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = instantiate(layout.model)
    _check_activation(model, bool(layout.model.get("quick_gelu")))
    if checkpoint:
        starts = {"image": settings.image_tower, "text": settings.text_tower, None: "pretrained"}
        state = model.state_dict()
        fresh = {name: state[name].clone() for name in state if starts[tower_of(name)] == "random"}
        load_weights(model, checkpoint, trust_torchscript=settings.trust_torchscript)
        model.load_state_dict(fresh, strict=False)
    return model


def instantiate(config: dict[str, Any]) -> OpenClipModel:
    """A model with random weights from open_clip's ``model_cfg``. Raises BackboneError if it does not describe one."""
    from open_clip.coca_model import CoCa
    from open_clip.model import CLIP, CustomTextCLIP

    config = copy.deepcopy(config)
    hugging_face_text = config["text_cfg"].get("hf_model_name")
    if hugging_face_text:
        config["text_cfg"] |= {"hf_model_pretrained": False, "hf_model_name": _text_model_folder(hugging_face_text)}
    if config["vision_cfg"].get("timm_model_name"):
        config["vision_cfg"]["timm_model_pretrained"] = False
    model_class = CLIP
    if config.pop("custom_text", False) or hugging_face_text:
        model_class = CoCa if "multimodal_cfg" in config else CustomTextCLIP
    try:
        return model_class(**config)
    except Exception as error:  # A foreign configuration can trip open_clip, timm and torch in any way.
        raise BackboneError(
            f"open_clip cannot build a model from the backbone's configuration (model_cfg): {error}."
        ) from None


def _text_model_folder(name: str) -> str:
    """The folder of a Hugging Face text model's configuration, which is all that is needed beside the checkpoint."""
    try:
        import transformers  # noqa: F401
    except ImportError:
        raise BackboneError(
            f"This backbone's text tower, {name}, needs the package transformers: pip install transformers."
        ) from None
    return str(fetch_file(name, ["config.json"]).parent)


def _check_activation(model: OpenClipModel, quick_gelu: bool) -> None:
    from open_clip.transformer import QuickGELU, Transformer

    transformers = [module for module in model.modules() if isinstance(module, Transformer)]
    for transformer in transformers:
        if any(isinstance(module, QuickGELU) for module in transformer.modules()) != quick_gelu:
            raise BackboneError(
                f"open_clip built this backbone {'without' if quick_gelu else 'with'} QuickGELU, "
                "which its weights do not fit; is open_clip_torch 3.3 installed?"
            )
