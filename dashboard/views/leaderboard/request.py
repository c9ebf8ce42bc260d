"""What the page Leaderboard launches: methods on one base experiment, and the shell command that does the same."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from ballad.errors import RunError, SettingsError
from ballad.experiment import Experiment
from ballad.leaderboard.protocol import TOWER_TITLES, Leaderboard, Towers, Vary, methods_on
from ballad.paper.budgets import with_budget
from ballad.paper.presets import backbone_title
from ballad.wording import counted
from dashboard.forms.draft import default_experiment
from dashboard.pickers.dataset_picker import source_title
from dashboard.reading.plans import DatasetFacts

_MOST_SET_ASIDE = 10
"""Images per class that are proposed for validation; a reader may ask for more."""


@dataclass(frozen=True)
class LeaderboardRequest:
    """What was entered. methods : by name. set_aside : images per class for a validation split, 0 for none."""

    dataset: str
    backbone: str
    weights: str | None
    budget: str
    towers: Towers
    vary: Vary
    seeds: int
    methods: tuple[str, ...]
    set_aside: int

    @property
    def base(self) -> Experiment:
        """As the shell builds it. Raises SettingsError."""
        experiment = default_experiment(self.dataset, self.backbone).with_values(
            {"backbone.pretrained": self.weights, "dataset.validation_per_class": self.set_aside}
        )
        return with_budget(experiment, self.budget)

    def leaderboard(self, facts: DatasetFacts) -> Leaderboard:
        """Grids are tried where the dataset has a validation split. Raises SettingsError."""
        return Leaderboard(self.base, self.methods, self.towers, self.seeds, self.vary, searched=facts.has_validation)

    @property
    def command(self) -> str:
        """The shell command that asks for the same; methods are named where they are fewer than all."""
        options = {"--dataset": self.dataset, "--backbone": self.backbone, "--towers": self.towers}
        if self.budget != "full":
            options["--budget"] = self.budget
        words = [f"{option} {shlex.quote(value)}" for option, value in options.items()]
        words += [f"--seeds {self.seeds}", f"--vary {self.vary}"]
        settings = {"backbone.pretrained": self.weights, "dataset.validation_per_class": self.set_aside or None}
        words += [f"--set {shlex.quote(f'{name}={value}')}" for name, value in settings.items() if value]
        if self.methods != methods_on(self.towers):
            words.append(f"--methods {' '.join(self.methods)}")
        return f"python -m ballad leaderboard {' '.join(words)}"


def leaderboards(groups: pd.DataFrame) -> pd.DataFrame:
    """Those rows of :func:`ballad.store.queries.groups` that are a leaderboard of this release."""
    return groups[pd.Series([_is_known(each) for each in groups["definition"]], index=groups.index, dtype=bool)]


def _is_known(definition: Mapping[str, Any]) -> bool:
    try:
        Leaderboard.parse(definition)
    except (RunError, SettingsError):
        return False
    return True


def proposal(facts: DatasetFacts) -> int:
    """How many images per class to set aside for validation: half of the smallest class, 10 at most."""
    return min(_MOST_SET_ASIDE, int(facts.classes["train_count"].min()) // 2)


def launch_label(group_id: str, definition: Mapping[str, Any]) -> str:
    """``CIFAR100-LT · RN50 · untouched towers · 25 methods · 3 seeds · mg3x1k2a``."""
    board = Leaderboard.parse(definition)
    budget = [] if board.base.budget == "full" else [f"budget {board.base.budget}"]
    conditions = [
        source_title(board.base.dataset.source),
        backbone_title(board.base.backbone.name),
        TOWER_TITLES[board.towers],
        *budget,
        counted(len(board.entries), "method"),
        counted(board.seeds, "seed"),
    ]
    return " · ".join([*conditions, group_id])
