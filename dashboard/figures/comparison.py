"""Settings side by side: accuracy of each shot group with its spread, published numbers beside."""

import pandas as pd
import plotly.graph_objects as go

from ballad.wording import seeds_told
from dashboard.figures.parts import accuracy_axis, empty_figure, groups_in, in_order, row_height, spread_note, wrapped
from dashboard.theme import GROUP_COLOURS, GROUP_SYMBOLS

ROW_HEIGHT = 44
"""At least this many pixels per setting, so that many settings stay readable."""


def comparison_dots(results: pd.DataFrame, *, images: int | None = None) -> go.Figure:
    """One row per setting, one dot per shot group; bars are one standard deviation over seeds, where there are several.

    ``results``: ``setting``, ``group``, ``mean`` and ``sd`` (percent; NaN with a single seed), ``seeds`` (their
    number), ``phases_a`` (on how many trainings of Phase A they rest, missing for none) and ``published`` (true for
    the paper's numbers, drawn hollow). Rows keep the table's order.
    ``images``: how many images each run was measured on.
    """
    results = results.dropna(subset="mean")
    if results.empty:
        return empty_figure("No finished run has been chosen.")
    results = results.assign(label=_labels(results))
    own = set(results.loc[~results["published"].astype(bool), "group"])
    figure = go.Figure()
    for published, rows_of_source in results.groupby("published"):
        for group in groups_in(rows_of_source["group"]):
            rows = rows_of_source[rows_of_source["group"] == group]
            symbol = GROUP_SYMBOLS[group]
            source = " (published)" if published else ""
            figure.add_scatter(
                x=rows["mean"].to_numpy(),
                y=rows["label"].tolist(),
                error_x={"array": rows["sd"].to_numpy(), "thickness": 1.5, "width": 4},
                customdata=rows["sd"].to_numpy(),
                mode="markers",
                name=f"{group}{source}",
                showlegend=not (published and group in own),
                marker={
                    "color": GROUP_COLOURS[group],
                    "symbol": f"{symbol}-open" if published else symbol,
                    "size": 11,
                    "line": {"width": 2 if published else 0},
                },
                hovertemplate=f"%{{y}}<br>%{{x:.1f}} %, s.d. %{{customdata:.2f}}<extra>{group}{source}</extra>",
            )
    if results["published"].any():
        hollow = {"color": "#7f7f7f", "symbol": "circle-open", "size": 11, "line": {"width": 2}}
        figure.add_scatter(x=[None], y=[None], mode="markers", name="published (paper)", marker=hollow)
    labels = in_order(results["label"])
    shown = [wrapped(label.replace(" seed", "\N{NO-BREAK SPACE}seed")) for label in labels]
    figure.update_yaxes(categoryorder="array", categoryarray=labels[::-1], title="")
    figure.update_yaxes(tickvals=labels, ticktext=shown)
    figure.update_xaxes(title=f"{accuracy_axis(images)}{spread_note(results['sd'])}")
    figure.update_layout(height=130 + row_height(shown, ROW_HEIGHT) * len(shown))
    return figure


def _labels(results: pd.DataFrame) -> pd.Series:
    told = which_seeds(results).where(~results["published"].astype(bool), "published")
    return results["setting"] + " (" + told + ")"


def which_seeds(results: pd.DataFrame) -> pd.Series:
    """Which seeds varied in each row, from its ``seeds`` and ``phases_a``; empty where no number of seeds is known."""
    return pd.Series(
        [
            "" if pd.isna(seeds) else seeds_told(int(seeds), None if pd.isna(phases_a) else int(phases_a))
            for seeds, phases_a in zip(results["seeds"], results["phases_a"], strict=True)
        ],
        index=results.index,
        dtype=str,
    )
