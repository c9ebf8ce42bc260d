"""Plotly on a page: figures that keep zoom, legend and selection while they update, and tell what was clicked.

``st.plotly_chart`` builds a chart anew for every changed figure and hears no clicks on heatmaps. This components-v2
wrapper updates in place, and sends back point indices only. Where it cannot load, ``st.plotly_chart`` stands in.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import plotly
import plotly.graph_objects as go
import streamlit as st

from dashboard.addresses import address
from dashboard.theme import plotly_template

PLOTLY_SCRIPT = f"plotly-{plotly.__version__}.min.js"
"""What :mod:`dashboard.routes` calls the script that Plotly's package ships."""

_SCRIPT = Path(__file__).parent / "assets" / "chart.js"

# A click beside a chart must not send it away to a service.
_CONFIG = {"displaylogo": False, "showSendToCloud": False}

# Both looks travel along, so that the reader can change the theme without a rerun.
_TEMPLATES = json.dumps({mode: plotly_template(mode).to_plotly_json() for mode in ("light", "dark")})

_component = st.components.v2.component(
    "ballad_chart",
    js=_SCRIPT.read_text(encoding="utf-8"),
    # Plotly writes its own rules into the document; inside a shadow root they would not reach the chart.
    isolate_styles=False,
)


@dataclass(frozen=True)
class Point:
    """A point of a chart: the trace's place in the figure, and the point's in the trace, (row, column) in a heatmap."""

    trace: int
    index: int | tuple[int, int]


@dataclass(frozen=True)
class ChartEvents:
    """What the reader did: ``clicked`` for the one run that follows the click, ``selected`` until it changes."""

    clicked: Point | None
    selected: tuple[Point, ...]


def show_chart(
    figure: go.Figure,
    *,
    key: str,
    label: str,
    height: int | None = None,
    revision: str = "",
    pictures: str = "",
) -> ChartEvents:
    """Show a figure in the page's theme.

    ``label`` says in a few words what the figure shows, for screen readers. Zoom, legend and selection last as long
    as ``key``, ``revision`` and the names of the traces do: change ``revision`` when the points come to mean others.
    ``pictures`` is the address of a folder of pictures named by the points' customdata, shown while pointed at.
    """
    revision = "|".join([revision, *(trace.name or "" for trace in figure.data)])
    height = height or figure.layout.height or 420
    figure = go.Figure(figure).update_layout(template=None, height=height)
    figure.update_layout(uirevision=revision, selectionrevision=revision)
    if st.session_state.get("chart_wrapper_failed"):
        return _plain_chart(figure, key)
    result = _component(
        key=key,
        data={
            "script": address(PLOTLY_SCRIPT),
            "figure": figure.to_json(),
            "templates": _TEMPLATES,
            "config": {**_CONFIG, "responsive": False, "scrollZoom": False},
            "height": height,
            "label": label,
            "revision": revision,
            "pictures": pictures,
        },
        height=height,
        on_clicked_change=_ignore,
        on_selected_change=_ignore,
        on_failed_change=_ignore,
    )
    if result.failed:
        st.session_state["chart_wrapper_failed"] = True
        st.rerun()
    # Indices of an older figure would name other points of this one.
    selection = result.selected if result.selected and result.selected["revision"] == revision else {"points": ()}
    return ChartEvents(
        clicked=_point(result.clicked) if result.clicked else None,
        selected=tuple(_point(point) for point in selection["points"]),
    )


def customdata(figure: go.Figure, points: Sequence[Point]) -> list[Any]:
    """The customdata of these points, such as sample indices; points that the figure no longer has are left out."""
    found = []
    for point in points:
        values = figure.data[point.trace].customdata if point.trace < len(figure.data) else None
        if values is not None and isinstance(point.index, int) and point.index < len(values):
            found.append(values[point.index])
    return found


def _plain_chart(figure: go.Figure, key: str) -> ChartEvents:
    figure.update_layout(template=plotly_template("dark" if st.context.theme.type == "dark" else "light"))
    state = st.plotly_chart(figure, key=f"{key}_plain", theme=None, on_select="rerun", config=_CONFIG)
    selected = tuple(
        Point(trace=point["curve_number"], index=point["point_index"])
        for point in state.selection.points
        if "point_index" in point
    )
    return ChartEvents(clicked=selected[0] if len(selected) == 1 else None, selected=selected)


def _point(sent: dict[str, Any]) -> Point:
    index = sent["index"]
    return Point(trace=int(sent["trace"]), index=tuple(index) if isinstance(index, list) else int(index))


def _ignore() -> None:
    """Streamlit reports a component's value only where it has a callback."""
