"""What training gained: the accuracy of a run's models, from the untouched towers to the final one, by shot group."""

import pandas as pd
import plotly.graph_objects as go

from dashboard.figures.parts import accuracy_axis, empty_figure, groups_in, in_order
from dashboard.theme import GROUP_COLOURS

_SYMBOLS = ("circle-open", "diamond", "circle", "square", "triangle-up")
"""Of the models, in their order."""
_ROW_HEIGHT = 40
_BETWEEN_MODELS = 0.16
"""Of a row: intervals of neighbouring models would hide one another."""


def gain_by_group(accuracies: pd.DataFrame, *, images: int | None = None) -> go.Figure:
    """One row per shot group, in which a line leads from each model to the next; bars are 95 % intervals.

    ``accuracies``: ``model`` (its title), ``group``, ``accuracy`` (percent) and ``margin``, half the interval (points).
    Models keep the table's order. ``images``: how many images the models were evaluated on.
    """
    accuracies = accuracies.dropna(subset="accuracy")
    if accuracies.empty:
        return empty_figure("No model of this run has been evaluated yet.")
    models, groups = in_order(accuracies["model"]), groups_in(accuracies["group"])
    figure = go.Figure()
    for place, group in enumerate(groups):
        rows = accuracies[accuracies["group"] == group].set_index("model").reindex(models)
        heights = [place + _BETWEEN_MODELS * (step - (len(models) - 1) / 2) for step in range(len(models))]
        line = {"color": GROUP_COLOURS[group], "width": 1.5}
        figure.add_scatter(
            x=rows["accuracy"].to_numpy(), y=heights, mode="lines", line=line, hoverinfo="skip", showlegend=False
        )
        for model, height, symbol in zip(models, heights, _SYMBOLS, strict=False):
            accuracy, margin = rows.loc[model, ["accuracy", "margin"]]
            figure.add_scatter(
                x=[accuracy],
                y=[height],
                error_x={"array": [margin], "thickness": 1, "width": 3},
                mode="markers",
                marker=_marker(group, symbol),
                name=model,
                showlegend=False,
                hovertemplate=f"{model}: %{{x:.1f}} ± {margin:.1f} %<extra>{group}</extra>",
            )
    for model, symbol in zip(models, _SYMBOLS, strict=False):
        figure.add_scatter(x=[None], y=[None], mode="markers", name=model, marker=_marker("all", symbol))
    figure.update_yaxes(tickvals=list(range(len(groups))), ticktext=groups, range=[len(groups) - 0.4, -0.6])
    figure.update_xaxes(title=accuracy_axis(images))
    figure.update_layout(height=110 + _ROW_HEIGHT * len(groups))
    return figure


def _marker(group: str, symbol: str) -> dict[str, object]:
    colour = GROUP_COLOURS[group]
    return {"color": colour, "symbol": symbol, "size": 11, "line": {"width": 2, "color": colour}}
