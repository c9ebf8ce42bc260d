"""Per-shot accuracy by epoch, across both phases."""

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from dashboard.figures.parts import accuracy_axis, empty_figure, groups_in, in_order, run_line
from dashboard.figures.timeline import epoch_axis, mark_phase_boundaries, on_one_timeline
from dashboard.text import hover_text, plotly_label
from dashboard.theme import GROUP_COLOURS, GROUP_SYMBOLS

_HOVER = "%{customdata[0]}, epoch %{customdata[1]}: %{y:.1f} %"


def accuracy_curves(curves: pd.DataFrame, *, images: int | None = None) -> go.Figure:
    """Validation accuracy by epoch: all groups of one run in one panel, or one panel per group for several runs.

    ``curves``: ``run`` (label), ``phase`` (phase_a, joint, phase_b), ``epoch`` (from 1 in each phase),
    ``group`` (many, medium, few, all) and ``accuracy`` (percent; NaN for an empty group).
    ``images``: how many validation images the accuracies rest on, if known.
    """
    curves = curves.dropna(subset="accuracy")
    if curves.empty:
        return empty_figure("No epoch has been evaluated on a validation split yet.")
    placed = on_one_timeline(curves)
    runs = in_order(curves["run"])
    figure = _one_run(placed) if len(runs) == 1 else _several_runs(placed, runs)
    mark_phase_boundaries(figure, placed)
    epoch_axis(figure, placed)
    figure.update_yaxes(title=f"Validation {accuracy_axis(images).lower()}", col=None if len(runs) == 1 else 1)
    return figure


def _one_run(placed: pd.DataFrame) -> go.Figure:
    figure = go.Figure()
    for group in groups_in(placed["group"]):
        rows = placed[placed["group"] == group]
        figure.add_scatter(
            x=rows["time"].to_numpy(),
            y=rows["accuracy"].to_numpy(),
            customdata=rows[["phase_title", "epoch"]].to_numpy(),
            mode="lines+markers",
            name=group,
            line={"color": GROUP_COLOURS[group], "width": 2.5 if group == "all" else 2},
            marker={"symbol": GROUP_SYMBOLS[group], "size": 7},
            hovertemplate=f"{_HOVER}<extra>{group}</extra>",
        )
    return figure


def _several_runs(placed: pd.DataFrame, runs: list[str]) -> go.Figure:
    groups = groups_in(placed["group"])
    figure = make_subplots(rows=1, cols=len(groups), shared_yaxes=True, subplot_titles=groups, horizontal_spacing=0.02)
    for position, run in enumerate(runs):
        for column, group in enumerate(groups, start=1):
            rows = placed[(placed["run"] == run) & (placed["group"] == group)]
            figure.add_scatter(
                x=rows["time"].to_numpy(),
                y=rows["accuracy"].to_numpy(),
                customdata=rows[["phase_title", "epoch"]].to_numpy(),
                mode="lines+markers",
                name=plotly_label(run, 60),
                legendgroup=run,
                showlegend=column == 1,
                line=run_line(position),
                marker={"size": 5},
                hovertemplate=f"{_HOVER}<extra>{hover_text(run)}<br>{group}</extra>",
                row=1,
                col=column,
            )
    for column, group in enumerate(groups, start=1):
        _rule_under_title(figure, column, GROUP_COLOURS[group])
    figure.update_layout(legend={"y": 1.12})
    return figure


def _rule_under_title(figure: go.Figure, column: int, colour: str) -> None:
    axis = "" if column == 1 else str(column)
    rule = {"xref": f"x{axis} domain", "yref": f"y{axis} domain", "x0": 0, "x1": 1, "y0": 1, "y1": 1}
    figure.add_shape(type="line", line={"color": colour, "width": 4}, **rule)
