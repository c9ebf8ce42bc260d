"""A figure as PNG, SVG or PDF at a paper's column width, and as HTML.

Pictures are drawn by a headless Chromium (:mod:`dashboard.exports.engine`); HTML needs none.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from dashboard.exports.engine import draw
from dashboard.theme import plotly_template

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
_VECTOR_UP_TO = 5_000
"""Points up to which a WebGL trace is drawn as vectors; more would make files that viewers choke on."""


@dataclass(frozen=True)
class PaperSize:
    """Width and height in inches and font size in points, as they will stand on the page."""

    title: str
    width: float
    height: float
    font_size: float


SIZES = {
    "one_column": PaperSize("one column (3.25 in)", 3.25, 2.4, 7),
    "two_columns": PaperSize("two columns (6.875 in)", 6.875, 2.9, 8),
    "slide": PaperSize("slide (10 in)", 10, 5.6, 14),
}


def picture(figure: go.Figure, file_format: Format, size: PaperSize = SIZES["two_columns"]) -> bytes:
    """The figure, in the light theme, as a file of this format and size.

    Raises RunError where no browser engine is found or it cannot draw.
    """
    options = {
        "format": file_format,
        "width": round(size.width * _PIXELS_AN_INCH),
        "height": round(size.height * _PIXELS_AN_INCH),
        "scale": _PNG_SCALE if file_format == "png" else 1,
    }
    return draw(paper_figure(figure, size), options)


def paper_figure(figure: go.Figure, size: PaperSize) -> go.Figure:
    """The figure as it goes on paper: light, at the size's fonts, WebGL replaced by vectors where they are few."""
    font_pixels = size.font_size * _PIXELS_AN_INCH / _POINTS_AN_INCH
    dressed = go.Figure([_vector_trace(trace) for trace in figure.data], figure.layout)
    dressed.update_layout(template=plotly_template("light", font_size=font_pixels, paper=True), height=None, width=None)
    dressed.update_annotations(font={"size": font_pixels})
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
    dressed = go.Figure(figure).update_layout(template=plotly_template("light", paper=True))
    dressed.update_layout(margin={"l": 60, "r": 20, "t": 60, "b": 50})
    config = {"displaylogo": False, "showSendToCloud": False}
    include = "directory" if script_beside else True
    return dressed.to_html(config=config, include_plotlyjs=include, full_html=True).encode()


def plotly_script() -> bytes:
    """The ``plotly.min.js`` that pages made with ``script_beside`` look for."""
    return get_plotlyjs().encode()


def _vector_trace(trace: go.Scatter | go.Scattergl) -> go.Scatter:
    if trace.type != "scattergl" or np.size(trace.x) > _VECTOR_UP_TO:
        return trace
    return go.Scatter({**trace.to_plotly_json(), "type": "scatter"})
