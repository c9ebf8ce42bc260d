"""Colours with one meaning everywhere, and Plotly templates for light, dark and paper.

The four group colours keep a contrast of at least 3:1 on the light and on the dark background, and stay
apart for readers with protanopia, deuteranopia and tritanopia. Marker symbols and line dashes say the same again.
"""

from typing import Literal

import plotly.graph_objects as go

Mode = Literal["light", "dark"]

GROUP_COLOURS = {"many": "#2a6fdb", "medium": "#b08a00", "few": "#c8380e", "all": "#7f7f7f"}
GROUP_SYMBOLS = {"many": "circle", "medium": "square", "few": "triangle-up", "all": "diamond"}

CORRECTNESS_COLOURS = {"correct": "#2a6fdb", "wrong": "#c8380e"}
CORRECTNESS_SYMBOLS = {"correct": "circle", "wrong": "x"}

RUN_DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")

CATEGORY_COLOURS = (
    "#1596b0",
    "#d9720f",
    "#7d5fd0",
    "#4f9a35",
    "#c9509b",
    "#8c6d4f",
    "#5878a8",
    "#a39a1c",
)
"""For runs and hand-picked classes, where colour has no meaning of its own; none is a group's colour."""
CATEGORY_SYMBOLS = ("circle", "square", "triangle-up", "diamond", "cross", "x")

BACKGROUNDS: dict[Mode, str] = {"light": "#ffffff", "dark": "#10151c"}
FONT_SIZE = 13
"""Pixels, on the screen."""
FONT_FAMILY = "Source Sans, Source Sans Pro, Helvetica, Arial, sans-serif"

_INK: dict[Mode, str] = {"light": "#1a2230", "dark": "#e6eaf0"}
_GRID: dict[Mode, str] = {"light": "#e3e7ed", "dark": "#2b3440"}
_AXIS: dict[Mode, str] = {"light": "#8a94a3", "dark": "#6f7b8b"}

# One hue from background to ink, so that an empty cell looks empty in both themes.
SEQUENTIAL_SCALES: dict[Mode, list[str]] = {
    "light": ["#ffffff", "#d5e4f9", "#9dc0f0", "#5c93e2", "#2a6fdb", "#174a99", "#0b2a5c"],
    "dark": ["#10151c", "#152c4f", "#1c478a", "#2a6fdb", "#6a9fea", "#a9caf5", "#e3effc"],
}
DIVERGING_SCALES: dict[Mode, list[str]] = {
    "light": ["#9c2a08", "#e07b55", "#f6cfc0", "#ffffff", "#bfd5f6", "#5c93e2", "#174a99"],
    "dark": ["#ff9d78", "#c8380e", "#5a2415", "#10151c", "#173a72", "#2a6fdb", "#9dc4ff"],
}

READABLE_REACH = 0.44
"""How far along the sequential scale, and to either side of the diverging one, cells can hold text in the ink."""

LINE_SCALE = ["#d9720f", "#8f8f8f", "#2a6fdb"]
"""From low to high, each to be seen on light and on dark ground, as thin lines must be."""

_SCREEN_MARGIN = {"l": 56, "r": 16, "t": 48, "b": 48}


def plotly_template(mode: Mode, *, font_size: float = FONT_SIZE, paper: bool = False) -> go.layout.Template:
    """The look of every figure; figures themselves set only colours that mean something.

    ``font_size`` is in pixels. ``paper`` draws opaque white-ground figures with tighter margins, for exports.
    """
    ink, grid, axis = _INK[mode], _GRID[mode], _AXIS[mode]
    background = BACKGROUNDS[mode] if paper else "rgba(0,0,0,0)"
    axes = {
        "gridcolor": grid,
        "linecolor": axis,
        "tickcolor": axis,
        "showline": True,
        "ticks": "outside",
        "ticklen": 4,
        "zeroline": False,
        "automargin": True,
        "title": {"standoff": 8, "font": {"size": font_size}},
    }
    layout = go.Layout(
        font={"family": FONT_FAMILY, "size": font_size, "color": ink},
        paper_bgcolor=background,
        plot_bgcolor=background,
        colorway=list(CATEGORY_COLOURS),
        colorscale={
            "sequential": _stops(SEQUENTIAL_SCALES[mode]),
            "sequentialminus": _stops(SEQUENTIAL_SCALES[mode]),
            "diverging": _stops(DIVERGING_SCALES[mode]),
        },
        xaxis=axes,
        yaxis=axes,
        hoverlabel={
            "bgcolor": BACKGROUNDS[mode],
            "bordercolor": axis,
            "font": {"family": FONT_FAMILY, "color": ink, "size": font_size},
        },
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.02, "xanchor": "left", "x": 0, "title": {"text": ""}},
        margin={"l": 10, "r": 14, "t": 2.2 * font_size, "b": 3 * font_size} if paper else _SCREEN_MARGIN,
        hovermode="closest",
        dragmode="zoom",
        modebar={"bgcolor": "rgba(0,0,0,0)", "color": axis, "activecolor": ink},
    )
    bar = {"thickness": 14, "title": {"side": "top", "font": {"size": font_size}}}
    # Plotly's own choice, white or grey by the cell, is pale on the middle of a scale.
    data = {
        "heatmap": [go.Heatmap(colorbar=bar, textfont={"color": ink})],
        "parcoords": [go.Parcoords(line={"colorbar": bar})],
    }
    return go.layout.Template(layout=layout, data=data)


def _stops(colours: list[str]) -> list[list[float | str]]:
    return [[position / (len(colours) - 1), colour] for position, colour in enumerate(colours)]
