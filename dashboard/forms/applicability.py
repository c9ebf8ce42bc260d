"""Which settings have no effect given the others, and why; their entries are disabled with that reason."""

from collections.abc import Mapping
from typing import Any

from ballad.data.catalog import CATALOG
from ballad.heads import HEADS
from ballad.heads.ballad import Ballad
from ballad.samplers import SAMPLERS
from ballad.schedules import SCHEDULES
from dashboard.settings.fields import FIELDS
from dashboard.settings.head_fields import entries_of

_OF_THE_HEAD = ("phase_b.method", "phase_b.learning_rate", "phase_b.seed")
"""Settings of Phase B that joint training has as well, beside the method's options."""


_OF_TRAINING = [
    f"phase_b.{name}"
    for name in ("epochs", "learning_rate", "sampler", "batch_size", "images_per_draw", "drop_last", "selection")
]
"""Settings that change nothing where Phase B has no steps."""


def reasons(values: Mapping[str, Any]) -> dict[str, str]:
    """Why settings, by dotted name, do not apply given these ``values``; those that do apply are absent."""
    return {**_of_images(values), **_of_details(values), **reasons_of_schedule(values["schedule"])}


def reasons_of_schedule(schedule: str) -> dict[str, str]:
    """Those of :func:`reasons` that the schedule alone gives."""
    found: dict[str, str] = {}
    training = SCHEDULES[schedule]
    if training.no_towers:
        found |= dict.fromkeys(_section("phase_a"), training.no_towers)
        found |= dict.fromkeys(("runtime.keep_towers", "runtime.compile"), training.no_towers)
    if training.no_head:
        found |= dict.fromkeys(_section("phase_b"), training.no_head)
    if training.is_joint:
        options = [entry for method in HEADS for entry in entries_of(method).values()]
        shared = [name for name in _section("phase_b") if name not in (*_OF_THE_HEAD, *options)]
        found |= dict.fromkeys(shared, "Joint training has one phase, with the settings of Phase A.")
        found["phase_a.interpolation"] = "Joint training hands on the towers that it trained the head on."
    if not training.phases:
        found |= dict.fromkeys(_section("optimizer"), training.no_towers)
    return found


def _of_images(values: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    entry = CATALOG.get(values["dataset.source"])
    if values["dataset.imbalance_ratio"] is None and (entry is None or entry.imbalance_ratio is None):
        why = "The training set is not thinned: enter an imbalance ratio first."
        found |= {"dataset.imbalance_profile": why, "dataset.shot_groups": why}
    if values["backbone.pretrained"] is None:
        found["backbone.trust_torchscript"] = "No weights file has been given."
    if values["backbone.image_tower"] == values["backbone.text_tower"] == "random":
        found["backbone.pretrained"] = "Both towers start from random numbers."
    return found


def _of_details(values: Mapping[str, Any]) -> dict[str, str]:
    found = {}
    if values["prompts.kind"] != "custom":
        found["prompts.templates"] = "Choose ‘my own’ under Prompts to write your own."
    for phase in ("phase_a", "phase_b"):
        if SAMPLERS[values[f"{phase}.sampler"]].each_image_once:
            found[f"{phase}.images_per_draw"] = "Instance sampling draws images, not classes."
    head = HEADS[values["phase_b.method"]]
    if head is not Ballad:
        of_ballad = f"An option of BALLAD; the method is {head.shown_title()}."
        found |= dict.fromkeys(entries_of(Ballad.name).values(), of_ballad)
    if head.chooses_sampler:
        found["phase_b.sampler"] = f"{head.shown_title()} determines how images are drawn."
    if values["phase_b.search"] == "grid":
        own = entries_of(head.name)
        searched = [own.get(name, f"phase_b.{name}") for name in head.grid]
        found |= dict.fromkeys(searched, "The search tries its own values.")
    if not head.learns:
        found |= dict.fromkeys(_OF_TRAINING, f"{head.shown_title()} is not trained.")
    if values["phase_b.features"] == "exact":
        found["phase_b.views"] = "Fresh features are augmented anew in every epoch."
    elif values["phase_b.views"] == 1:
        found["phase_b.augmentation"] = "Only the plain view is stored."
    return found


def _section(name: str) -> list[str]:
    return [field for field in FIELDS if field.startswith(f"{name}.")]
