"""What an experiment will cost: time from measured speed, device memory from the size of its towers. Estimates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from ballad.experiment import Experiment
from ballad.model.prompts import class_prompts
from ballad.model.tower_sizes import tower_sizes
from ballad.stages.plan import Plan

_FLOAT = 4
_COPIES_OF_TRAINED_WEIGHTS = 3
"""Weights, gradients, momentum."""
_TOKENS = 16
"""Of a prompt that goes through the tower at its own length; class names seldom make it longer."""


def training_memory(experiment: Experiment, num_classes: int) -> float | None:
    """Bytes on the device while the towers train; None for towers that were not counted, or that do not train.

    Raises BackboneError as :func:`ballad.model.tower_sizes.tower_sizes` does.
    """
    sizes = tower_sizes(experiment.backbone) if experiment.training.trains_towers else None
    if sizes is None:
        return None
    settings = experiment.phase_a
    trained, activations = 0, 0.0
    half = 0.5 if settings.precision == "bf16" else 1.0
    if settings.tuned != "text":
        images = min(settings.micro_batch or settings.batch_size, settings.batch_size)
        scale = ((experiment.backbone.image_size or sizes.image_size) / sizes.image_size) ** 2
        trained += 0 if settings.tuned == "lift" else sizes.image_parameters  # bottlenecks are small
        activations += images * sizes.image_bytes * scale * half
    if settings.tuned in ("text", "both"):
        prompts = num_classes * len(class_prompts([""], experiment.prompts, experiment.seed)[0])
        trained += sizes.text_parameters
        activations += prompts * (sizes.prompt_tokens or _TOKENS) * sizes.token_bytes * half
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

    ``images``: in each split. ``speed``: images per second by phase, as :func:`speed_on` has it.
    """
    work: dict[str, float] = {}
    for key, (phase, number) in {key: item for plan in plans for key, item in _work(plan, images).items()}.items():
        if key in missing:
            work[phase] = work.get(phase, 0.0) + number
    known = {phase: number for phase, number in work.items() if phase in speed}
    unknown = tuple(phase for phase in work if phase not in speed)
    return ExpectedTime(sum(number / speed[phase] for phase, number in known.items()), unknown)


def stage_seconds(plan: Plan, images: Mapping[str, int], speed: Mapping[str, float]) -> dict[str, float | None]:
    """How long each stage of this plan that takes time takes, by its key; None where the phase's speed is unknown.

    ``images`` and ``speed`` as for :func:`expected_time`.
    """
    return {
        key: number / speed[phase] if phase in speed else None for key, (phase, number) in _work(plan, images).items()
    }


def speed_on(throughput: pd.DataFrame, backbone: str, device: str) -> dict[str, float]:
    """Images per second by phase (phase_a, joint, features, phase_b, fresh features).

    ``throughput``: rows of :func:`ballad.store.queries.throughput`.
    """
    here = throughput[(throughput["backbone"] == backbone) & (throughput["device"] == device)]
    phases = here["phase"].str.replace(r"^features.*", "features", regex=True)
    return here.groupby(phases)["images_per_second"].median().to_dict()


def _work(plan: Plan, images: Mapping[str, int]) -> dict[str, tuple[str, float]]:
    """Phase and images to pass through it, by the key of each stage that takes time."""
    experiment = plan.experiment
    work: dict[str, tuple[str, float]] = {}
    for stage in plan.stages():
        if stage.kind == "towers":
            first_phase = experiment.training.phases[0].name
            work[stage.key] = (first_phase, experiment.phase_a.epochs * images["train"])
        elif stage.kind == "features":
            work[stage.key] = ("features", images[stage.inputs["split"]])
        elif stage.kind == "views":
            work[stage.key] = ("features", (experiment.phase_b.views - 1) * images["train"])
        elif stage.kind == "adapter":
            phase = "fresh features" if experiment.phase_b.features == "exact" else "phase_b"
            work[stage.key] = (phase, experiment.phase_b.epochs * images["train"])
    return work
