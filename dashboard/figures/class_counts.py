"""The long tail itself: the training images of each class, sorted."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from ballad.wording import counted
from dashboard.figures.parts import empty_figure, groups_in
from dashboard.text import hover_text, plotly_label
from dashboard.theme import GROUP_COLOURS

MANY_CLASSES = 60
"""From here on bars touch and class names give way to ranks."""


def class_count_curve(classes: pd.DataFrame) -> go.Figure:
    """Training images per class, sorted by count, coloured by shot group, on a logarithmic axis.

    ``classes``: one row per class, with ``class_name``, ``group`` (many, medium, few) and ``train_count``.
    """
    if classes.empty:
        return empty_figure("This dataset has no classes.")
    ranked = classes.sort_values("train_count", ascending=False, kind="stable").reset_index(drop=True)
    ranked["rank"] = np.arange(1, len(ranked) + 1)
    figure = go.Figure()
    for group in groups_in(ranked["group"]):
        rows = ranked[ranked["group"] == group]
        figure.add_bar(
            x=rows["rank"].to_numpy(),
            y=rows["train_count"].to_numpy(),
            customdata=rows["class_name"].map(hover_text).to_numpy(dtype=str),
            name=_legend(group, rows),
            marker={"color": GROUP_COLOURS[group], "line": {"width": 0}},
            hovertemplate="%{customdata}<br>%{y:,} training images<br>rank %{x}<extra>" + group + "</extra>",
        )
    few_enough_to_name = len(ranked) <= MANY_CLASSES
    figure.update_layout(bargap=0.15 if few_enough_to_name else 0, showlegend=True)
    # Bars on a logarithmic axis need a foot: just below one image.
    reach = np.log10(max(ranked["train_count"].max(), 1))
    figure.update_yaxes(type="log", title="Training images (log scale)", dtick=1, range=[-0.1, 1.05 * reach + 0.1])
    figure.update_xaxes(title=f"{len(ranked):,} classes, most images first", showgrid=False)
    if few_enough_to_name:
        figure.update_xaxes(
            tickmode="array",
            tickvals=ranked["rank"].to_numpy(),
            ticktext=ranked["class_name"].map(plotly_label).tolist(),
            autotickangles=[0, -45, -90],
        )
    return figure


def _legend(group: str, rows: pd.DataFrame) -> str:
    images = int(rows["train_count"].sum())
    return f"{group}: {counted(len(rows), 'class', 'classes')}, {counted(images, 'image')}"
