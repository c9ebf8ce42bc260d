"""The progress of a group of runs, with buttons that cancel the rest or resume what failed."""

from collections.abc import Callable

import pandas as pd
import streamlit as st

from ballad.store.run import RESUMABLE
from ballad.sweeps import group_status
from ballad.wording import counted, duration
from dashboard.reading.workbench import ACTIVE, all_runs, editing_store, open_store
from dashboard.ui.changes import change_button

SECONDS_BETWEEN_LOOKS = 2


def watch_group(group_id: str, show_results: Callable[[pd.DataFrame], None]) -> None:
    """Show the group's progress and the results of its runs (rows of :func:`all_runs`), anew while runs are active.

    When the last of them ends, the whole page runs again.
    """
    working = _is_active(_runs_of(group_id))

    @st.fragment(run_every=SECONDS_BETWEEN_LOOKS if working else None)
    def watch() -> None:
        runs = _runs_of(group_id)
        if working != _is_active(runs):
            st.rerun()
        with st.container():
            _show_progress(runs, group_id)
        show_results(runs)

    watch()


def _runs_of(group_id: str) -> pd.DataFrame:
    runs = all_runs()
    return runs[runs["group_id"] == group_id]


def _is_active(runs: pd.DataFrame) -> bool:
    return bool(runs["status"].isin(ACTIVE).any())


def _show_progress(runs: pd.DataFrame, group_id: str) -> None:
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
            change_button(
                "Cancel the rest", icon=":material/stop_circle:", on_click=lambda: editing_store().cancel(*active)
            )
        if stopped:
            st.markdown(f":material/error: {counted(len(stopped), 'run')} failed or stopped.", width="content")
            change_button("Resume them", icon=":material/resume:", on_click=lambda: editing_store().resume(*stopped))
