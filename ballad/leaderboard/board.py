"""What the runs of a leaderboard measured: one row per method, with its spread, cost and difference from BALLAD."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ballad.analysis.statistics import paired_bootstrap
from ballad.data.catalog import CATALOG
from ballad.heads.head import ADJUSTMENT, Head
from ballad.leaderboard.protocol import BASELINE, ENTRIES, WISE_FT, Leaderboard, definition_of, finished_runs
from ballad.schedules import PHASE_A, ZERO_SHOT, model_title
from ballad.shot_groups import ALL, GROUPS
from ballad.stages import file_names
from ballad.stages.plan import Plan
from ballad.stages.run_folder import RunFolder
from ballad.stages.stage_store import Stage, StageStore
from ballad.store.run_store import RunStore

METRICS = (*GROUPS, "balanced_error", "ece")
"""All in percent: accuracies of shot groups and of all images, balanced error, expected calibration error."""


@dataclass(frozen=True)
class Spread:
    """Mean and sample standard deviation over seeds; NaN where there is nothing to take them of."""

    mean: float
    sd: float


@dataclass(frozen=True)
class Gap:
    """Points by which one row is above another, with the 95 % interval of a paired bootstrap over the test images."""

    difference: float
    low: float
    high: float

    @property
    def is_noise(self) -> bool:
        """Whether zero lies in the interval."""
        return self.low <= 0 <= self.high


@dataclass(frozen=True)
class Row:
    """A method, or towers without one, as measured by the finished runs.

    model : which model of the runs the row reads. measured : on test, by :data:`METRICS`. validation : accuracy on all
    validation images, which rows are chosen by; NaN without such a split. parameters : of one head, that gradients
    change. seconds : what training took when it was measured, of all seeds and grid points together, wherever this
    board found it done; NaN where the results of the training were removed.
    chosen : of each seed, the point of the grid that was best on validation. against_baseline : on test, by shot group.
    """

    name: str
    title: str
    model: str
    runs: tuple[str, ...]
    measured: Mapping[str, Spread]
    validation: Spread
    parameters: int
    seconds: float
    chosen: tuple[Mapping[str, Any], ...]
    against_baseline: Mapping[str, Gap]

    @property
    def seeds(self) -> int:
        return len(self.runs)


@dataclass(frozen=True)
class Board:
    """A leaderboard that was launched, the finished run of each experiment by key, and the stages that runs share."""

    leaderboard: Leaderboard
    finished: Mapping[str, RunFolder]
    stages: StageStore

    @classmethod
    def read(cls, store: RunStore, group_id: str) -> "Board":
        """The board of a group; runs that others launched count too. Raises RunError if the group is not a
        leaderboard."""
        leaderboard = Leaderboard.parse(definition_of(store, group_id))
        return cls(leaderboard, finished_runs(store, leaderboard), StageStore(store.home))

    def rows(self) -> list[Row]:
        """Those with a finished run: the towers without a head first, then the methods in their order."""
        folders = self._folders()
        baseline = _answers(folders[BASELINE], BASELINE) if BASELINE in folders else None
        rows = [self._towers_row(model, found, baseline) for model in self._towers_models if (found := self._unmixed())]
        for name, found in folders.items():
            entry = ENTRIES[name]
            model = PHASE_A.name if entry.mixes_towers else entry.method
            rows.append(self._row(name, entry.title(self.leaderboard.towers), model, found, baseline))
        return rows

    def gaps(self, below: Row, rows: Sequence[Row]) -> dict[str, dict[str, Gap]]:
        """How far each of ``rows`` is above ``below``, by the row's name and by shot group."""
        base = _answers(self._of_runs(below), below.model)
        return {row.name: _gaps(base, _answers(self._of_runs(row), row.model)) for row in rows}

    @property
    def dataset_title(self) -> str:
        """The dataset's title as finished runs know it; before there are any, the catalogue's, or its path."""
        folder, source = next(iter(self.finished.values()), None), self.leaderboard.base.dataset.source
        if folder is None:
            return CATALOG[source].title if source in CATALOG else source
        return folder.result()["dataset"]

    @property
    def _towers_models(self) -> list[str]:
        return [ZERO_SHOT] if self.leaderboard.towers == "zero_shot" else [ZERO_SHOT, PHASE_A.name]

    def _folders(self) -> dict[str, list[RunFolder]]:
        board = self.leaderboard
        of_entries = {
            entry.name: [self.finished[each.key] for each in board.experiments(entry) if each.key in self.finished]
            for entry in board.entries
        }
        if WISE_FT in of_entries:
            of_entries[WISE_FT] = self._best_mixtures(of_entries[WISE_FT])
        return {name: folders for name, folders in of_entries.items() if folders}

    def _best_mixtures(self, folders: Sequence[RunFolder]) -> list[RunFolder]:
        """Of each seed whose mixtures of towers have all finished the first that is best on validation."""
        by_seed: dict[int, list[RunFolder]] = {}
        for folder in folders:
            by_seed.setdefault(folder.plan().experiment.seed, []).append(folder)
        if not self.leaderboard.searched:
            return [folder for (folder,) in by_seed.values()]
        complete = len(ENTRIES[WISE_FT].grid["interpolation"])
        return [
            max(found, key=lambda folder: _value(folder.summary(PHASE_A.name, "val"), ALL))
            for found in by_seed.values()
            if len(found) == complete
        ]

    def _unmixed(self) -> list[RunFolder]:
        """The finished runs that tell of the towers as they are."""
        return [folder for folder in self.finished.values() if folder.plan().experiment.interpolation == 1]

    def _of_runs(self, row: Row) -> list[RunFolder]:
        by_id = {folder.path.name: folder for folder in self.finished.values()}
        return [by_id[run_id] for run_id in row.runs]

    def _towers_row(self, model: str, found: Sequence[RunFolder], baseline: "_Answers | None") -> Row:
        """Runs with the same towers have the same results for them, so one run per set of towers counts."""
        folders = {folder.plan().evaluation(model).key: folder for folder in found}
        return self._row(model, model_title(model), model, list(folders.values()), baseline)

    def _row(self, name: str, title: str, model: str, folders: Sequence[RunFolder], baseline: "_Answers | None") -> Row:
        plans = [folder.plan() for folder in folders]
        summaries = [folder.summary(model, "test") for folder in folders]
        validated = [
            folder.summary(model, "val") for folder, plan in zip(folders, plans, strict=True) if plan.has_validation
        ]
        results = [folder.result() for folder in folders] if name in ENTRIES else []
        searches = [result["search"] for result in results if "search" in result]
        chosen = [search["points"][search["chosen"]]["values"] for search in searches]
        if name == WISE_FT and self.leaderboard.searched:
            chosen = [{"interpolation": plan.experiment.interpolation} for plan in plans]
        return Row(
            name,
            title,
            model,
            tuple(folder.path.name for folder in folders),
            {metric: _spread([_value(summary, metric) for summary in summaries]) for metric in METRICS},
            _spread([_value(summary, ALL) for summary in validated]),
            _parameters(ENTRIES[name].head, folders[0]) if name in ENTRIES else 0,
            self._seconds([_training(plan, model) for plan in plans]),
            tuple(chosen),
            {} if baseline is None or name == BASELINE else _gaps(baseline, _answers(folders, model)),
        )

    def _seconds(self, stages: Sequence[Stage | None]) -> float:
        """What these stages took when they were computed, each once."""
        distinct = {stage.key: stage for stage in stages if stage is not None}
        return sum(self.stages.seconds(stage) for stage in distinct.values())


