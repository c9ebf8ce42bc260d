"""Two readings of BALLAD that differ, and in what: the paper's text and its authors' released code.

A recipe is a handful of setting values; whatever it does not name is the same in both. ``paper`` is what the settings
default to. Where neither the paper nor its code leaves a choice (momentum, weight decay, frozen batch-norm statistics),
there is nothing to name.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ballad.errors import SettingsError
from ballad.experiment import Experiment

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Difference:
    """One thing that the paper and its code do differently, and the settings that say so.

    ``paper`` and ``released_code`` hold a value for each of ``settings``.
    """

    topic: str
    settings: tuple[str, ...]
    paper: tuple[Any, ...]
    released_code: tuple[Any, ...]
    explanation: str


DIFFERENCES = (
    Difference(
        "adapter",
        ("phase_b.activation", "phase_b.bias"),
        ("relu", True),
        ("none", False),
        "Eq. 5 is λ · ReLU(Wᵀf + b) + (1 − λ) · f; the code's adapter is linear, without ReLU and bias.",
    ),
    Difference(
        "temperature",
        ("backbone.temperature",),
        (None,),
        (0.01,),
        "The paper states τ = 1, with which the softmax stays almost flat, so its recipe takes the backbone's own "
        "scale (100 for CLIP); the code multiplies by a constant 100, whatever the backbone.",
    ),
    Difference(
        "augmentation",
        ("phase_a.augmentation", "phase_b.augmentation"),
        ("crop_flip", "crop_flip"),
        ("crop_flip_jitter", "crop_flip_jitter"),
        "Random crop and horizontal flip; the code adds colour jitter.",
    ),
    Difference(
        "learning rate",
        ("optimizer.cosine_by",),
        ("step",),
        ("epoch",),
        "Cosine decay by step; the code steps once before each epoch, so the last epoch's rate is 0.",
    ),
    Difference(
        "class-wise sampling",
        ("phase_a.images_per_draw", "phase_b.images_per_draw"),
        (1, 1),
        (4, 4),
        "Every draw takes a class, then an image; the code takes four images in a row from each drawn class, so a "
        "batch of 512 holds 128 classes. Instance sampling is not affected.",
    ),
    Difference(
        "last batch",
        ("phase_a.drop_last", "phase_b.drop_last"),
        (False, False),
        (True, True),
        "Kept; the code drops an epoch's last batch when it is not full.",
    ),
    Difference(
        "checkpoint",
        ("phase_a.selection",),
        ("last",),
        ("best",),
        "The paper does not say, so Phase A's last towers are handed on; the code hands on the best on validation.",
    ),
)

RECIPES: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        name: MappingProxyType(
            {
                setting: value
                for difference in DIFFERENCES
                for setting, value in zip(difference.settings, getattr(difference, name), strict=True)
            }
        )
        for name in ("paper", "released_code")
    }
)
"""Setting values by recipe, for :meth:`ballad.experiment.Experiment.with_values`."""

LIFT: Mapping[str, Any] = MappingProxyType(
    {
        "schedule": "joint",
        "phase_a.tuned": "lift",
        "phase_b.method": "lift_head",
        "phase_a.epochs": 10,
        "phase_a.batch_size": 128,
        "phase_a.learning_rate": 0.01,
        "phase_b.learning_rate": 0.01,
        "phase_a.augmentation": "wide_crop_flip",
        "phase_a.precision": "bf16",
        "optimizer.cosine_by": "epoch",
    }
)
"""The whole of LIFT, for ViTs: bottlenecks and head together (Shi et al., ICML 2024, arXiv 2309.10019).

As its authors train on ImageNet-LT and Places-LT (they use half precision); on iNaturalist they take 20 epochs.
"""
ALL_RECIPES: Mapping[str, Mapping[str, Any]] = MappingProxyType({**RECIPES, "lift": LIFT})
"""BALLAD's two, and those of other methods."""


def recipe_values(name: str) -> dict[str, Any]:
    """The dotted setting values of one of :data:`ALL_RECIPES`. Raises SettingsError for an unknown name."""
    if name not in ALL_RECIPES:
        raise SettingsError(f"There is no recipe '{name}'; the recipes are {', '.join(ALL_RECIPES)}.")
    return dict(ALL_RECIPES[name])


def recipe_of(experiment: Experiment) -> str | None:
    """The recipe that an experiment follows in every setting that recipes name; None if it mixes them."""
    for name, values in RECIPES.items():
        if experiment.with_values(values).key == experiment.key:
            return name
    return None


def difference_table() -> "pd.DataFrame":
    """One row per difference, for people. Columns: topic, setting, paper, released_code, explanation."""
    import pandas as pd

    return pd.DataFrame(
        [
            {
                "topic": difference.topic,
                "setting": ", ".join(difference.settings),
                "paper": _words(difference.paper),
                "released_code": _words(difference.released_code),
                "explanation": difference.explanation,
            }
            for difference in DIFFERENCES
        ]
    )


def _words(values: tuple[Any, ...]) -> str:
    """Values as the shell takes them, each different one once when all settings share it."""
    words = [value if isinstance(value, str) else json.dumps(value) for value in values]
    return ", ".join(words if len(set(words)) > 1 else words[:1])
