"""Tables of a λ sweep: its points, the λ chosen on validation, means over seeds, and what the paper has beside it."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from ballad.errors import SettingsError
from ballad.experiment import Experiment, short_names
from ballad.paper.counterparts import find_counterpart
from ballad.paper.presets import Row, find_preset
from ballad.shot_groups import GROUPS
from ballad.store import queries
from ballad.store.run_store import RunStore
from ballad.wording import mean_and_spread, seeds_told
from dashboard.figures.residual_sweep import spread_over_seeds
from dashboard.forms.lambda_grid import RESIDUAL_FACTOR, SAMPLER

POINT_COLUMNS = ["run", "sampler", "residual_factor", "seed", "phase_a", "split", "group", "accuracy"]
_CHANGES_NO_NUMBER = ("name", "notes", "budget", "phase_a.micro_batch")
_HAS_ITS_PLACE = (SAMPLER, RESIDUAL_FACTOR, "seed", "phase_b.seed")


def sweeps(groups: pd.DataFrame) -> pd.DataFrame:
    """Those rows of :func:`ballad.store.queries.groups` that vary λ."""
    varied = [RESIDUAL_FACTOR in definition.get("grid", {}) for definition in groups["definition"]]
    return groups[pd.Series(varied, index=groups.index, dtype=bool)]


def sweep_points(store: RunStore, run_ids: list[str]) -> pd.DataFrame:
    """One row per finished run, split and shot group: ``POINT_COLUMNS``, accuracy in percent.

    The seed is the adapter's, or the run's where the adapter has none of its own; ``phase_a`` is the run's. Of runs
    that are the same experiment one counts. Where a sweep varies more settings, their values are named with the
    sampler, for a panel of their own.
    """
    keys = queries.runs(store, run_ids=run_ids).set_index("id")["key"]
    results = queries.results(store, run_ids).assign(key=lambda rows: rows["run_id"].map(keys))
    results = results[results["model"] == "ballad"].drop_duplicates(["key", "split"])
    if results.empty:
        return pd.DataFrame(columns=POINT_COLUMNS)
    settings = queries.settings(store, run_ids)
    seeds = settings["phase_b.seed"].where(settings["phase_b.seed"].notna(), settings["seed"])
    points = results.melt(["run_id", "split"], list(GROUPS), var_name="group", value_name="accuracy")
    points = points.assign(
        run=points["run_id"],
        sampler=points["run_id"].map(settings[SAMPLER] + _other_settings(settings)),
        residual_factor=points["run_id"].map(settings[RESIDUAL_FACTOR]).astype(float),
        seed=points["run_id"].map(seeds).astype(int),
        phase_a=points["run_id"].map(settings["seed"]).astype(int),
    )
    points = points.dropna(subset="residual_factor")
    return points[POINT_COLUMNS].sort_values(["sampler", "residual_factor", "seed"], ignore_index=True)


def _other_settings(settings: pd.DataFrame) -> pd.Series:
    """What to add to the sampler of each run, by its id: ``", placement both"``; nothing where the rest is alike."""
    told = (*_CHANGES_NO_NUMBER, *_HAS_ITS_PLACE)
    others = [name for name in settings if name not in told and not name.startswith("runtime.")]
    varied = [name for name in others if settings[name].map(repr).nunique() > 1]
    added = pd.Series("", index=settings.index)
    for name, short in short_names(varied).items():
        added += settings[name].map(lambda value, short=short: f", {short} {value}")
    return added


def chosen_on_validation(points: pd.DataFrame) -> pd.DataFrame:
    """Columns sampler, residual_factor: the λ with the best mean accuracy over all validation images, by sampler."""
    rows = points[(points["split"] == "val") & (points["group"] == "all")].dropna(subset="accuracy")
    means = rows.groupby(["sampler", "residual_factor"], as_index=False)["accuracy"].mean()
    best = means.loc[means.groupby("sampler")["accuracy"].idxmax()] if len(means) else means
    return best[["sampler", "residual_factor"]].reset_index(drop=True)


def summary_table(points: pd.DataFrame, chosen: pd.DataFrame) -> pd.DataFrame:
    """One row per sampler and λ: mean ± deviation over seeds of each shot group (%); the chosen λ is marked."""
    marked = set(zip(chosen["sampler"], chosen["residual_factor"], strict=True))
    rows = []
    for (sampler, factor), cell in points.groupby(["sampler", "residual_factor"]):
        row = {"Sampler": str(sampler).replace("_", "-"), "λ": factor, "Seeds": _seeds(cell)}
        for group in GROUPS:
            of_group = cell[cell["group"] == group]
            row[group.capitalize()] = mean_and_spread(of_group["accuracy"].mean(), spread_over_seeds(of_group))
        rows.append({**row, "Chosen on validation": "yes" if (sampler, factor) in marked else ""})
    return pd.DataFrame(rows)


def _seeds(cell: pd.DataFrame) -> str:
    return seeds_told(len(cell[["phase_a", "seed"]].drop_duplicates()), cell["phase_a"].nunique())


def published_points(base: Mapping[str, Any]) -> pd.DataFrame:
    """Columns residual_factor, group, accuracy, source: what the paper has on the same dataset and backbone.

    ``base``: the settings that the sweep's runs share. Empty for settings that this release does not know.
    """
    rows = []
    for row in _figure_five(base):
        counterpart = find_counterpart(row.experiment, row.references)
        if counterpart is not None and counterpart.same_setup:
            factor = row.experiment.phase_b.residual_factor
            rows += [
                {"residual_factor": factor, "group": group, "accuracy": accuracy, "source": counterpart.source}
                for group, accuracy in counterpart.accuracies.items()
            ]
    table = pd.DataFrame(rows, columns=["residual_factor", "group", "accuracy", "source"])
    return table.dropna(subset="accuracy", ignore_index=True)


def _figure_five(base: Mapping[str, Any]) -> list[Row]:
    try:
        return find_preset("figure5").rows(Experiment.parse(base))
    except SettingsError:
        return []
