"""What the page Paper launches: tables and figures on one base experiment, and the shell command for each."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from ballad.data.catalog import CATALOG
from ballad.experiment import Experiment
from ballad.paper.budgets import with_budget
from ballad.paper.presets import PAPER_BACKBONES, Preset, backbone_title, with_seeds
from ballad.paper.recipes import recipe_values
from ballad.wording import counted
from dashboard.forms.draft import default_experiment
from dashboard.reading.plans import DatasetFacts, plan_of, stage_states

RECIPE_TITLES = {"paper": "The paper's text", "released_code": "Its released code"}


@dataclass(frozen=True)
class PaperRequest:
    """``base`` is built by :func:`base_experiment` from the other fields."""

    presets: tuple[Preset, ...]
    dataset: str
    backbone: str
    weights: str | None
    recipe: str
    budget: str
    seeds: int

    @property
    def base(self) -> Experiment:
        """Raises SettingsError. As the shell builds it: defaults, then the recipe, then the budget's cut."""
        experiment = default_experiment(self.dataset, self.backbone).with_values(
            {"backbone.pretrained": self.weights, **recipe_values(self.recipe)}
        )
        return with_budget(experiment, self.budget)

    @property
    def experiments(self) -> list[Experiment]:
        """All experiments of all tables, each once."""
        return experiments_of(self.presets, self.base, self.seeds)

    @property
    def commands(self) -> list[str]:
        """The shell commands that do the same."""
        options = {"--dataset": self.dataset, "--backbone": self.backbone, "--recipe": self.recipe}
        options |= {"--budget": self.budget, "--seeds": str(self.seeds)}
        if self.weights:
            options["--set"] = f"backbone.pretrained={self.weights}"
        words = " ".join(f"{option} {shlex.quote(value)}" for option, value in options.items())
        return [f"python -m ballad ablate {preset.name} {words}" for preset in self.presets]


def experiments_of(presets: Sequence[Preset], base: Experiment, seeds: int) -> list[Experiment]:
    """All experiments of these tables and figures, each once."""
    rows = [row for preset in presets for row in preset.rows(base)]
    return list({each.key: each for row in rows for each in with_seeds(row.experiment, seeds)}.values())


def what_it_takes(experiments: Sequence[Experiment], facts: DatasetFacts) -> str:
    """How many runs there are, and how many trainings of towers they share or can reuse.

    Raises BackboneError for a backbone that cannot be found.
    """
    plans = [plan_of(each, facts) for each in {each.towers_key: each for each in experiments}.values()]
    towers = [state for state in stage_states(plans) if state.stage.kind == "towers"]
    missing = sum(not state.present for state in towers)
    if not towers:
        return f"{counted(len(experiments), 'run')}; no towers are trained."
    done = f", {len(towers) - missing} of them already done" if missing < len(towers) else ""
    return f"{counted(len(experiments), 'run')} share {counted(len(towers), 'training')} of the towers{done}."


def ablation_label(group_id: str, preset: Preset, base: Experiment, seeds: int) -> str:
    """``Table 7: where to balance · CIFAR100-LT · RN50 · full · 3 seeds · mg3x1k2a``."""
    conditions = [
        source_title(base.dataset.source),
        backbone_title(base.backbone.name),
        base.budget,
        counted(seeds, "seed"),
    ]
    return " · ".join([f"{preset.place}: {preset.title}", *conditions, group_id])


def source_title(source: str) -> str:
    """The catalogue's title of a dataset, or the last folder of its path."""
    return CATALOG[source].title if source in CATALOG else source.rstrip("/").rpartition("/")[2]


BACKBONES = ("demo", *PAPER_BACKBONES)
