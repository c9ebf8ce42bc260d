"""From the store's metrics to the tables that the curve figures take."""

from collections.abc import Mapping

import pandas as pd

from dashboard.theme import GROUPS


def accuracy_table(metrics: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """Rows ``run, phase, epoch, group, accuracy`` from those of :func:`ballad.runs.queries.epoch_metrics`.

    ``labels``: what to call each run, by its id.
    """
    rows = metrics[metrics["name"].isin(GROUPS)]
    return pd.DataFrame(
        {
            "run": rows["run_id"].map(labels),
            "phase": rows["phase"],
            "epoch": rows["epoch"],
            "group": rows["name"],
            "accuracy": rows["value"],
        }
    )


def quantity_table(metrics: pd.DataFrame, labels: Mapping[str, str], quantity: str) -> pd.DataFrame:
    """Rows ``run, phase, epoch`` and one column named as ``quantity``: loss or learning_rate."""
    rows = metrics[metrics["name"] == quantity]
    return pd.DataFrame(
        {"run": rows["run_id"].map(labels), "phase": rows["phase"], "epoch": rows["epoch"], quantity: rows["value"]}
    )
