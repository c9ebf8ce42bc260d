"""From the store's metrics to the tables that the curve figures take."""

from collections.abc import Mapping

import pandas as pd

from ballad.shot_groups import GROUPS
from dashboard.figures.timeline import FIRST_PHASES


def accuracy_table(metrics: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """Rows ``run, phase, epoch, group, accuracy`` from those of :func:`ballad.store.queries.epoch_metrics`.

    ``labels``: what to call each run, by its id.
    """
    rows = metrics[metrics["name"].isin(GROUPS)]
    return pd.DataFrame(
        {
            "run": _named(rows, labels),
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
        {"run": _named(rows, labels), "phase": rows["phase"], "epoch": rows["epoch"], quantity: rows["value"]}
    )


def step_table(metrics: pd.DataFrame, labels: Mapping[str, str], quantity: str) -> pd.DataFrame:
    """As :func:`quantity_table`, with fractions of epochs, from those of :func:`ballad.store.queries.step_metrics`.

    Of the phases that train towers; the steps of Phase B are over before they could be looked at.
    """
    rows = metrics[(metrics["name"] == quantity) & metrics["phase"].isin(FIRST_PHASES)]
    return quantity_table(rows.assign(epoch=rows["epochs_done"]), labels, quantity)


def _named(rows: pd.DataFrame, labels: Mapping[str, str]) -> pd.Categorical:
    """The runs' labels; as categories, those without rows keep their place, and so each its colour in every figure."""
    return pd.Categorical(rows["run_id"].map(labels), categories=list(dict.fromkeys(labels.values())))
