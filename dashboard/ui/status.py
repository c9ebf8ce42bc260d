"""How the state of a run is shown: one colour, one icon and one word, everywhere."""

import pandas as pd
import streamlit as st

from ballad.schedules import phase_title
from ballad.wording import duration, size

DIVERGED = "diverged"
"""A run that is done, but whose final model is no better than guessing."""

_LOOKS = {
    "queued": ("gray", ":material/schedule:"),
    "running": ("blue", ":material/play_circle:"),
    "done": ("green", ":material/check_circle:"),
    "failed": ("red", ":material/error:"),
    "cancelled": ("gray", ":material/cancel:"),
    "interrupted": ("orange", ":material/pause_circle:"),
    DIVERGED: ("orange", ":material/trending_down:"),
}


def status_badge(status: str) -> str:
    """Markdown of a status badge."""
    colour, icon = _LOOKS[status]
    return f":{colour}-badge[{icon} {status}]"


def status_column() -> object:
    """A table column of statuses (lists of one) in the badges' colours."""
    return st.column_config.MultiselectColumn(
        "Status", options=list(_LOOKS), color=[colour for colour, _ in _LOOKS.values()], width=110
    )


def progress_share(run: pd.Series) -> float:
    """The share of its present phase that a running run has completed, 0 to 1."""
    if pd.isna(run["epoch"]) or not run["epochs"] or not run["steps"]:
        return 0.0
    return min(1.0, max(0.0, (run["epoch"] - 1 + run["step"] / run["steps"]) / run["epochs"]))


def progress_text(run: pd.Series) -> str:
    """``Phase A · epoch 3 of 50 · step 12 of 40 · loss 1.23 · 812 images/s · 4 min 10 s left in this phase``."""
    if pd.isna(run["epoch"]) or pd.isna(run["phase"]):
        return "Starting: reading data and weights"
    parts = [phase_title(run["phase"])]
    if run["epochs"] > 1:
        parts.append(f"epoch {run['epoch']} of {run['epochs']}")
    parts.append(f"step {run['step']} of {run['steps']}")
    if pd.notna(run["loss"]):
        parts.append(f"loss {run['loss']:.3g}")
    if pd.notna(run["images_per_second"]):
        parts.append(f"{run['images_per_second']:,.0f} images/s")
    if pd.notna(run["eta_seconds"]):
        parts.append(f"{duration(run['eta_seconds'])} left in this phase")
    if pd.notna(run["device_memory_bytes"]):
        parts.append(f"{size(run['device_memory_bytes'])} on the device")
    return " · ".join(parts)
