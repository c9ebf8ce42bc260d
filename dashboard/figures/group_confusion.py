"""Where the images of each shot group end up: readable for any number of classes."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from dashboard.figures.parts import groups_in

ENDS = {"right": "right<br>class", "many": "wrong:<br>many", "medium": "wrong:<br>medium", "few": "wrong:<br>few"}


def group_confusion_heatmap(shares: pd.DataFrame, baseline: pd.DataFrame | None = None) -> go.Figure:
    """Rows are the shot groups of the true class, columns where their images went; each cell with its number.

    ``shares``: percent, as :func:`ballad.analysis.confusion.group_confusion` returns them; a group without images is
    left out. With a ``baseline`` of the same form cells are percentage points by which ``shares`` exceeds it.
    """
    table = shares if baseline is None else shares - baseline
    table = table.loc[groups_in(table.dropna(how="all").index), list(ENDS)]
    values = table.to_numpy(dtype="float32")
    unit = "%" if baseline is None else "points"
    scale = {"zmin": 0, "zmax": 100} if baseline is None else _centred(values)
    figure = go.Figure(
        go.Heatmap(
            z=values,
            x=list(ENDS.values()),
            y=list(table.index),
            texttemplate="%{z:.1f}" if baseline is None else "%{z:+.1f}",
            hovertemplate=f"%{{y}}-shot images, %{{x}}<br>%{{z:.1f}} {unit}<extra></extra>",
            autocolorscale=True,
            showscale=False,
            xgap=2,
            ygap=2,
            **scale,
        )
    )
    figure.update_xaxes(showgrid=False, showline=False, ticks="", side="top")
    figure.update_yaxes(title="True class is", autorange="reversed", showgrid=False, showline=False, ticks="")
    figure.update_layout(height=230, margin={"t": 44, "b": 8})
    return figure


def _centred(values: np.ndarray) -> dict[str, float]:
    reach = float(np.nanmax(np.abs(values), initial=1.0))
    return {"zmin": -reach, "zmid": 0, "zmax": reach}
