"""Epochs of both phases on one axis, with the boundary between them."""

import pandas as pd
import plotly.graph_objects as go

from ballad.schedules import PHASE_B, PHASES, phase_title
from dashboard.figures.parts import shared_x_title

FIRST_PHASES = [phase.name for phase in PHASES.values() if phase.trains_towers]
"""Those that train towers."""
_TICK_EACH_UP_TO = 10
"""Epochs."""


def on_one_timeline(curves: pd.DataFrame) -> pd.DataFrame:
    """Add ``time``: the epoch counted over both phases, Phase B after Phase A of the same run.

    ``curves``: ``run``, ``phase`` (phase_a, joint or phase_b) and ``epoch``, counted from 1 in each phase.
    """
    curves = curves.astype({"run": "str"})
    before = curves[curves["phase"].isin(FIRST_PHASES)].groupby("run")["epoch"].max()
    offset = curves["run"].map(before).fillna(0).where(curves["phase"] == PHASE_B.name, 0)
    placed = curves.assign(time=curves["epoch"] + offset, phase_title=curves["phase"].map(phase_title))
    return placed.sort_values(["run", "time"], kind="stable")


def epoch_axis(figure: go.Figure, placed: pd.DataFrame) -> None:
    """Name the axis of ``time``; while there are few epochs, Plotly would put ticks between them."""
    few = placed["time"].max() <= _TICK_EACH_UP_TO
    figure.update_xaxes(rangemode="tozero", dtick=1 if few else None)
    shared_x_title(figure, "Epoch")


def mark_phase_boundaries(figure: go.Figure, placed: pd.DataFrame) -> None:
    """Draw a dotted line where Phase A ends, for each length of Phase A among the runs, and name the phases."""
    both = [run for run, rows in placed.groupby("run") if rows["phase"].nunique() > 1]
    first_phase = placed[placed["run"].isin(both) & placed["phase"].isin(FIRST_PHASES)]
    ends = sorted(set(first_phase.groupby("run")["time"].max()))
    for end in ends:
        figure.add_vline(x=end + 0.5, line={"dash": "dot", "width": 1.5, "color": "#7f7f7f"}, layer="below")
    one_panel = len(list(figure.select_xaxes())) == 1
    if len(ends) == 1 and one_panel:
        for text, anchor in ((" Phase B →", "left"), ("← Phase A ", "right")):
            figure.add_annotation(
                text=text, x=ends[0] + 0.5, y=1, yref="y domain", xanchor=anchor, yanchor="bottom", showarrow=False
            )
        figure.update_layout(legend={"y": 1.1})
