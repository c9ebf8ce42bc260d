"""What the page Paper launches: tables and figures under common conditions, what they take, and the shell commands."""

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ballad.experiment import Experiment
from ballad.paper.budgets import with_budget
from ballad.paper.presets import Preset, backbone_title, with_seeds
from ballad.paper.recipes import recipe_values
from ballad.stages.plan import Plan
from ballad.wording import counted
from dashboard.forms.cost import ExpectedTime
from dashboard.forms.draft import default_experiment
from dashboard.forms.group_cost import stages_and_time
from dashboard.forms.outlook import time_text
from dashboard.pickers.dataset_picker import source_title
from dashboard.reading.plans import DatasetFacts, StageState

RECIPE_TITLES = {"paper": "The paper's text", "released_code": "Its released code"}


@dataclass(frozen=True)
class Conditions:
    """What tables and figures that are launched together share: their base experiment, and the seeds per setting."""

    base: Experiment
    seeds: int

    @classmethod
    def of_launch(cls, definition: Mapping[str, Any]) -> "Conditions":
        """Those of a group that was launched, by its definition."""
        return cls(Experiment.parse(definition["base"]).with_values({"name": ""}), definition["seeds"])

    def lead_to_the_runs_of(self, other: "Conditions") -> bool:
        return (self.base.key, self.seeds) == (other.base.key, other.seeds)

    def experiments(self, presets: Iterable[Preset]) -> list[Experiment]:
        """All experiments of these tables and figures, each once."""
        rows = [row for preset in presets for row in preset.rows(self.base)]
        return list({each.key: each for row in rows for each in with_seeds(row.experiment, self.seeds)}.values())

    def __str__(self) -> str:
        """``CIFAR100-LT, RN50, full, 3 seeds``, as people read it."""
        base = self.base
        titles = source_title(base.dataset.source), backbone_title(base.backbone.name)
        return ", ".join([*titles, f"budget {base.budget}", counted(self.seeds, "seed")])


@dataclass(frozen=True)
class PaperRequest:
    """What the page asks for."""

    presets: tuple[Preset, ...] = ()
    dataset: str = "demo"
    backbone: str = "demo"
    weights: str | None = None
    recipe: str = "paper"
    budget: str = "full"
    seeds: int = 3

    @property
    def conditions(self) -> Conditions:
        """Raises SettingsError. As the shell builds it: defaults, then the recipe, then the budget's cut."""
        experiment = default_experiment(self.dataset, self.backbone).with_values(
            {"backbone.pretrained": self.weights, **recipe_values(self.recipe)}
        )
        return Conditions(with_budget(experiment, self.budget), self.seeds)

    @property
    def commands(self) -> list[str]:
        """The shell commands that do the same."""
        options = {"--dataset": self.dataset, "--backbone": self.backbone, "--recipe": self.recipe}
        options |= {"--budget": self.budget, "--seeds": str(self.seeds)}
        if self.weights:
            options["--set"] = f"backbone.pretrained={self.weights}"
        words = " ".join(f"{option} {shlex.quote(value)}" for option, value in options.items())
        return [f"python -m ballad ablate {preset.name} {words}" for preset in self.presets]


@dataclass(frozen=True)
class Cost:
    """What runs will take: their stages, and how long the missing ones last."""

    runs: int
    stages: Sequence[StageState]
    time: ExpectedTime

    def __str__(self) -> str:
        there = sum(state.present for state in self.stages)
        trainings = [state for state in self.stages if state.stage.kind == "towers"]
        towers = counted(len(trainings), "training") + " of the towers" if trainings else "no training of towers"
        return (
            f"{counted(self.runs, 'run')} with {towers}. {there} of {counted(len(self.stages), 'stage')} done already. "
            f"Expected time: {time_text(self.time)}."
        )


def cost_of(plans: Sequence[Plan], facts: DatasetFacts) -> Cost:
    """What these plans take. Raises RunError for a device that is not there."""
    return Cost(len(plans), *stages_and_time(plans, facts))


def ablation_label(group_id: str, preset: Preset, conditions: Conditions) -> str:
    """``Table 7: where to balance · CIFAR100-LT · RN50 · full · 3 seeds · mg3x1k2a``."""
    base = conditions.base
    said = [source_title(base.dataset.source), backbone_title(base.backbone.name), base.budget]
    return " · ".join([f"{preset.place}: {preset.title}", *said, counted(conditions.seeds, "seed"), group_id])
