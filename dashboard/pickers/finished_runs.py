"""The runs that a page about results chooses from."""

import pandas as pd
import streamlit as st

from dashboard.navigation import HOME
from dashboard.reading.workbench import all_runs
from dashboard.ui.messages import empty_state
from dashboard.ui.stop import stop


def finished_runs(what: str, icon: str) -> pd.DataFrame:
    """The finished runs of :func:`all_runs`; if there are none, says ``what`` the page will show and ends it."""
    finished = all_runs().query("status == 'done'")
    if finished.empty:
        empty_state("No finished run yet", what, icon)
        st.page_link(HOME, label="Run the demo from Home", icon=":material/home:")
        stop()
    return finished
