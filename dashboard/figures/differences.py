"""How much better or worse than one setting the others are, and whether that is more than noise."""

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from dashboard.figures.parts import empty_figure, groups_in, in_order, row_height, shared_x_title, wrapped
from dashboard.theme import GROUP_COLOURS, GROUP_SYMBOLS

ROW_HEIGHT = 34
"""At least this many pixels per setting."""


def difference_intervals(differences: pd.DataFrame) -> go.Figure:
    """One row per setting, one panel per shot group; bars are confidence intervals, hollow marks are within noise.

    ``differences``: ``setting``, ``group``, ``difference``, ``low``, ``high`` (percentage points; NaN for an empty
    group). Rows keep the table's order.
    """
    differences = differences.dropna(subset="difference")
    if differences.empty:
        return empty_figure("There is nothing to compare with.")
    settings, groups = in_order(differences["setting"]), groups_in(differences["group"])
    figure = make_subplots(rows=1, cols=len(groups), shared_yaxes=True, subplot_titles=groups, horizontal_spacing=0.05)
    for column, group in enumerate(groups, start=1):
        rows = differences[differences["group"] == group]
        symbol = GROUP_SYMBOLS[group]
        noise = (rows["low"] <= 0) & (rows["high"] >= 0)
        figure.add_scatter(
            x=rows["difference"].to_numpy(),
            y=rows["setting"].tolist(),
            error_x={
                "array": (rows["high"] - rows["difference"]).to_numpy(),
                "arrayminus": (rows["difference"] - rows["low"]).to_numpy(),
                "thickness": 1.5,
                "width": 4,
            },
            customdata=rows[["low", "high"]].to_numpy(),
            mode="markers",
            name=group,
            showlegend=False,
            marker={
                "color": GROUP_COLOURS[group],
                "symbol": [f"{symbol}-open" if within else symbol for within in noise],
                "size": 10,
                "line": {"width": 1.5, "color": GROUP_COLOURS[group]},
            },
            hovertemplate="%{y}<br>%{x:+.1f} points, %{customdata[0]:+.1f} to %{customdata[1]:+.1f}"
            f"<extra>{group}</extra>",
            row=1,
            col=column,
        )
        figure.add_vline(x=0, line={"dash": "dot", "width": 1.5, "color": "#7f7f7f"}, row=1, col=column)
    figure.update_yaxes(categoryorder="array", categoryarray=settings[::-1])
    labels = [wrapped(setting) for setting in settings]
    figure.update_yaxes(tickvals=settings, ticktext=labels)
    # One scale, so that groups can be compared.
    figure.update_xaxes(matches="x", nticks=4, tickangle=0)
    shared_x_title(figure, "Δ (points)")
    figure.update_layout(height=130 + row_height(labels, ROW_HEIGHT) * len(labels))
    return figure
