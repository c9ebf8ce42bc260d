"""Which settings have no effect beside the others, and why: their entries are disabled with that reason."""

from collections.abc import Mapping
from typing import Any

from ballad.data.catalog import CATALOG
from dashboard.settings.fields import FIELDS

_NO_PHASE_A = {
    "zero_shot": "Zero-shot trains nothing.",
    "zero_shot_adapter": "Zero-shot + adapter leaves the towers as they are: there is no Phase A.",
}
_NO_ADAPTER = {
    "zero_shot": "Zero-shot trains nothing.",
    "finetune": "Fine-tuning ends after Phase A: there is no adapter.",
}
_ADAPTER_IN_JOINT_TRAINING = ("placement", "residual_factor", "activation", "bias", "learning_rate", "seed")


def reasons(values: Mapping[str, Any]) -> dict[str, str]:
    """Why settings, by dotted name, do not apply beside these ``values``; those that apply are absent."""
    return {**_of_images(values), **_of_details(values), **reasons_of_schedule(values["schedule"])}


def reasons_of_schedule(schedule: str) -> dict[str, str]:
    """Those of :func:`reasons` that the schedule alone gives."""
    found: dict[str, str] = {}
    if schedule in _NO_PHASE_A:
        found |= dict.fromkeys(_section("phase_a"), _NO_PHASE_A[schedule])
        found |= dict.fromkeys(("runtime.keep_towers", "runtime.compile"), _NO_PHASE_A[schedule])
    if schedule in _NO_ADAPTER:
        found |= dict.fromkeys(_section("phase_b"), _NO_ADAPTER[schedule])
    if schedule == "joint":
        shared = [name for name in _section("phase_b") if name.split(".")[1] not in _ADAPTER_IN_JOINT_TRAINING]
        found |= dict.fromkeys(shared, "Joint training has one phase, with the settings of Phase A.")
    if schedule == "zero_shot":
        found |= dict.fromkeys(_section("optimizer"), "Zero-shot trains nothing.")
    return found


def _of_images(values: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    entry = CATALOG.get(values["dataset.source"])
    if values["dataset.imbalance_ratio"] is None and (entry is None or entry.imbalance_ratio is None):
        why = "No long tail is cut: give an imbalance ratio first."
        found |= {"dataset.imbalance_profile": why, "dataset.shot_groups": why}
    if values["backbone.pretrained"] is None:
        found["backbone.trust_torchscript"] = "No weights file is given."
    if values["backbone.image_tower"] == values["backbone.text_tower"] == "random":
        found["backbone.pretrained"] = "Both towers start from random numbers."
    return found


def _of_details(values: Mapping[str, Any]) -> dict[str, str]:
    found = {}
    if values["prompts.kind"] != "custom":
        found["prompts.templates"] = "Choose ‘my own’ prompts to write them."
    for phase in ("phase_a", "phase_b"):
        if values[f"{phase}.sampler"] == "instance":
            found[f"{phase}.images_per_draw"] = "Instance sampling draws images, not classes."
    if values["phase_b.features"] == "exact":
        found["phase_b.views"] = "Fresh features are augmented anew every epoch."
    elif values["phase_b.views"] == 1:
        found["phase_b.augmentation"] = "The only view is the plain one."
    return found


def _section(name: str) -> list[str]:
    return [field for field in FIELDS if field.startswith(f"{name}.")]
