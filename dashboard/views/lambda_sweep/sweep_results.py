"""Tables of a λ sweep: its points, the λ chosen on validation, means over seeds, and what the paper has beside it."""

import pandas as pd

from ballad.experiment import Experiment
from ballad.paper.counterparts import find_counterpart
from ballad.paper.presets import find_preset
from ballad.shot_groups import GROUPS
from ballad.store import queries
from ballad.store.run_store import RunStore
from ballad.wording import mean_and_spread
from dashboard.forms.lambda_grid import RESIDUAL_FACTOR, SAMPLER

POINT_COLUMNS = ["run", "sampler", "residual_factor", "seed", "split", "group", "accuracy"]


def sweeps(groups: pd.DataFrame) -> pd.DataFrame:
    """Those rows of :func:`ballad.store.queries.groups` that vary λ."""
    varied = [RESIDUAL_FACTOR in definition.get("grid", {}) for definition in groups["definition"]]
    return groups[pd.Series(varied, index=groups.index, dtype=bool)]


def sweep_points(store: RunStore, run_ids: list[str]) -> pd.DataFrame:
    """One row a finished run, split and shot group: ``POINT_COLUMNS``, accuracy in percent.

    The seed is the adapter's, or the run's where the adapter has none of its own.
    """
    results = queries.results(store, run_ids)
    results = results[results["model"] == "ballad"]
    if results.empty:
        return pd.DataFrame(columns=POINT_COLUMNS)
    settings = queries.settings(store, run_ids)
    seeds = settings["phase_b.seed"].where(settings["phase_b.seed"].notna(), settings["seed"])
    points = results.melt(["run_id", "split"], list(GROUPS), var_name="group", value_name="accuracy")
    points = points.assign(
        run=points["run_id"],
        sampler=points["run_id"].map(settings[SAMPLER]),
        residual_factor=points["run_id"].map(settings[RESIDUAL_FACTOR]).astype(float),
        seed=points["run_id"].map(seeds).astype(int),
    )
    return points[POINT_COLUMNS].sort_values(["sampler", "residual_factor", "seed"], ignore_index=True)


def chosen_on_validation(points: pd.DataFrame) -> pd.DataFrame:
    """Columns sampler, residual_factor: the λ with the best mean accuracy over all validation images, by sampler."""
    rows = points[(points["split"] == "val") & (points["group"] == "all")].dropna(subset="accuracy")
    means = rows.groupby(["sampler", "residual_factor"], as_index=False)["accuracy"].mean()
    best = means.loc[means.groupby("sampler")["accuracy"].idxmax()] if len(means) else means
    return best[["sampler", "residual_factor"]].reset_index(drop=True)


def summary_table(points: pd.DataFrame, chosen: pd.DataFrame) -> pd.DataFrame:
    """One row a sampler and λ: mean ± deviation over seeds of each shot group (%); the chosen λ is marked."""
    marked = set(zip(chosen["sampler"], chosen["residual_factor"], strict=True))
    rows = []
    for (sampler, factor), cell in points.groupby(["sampler", "residual_factor"]):
        row = {"Sampler": str(sampler).replace("_", "-"), "λ": factor, "Seeds": cell["seed"].nunique()}
        for group in GROUPS:
            accuracy = cell.loc[cell["group"] == group, "accuracy"]
            row[group.capitalize()] = mean_and_spread(accuracy.mean(), accuracy.std())
        rows.append({**row, "Chosen on validation": "yes" if (sampler, factor) in marked else ""})
    return pd.DataFrame(rows)


def published_points(base: Experiment) -> pd.DataFrame:
    """Columns residual_factor, group, accuracy, source: what the paper has on the same dataset and backbone."""
    rows = []
    for row in find_preset("figure5").rows(base):
        counterpart = find_counterpart(row.experiment, row.references)
        if counterpart is not None and counterpart.same_setup:
            factor = row.experiment.phase_b.residual_factor
            rows += [
                {"residual_factor": factor, "group": group, "accuracy": accuracy, "source": counterpart.source}
                for group, accuracy in counterpart.accuracies.items()
            ]
    table = pd.DataFrame(rows, columns=["residual_factor", "group", "accuracy", "source"])
    return table.dropna(subset="accuracy", ignore_index=True)
