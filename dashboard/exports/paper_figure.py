"""A figure as it goes on paper: at a column's width, in its fonts, with room for every name that it shows."""

import textwrap
from collections.abc import Collection, Iterator
from math import ceil

import numpy as np
import plotly.graph_objects as go

from dashboard.exports.look import PIXELS_PER_INCH, Look, PaperSize, Part
from dashboard.exports.printed_legend import legend_names, legend_pixels
from dashboard.figures.label_places import LETTER_WIDTH, place_labels
from dashboard.figures.parts import AXIS_TITLE, wrapped
from dashboard.theme import FONT_SIZE, plotly_template

_SHEET_STEP = 4
"""Pixels, three points: Chromium prints sheets of whole points, and pictures of whole pixels."""
_LINE_HEIGHT = 1.3
"""Of the font's size."""
_SLANT = 0.75
"""How high a slanted name is, of its width."""
_SLANTED_PITCH = 1.8
"""Between slanted names on an axis, in font sizes."""
_ROWS_SHARE = 0.75
"""Of a heatmap's height."""
_LONGEST_HEADING = 400
"""Characters."""
_SCALE_WIDTH = 6
"""Of a colour scale with its numbers, in font sizes."""
_RIGHT_MARGIN = 14
"""Pixels that the template leaves."""
_PARALLEL_MARGIN = 4
"""Left of parallel axes, in font sizes."""
_VECTOR_UP_TO = 5_000
"""Points up to which a WebGL trace is drawn as vectors; more would make files that viewers choke on."""


def parts_of(figure: go.Figure) -> list[Part]:
    """The parts that a figure has and could do without."""
    has: dict[Part, bool] = {
        "legend": any(legend_names(figure)),
        "titles": any(True for _ in _titles(figure)) and len(figure.data) > 0,
        "names": any(True for _ in figure.select_traces(_is_named)),
    }
    return [part for part, there in has.items() if there]


def paper_figure(figure: go.Figure, look: Look) -> go.Figure:
    """The figure as it goes on paper: light, at the size's fonts, WebGL replaced by vectors where they are few."""
    size = look.sized
    dressed = go.Figure([_vector_trace(trace) for trace in figure.data], figure.layout)
    # The heights and margins that a figure asks for are there for its text, so they go with the font.
    scale = size.font_pixels / FONT_SIZE
    margin = {side: scale * pixels for side, pixels in figure.layout.margin.to_plotly_json().items()}
    dressed.update_layout(
        template=plotly_template("light", font_size=size.font_pixels, paper=True),
        width=size.pixels,
        margin=margin,
        legend={"tracegroupgap": 0, "maxheight": 1},
        meta={"title": look.title},
    )
    for annotation in dressed.layout.annotations:
        annotation.update(font={"size": size.font_pixels}, yshift=scale * (annotation.yshift or 0))
    _leave_out(dressed, look.without)
    _number_long_categories(dressed, size)
    _name_what_fits(dressed, size)
    _shrink_marks(dressed, size)
    _clear_row_names(dressed, size)
    if _is_map(dressed):
        height = _lay_out_map(dressed, size, look.heading)
    else:
        own = figure.layout.height
        plain = size.height * PIXELS_PER_INCH + margin.get("t", 0) + _slanted_names(dressed, size)
        height = (plain if own is None else scale * own) + legend_pixels(dressed, size, beyond_first=True)
        height += _add_heading(dressed, size, look.heading, height)
    height = min(height, size.tallest * PIXELS_PER_INCH)
    _name_rows_that_fit(dressed, size, height)
    if look.heading:
        # Plotly sets the middle of the first line, and not its top, where it is told the top.
        dressed.update_layout(title={"y": 1 - dressed.layout.title.font.size / height})
    return dressed.update_layout(height=_SHEET_STEP * ceil(height / _SHEET_STEP))


