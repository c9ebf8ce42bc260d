"""A figure as PDF, SVG or PNG at a paper's column width, drawn by a headless Chromium: one picture in three formats."""

from io import BytesIO
from xml.sax.saxutils import escape

import plotly.graph_objects as go
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from dashboard.exports.engine import draw
from dashboard.exports.format import FigureFormat
from dashboard.exports.look import PIXELS_PER_INCH, Look
from dashboard.exports.paper_figure import paper_figure

_DOTS_PER_INCH = 300
"""What journals ask for."""


def pdf(figure: go.Figure, look: Look) -> bytes:
    """The figure, in the light theme, as a page of its own size; its title is that of the page it is printed from.

    As :func:`svg` and :func:`png`, raises RunError where no browser engine is found or it cannot draw.
    """
    return _drawn(figure, look, "pdf")


def svg(figure: go.Figure, look: Look) -> bytes:
    """The same picture as vectors for a page or a drawing program."""
    opening, end, rest = _drawn(figure, look, "svg").partition(b">")
    return opening + end + f"<title>{escape(look.title)}</title>".encode() + rest


def png(figure: go.Figure, look: Look) -> bytes:
    """The same picture in dots, with the resolution from which LaTeX and word processors take its size."""
    content = _drawn(figure, look, "png", scale=_DOTS_PER_INCH / PIXELS_PER_INCH)
    about = PngInfo()
    about.add_itxt("Title", look.title)
    written = BytesIO()
    Image.open(BytesIO(content)).save(written, "png", pnginfo=about, dpi=(_DOTS_PER_INCH, _DOTS_PER_INCH))
    return written.getvalue()


def _drawn(figure: go.Figure, look: Look, extension: str, scale: float = 1) -> bytes:
    dressed = paper_figure(figure, look)
    width, height = dressed.layout.width, dressed.layout.height
    return draw(dressed, {"format": extension, "width": width, "height": height, "scale": scale})


PDF = FigureFormat("pdf", "PDF", "application/pdf", pdf, drawn=True)
SVG = FigureFormat("svg", "SVG", "image/svg+xml", svg, drawn=True)
PNG = FigureFormat("png", "PNG", "image/png", png, drawn=True)
