"""Run: what one run gained, how it got there, and what it left."""

import pandas as pd
import streamlit as st

from ballad.stages.plan import SplitName
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

PARTS = ("Curves and log", "Classes", "Pictures", "Settings", "Stages and files")


def live(run: pd.Series) -> None:
    """How the run is doing, again every second while it works."""
    working = run["status"] in ACTIVE

    @st.fragment(run_every=1 if working else None)
    def watch() -> None:
        runs = all_runs()
        now = runs[runs["id"] == run["id"]]
        if now.empty or now["status"].iloc[0] != run["status"]:
            st.rerun()
        with st.container():
            if working:
                show_progress(now.iloc[0])
        show_curves(now)
        show_log(now)

    watch()


def outcome(run: pd.Series) -> SplitName | None:
    """What the run gained, on the split that the reader chooses; None as long as it has no result."""
    if run["status"] != "done":
        return None
    with shown_errors():
        split = pick_split(evaluated_splits(run["id"]))
        show_outcome(run["id"], run["label"], split)
        return split
    return None


def part(name: str, run: pd.Series, split: SplitName | None) -> None:
    if name == "Curves and log":
        live(run)
    elif name == "Settings":
        show_settings(run["id"])
    elif name == "Stages and files":
        show_files(run["id"])
    elif split is None:
        st.info("There are results to look at once the run has finished.", icon=":material/schedule:")
    elif name == "Classes":
        show_classes(run["id"], run["label"], split)
    else:
        show_pictures(run["id"], split)


# What comes and goes has a container of its own, so that charts below keep their place, and with it their zoom.
run = current_row()
with st.container():
    undo_deletion()
st.subheader(as_text(run["label"]), anchor=False)
with st.container():
    show_story(run)
with st.container():
    split = outcome(run)
run_actions(all_runs().query("id == @run.id"))
for name, tab in zip(PARTS, st.tabs(list(PARTS), key="part", on_change="rerun", bind="query-params"), strict=True):
    if tab.open:
        with tab, shown_errors():
            part(name, run, split)
