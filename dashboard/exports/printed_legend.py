"""How much room a figure's legend takes on paper: Plotly gives it what there is, and cuts off or covers the rest."""

from collections.abc import Sequence
from math import ceil

import plotly.graph_objects as go

from dashboard.exports.look import PaperSize

_SYMBOL_PIXELS, _ROW_PIXELS = 45, 19


def legend_names(figure: go.Figure) -> list[str]:
    """The entries of the legend."""
    if figure.layout.showlegend is False:
        return []
    return [
        trace.name for trace in figure.data if trace.name and "showlegend" in trace and trace.showlegend is not False
    ]


def legend_pixels(figure: go.Figure, size: PaperSize, *, beyond_first: bool = False) -> float:
    """About how high a legend is, or how much of it is beyond its first row."""
    names = legend_names(figure)
    if not names:
        return 0.0
    entries = [_SYMBOL_PIXELS + size.text_pixels(name) for name in names]
    across = size.pixels - 30
    if any(trace.legendgroup for trace in figure.data):
        rows = _packed_rows(entries, across)
    else:
        rows = 1 if sum(entries) <= across else ceil(len(entries) / max(1, int(across / max(entries))))
    return (rows - beyond_first) * max(_ROW_PIXELS, 1.5 * size.font_pixels)


def _packed_rows(entries: Sequence[float], across: float) -> int:
    """Rows of entries set one after the other, as Plotly sets those that belong to groups."""
    rows, used = 1, 0.0
    for entry in entries:
        rows, used = (rows, used + entry) if used + entry <= across else (rows + 1, entry)
    return rows
