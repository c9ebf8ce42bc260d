"""Named reductions of an experiment for machines that are too small for all of it.

A budget's name stays in the experiment and is shown with every result: its numbers are not the paper's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from ballad.errors import SettingsError
from ballad.experiment import Experiment


@dataclass(frozen=True)
class Budget:
    """What is left of the full experiment: a share of each phase's epochs, and a number of a dataset's classes."""

    phase_a: float
    phase_b: float
    classes: int | None
    explanation: str


BUDGETS: Mapping[str, Budget] = MappingProxyType(
    {
        "full": Budget(1, 1, None, "the full experiment"),
        "half": Budget(0.5, 1, None, "half of Phase A's epochs"),
        "small": Budget(0.2, 1, None, "a fifth of Phase A's epochs"),
        "tiny": Budget(0.04, 0.2, 20, "a 25th of Phase A's epochs, a fifth of Phase B's, at most 20 classes"),
    }
)


def with_budget(experiment: Experiment, name: str) -> Experiment:
    """The experiment cut down to a budget, and named after it; a phase keeps at least one epoch.

    Classes that remain are spread evenly over the frequency order; a user's own dataset, whose number of classes is
    unknown until it is read, keeps all of them. Raises SettingsError for an unknown name.
    """
    if name not in BUDGETS:
        raise SettingsError(f"There is no budget '{name}'; the budgets are {', '.join(BUDGETS)}.")
    from ballad.data.catalog import CATALOG

    budget = BUDGETS[name]
    if name == "full":
        return experiment
    values: dict[str, Any] = {
        "budget": name,
        "phase_a.epochs": _share(experiment.phase_a.epochs, budget.phase_a),
        "phase_b.epochs": _share(experiment.phase_b.epochs, budget.phase_b),
    }
    known = CATALOG.get(experiment.dataset.source)
    classes = experiment.dataset.classes or (known.num_classes if known else 0)
    if budget.classes is not None and classes > budget.classes:
        values["dataset.classes"] = budget.classes
    return experiment.with_values(values)


def _share(epochs: int, share: float) -> int:
    return min(epochs, max(1, round(share * epochs)))
