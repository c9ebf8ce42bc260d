"""A figure as it goes on paper: at a column's width, in its fonts."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil

import numpy as np
import plotly.graph_objects as go

from dashboard.theme import FONT_SIZE, plotly_template

PIXELS_PER_INCH = 96
_POINTS_PER_INCH = 72
_LEGEND_SYMBOL_PIXELS, _LEGEND_ROW_PIXELS = 45, 19
_LETTER_WIDTH = 0.55
"""Of the font's size, on average."""
_VECTOR_UP_TO = 5_000
"""Points up to which a WebGL trace is drawn as vectors; more would make files that viewers choke on."""


@dataclass(frozen=True)
class PaperSize:
    """Width and height in inches and font size in points, as they will stand on the page.

    ``height`` is that of a plain figure; one with many rows or a long legend grows up to ``tallest``.
    """

    title: str
    width: float
    height: float
    tallest: float
    font_size: float

    @property
    def font_pixels(self) -> float:
        return self.font_size * PIXELS_PER_INCH / _POINTS_PER_INCH


SIZES = {
    "one_column": PaperSize("one column (3.25 in)", 3.25, 2.4, 9, 7),
    "two_columns": PaperSize("two columns (6.875 in)", 6.875, 2.9, 9, 8),
    "slide": PaperSize("slide (10 in)", 10, 5.6, 5.6, 14),
}


def paper_figure(figure: go.Figure, size: PaperSize) -> go.Figure:
    """The figure as it goes on paper: light, at the size's fonts, WebGL replaced by vectors where they are few."""
    dressed = go.Figure([_vector_trace(trace) for trace in figure.data], figure.layout)
    # The heights and margins that a figure asks for are there for its text, so they go with the font.
    scale = size.font_pixels / FONT_SIZE
    margin = {side: scale * pixels for side, pixels in figure.layout.margin.to_plotly_json().items()}
    plain = size.height * PIXELS_PER_INCH + margin.get("t", 0)
    height = plain if figure.layout.height is None else scale * figure.layout.height
    height = min(height + _further_legend_rows(figure, size), size.tallest * PIXELS_PER_INCH)
    dressed.update_layout(
        template=plotly_template("light", font_size=size.font_pixels, paper=True),
        width=round(size.width * PIXELS_PER_INCH),
        height=round(height),
        margin=margin,
        legend={"tracegroupgap": 0, "maxheight": 1},
    )
    dressed.update_annotations(font={"size": size.font_pixels})
    # Where a figure names every class, as many names as fit.
    for axis in dressed.select_xaxes(lambda axis: axis.ticktext is not None):
        _name_what_fits(axis, dressed.layout.width, size)
    # Rows of other figures are as high as their names need.
    for axis in dressed.select_yaxes(lambda axis: axis.ticktext is not None and dressed.data[0].type == "heatmap"):
        _name_what_fits(axis, dressed.layout.height, size)
    # What was sized for a screen of some 1,000 pixels shrinks with the page, but not below what can be seen.
    shrink = min(1.0, max(0.5, size.width / 10))
    for trace in dressed.data:
        if trace.type == "scatter" and trace.marker.size is not None:
            trace.marker.size = trace.marker.size * shrink
        if trace.type == "scatter" and trace.mode and "lines" in trace.mode:
            trace.line.width = (2 if trace.line.width is None else trace.line.width) * shrink
    return dressed


def _name_what_fits(axis: go.layout.XAxis | go.layout.YAxis, pixels: int, size: PaperSize) -> None:
    every = ceil(len(axis.ticktext) * 1.3 * size.font_pixels / pixels)
    axis.update(tickvals=axis.tickvals[::every], ticktext=axis.ticktext[::every])


def _further_legend_rows(figure: go.Figure, size: PaperSize) -> float:
    """About how many pixels a legend needs beyond its first row."""
    names = list(_legend_names(figure.data))
    if not names:
        return 0.0
    entry = _LEGEND_SYMBOL_PIXELS + _LETTER_WIDTH * size.font_pixels * max(map(len, names))
    entries_a_row = max(1, int(size.width * PIXELS_PER_INCH / entry))
    return (ceil(len(names) / entries_a_row) - 1) * max(_LEGEND_ROW_PIXELS, 1.5 * size.font_pixels)


def _legend_names(traces: Iterable[go.Scatter]) -> Iterable[str]:
    return (trace.name for trace in traces if trace.name and "showlegend" in trace and trace.showlegend is not False)


def _vector_trace(trace: go.Scatter | go.Scattergl) -> go.Scatter:
    if trace.type != "scattergl" or np.size(trace.x) > _VECTOR_UP_TO:
        return trace
    return go.Scatter({**trace.to_plotly_json(), "type": "scatter"})
