"""Loss and learning rate by epoch, across both phases."""

from typing import Literal

import pandas as pd
import plotly.graph_objects as go

from dashboard.figures.parts import empty_figure, in_order, run_line
from dashboard.figures.timeline import mark_phase_boundaries, on_one_timeline

Quantity = Literal["loss", "learning_rate"]

_AXES = {"loss": "Training loss (nats an image)", "learning_rate": "Learning rate (log scale)"}
_FORMATS = {"loss": ".4f", "learning_rate": ".3g"}


def training_curves(curves: pd.DataFrame, quantity: Quantity) -> go.Figure:
    """One line a run, Phase B after Phase A.

    ``curves``: ``run`` (label), ``phase`` (phase_a, joint, phase_b), ``epoch`` (from 1 in each phase) and a column
    named as ``quantity``. Rows that repeat an epoch, as a table with one row a shot group has, count once.
    """
    curves = curves.dropna(subset=quantity).drop_duplicates(["run", "phase", "epoch"])
    if curves.empty:
        return empty_figure("No epoch is finished yet.")
    placed = on_one_timeline(curves)
    figure = go.Figure()
    for position, run in enumerate(in_order(curves["run"])):
        rows = placed[placed["run"] == run]
        figure.add_scatter(
            x=rows["time"].to_numpy(),
            y=rows[quantity].to_numpy(),
            customdata=rows[["phase_title", "epoch"]].to_numpy(),
            mode="lines+markers",
            name=run,
            line=run_line(position),
            marker={"size": 5},
            hovertemplate="%{customdata[0]}, epoch %{customdata[1]}: %{y:" + _FORMATS[quantity] + "}"
            f"<extra>{run}</extra>",
        )
    mark_phase_boundaries(figure, placed)
    figure.update_xaxes(title="Epoch", rangemode="tozero")
    figure.update_yaxes(title=_AXES[quantity])
    if quantity == "learning_rate":
        figure.update_yaxes(type="log", exponentformat="power")
    figure.update_layout(showlegend=curves["run"].nunique() > 1)
    return figure
