"""Small parts that several figure kinds share."""

import textwrap
from collections.abc import Iterable

import pandas as pd
import plotly.graph_objects as go

from ballad.shot_groups import GROUPS
from dashboard.text import plotly_text, shortened
from dashboard.theme import CATEGORY_COLOURS, RUN_DASHES

ACCURACY_AXIS = "Accuracy (%)"
LONGEST_WRAPPED = 120
"""Characters of a label on several lines."""
AXIS_TITLE = "axis title"
"""The name of an annotation that stands for one."""


def accuracy_axis(images: int | None) -> str:
    """The title of an axis of accuracies on this many images; None if the number is unknown or varies."""
    return ACCURACY_AXIS if images is None else f"{ACCURACY_AXIS}, n = {images:,} images"


def spread_note(*spreads: pd.Series) -> str:
    """What ends the title of an axis beside bars of these spreads; nothing where a single seed has none."""
    return "<br>bars: ± 1 s.d. over seeds" if any(spread.notna().any() for spread in spreads) else ""


def empty_figure(message: str) -> go.Figure:
    """A figure that says why there is nothing to see."""
    figure = go.Figure()
    figure.add_annotation(text=message, showarrow=False, x=0.5, y=0.5, xref="paper", yref="paper")
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    return figure


def shared_x_title(figure: go.Figure, title: str) -> None:
    """One title below all panels of a row, where each its own would run into the next."""
    if len(list(figure.select_xaxes())) == 1:
        figure.update_xaxes(title=title)
        return
    below = {"x": 0.5, "y": 0, "xref": "paper", "yref": "paper", "xanchor": "center", "yanchor": "top", "yshift": -28}
    figure.add_annotation(text=title, showarrow=False, name=AXIS_TITLE, **below)
    figure.update_layout(margin={"b": 58})


def groups_in(values: Iterable[str]) -> list[str]:
    """The shot groups that occur, in their own order: many, medium, few, all."""
    present = set(values)
    return [group for group in GROUPS if group in present]


def in_order(values: Iterable[str]) -> list[str]:
    """Distinct values in the order of their first appearance; of a categorical series, all its categories."""
    if isinstance(values, pd.Series) and isinstance(values.dtype, pd.CategoricalDtype):
        return values.cat.categories.tolist()
    return list(dict.fromkeys(values))


def wrapped(label: str, width: int = 30, most: int = LONGEST_WRAPPED) -> str:
    """A label on as many lines as it needs to be narrow; of a very long one the middle is left out."""
    lines = textwrap.wrap(shortened(label, most), width)
    return "<br>".join(plotly_text(line) for line in lines) or label


def row_height(labels: Iterable[str], least: int) -> int:
    """Pixels that a row of a figure needs for its :func:`wrapped` label."""
    return max([least, *(8 + 18 * (1 + label.count("<br>")) for label in labels)])


def run_line(position: int) -> dict[str, str]:
    """Colour and dash of the run at a position of the legend."""
    return {
        "color": CATEGORY_COLOURS[position % len(CATEGORY_COLOURS)],
        "dash": RUN_DASHES[position % len(RUN_DASHES)],
    }


def translucent(colour: str, opacity: float) -> str:
    """``#rrggbb`` as ``rgba(r,g,b,opacity)``, for bands."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"
