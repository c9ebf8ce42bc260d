"""How far a group of runs is, with the buttons that stop the rest or take up what failed."""

import pandas as pd
import streamlit as st

from ballad.runs.run import RESUMABLE
from ballad.runs.sweeps import group_status
from dashboard.formats import counted, duration
from dashboard.run_actions import cancel_runs
from dashboard.workbench import ACTIVE, open_store


def show_group_progress(runs: pd.DataFrame, group_id: str) -> None:
    """Show what is left of the group; nothing when all its ``runs`` (columns id and status) are done."""
    active = runs.loc[runs["status"].isin(ACTIVE), "id"].tolist()
    stopped = runs.loc[runs["status"].isin(RESUMABLE), "id"].tolist()
    if not active and not stopped:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        if active:
            left = group_status(open_store(), group_id).eta_seconds
            text = f"{len(runs) - len(active)} of {counted(len(runs), 'run')} have ended"
            st.progress(1 - len(active) / len(runs), text=text + (f", about {duration(left)} left" if left else ""))
            st.button("Cancel the rest", icon=":material/stop_circle:", on_click=cancel_runs, args=(active,))
        if stopped:
            st.markdown(f":material/error: {counted(len(stopped), 'run')} failed or stopped.", width="content")
            st.button("Resume those", icon=":material/resume:", on_click=lambda: open_store().resume(*stopped))