def trained_parameters(head: type[Head], shapes: Mapping[str, Sequence[int]]) -> int:
    """How many numbers gradients change in one member's state with entries of these ``shapes``."""
    if not head.learns:
        return 0
    untrained = {*head.fixed, ADJUSTMENT}
    return sum(math.prod(shape) for name, shape in shapes.items() if name not in untrained)


@dataclass(frozen=True)
class _Answers:
    """Which test images a row got right: labels [N], correct bool [seeds, N], shot group of each class [K]."""

    labels: np.ndarray
    correct: np.ndarray
    groups: list[str]


def _answers(folders: Sequence[RunFolder], model: str) -> _Answers:
    predictions = [folder.predictions(model, "test") for folder in folders]
    groups = folders[0].classes(model, "test")["group"].tolist()
    return _Answers(predictions[0].labels, np.stack([each.correct for each in predictions]), groups)


def _gaps(base: _Answers, other: _Answers) -> dict[str, Gap]:
    table = paired_bootstrap(base.labels, base.correct, other.correct, base.groups).set_index("group")
    return {group: Gap(*map(float, table.loc[group, ["difference", "low", "high"]])) for group in GROUPS}


def _value(summary: Mapping[str, Any], metric: str) -> float:
    if metric not in GROUPS:
        return summary[metric]
    accuracy = next(each["accuracy"] for each in summary["groups"] if each["group"] == metric)
    return math.nan if accuracy is None else accuracy


def _spread(values: Sequence[float]) -> Spread:
    mean = float(np.mean(values)) if values else math.nan
    return Spread(mean, float(np.std(values, ddof=1)) if len(values) > 1 else math.nan)


def _training(plan: Plan, model: str) -> Stage | None:
    """The stage whose training yields ``model``; None for the untouched towers."""
    return plan.trained_towers() if model == PHASE_A.name else plan.adapter(model)


def _parameters(head: type[Head], folder: RunFolder) -> int:
    from safetensors import safe_open

    path = folder.path / file_names.weights("adapter")
    if not head.learns or not path.exists():
        return 0
    opened: Callable[..., Any] = safe_open
    with opened(path, framework="np") as tensors:
        return trained_parameters(head, {name: tensors.get_slice(name).get_shape() for name in tensors.keys()})  # noqa: SIM118
