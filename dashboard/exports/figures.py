"""A figure as PNG, SVG or PDF at a paper's column width, and as HTML.

Pictures are drawn by a headless Chromium (:mod:`dashboard.exports.engine`); HTML needs none.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil
from typing import Literal

import numpy as np
import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from dashboard.exports.engine import draw
from dashboard.theme import FONT_SIZE, plotly_template

Format = Literal["png", "svg", "pdf"]
FORMATS: tuple[Format, ...] = ("pdf", "svg", "png")
MEDIA_TYPES = {
    "pdf": "application/pdf",
    "svg": "image/svg+xml",
    "png": "image/png",
    "html": "text/html",
    "csv": "text/csv",
    "tex": "text/x-tex",
    "md": "text/markdown",
    "zip": "application/zip",
}

_PIXELS_AN_INCH = 96
_POINTS_AN_INCH = 72
_PNG_SCALE = 300 / _PIXELS_AN_INCH
"""Journals ask for 300 dots an inch."""
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
        return self.font_size * _PIXELS_AN_INCH / _POINTS_AN_INCH


SIZES = {
    "one_column": PaperSize("one column (3.25 in)", 3.25, 2.4, 9, 7),
    "two_columns": PaperSize("two columns (6.875 in)", 6.875, 2.9, 9, 8),
    "slide": PaperSize("slide (10 in)", 10, 5.6, 5.6, 14),
}


def picture(figure: go.Figure, file_format: Format, size: PaperSize = SIZES["two_columns"]) -> bytes:
    """The figure, in the light theme, as a file of this format and size.

    Raises RunError where no browser engine is found or it cannot draw.
    """
    dressed = paper_figure(figure, size)
    options = {
        "format": file_format,
        "width": dressed.layout.width,
        "height": dressed.layout.height,
        "scale": _PNG_SCALE if file_format == "png" else 1,
    }
    return draw(dressed, options)


def paper_figure(figure: go.Figure, size: PaperSize) -> go.Figure:
    """The figure as it goes on paper: light, at the size's fonts, WebGL replaced by vectors where they are few."""
    dressed = go.Figure([_vector_trace(trace) for trace in figure.data], figure.layout)
    # The heights and margins that a figure asks for are there for its text, so they go with the font.
    scale = size.font_pixels / FONT_SIZE
    margin = {side: scale * pixels for side, pixels in figure.layout.margin.to_plotly_json().items()}
    plain = size.height * _PIXELS_AN_INCH + margin.get("t", 0)
    height = plain if figure.layout.height is None else scale * figure.layout.height
    height = min(height + _further_legend_rows(figure, size), size.tallest * _PIXELS_AN_INCH)
    dressed.update_layout(
        template=plotly_template("light", font_size=size.font_pixels, paper=True),
        width=round(size.width * _PIXELS_AN_INCH),
        height=round(height),
        margin=margin,
        legend={"tracegroupgap": 0, "maxheight": 1},
    )
    dressed.update_annotations(font={"size": size.font_pixels})
    # Where a figure names every class, as many names as fit.
    for axis in dressed.select_xaxes(lambda axis: axis.ticktext is not None):
        every = ceil(len(axis.ticktext) * 1.3 * size.font_pixels / (size.width * _PIXELS_AN_INCH))
        axis.update(tickvals=axis.tickvals[::every], ticktext=axis.ticktext[::every])
    dressed.update_xaxes(tickmode="auto", selector={"tickmode": "linear"})
    dressed.update_yaxes(tickmode="auto", selector={"tickmode": "linear"})
    # What was sized for a screen of some 1,000 pixels shrinks with the page, but not below what can be seen.
    shrink = min(1.0, max(0.5, size.width / 10))
    for trace in dressed.data:
        if trace.type == "scatter" and trace.marker.size is not None:
            trace.marker.size = trace.marker.size * shrink
        if trace.type == "scatter" and trace.mode and "lines" in trace.mode:
            trace.line.width = (2 if trace.line.width is None else trace.line.width) * shrink
    return dressed


def html_page(figure: go.Figure, *, script_beside: bool = False) -> bytes:
    """The interactive figure as one HTML file that needs no network.

    ``script_beside``: several pages share one ``plotly.min.js`` (:func:`plotly_script`) in their folder.
    """
    margin = {"l": 60, "r": 20, "t": 60, "b": 50} | figure.layout.margin.to_plotly_json()
    dressed = go.Figure(figure).update_layout(template=plotly_template("light", paper=True), margin=margin)
    config = {"displaylogo": False, "showSendToCloud": False}
    include = "directory" if script_beside else True
    return dressed.to_html(config=config, include_plotlyjs=include, full_html=True).encode()


def plotly_script() -> bytes:
    """The ``plotly.min.js`` that pages made with ``script_beside`` look for."""
    return get_plotlyjs().encode()


def _further_legend_rows(figure: go.Figure, size: PaperSize) -> float:
    """About how many pixels a legend needs beyond its first row."""
    names = list(_legend_names(figure.data))
    if not names:
        return 0.0
    entry = _LEGEND_SYMBOL_PIXELS + _LETTER_WIDTH * size.font_pixels * max(map(len, names))
    entries_a_row = max(1, int(size.width * _PIXELS_AN_INCH / entry))
    return (ceil(len(names) / entries_a_row) - 1) * max(_LEGEND_ROW_PIXELS, 1.5 * size.font_pixels)


def _legend_names(traces: Iterable[go.Scatter]) -> Iterable[str]:
    return (trace.name for trace in traces if trace.name and "showlegend" in trace and trace.showlegend is not False)


def _vector_trace(trace: go.Scatter | go.Scattergl) -> go.Scatter:
    if trace.type != "scattergl" or np.size(trace.x) > _VECTOR_UP_TO:
        return trace
    return go.Scatter({**trace.to_plotly_json(), "type": "scatter"})
