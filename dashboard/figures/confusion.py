"""Which classes are taken for which: rows are true classes, columns predictions."""

from collections.abc import Iterable, Sequence
from itertools import groupby

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from dashboard.figures.parts import empty_figure
from dashboard.text import hover_text, plotly_label

READABLE_CLASSES = 50
"""Up to this many classes are named on the axes; with more, names appear on hovering."""


def confusion_shares(counts: pd.DataFrame, order: Sequence[int]) -> np.ndarray:
    """Percent of each true class's images that went to each predicted class, ``[len(order), len(order)]``.

    ``counts``: ``true``, ``predicted`` (class ids) and ``count``, for all classes: a row's whole is all images of
    its class, also those predicted as a class that is not in ``order``. A class without images gives NaN.
    """
    place = pd.Series(np.arange(len(order)), index=list(order))
    totals = counts.groupby("true")["count"].sum()
    shown = counts[counts["true"].isin(place.index) & counts["predicted"].isin(place.index)]
    shares = np.zeros((len(order), len(order)), dtype="float32")
    shares[place[shown["true"]].to_numpy(), place[shown["predicted"]].to_numpy()] = (
        100 * shown["count"] / shown["true"].map(totals)
    )
    shares[~np.isin(list(order), totals.index)] = np.nan
    return shares


def confusion_heatmap(
    counts: pd.DataFrame,
    order: Sequence[int],
    class_names: Sequence[str],
    *,
    diagonal: bool = True,
    groups: Sequence[str] = (),
) -> go.Figure:
    """The confusion of one model over the classes of ``order``, in that order.

    ``counts``: ``true``, ``predicted`` (class ids) and ``count``. ``class_names`` and ``groups``, the shot groups, are
    indexed by class id; groups are marked where classes are too many to be named and ordered by group.
    Without the ``diagonal``, the colours span the errors alone. A cell's place is its point index (row, column).
    """
    if not len(order):
        return empty_figure("No class has been chosen.")
    shares = confusion_shares(counts, order)
    if not diagonal:
        np.fill_diagonal(shares, np.nan)
    figure = _heatmap(shares, counts, order, class_names, groups)
    figure.data[0].update(
        zmin=0,
        zmax=100 if diagonal else None,
        hovertemplate="true %{y}<br>predicted %{x}<br>%{z:.1f} % of its images<extra></extra>",
        colorbar={"title": {"text": "% of<br>true class"}},
    )
    return figure


def confusion_difference(
    counts: pd.DataFrame,
    baseline: pd.DataFrame,
    order: Sequence[int],
    class_names: Sequence[str],
    *,
    groups: Sequence[str] = (),
) -> go.Figure:
    """Percentage points by which ``counts`` exceeds ``baseline``; blue is better, red is worse.

    Better is more images on the diagonal, and fewer beside it. All arguments are as for :func:`confusion_heatmap`.
    """
    if not len(order):
        return empty_figure("No class has been chosen.")
    difference = confusion_shares(counts, order) - confusion_shares(baseline, order)
    reach = float(np.nanmax(np.abs(difference), initial=1.0))
    better = np.where(np.eye(len(order), dtype=bool), difference, -difference)
    figure = _heatmap(better, counts, order, class_names, groups)
    ends = [f"{reach:.1f}<br>worse", "0", f"{reach:.1f}<br>better"]
    figure.data[0].update(
        customdata=difference,
        zmin=-reach,
        zmid=0,
        zmax=reach,
        hovertemplate="true %{y}<br>predicted %{x}<br>%{customdata:+.1f} points<extra></extra>",
        # The empty line keeps the title clear of the two-line label at the upper end.
        colorbar={"title": {"text": "Δ (points)<br>&nbsp;"}, "tickvals": [-reach, 0, reach], "ticktext": ends},
    )
    return figure


def _heatmap(
    values: np.ndarray, counts: pd.DataFrame, order: Sequence[int], class_names: Sequence[str], groups: Sequence[str]
) -> go.Figure:
    labels = distinct_labels(order, class_names)
    categories = [hover_text(label) for label in labels]
    figure = go.Figure(go.Heatmap(z=values, x=categories, y=categories, autocolorscale=True))
    named = len(order) <= READABLE_CLASSES
    ticks = [plotly_label(label) for label in labels]
    # The names below stand on a slant.
    below = 150 + 5 * max(16, *map(len, ticks)) if named else 0
    figure.update_layout(height=below + 16 * len(order) if named else None, margin={"t": 24})
    figure.update_xaxes(title="Predicted class", showticklabels=named, tickangle=-45, showgrid=False, ticks="")
    images = counts.loc[counts["true"].isin(order), "count"].sum()
    figure.update_yaxes(title=f"True class (n = {images:,} images)", showticklabels=named, showgrid=False, ticks="")
    figure.update_yaxes(autorange="reversed")
    if named:
        _label_places(figure, range(len(labels)), ticks)
    elif len(groups):
        _mark_groups(figure, [groups[class_id] for class_id in order])
    return figure


def _label_places(figure: go.Figure, places: Iterable[int], texts: Sequence[str]) -> None:
    """Ticks at these rows and columns. Hover labels would say the same where a tick is exactly at its category."""
    beside = [place + 0.05 for place in places]
    figure.update_xaxes(tickvals=beside, ticktext=texts)
    figure.update_yaxes(tickvals=beside, ticktext=texts)


def _mark_groups(figure: go.Figure, groups: Sequence[str]) -> None:
    """Name the shot groups on the axes, with lines between them, if each stands in one piece."""
    pieces = [(group, list(places)) for group, places in groupby(range(len(groups)), groups.__getitem__)]
    if len(pieces) > len(set(groups)):
        return
    middles = [places[len(places) // 2] for _, places in pieces]
    _label_places(figure, middles, [f"{group} ({len(places):,})" for group, places in pieces])
    figure.update_xaxes(showticklabels=True, tickangle=0)
    figure.update_yaxes(showticklabels=True)
    for _, places in pieces[1:]:
        figure.add_vline(x=places[0] - 0.5, line={"width": 1, "color": "#7f7f7f"})
        figure.add_hline(y=places[0] - 0.5, line={"width": 1, "color": "#7f7f7f"})


def distinct_labels(order: Sequence[int], class_names: Sequence[str]) -> list[str]:
    """Class names; a name that two classes share (ImageNet's "missile") gets its class id."""
    names = pd.Series([class_names[class_id] for class_id in order], dtype=str)
    shared = names.duplicated(keep=False)
    return names.where(~shared, names + " (" + pd.Series(list(order)).astype(str) + ")").tolist()
