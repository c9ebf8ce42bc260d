"""Run: what one run gained, how it got there, and what it left."""

from collections.abc import Callable
from functools import partial

import pandas as pd
import streamlit as st

from dashboard.pickers.current_run import current_row
from dashboard.pickers.model_picker import pick_split
from dashboard.reading.loaders import evaluated_splits
from dashboard.reading.workbench import ACTIVE, all_runs
from dashboard.text import as_text
from dashboard.ui.messages import shown_errors
from dashboard.views.run.outcome import show_outcome
from dashboard.views.run.run_parts import show_classes, show_files, show_pictures, show_settings
from dashboard.views.runs.run_actions import run_actions, undo_deletion
from dashboard.views.runs.run_curves import show_curves
from dashboard.views.runs.run_progress import show_progress
from dashboard.views.runs.run_story import show_log, show_story


def live(run: pd.Series) -> None:
    """How the run is doing, again every second while it works."""
    working = run["status"] in ACTIVE

    @st.fragment(run_every=1 if working else None)
    def watch() -> None:
        runs = all_runs()
        now = runs[runs["id"] == run["id"]]
        if now.empty or now["status"].iloc[0] != run["status"]:
            st.rerun()
        if working:
            show_progress(now.iloc[0])
        show_curves(now)
        show_log(now)

    watch()


run = current_row()
with st.container():
    undo_deletion()
st.subheader(as_text(run["label"]), anchor=False)
show_story(run)
if run["status"] == "done":
    with shown_errors():
        split = pick_split(evaluated_splits(run["id"]))
        show_outcome(run["id"], run["label"], split)
run_actions(all_runs().query("id == @run.id"))

parts: dict[str, Callable[[], None]] = {
    "Curves and log": partial(live, run),
    "Settings": partial(show_settings, run["id"]),
}
if run["status"] == "done":
    parts |= {
        "Classes": lambda: show_classes(run["id"], run["label"], split),
        "Pictures": lambda: show_pictures(run["id"], split),
    }
parts["Stages and files"] = partial(show_files, run["id"])
tabs = st.tabs(list(parts), key="part", on_change="rerun", bind="query-params")
for tab, show in zip(tabs, parts.values(), strict=True):
    if tab.open:
        with tab, shown_errors():
            show()
