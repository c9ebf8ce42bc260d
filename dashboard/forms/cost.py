"""What an experiment will cost: time from measured speed, device memory from the size of its towers. Estimates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from ballad.experiment import Experiment
from ballad.runs.plan import Plan

_FLOAT = 4
_COPIES_OF_TRAINED_WEIGHTS = 3
"""Weights, gradients, momentum."""
_TOKENS = 16
"""Prompts are cut to the longest; class names seldom make them longer than this."""


@dataclass(frozen=True)
class TowerSize:
    """Sizes of a backbone's towers: parameters, and bytes that training keeps of one input for the backward pass."""

    image_parameters: float
    text_parameters: float
    image_bytes: float
    token_bytes: float
    image_size: int


# In fp32: of images by scripts/count_training_memory.py, of tokens from what autograd saves of open_clip's text towers.
_SIZES = {
    "demo": TowerSize(1.4e6, 2.4e6, 0.3e6, 0.1e6 / 16, 48),
    "RN50": TowerSize(38.3e6, 63.7e6, 50.1e6, 44.1e6 / 77, 224),
    "RN101": TowerSize(56.3e6, 63.4e6, 70.6e6, 44.1e6 / 77, 224),
    "ViT-B/16": TowerSize(86.2e6, 63.4e6, 147.8e6, 44.1e6 / 77, 224),
    "RN50x16": TowerSize(167.3e6, 123.7e6, 403.1e6, 66.1e6 / 77, 384),
}


def training_memory(experiment: Experiment, num_classes: int) -> float | None:
    """Bytes on the device while the towers train; None for towers whose size is not known, or that do not train."""
    sizes = _SIZES.get(experiment.backbone.name)
    if sizes is None or not experiment.trains_towers:
        return None
    settings = experiment.phase_a
    trained, activations = 0.0, 0.0
    half = 0.5 if settings.precision == "bf16" else 1.0
    if settings.tuned != "text":
        images = min(settings.micro_batch or settings.batch_size, settings.batch_size)
        scale = ((experiment.backbone.image_size or sizes.image_size) / sizes.image_size) ** 2
        trained += sizes.image_parameters
        activations += images * sizes.image_bytes * scale * half
    if settings.tuned != "image":
        trained += sizes.text_parameters
        activations += num_classes * _TOKENS * sizes.token_bytes * half
    all_weights = sizes.image_parameters + sizes.text_parameters
    return _FLOAT * (all_weights + (_COPIES_OF_TRAINED_WEIGHTS - 1) * trained) + activations


@dataclass(frozen=True)
class ExpectedTime:
    """``seconds`` of the phases whose speed is known; ``unknown`` names the others."""

    seconds: float
    unknown: tuple[str, ...]


def expected_time(
    plans: Sequence[Plan], missing: set[str], images: Mapping[str, int], speed: Mapping[str, float]
) -> ExpectedTime:
    """How long the ``missing`` stages (by key) of these plans take.

    ``images``: in each split. ``speed``: images a second by phase, as :func:`speed_on` has it.
    """
    work: dict[str, float] = {}
    for key, (phase, number) in {key: item for plan in plans for key, item in _work(plan, images).items()}.items():
        if key in missing:
            work[phase] = work.get(phase, 0.0) + number
    known = {phase: number for phase, number in work.items() if phase in speed}
    unknown = tuple(phase for phase in work if phase not in speed)
    return ExpectedTime(sum(number / speed[phase] for phase, number in known.items()), unknown)


def speed_on(throughput: pd.DataFrame, backbone: str, device: str) -> dict[str, float]:
    """Images a second by phase (phase_a, joint, features, phase_b) from rows of :func:`queries.throughput`."""
    here = throughput[(throughput["backbone"] == backbone) & (throughput["device"] == device)]
    phases = here["phase"].str.replace(r"^features.*", "features", regex=True)
    return here.groupby(phases)["images_per_second"].median().to_dict()


def _work(plan: Plan, images: Mapping[str, int]) -> dict[str, tuple[str, float]]:
    """Phase and images to pass through it, by the key of each stage that takes time."""
    experiment = plan.experiment
    work: dict[str, tuple[str, float]] = {}
    for stage in plan.stages():
        if stage.kind == "towers":
            phase = "joint" if experiment.schedule == "joint" else "phase_a"
            work[stage.key] = (phase, experiment.phase_a.epochs * images["train"])
        elif stage.kind == "features":
            work[stage.key] = ("features", images[stage.inputs["split"]])
        elif stage.kind == "views":
            work[stage.key] = ("features", (experiment.phase_b.views - 1) * images["train"])
        elif stage.kind == "adapter":
            work[stage.key] = ("phase_b", experiment.phase_b.epochs * images["train"])
    return work
