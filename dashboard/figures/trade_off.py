"""What methods gain on rare classes for what they lose on frequent ones, and which of them no other beats."""

import pandas as pd
import plotly.graph_objects as go

from ballad.leaderboard.trade_off import pareto_front
from dashboard.figures.parts import empty_figure, spread_note
from dashboard.text import LONGEST_LABEL, hover_text, plotly_label
from dashboard.theme import CATEGORY_COLOURS

_GREY = "#7f7f7f"
_LOOKS = {
    "method": ("methods", _GREY, "circle", 9),
    "baseline": ("BALLAD", CATEGORY_COLOURS[1], "star", 14),
    "towers": ("towers without a head", CATEGORY_COLOURS[2], "square", 9),
    "published": ("published, on other backbones", _GREY, "diamond-open", 9),
}
"""By kind of row: name, colour, symbol and size."""
_FRONT_COLOUR = CATEGORY_COLOURS[0]
_FRONT = "on the front"
_HEIGHT = 460
_NAME_HEIGHT = 0.05
"""Of the range of the plot: closer above each other, two names would touch."""
_LETTERS = 55
"""Characters that fit side by side into the narrowest figure, in print."""
_ROOM_LEFT, _ROOM_RIGHT = 0.05, 0.3
"""Room beside the rows as a share of their range; on the right, for their names."""


def trade_off(points: pd.DataFrame, *, images: int | None = None) -> go.Figure:
    """Few-shot accuracy against many-shot accuracy, with the front of those that no other row beats in both.

    ``points``: ``name``, ``kind`` (method, baseline, towers, published), ``many``, ``few`` and their ``many_sd`` and
    ``few_sd`` (percent, NaN for a single seed), and ``run`` (a run's id, carried as customdata so that a click finds
    it; empty for published rows). Published rows are not part of the front. ``images``: how many each was measured on.
    """
    points = points.dropna(subset=["many", "few"])
    if points.empty:
        return empty_figure("No row has both many-shot and few-shot classes.")
    own = points["kind"] != "published"
    on_front = pd.Series(False, index=points.index)
    on_front[own] = pareto_front(list(points.loc[own, ["many", "few"]].itertuples(index=False, name=None)))
    # The legend names BALLAD.
    named = _names(points[on_front & (points["kind"] != "baseline")], points["few"].max() - points["few"].min())
    reach = _reach(points["many"])
    figure = go.Figure()
    _add_front(figure, points[on_front])
    for kind, (title, colour, symbol, size) in _LOOKS.items():
        of_kind = points["kind"] == kind
        if kind == "method":
            look = {"color": _FRONT_COLOUR, "symbol": symbol, "size": size + 2}
            _add_rows(figure, points[of_kind & on_front], named, reach, f"methods {_FRONT}", look)
            of_kind &= ~on_front
        look = {"color": colour, "symbol": symbol, "size": size, "line": {"width": 2 if kind == "published" else 0}}
        _add_rows(figure, points[of_kind], named, reach, title, look)
    told = "" if images is None else f", n = {images:,} images"
    figure.update_xaxes(range=reach)
    figure.update_xaxes(title=f"Many-shot accuracy (%){told}{spread_note(points['many_sd'], points['few_sd'])}")
    figure.update_yaxes(title="Few-shot accuracy (%)")
    figure.update_layout(height=_HEIGHT)
    return figure


def _add_front(figure: go.Figure, front: pd.DataFrame) -> None:
    front = front.sort_values("many")
    figure.add_scatter(
        x=front["many"].to_numpy(),
        y=front["few"].to_numpy(),
        mode="lines",
        # From each row down to the height of the next: below the line lies what some row beats.
        line={"color": _FRONT_COLOUR, "width": 1.5, "dash": "dot", "shape": "vh"},
        hoverinfo="skip",
        name="front: no row is better in both",
    )


def _reach(values: pd.Series) -> tuple[float, float]:
    """The ends of the axis across."""
    low, high = values.min(), values.max()
    return low - _ROOM_LEFT * (high - low) - 1, high + _ROOM_RIGHT * (high - low) + 1


def _add_rows(
    figure: go.Figure,
    rows: pd.DataFrame,
    named: pd.Series,
    reach: tuple[float, float],
    title: str,
    look: dict[str, object],
) -> None:
    if rows.empty:
        return
    figure.add_scatter(
        x=rows["many"].to_numpy(),
        y=rows["few"].to_numpy(),
        error_x=_bars(rows["many_sd"]),
        error_y=_bars(rows["few_sd"]),
        customdata=rows["run"].tolist(),
        mode="markers+text" if named.reindex(rows.index).any() else "markers",
        text=[plotly_label(name) if named.get(row, False) else "" for row, name in rows["name"].items()],
        textposition=[_side(many, name, reach) for many, name in zip(rows["many"], rows["name"], strict=True)],
        hovertext=[hover_text(name) for name in rows["name"]],
        hovertemplate="%{hovertext}<br>many %{x:.1f} %, few %{y:.1f} %<extra></extra>",
        marker=look,
        name=title,
    )


def _side(many: float, name: str, reach: tuple[float, float]) -> str:
    """To the right, above what the front leaves free; to the left where the name would be cut there."""
    place = (many - reach[0]) / (reach[1] - reach[0])
    return "top right" if place + min(len(name), LONGEST_LABEL) / _LETTERS <= 1 else "top left"


def _bars(spread: pd.Series) -> dict[str, object]:
    return {"array": spread.fillna(0).to_numpy(), "thickness": 1, "width": 0}


def _names(front: pd.DataFrame, reach: float) -> pd.Series:
    """Which rows of the front are named: from the top, each that is far enough below the last."""
    named, last = pd.Series(False, index=front.index), float("inf")
    for row, few in front["few"].sort_values(ascending=False).items():
        if last - few >= _NAME_HEIGHT * reach:
            named[row], last = True, few
    return named
