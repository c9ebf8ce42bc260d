"""A figure as an interactive page, which needs no browser to write and no network to read."""

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from dashboard.exports.format import FigureFormat
from dashboard.theme import plotly_template


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


HTML = FigureFormat("html", "HTML", "text/html", lambda figure, look: html_page(figure))
