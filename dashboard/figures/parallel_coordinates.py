"""Many settings at once, for sweeps over several of them."""

from collections.abc import Mapping

import pandas as pd
import plotly.graph_objects as go

from dashboard.figures.parts import empty_figure
from dashboard.text import plotly_label, shortened
from dashboard.theme import LINE_SCALE


def parallel_coordinates(runs: pd.DataFrame, dimensions: Mapping[str, str], *, colour: str) -> go.Figure:
    """One line per run, through one axis per setting.

    ``runs``: one row per run. ``dimensions`` maps columns to axis titles, left to right; a column that is not numeric
    becomes an axis of named values. ``colour`` is the numeric column that colours the lines.
    """
    runs = runs.dropna(subset=colour)
    if runs.empty:
        return empty_figure("No finished run has been chosen.")
    axes = [_axis(runs[column], title) for column, title in dimensions.items()]
    line = {
        "color": runs[colour].to_numpy(dtype=float),
        "colorscale": LINE_SCALE,
        "showscale": True,
        "colorbar": {"title": {"text": plotly_label(dimensions.get(colour, colour))}},
    }
    figure = go.Figure(go.Parcoords(dimensions=axes, line=line, labelangle=-25))
    named = [len(name) for axis in axes for name in axis.get("ticktext", ())]
    figure.update_layout(margin={"t": 100, "l": max([60, *(8 * length for length in named)]), "r": 80, "b": 24})
    return figure


def _axis(values: pd.Series, title: str) -> dict:
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        return {"label": plotly_label(title), "values": values.to_numpy(dtype=float), "tickformat": ".3~r"}
    named = pd.Categorical(values.astype(str))
    return {
        "label": plotly_label(title),
        "values": named.codes.astype("int32"),
        "tickvals": list(range(len(named.categories))),
        "ticktext": [shortened(name) for name in named.categories],
    }