def _leave_out(figure: go.Figure, without: Collection[Part]) -> None:
    if "legend" in without:
        figure.update_layout(showlegend=False)
    if "names" in without:
        figure.update_traces(mode="markers", selector=_is_named)
    if "titles" in without and "titles" in parts_of(figure):
        left_out = list(_titles(figure))
        figure.layout.annotations = [each for each in figure.layout.annotations if each not in left_out]
        figure.layout.margin.t = None


def _titles(figure: go.Figure) -> Iterator[go.layout.Annotation]:
    """Annotations that are not the title of an axis."""
    return (each for each in figure.layout.annotations if each.name != AXIS_TITLE)


def _is_named(trace: go.Scatter) -> bool:
    return trace.type == "scatter" and trace.mode == "markers+text"


def _is_map(figure: go.Figure) -> bool:
    """Whether both axes have one unit."""
    return any(axis.scaleanchor for axis in figure.select_yaxes())


def _name_what_fits(figure: go.Figure, size: PaperSize) -> None:
    """Where an axis across names every class, as many slanted names as fit."""
    rows = [name for axis in figure.select_yaxes(lambda axis: axis.ticktext is not None) for name in axis.ticktext]
    beside = max(map(size.text_pixels, rows), default=0) + (
        _SCALE_WIDTH * size.font_pixels if _has_scale(figure) else 0
    )
    for axis in figure.select_xaxes(lambda axis: axis.ticktext is not None):
        every = ceil(len(axis.ticktext) * _SLANTED_PITCH * size.font_pixels / (size.pixels - beside))
        axis.update(tickvals=axis.tickvals[::every], ticktext=axis.ticktext[::every])
    for axis in (*figure.select_xaxes(), *figure.select_yaxes()):
        if axis.tickmode == "linear":
            axis.update(tickmode="auto")


def _name_rows_that_fit(figure: go.Figure, size: PaperSize, height: float) -> None:
    """The same for the rows of a heatmap; those of other figures are as high as their names need."""
    for axis in figure.select_yaxes(lambda axis: axis.ticktext is not None and figure.data[0].type == "heatmap"):
        every = ceil(len(axis.ticktext) * _LINE_HEIGHT * size.font_pixels / (_ROWS_SHARE * height))
        axis.update(tickvals=axis.tickvals[::every], ticktext=axis.ticktext[::every])


def _has_scale(figure: go.Figure) -> bool:
    return any(trace.showscale is not False for trace in figure.select_traces({"type": "heatmap"}))


def _shrink_marks(figure: go.Figure, size: PaperSize) -> None:
    """What was sized for a screen of some 1,000 pixels shrinks with the page, but not below what can be seen."""
    shrink = min(1.0, max(0.5, size.width / 10))
    for trace in figure.data:
        if trace.type == "scatter" and trace.marker.size is not None:
            trace.marker.size = trace.marker.size * shrink
        if trace.type == "scatter" and trace.mode and "lines" in trace.mode:
            trace.line.width = (2 if trace.line.width is None else trace.line.width) * shrink


def _number_long_categories(figure: go.Figure, size: PaperSize) -> None:
    """Where named values on parallel axes would run into the axis before, numbers replace them, explained below."""
    for trace in figure.select_traces({"type": "parcoords"}):
        between = (size.pixels - 2 * _PARALLEL_MARGIN * size.font_pixels) / max(1, len(trace.dimensions) - 1)
        named = [axis for axis in trace.dimensions if axis.ticktext]
        if all(size.text_pixels(max(axis.ticktext, key=len)) < between - 8 for axis in named):
            continue
        told = []
        for axis in named:
            told += [f"{axis.label}: " + ", ".join(f"{n} {name}" for n, name in enumerate(axis.ticktext, start=1))]
            axis.ticktext = [str(number) for number in range(1, len(axis.ticktext) + 1)]
        letters = int(size.pixels / (LETTER_WIDTH * size.font_pixels)) - 4
        text = "<br>".join(textwrap.wrap("; ".join(told), letters))
        below = _LINE_HEIGHT * size.font_pixels * (2 + text.count("<br>") + 1)
        figure.add_annotation(
            text=text,
            x=0,
            y=0,
            xref="paper",
            yref="paper",
            yanchor="top",
            align="left",
            showarrow=False,
            name=AXIS_TITLE,
        )
        figure.layout.annotations[-1].update(
            font={"size": size.font_pixels}, xanchor="left", yshift=-1.8 * size.font_pixels
        )
        figure.update_layout(margin={"l": _PARALLEL_MARGIN * size.font_pixels, "b": below + size.font_pixels})


