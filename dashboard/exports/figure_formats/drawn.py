"""A figure as PDF, SVG or PNG at a paper's column width, drawn by a headless Chromium."""

from functools import partial

import plotly.graph_objects as go

from dashboard.exports.engine import draw
from dashboard.exports.format import FigureFormat
from dashboard.exports.paper_figure import PIXELS_PER_INCH, PaperSize, paper_figure

_PNG_SCALE = 300 / PIXELS_PER_INCH
"""Journals ask for 300 dots per inch."""


def picture(extension: str, figure: go.Figure, size: PaperSize, *, scale: float = 1) -> bytes:
    """The figure, in the light theme, as a file of this format and size.

    Raises RunError where no browser engine is found or it cannot draw.
    """
    dressed = paper_figure(figure, size)
    width, height = dressed.layout.width, dressed.layout.height
    return draw(dressed, {"format": extension, "width": width, "height": height, "scale": scale})


PDF = FigureFormat("pdf", "PDF", "application/pdf", partial(picture, "pdf"), drawn=True)
SVG = FigureFormat("svg", "SVG", "image/svg+xml", partial(picture, "svg"), drawn=True)
PNG = FigureFormat("png", "PNG", "image/png", partial(picture, "png", scale=_PNG_SCALE), drawn=True)
