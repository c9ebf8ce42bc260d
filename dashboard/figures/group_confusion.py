"""Where the images of each shot group end up: readable for any number of classes."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from ballad.shot_groups import SHOT_GROUPS
from dashboard.figures.parts import groups_in
from dashboard.theme import READABLE_REACH

ENDS = {"right": "right<br>class", **{group: f"wrong:<br>{group}" for group in SHOT_GROUPS}}


def group_confusion_heatmap(shares: pd.DataFrame, images: pd.Series, baseline: pd.DataFrame | None = None) -> go.Figure:
    """Rows are the shot groups of the true class, columns where their images went; each cell with its number.

    ``shares``: percent, as :func:`ballad.analysis.confusion.group_confusion` returns them; a group without images is
    left out. ``images``: their number in each group. With a ``baseline`` of the same form as ``shares``, cells are
    percentage points by which these exceed it, blue where that is better: more images right, or fewer wrong.
    """
    table = shares if baseline is None else shares - baseline
    table = table.loc[groups_in(table.dropna(how="all").index), list(ENDS)]
    values = table.to_numpy(dtype="float32")
    unit = "%" if baseline is None else "points"
    better = values if baseline is None else np.where(table.columns == "right", values, -values)
    scale = {"zmin": 0, "zmax": 100 / READABLE_REACH} if baseline is None else _centred(values)
    figure = go.Figure(
        go.Heatmap(
            z=better,
            customdata=values,
            x=list(ENDS.values()),
            y=list(table.index),
            # Written here: within a heatmap's cells Plotly does not know customdata, which hover labels do.
            text=[[_written(value, signed=baseline is not None) for value in row] for row in values],
            texttemplate="%{text}",
            hovertemplate=f"%{{y}}-shot images, %{{x}}<br>%{{customdata:.1f}} {unit}<extra></extra>",
            autocolorscale=True,
            showscale=False,
            xgap=2,
            ygap=2,
            **scale,
        )
    )
    title = "Predicted as "
    title += "(% of the group)" if baseline is None else "(difference in points; blue is better)"
    figure.update_xaxes(title=title, showgrid=False, showline=False, ticks="", side="top")
    labels = [f"{group} (n = {images[group]:,})" for group in table.index]
    figure.update_yaxes(title="True class is", tickvals=list(table.index), ticktext=labels)
    figure.update_yaxes(autorange="reversed", showgrid=False, showline=False, ticks="")
    figure.update_layout(height=250, margin={"t": 64, "b": 8})
    return figure


def _written(value: float, *, signed: bool) -> str:
    return (f"{value:+.1f}" if signed else f"{value:.1f}").replace("-", "−")


def _centred(values: np.ndarray) -> dict[str, float]:
    reach = float(np.nanmax(np.abs(values), initial=1.0)) / READABLE_REACH
    return {"zmin": -reach, "zmid": 0, "zmax": reach}
