"""Loss and learning rate by epoch, across both phases."""

from typing import Literal

import pandas as pd
import plotly.graph_objects as go

from dashboard.figures.parts import empty_figure, in_order, run_line
from dashboard.figures.timeline import epoch_axis, mark_phase_boundaries, on_one_timeline
from dashboard.text import hover_text, plotly_label

Quantity = Literal["loss", "learning_rate"]

_AXES = {"loss": "Training loss (nats per image)", "learning_rate": "Learning rate (log scale)"}
_FORMATS = {"loss": ".4f", "learning_rate": ".3g"}


def training_curves(curves: pd.DataFrame, quantity: Quantity, steps: pd.DataFrame | None = None) -> go.Figure:
    """One line per run, Phase B after Phase A.

    ``curves``: ``run`` (label), ``phase`` (phase_a, joint, phase_b), ``epoch`` (from 1 in each phase) and a column
    named as ``quantity``. Rows that repeat an epoch, as a table with one row per shot group has, count once.
    ``steps``: the same columns with fractions of epochs, drawn as a faint line behind.
    """
    curves = curves.dropna(subset=quantity).drop_duplicates(["run", "phase", "epoch"])
    steps = curves.head(0) if steps is None else steps.dropna(subset=quantity)
    if curves.empty and steps.empty:
        return empty_figure("Nothing has been measured yet.")
    placed = on_one_timeline(pd.concat([curves.assign(whole=True), steps.assign(whole=False)]))
    figure = go.Figure()
    runs = in_order(pd.concat([curves["run"], steps["run"]]))
    for position, run in enumerate(runs):
        rows = placed[placed["run"] == run]
        if not steps.empty:
            _add_steps(figure, rows[~rows["whole"]], quantity, run, position)
        _add_epochs(figure, rows[rows["whole"]], quantity, run, position)
    mark_phase_boundaries(figure, placed)
    epoch_axis(figure, placed)
    figure.update_yaxes(title=_AXES[quantity], exponentformat="power")
    if quantity == "learning_rate":
        figure.update_yaxes(type="log")
    figure.update_layout(showlegend=len(runs) > 1)
    return figure


def _add_epochs(figure: go.Figure, rows: pd.DataFrame, quantity: Quantity, run: str, position: int) -> None:
    figure.add_scatter(
        x=rows["time"].to_numpy(),
        y=rows[quantity].to_numpy(),
        customdata=rows[["phase_title", "epoch"]].to_numpy(),
        mode="lines+markers",
        name=plotly_label(run, 60),
        legendgroup=run,
        line=run_line(position),
        marker={"size": 5},
        hovertemplate=f"%{{customdata[0]}}, epoch %{{customdata[1]}}: %{{y:{_FORMATS[quantity]}}}"
        f"<extra>{hover_text(run)}</extra>",
    )


def _add_steps(figure: go.Figure, rows: pd.DataFrame, quantity: Quantity, run: str, position: int) -> None:
    figure.add_scatter(
        x=rows["time"].to_numpy(),
        y=rows[quantity].to_numpy(),
        mode="lines",
        name=plotly_label(run, 60),
        legendgroup=run,
        showlegend=False,
        line={**run_line(position), "width": 1},
        opacity=0.4,
        hoverinfo="skip",
    )
