"""Where names of points on a map can stand: inside their panel, and not on each other."""

from collections.abc import Iterator
from dataclasses import dataclass

import plotly.graph_objects as go

LETTER_WIDTH = 0.58
"""Width per letter that most names stay below, relative to the font's size."""
_LINE_HEIGHT = 1.25
_GAP = 3
"""Pixels between a mark and its name."""
_SIDES = ("top center", "bottom center", "middle right", "middle left")
_CORNERS = ("top right", "top left", "bottom right", "bottom left")


@dataclass(frozen=True)
class _Box:
    """Left, top, right and bottom in pixels."""

    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: "_Box") -> bool:
        across = self.left < other.right and other.left < self.right
        return across and self.top < other.bottom and other.top < self.bottom

    def inside(self, width: float, height: float) -> bool:
        return self.left >= 0 and self.top >= 0 and self.right <= width and self.bottom <= height


def place_labels(figure: go.Figure, width: float, height: float, font_pixels: float) -> None:
    """Give each named point of a map the first free place around its mark; a name without one is not shown.

    Works on the traces of text whose full names are their ``hovertext``, on axes with a range and one unit for both.
    ``width`` and ``height`` are those of a panel in pixels. Names keep clear of the panel's frame and of each other.
    """
    for trace in figure.select_traces(lambda trace: trace.mode == "markers+text"):
        taken: list[_Box] = []
        texts, places = [], []
        for name, across, down in zip(trace.hovertext, *_pixels(figure, trace, width, height), strict=True):
            free = next(
                (
                    (place, box)
                    for place, box in _boxes(name, across, down, trace.marker.size, font_pixels)
                    if box.inside(width, height) and not any(map(box.overlaps, taken))
                ),
                None,
            )
            texts.append(name if free else "")
            places.append(free[0] if free else _SIDES[0])
            taken += [free[1]] if free else []
        trace.update(text=texts, textposition=places)


def _pixels(figure: go.Figure, trace: go.Scatter, width: float, height: float) -> tuple[list[float], list[float]]:
    """Where a trace's points are in their panel, from its left and its top."""
    (left, right), (bottom, top) = (
        figure.layout[f"{axis}axis{name.removeprefix(axis)}"].range
        for axis, name in (("x", trace.xaxis or "x"), ("y", trace.yaxis or "y"))
    )
    scale = min(width / (right - left), height / (top - bottom))
    across = width / 2 + scale * (trace.x - (left + right) / 2)
    down = height / 2 - scale * (trace.y - (bottom + top) / 2)
    return across.tolist(), down.tolist()


def _boxes(name: str, across: float, down: float, mark: float, font_pixels: float) -> Iterator[tuple[str, _Box]]:
    """The places around a mark in the order of preference, as Plotly names them."""
    wide, high = LETTER_WIDTH * font_pixels * len(name), _LINE_HEIGHT * font_pixels
    away = mark / 2 + _GAP
    for place in (*_SIDES, *_CORNERS):
        vertical, horizontal = place.split()
        top = {"top": down - away - high, "middle": down - high / 2, "bottom": down + away}[vertical]
        beside = 0 if vertical == "middle" else -away
        left = {
            "left": across - away - beside - wide,
            "center": across - wide / 2,
            "right": across + away + beside,
        }[horizontal]
        yield place, _Box(left, top, left + wide, top + high)
