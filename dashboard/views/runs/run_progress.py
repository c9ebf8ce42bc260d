"""A run that waits or trains, in one line: how far it is as a whole, and a button that stops it."""

import pandas as pd
import streamlit as st

from ballad.wording import duration
from dashboard.text import as_text
from dashboard.ui.changes import change_button
from dashboard.ui.status import progress_share, progress_text, status_badge
from dashboard.views.runs.run_actions import cancel_runs
from dashboard.views.runs.whole_run import whole_run


def show_progress(run: pd.Series) -> None:
    """Show a queued or running row of :func:`dashboard.reading.workbench.all_runs`."""
    name = as_text(run["label"])
    with st.container(horizontal=True, vertical_alignment="center"):
        if run["status"] == "queued":
            waiting = f"{status_badge('queued')} **{name}** waits for a device ({run['requested_device']})"
            st.markdown(waiting, width="stretch")
        else:
            whole = whole_run(run)
            share = progress_share(run) if whole is None else whole.share
            left = "" if whole is None else f" · about {duration(whole.seconds_left)} left in all"
            st.progress(share, text=f"**{name}** on {run['device']}: {progress_text(run)}{left}")
        change_button(
            "Stopping…" if run["cancel_requested"] else "Cancel",
            key=f"cancel_{run['id']}",
            disabled=bool(run["cancel_requested"]),
            on_click=cancel_runs,
            args=([run["id"]],),
        )
