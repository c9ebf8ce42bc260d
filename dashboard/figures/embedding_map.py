"""Two-dimensional maps of image features, side by side (Figure 6 of the paper)."""

from collections.abc import Collection, Mapping, Sequence
from typing import Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from dashboard.figures.label_places import place_labels
from dashboard.figures.parts import empty_figure, groups_in, in_order, wrapped
from dashboard.text import hover_text, plotly_label
from dashboard.theme import (
    CATEGORY_COLOURS,
    CATEGORY_SYMBOLS,
    CORRECTNESS_COLOURS,
    CORRECTNESS_SYMBOLS,
    FONT_SIZE,
    GROUP_COLOURS,
    GROUP_SYMBOLS,
)

Colouring = Literal["class_name", "group", "correctness"]
WEBGL_FROM = 5_000
"""Points from which the browser draws with WebGL; below, vector drawing is as fast and exports cleanly."""
_SCREEN_WIDTH, _SCREEN_HEIGHT = 960, 420
"""Pixels that all panels have on a page at least."""


def embedding_map(
    points: pd.DataFrame,
    *,
    colour_by: Colouring = "class_name",
    anchors: pd.DataFrame | None = None,
    selected: Collection[int] = (),
    notes: Mapping[str, Sequence[str]] | None = None,
) -> go.Figure:
    """One panel per model; the axes of a projection have no unit, so none is shown.

    ``points``: one row per panel and sample, with ``panel``, ``x``, ``y``, ``sample`` (its index in the split, carried
    as customdata for lassos), ``class_name``, ``group``, ``correctness`` (correct or wrong) and ``predicted``.
    ``anchors``: the class texts on the same maps, with ``panel``, ``x``, ``y``, ``class_name``.
    ``selected``: samples that stand out in every panel. ``notes``: lines to stand under a panel's title.
    """
    if points.empty:
        return empty_figure("No image has been chosen.")
    panels = in_order(points["panel"])
    counts = points["panel"].value_counts()
    titles = [
        "<br>".join([wrapped(panel, 32), f"n = {counts[panel]:,} images", *(notes or {}).get(panel, ())])
        for panel in panels
    ]
    figure = make_subplots(rows=1, cols=len(panels), subplot_titles=titles, horizontal_spacing=0.03)
    shown = {name: hover_text(name) for name in {*points["class_name"], *points["predicted"]}}
    draw = go.Scattergl if len(points) >= WEBGL_FROM else go.Scatter
    for value, (colour, symbol) in _marks(points, colour_by).items():
        for column, panel in enumerate(panels, start=1):
            rows = points[(points["panel"] == panel) & (points[colour_by] == value)]
            true, predicted = rows["class_name"].map(shown), rows["predicted"].map(shown)
            trace = draw(
                x=rows["x"].to_numpy(dtype="float32"),
                y=rows["y"].to_numpy(dtype="float32"),
                customdata=rows["sample"].to_numpy(),
                text=("true " + true + "<br>predicted " + predicted).to_numpy(),
                mode="markers",
                name=plotly_label(value),
                legendgroup=value,
                showlegend=column == 1,
                marker={"color": colour, "symbol": symbol, "size": 6, "opacity": 0.8},
                hovertemplate="%{text}<extra></extra>",
                selectedpoints=np.flatnonzero(rows["sample"].isin(selected)) if len(selected) else None,
                unselected={"marker": {"opacity": 0.12}},
            )
            figure.add_trace(trace, row=1, col=column)
    figure.update_xaxes(showticklabels=False, ticks="", showgrid=False, mirror=True)
    figure.update_yaxes(showticklabels=False, ticks="", showgrid=False, mirror=True)
    for column, panel in enumerate(panels, start=1):
        shown = points[points["panel"] == panel]
        figure.update_xaxes(range=_reach(shown["x"]), col=column)
        figure.update_yaxes(range=_reach(shown["y"]), scaleanchor=f"x{column if column > 1 else ''}", col=column)
    if anchors is not None:
        _add_anchors(figure, anchors, panels)
        place_labels(figure, _SCREEN_WIDTH / len(panels), _SCREEN_HEIGHT, FONT_SIZE)
    figure.update_annotations(font={"size": FONT_SIZE})
    lines = max(title.count("<br>") + 1 for title in titles)
    figure.update_layout(
        dragmode="lasso",
        legend={"y": -0.03, "yanchor": "top", "itemsizing": "constant"},
        margin={"t": 16 + 18 * lines},
    )
    return figure


def _marks(points: pd.DataFrame, colour_by: Colouring) -> dict[str, tuple[str, str]]:
    """Colour and symbol of each value of the colouring column, in legend order."""
    if colour_by == "group":
        return {group: (GROUP_COLOURS[group], GROUP_SYMBOLS[group]) for group in groups_in(points["group"])}
    if colour_by == "correctness":
        return {value: (CORRECTNESS_COLOURS[value], CORRECTNESS_SYMBOLS[value]) for value in CORRECTNESS_COLOURS}
    return {
        name: (
            CATEGORY_COLOURS[position % len(CATEGORY_COLOURS)],
            CATEGORY_SYMBOLS[position // len(CATEGORY_COLOURS) % len(CATEGORY_SYMBOLS)],
        )
        for position, name in enumerate(in_order(points["class_name"]))
    }


def _reach(values: pd.Series) -> tuple[float, float]:
    """The ends of an axis, with a margin around the values."""
    low, high = float(values.min()), float(values.max())
    margin = 0.06 * (high - low) or 1.0
    return low - margin, high + margin


def _add_anchors(figure: go.Figure, anchors: pd.DataFrame, panels: list[str]) -> None:
    for column, panel in enumerate(panels, start=1):
        rows = anchors[anchors["panel"] == panel]
        figure.add_scatter(
            x=rows["x"].to_numpy(dtype="float32"),
            y=rows["y"].to_numpy(dtype="float32"),
            hovertext=rows["class_name"].map(plotly_label).to_numpy(dtype=str),
            mode="markers+text",
            cliponaxis=False,
            name="class text",
            legendgroup="class text",
            showlegend=column == 1,
            marker={"symbol": "star", "size": 13, "color": "#7f7f7f", "line": {"width": 1, "color": "#ffffff"}},
            hovertemplate="text of %{hovertext}<extra></extra>",
            row=1,
            col=column,
        )