def _clear_row_names(figure: go.Figure, size: PaperSize) -> None:
    """Where names stand left of rows, the legend begins above them, and the axis's title is as wide as the rest."""
    named = [axis.ticktext for axis in figure.select_yaxes(lambda axis: axis.ticktext is not None)]
    if not named or not legend_names(figure):
        return
    left = max(map(size.text_pixels, named[0])) + size.font_pixels
    beside = size.pixels - left - _RIGHT_MARGIN
    figure.update_layout(margin={"l": left}, legend={"x": -(left - 6) / beside})
    letters = int((beside + _RIGHT_MARGIN) / (LETTER_WIDTH * size.font_pixels))
    for axis in figure.select_xaxes(lambda axis: axis.title.text):
        axis.title.text = "<br>".join(
            part for line in axis.title.text.split("<br>") for part in textwrap.wrap(line, letters)
        )


def _slanted_names(figure: go.Figure, size: PaperSize) -> float:
    """Pixels that names of classes across take where they do not fit side by side."""
    named = [axis.ticktext for axis in figure.select_xaxes(lambda axis: axis.ticktext is not None)]
    widest = [max(map(size.text_pixels, names), default=0.0) for names in named]
    fits = all(len(names) * wide < size.pixels for names, wide in zip(named, widest, strict=True))
    return 0.0 if fits else _SLANT * max(widest)


def _lay_out_map(figure: go.Figure, size: PaperSize, heading: str) -> float:
    """The height of a map of square panels with its legend below; the names of its points find their places."""
    panels = len(list(figure.select_xaxes()))
    side = (size.pixels - 24) * (1 - 0.03 * (panels - 1)) / panels
    around = (figure.layout.margin.t or 8) + legend_pixels(figure, size) + 1.2 * size.font_pixels
    figure.update_layout(margin={"t": figure.layout.margin.t or 8, "b": 8})
    around += _add_heading(figure, size, heading, side + around)
    height = min(around + side, size.tallest * PIXELS_PER_INCH)
    place_labels(figure, side, height - around, size.font_pixels)
    return height


def _add_heading(figure: go.Figure, size: PaperSize, heading: str, height: float) -> float:
    """Put a heading above everything else; returns the pixels it takes."""
    if not heading:
        return 0.0
    font = 1.15 * size.font_pixels
    text = wrapped(heading, int(size.pixels / (LETTER_WIDTH * font)) - 2, most=_LONGEST_HEADING)
    takes = _LINE_HEIGHT * font * (text.count("<br>") + 1) + font
    legend = figure.layout.legend
    lift = max(0.0, (legend.y if legend.y is not None else 1.02) - 1) * height
    above = lift + legend_pixels(figure, size) if legend.yanchor != "top" else 0.0
    top = figure.layout.margin.t if figure.layout.margin.t is not None else 2.2 * size.font_pixels
    figure.update_layout(margin={"t": takes + max(top, above)})
    place = {"x": 0, "xanchor": "left", "pad": {"l": 10}, "yanchor": "top", "yref": "container"}
    figure.update_layout(title={"text": text, "font": {"size": font}, **place})
    return takes


def _vector_trace(trace: go.Scatter | go.Scattergl) -> go.Scatter:
    if trace.type != "scattergl" or np.size(trace.x) > _VECTOR_UP_TO:
        return trace
    return go.Scatter({**trace.to_plotly_json(), "type": "scatter"})
