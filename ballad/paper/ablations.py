"""The paper's tables and figures as groups of runs, and what they measured beside what was published.

A run that several rows read, such as zero-shot and BALLAD, is queued once. Only finished runs count, so a table can be
read while it is being computed.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from ballad.analysis.statistics import over_seeds, paired_bootstrap
from ballad.data.catalog import CATALOG
from ballad.errors import RunError, SettingsError
from ballad.experiment import Experiment, count_phases_a
from ballad.paper.counterparts import find_counterpart
from ballad.paper.presets import Preset, Row, find_preset, with_seeds
from ballad.shot_groups import GROUPS
from ballad.stages.run_folder import RunFolder
from ballad.store import queries
from ballad.store.run import DEFAULT_EXECUTOR
from ballad.store.run_store import RunStore
from ballad.sweeps import in_working_order
from ballad.work.executors.registry import check_executor

TABLE_COLUMNS = (
    "setting",
    "model",
    "group",
    "seeds",
    "phases_a",
    "mean",
    "sd",
    "standard_error",
    "published",
    "difference",
    "published_source",
    "same_setup",
    "budget",
)


def queue_ablation(
    store: RunStore,
    preset: Preset,
    base: Experiment,
    seeds: int,
    *,
    executor: str = DEFAULT_EXECUTOR,
    tags: Sequence[str] = (),
) -> str:
    """Queue the runs of a table or figure as one group, each row under ``seeds`` seeds; returns the group's id.

    Raises SettingsError for a number of seeds below one, RunError for an unknown executor.
    """
    experiments: dict[str, Experiment] = {}
    for row in preset.rows(base):
        for experiment in with_seeds(row.experiment, seeds):
            experiments.setdefault(experiment.key, experiment)
    return store.create_group(
        base.name or f"{preset.place}: {preset.title}",
        in_working_order(list(experiments.values())),
        definition={"preset": preset.name, "base": base.model_dump(mode="json"), "seeds": seeds},
        executor=check_executor(executor),
        tags=tags,
    )[0]


@dataclass(frozen=True)
class Ablation:
    """A table or figure that was launched: its rows, and the finished run of each experiment by key."""

    preset: Preset
    base: Experiment
    seeds: int
    finished: Mapping[str, RunFolder]

    @classmethod
    def read(cls, store: RunStore, group_id: str) -> "Ablation":
        """The ablation of a group. Raises RunError if the group is not one, or there is no such group."""
        runs = [store.get(run_id) for run_id in store.group_ids(group_id)]
        definition = _definition(store, group_id)
        finished = {}
        for run in runs:
            if run.status == "done":
                with suppress(SettingsError):  # of another release: its row stays empty
                    key = run.experiment.key
                    finished[key] = RunFolder.of(store.home, run.id)
        base = Experiment.parse(definition["base"])
        return cls(find_preset(definition["preset"]), base, definition["seeds"], finished)

    @cached_property
    def rows(self) -> list[Row]:
        return self.preset.rows(self.base)

    @property
    def dataset_title(self) -> str:
        """The dataset's title as finished runs know it; before there are any, the catalogue's, or its path."""
        folder, source = next(iter(self.finished.values()), None), self.base.dataset.source
        if folder is None:
            return CATALOG[source].title if source in CATALOG else source
        return folder.result()["dataset"]

    def points(self) -> pd.DataFrame:
        """One row per setting, seed and shot group. Columns: setting, model, run, seed, group, accuracy,
        standard_error.

        Test accuracy in percent, NaN for an empty group; standard_error comes from the number of test images.
        """
        rows = [
            {"setting": row.setting, "model": row.model, "run": folder.path.name, "seed": seed, **measured}
            for row in self.rows
            for seed, folder in self._folders(row).items()
            for measured in _groups(folder, row.model)
        ]
        columns = ["setting", "model", "run", "seed", "group", "accuracy", "standard_error"]
        return pd.DataFrame(rows, columns=columns)

    def table(self) -> pd.DataFrame:
        """One row per setting and shot group, in the paper's order, next to the published number.

        Columns: setting, model, group, seeds (finished), phases_a (trainings of Phase A under them, None for none),
        mean, sd (over seeds, NaN for one), standard_error (of one seed, from the number of test images), published,
        difference (mean − published), published_source (table, dataset and backbone; empty if the paper prints none),
        same_setup (the published number is about this dataset and backbone), budget. In percent and percentage points.
        """
        points = self.points()
        tables = [self._summary_of(row, points[points["setting"] == row.setting]) for row in self.rows]
        return pd.concat(tables, ignore_index=True)

    def differences(self, against: str | None = None) -> pd.DataFrame:
        """Every other setting minus ``against``, with a paired bootstrap over the test images, seeds pooled.

        ``against`` is a setting; None for the preset's baseline. Columns: setting, against, group, difference, low,
        high (95 % interval), p_value; settings without a finished run are left out. Raises SettingsError for a setting
        that the table does not have, or if it has no baseline.
        """
        against = against or self.preset.baseline
        by_setting = {row.setting: row for row in self.rows}
        if against not in by_setting:
            raise SettingsError(
                f"{self.preset.place} has no setting '{against}' to compare with; it has {', '.join(by_setting)}."
            )
        columns = ["setting", "against", "group", "difference", "low", "high", "p_value"]
        answers = {setting: answer for setting, row in by_setting.items() if (answer := self._answers(row))}
        if against not in answers:
            return pd.DataFrame(columns=columns)
        tables = [
            _compare(answers[against], answer).assign(setting=setting, against=against)
            for setting, answer in answers.items()
            if setting != against
        ]
        return pd.concat(tables, ignore_index=True)[columns] if tables else pd.DataFrame(columns=columns)

    def _folders(self, row: Row) -> dict[int, RunFolder]:
        """The finished runs of a row by seed."""
        experiments = with_seeds(row.experiment, self.seeds)
        return {each.seed: self.finished[each.key] for each in experiments if each.key in self.finished}

    def _summary_of(self, row: Row, points: pd.DataFrame) -> pd.DataFrame:
        wide = points.pivot(index="seed", columns="group", values="accuracy").reindex(columns=list(GROUPS))
        accuracies = [{str(g): None if np.isnan(v) else v for g, v in seed.items()} for seed in wide.to_dict("records")]
        errors = points.groupby("group")["standard_error"].mean()
        counterpart = find_counterpart(row.experiment, row.references)
        shortest = row.experiment.up_to(row.model)
        summary = over_seeds(accuracies)
        published = summary["group"].map(counterpart.accuracies if counterpart else {}).astype(float)
        return summary.assign(
            setting=row.setting,
            model=row.model,
            seeds=len(wide),
            phases_a=count_phases_a(shortest.with_values({"seed": int(seed)}) for seed in wide.index),
            standard_error=summary["group"].map(errors).astype(float),
            published=published,
            difference=summary["mean"] - published,
            published_source=counterpart.source if counterpart else "",
            same_setup=counterpart is not None and counterpart.same_setup,
            budget=row.experiment.budget,
        )[list(TABLE_COLUMNS)]

    def _answers(self, row: Row) -> "_Answers | None":
        folders = list(self._folders(row).values())
        if not folders:
            return None
        predictions = [folder.predictions(row.model, "test") for folder in folders]
        groups = folders[0].classes(row.model, "test")["group"].tolist()
        return _Answers(predictions[0].labels, np.stack([each.correct for each in predictions]), groups)


@dataclass(frozen=True)
class _Answers:
    """Which test images a setting got right: labels [N], correct bool [seeds, N], shot group of each class [K]."""

    labels: np.ndarray
    correct: np.ndarray
    groups: list[str]


def _compare(base: _Answers, other: _Answers) -> pd.DataFrame:
    return paired_bootstrap(base.labels, base.correct, other.correct, base.groups)


def _groups(folder: RunFolder, model: str) -> list[dict[str, Any]]:
    measured = folder.summary(model, "test")["groups"]
    return [{name: each[name] for name in ("group", "accuracy", "standard_error")} for each in measured]


def _definition(store: RunStore, group_id: str) -> dict[str, Any]:
    groups = queries.groups(store).set_index("id")["definition"]
    definition = groups.get(group_id, {})
    if "preset" not in definition:
        raise RunError(f"The group '{group_id}' is not one of the paper's tables or figures.")
    return definition
