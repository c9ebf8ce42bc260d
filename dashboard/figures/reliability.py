"""Are probabilities calibrated? Accuracy against confidence, and how many images each bin holds."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from dashboard.figures.parts import empty_figure, in_order
from dashboard.text import hover_text, plotly_label
from dashboard.theme import CATEGORY_COLOURS


def reliability_diagram(bins: pd.DataFrame) -> go.Figure:
    """Accuracy against mean confidence by bin, with the counts below; the diagonal is perfect calibration.

    ``bins``: ``model`` and the columns of :func:`ballad.analysis.evaluation.calibration_bins`.
    """
    if bins.empty:
        return empty_figure("No predictions are stored.")
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, row_heights=[0.72, 0.28], vertical_spacing=0.06)
    ends = np.array([0.0, 100.0])
    perfect = {"name": "perfectly calibrated", "line": {"color": "#7f7f7f", "dash": "dot"}}
    figure.add_scatter(x=ends, y=ends, mode="lines", hoverinfo="skip", row=1, col=1, **perfect)
    models = in_order(bins["model"])
    for position, model in enumerate(models):
        rows = bins[bins["model"] == model].sort_values("confidence")
        colour = CATEGORY_COLOURS[position % len(CATEGORY_COLOURS)]
        name = f"{plotly_label(model, 60)} (n = {rows['images'].sum():,})"
        same = {"x": rows["confidence"].to_numpy(), "legendgroup": model, "col": 1}
        figure.add_scatter(
            y=rows["accuracy"].to_numpy(),
            customdata=rows["images"].to_numpy(),
            mode="lines+markers",
            name=name,
            line={"color": colour},
            hovertemplate="confidence %{x:.1f} %, accuracy %{y:.1f} %, %{customdata:,} images"
            f"<extra>{hover_text(model)}</extra>",
            row=1,
            **same,
        )
        images = rows["images"].to_numpy()
        # Beside each other within their bin, which 15 of them leave some 6 points for.
        width = 5 / len(models)
        beside = {"width": width, "offset": width * (position - len(models) / 2)}
        figure.add_bar(y=images, marker={"color": colour}, showlegend=False, name=name, row=2, **beside, **same)
    figure.update_yaxes(title="Accuracy (%)", range=[0, 102], row=1)
    figure.update_yaxes(title="Images", row=2)
    figure.update_xaxes(range=[0, 102])
    figure.update_xaxes(title="Confidence of the prediction (%)", row=2)
    return figure
