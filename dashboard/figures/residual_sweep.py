"""Accuracy against the residual factor λ of Eq. 5 (Figure 5 of the paper)."""

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from ballad.wording import seeds_told
from dashboard.figures.parts import accuracy_axis, empty_figure, groups_in, in_order, shared_x_title, translucent
from dashboard.theme import GROUP_COLOURS, GROUP_SYMBOLS

_CHOSEN = {"dash": "dash", "width": 1.5, "color": "#7f7f7f"}


def residual_sweep(
    points: pd.DataFrame,
    *,
    chosen: pd.DataFrame | None = None,
    published: pd.DataFrame | None = None,
    images: int | None = None,
) -> go.Figure:
    """Mean over seeds with a band of one standard deviation, every run as a point; one panel per sampler.

    ``points``: one row per run and group, with ``sampler``, ``residual_factor``, ``seed``, ``group``, ``accuracy``
    (percent), ``run`` (its id, carried as customdata so that a click finds it) and, where that is not the seed,
    ``phase_a``: the seed of the Phase A that the run rests on.
    ``chosen``: ``sampler``, ``residual_factor`` chosen on validation, marked by a vertical line.
    ``published``: ``residual_factor``, ``group``, ``accuracy`` of the paper, drawn hollow in every panel.
    ``images``: how many images each run was measured on.
    """
    points = points.dropna(subset="accuracy")
    if points.empty:
        return empty_figure("No run of this sweep has finished yet.")
    points = points if "phase_a" in points else points.assign(phase_a=points["seed"])
    samplers = in_order(points["sampler"])
    figure = make_subplots(
        rows=1, cols=len(samplers), shared_yaxes=True, subplot_titles=_titles(points, samplers), horizontal_spacing=0.03
    )
    for column, sampler in enumerate(samplers, start=1):
        panel = points[points["sampler"] == sampler]
        for group in groups_in(panel["group"]):
            _add_group(figure, panel[panel["group"] == group], group, column)
        if published is not None:
            _add_published(figure, published, column)
        if chosen is not None:
            for factor in chosen.loc[chosen["sampler"] == sampler, "residual_factor"]:
                _mark_chosen(figure, factor, column)
    if chosen is not None and len(chosen):
        figure.add_scatter(x=[None], y=[None], mode="lines", line=_CHOSEN, name="chosen on validation")
    figure.update_xaxes(range=[-0.03, 1.03])
    shared_x_title(figure, "Residual factor λ")
    figure.update_yaxes(title=accuracy_axis(images), col=1)
    lines = 1 if len(samplers) == 1 else 3
    figure.update_layout(legend={"y": 1.02 + 0.07 * lines}, margin={"t": 30 + 20 * lines})
    return figure


def _titles(points: pd.DataFrame, samplers: list[str]) -> list[str]:
    between = " " if len(samplers) == 1 else "<br>"
    titles = []
    for sampler in samplers:
        panel = points[points["sampler"] == sampler]
        told = seeds_told(len(panel[["phase_a", "seed"]].drop_duplicates()), panel["phase_a"].nunique())
        titles.append(
            f"{sampler.replace('_', '-')}{between}({told if len(samplers) == 1 else told.replace(', ', ',<br>')})"
        )
    return titles


def _add_group(figure: go.Figure, rows: pd.DataFrame, group: str, column: int) -> None:
    colour = GROUP_COLOURS[group]
    means = pd.DataFrame(
        [
            {"residual_factor": factor, "mean": cell["accuracy"].mean(), "std": spread_over_seeds(cell)}
            for factor, cell in rows.groupby("residual_factor")
        ]
    )
    factors, mean, spread = (means[name].to_numpy() for name in ("residual_factor", "mean", "std"))
    same = {"legendgroup": group, "row": 1, "col": column}
    if means["std"].notna().any():
        edge = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False}
        figure.add_scatter(x=factors, y=mean - spread, **edge, **same)
        band = {"fill": "tonexty", "fillcolor": translucent(colour, 0.18)}
        figure.add_scatter(x=factors, y=mean + spread, **band, **edge, **same)
    figure.add_scatter(
        x=factors,
        y=mean,
        mode="lines",
        name=group,
        line={"color": colour},
        showlegend=column == 1,
        hoverinfo="skip",
        **same,
    )
    figure.add_scatter(
        x=rows["residual_factor"].to_numpy(),
        y=rows["accuracy"].to_numpy(),
        customdata=rows[["run", "seed"]].to_numpy(),
        mode="markers",
        marker={"color": colour, "symbol": GROUP_SYMBOLS[group], "size": 7},
        showlegend=False,
        hovertemplate=f"λ = %{{x}}, seed %{{customdata[1]}}: %{{y:.1f}} %<extra>{group}</extra>",
        **same,
    )


def spread_over_seeds(rows: pd.DataFrame) -> float:
    """The standard deviation of ``accuracy`` over the runs of one λ; NaN where there is none to speak of.

    At λ = 0 no adapter counts, so runs on one Phase A are one and the same; their spread would read 0.0.
    """
    same = (rows["residual_factor"] == 0).all() and rows["phase_a"].nunique() == 1
    return float("nan") if same else float(rows["accuracy"].std())


def _add_published(figure: go.Figure, published: pd.DataFrame, column: int) -> None:
    for position, group in enumerate(groups_in(published["group"])):
        rows = published[published["group"] == group].sort_values("residual_factor")
        figure.add_scatter(
            x=rows["residual_factor"].to_numpy(),
            y=rows["accuracy"].to_numpy(),
            mode="lines+markers",
            name="published (paper)",
            legendgroup="published",
            showlegend=column == 1 and position == 0,
            line={"color": GROUP_COLOURS[group], "dash": "dot", "width": 1},
            marker={"symbol": f"{GROUP_SYMBOLS[group]}-open", "size": 13, "line": {"width": 2}},
            hovertemplate=f"λ = %{{x}}: %{{y:.1f}} %<extra>published, {group}</extra>",
            row=1,
            col=column,
        )


def _mark_chosen(figure: go.Figure, factor: float, column: int) -> None:
    figure.add_vline(x=factor, line=_CHOSEN, layer="below", row=1, col=column)
    figure.add_annotation(
        text=f" λ = {factor:g} ",
        x=factor,
        y=0.02,
        yref="y domain" if column == 1 else f"y{column} domain",
        xref="x" if column == 1 else f"x{column}",
        showarrow=False,
        xanchor="left" if factor <= 0.5 else "right",
    )
