"""What a λ sweep runs: base experiment and grid. Pure functions."""

from collections.abc import Sequence
from typing import Any, Literal

from ballad.errors import SettingsError
from ballad.experiment import Experiment
from ballad.heads.ballad import Ballad
from ballad.schedules import SCHEDULES

RESIDUAL_FACTOR, SAMPLER = "phase_b.residual_factor", "phase_b.sampler"

SeedsOf = Literal["adapter", "run"]
"""``adapter``: seeds vary Phase B alone, on one Phase A; ``run``: each seed trains a Phase A of its own."""

SWEPT_SCHEDULES = tuple(name for name, schedule in SCHEDULES.items() if schedule.with_phase_b)
"""Those whose towers a sweep can build adapters on."""


def sweep_of(
    base: Experiment, factors: Sequence[float], samplers: Sequence[str], seeds: Sequence[int], seeds_of: SeedsOf
) -> tuple[Experiment, dict[str, list[Any]]]:
    """The experiment that the runs share and what varies, for :func:`ballad.sweeps.queue_sweep`.

    The towers are those of ``base``: its Phase A is found again, not trained. Raises SettingsError for joint training,
    whose towers depend on λ, and where there is nothing to vary.
    """
    schedule = base.training.with_phase_b
    if schedule is None:
        raise SettingsError(
            "In joint training the towers depend on λ, so they cannot be shared; sweep a decoupled or fine-tuned run "
            "instead."
        )
    if not samplers:
        raise SettingsError("Choose at least one sampler for Phase B.")
    of_ballad = {"schedule": schedule.name, "phase_b.method": Ballad.name, "phase_b.seed": None}
    shared = base.with_values({**of_ballad, "name": "", "notes": ""})
    seed = "phase_b.seed" if seeds_of == "adapter" else "seed"
    return shared, {SAMPLER: list(samplers), seed: list(seeds), RESIDUAL_FACTOR: list(factors)}
