"""What became of a run, in words: its outcome in one line, and its log."""

import pandas as pd
import streamlit as st

from ballad.store import queries
from ballad.wording import counted, duration
from dashboard.reading.workbench import open_store
from dashboard.text import as_text
from dashboard.ui.messages import show_sentence
from dashboard.ui.status import DIVERGED, status_badge

LOG_LINES = 200


def show_story(run: pd.Series) -> None:
    """The outcome of a run, in one line."""
    what = as_text(f"{run['dataset']} · {run['backbone']} · {run['schedule']}")
    st.markdown(
        f"{status_badge(run['status'])} {what} · seed {run['seed']}"
        f" · {duration(run['seconds'])} of computing in {counted(run['attempts'], 'attempt')}"
    )
    if run["diverged"]:
        st.markdown(f"{status_badge(DIVERGED)} The final model is no better than guessing; see the log for details.")
    if pd.notna(run["started_by"]):
        st.caption(f"Started by {as_text(run['started_by'])}")
    if run["notes"]:
        st.caption(as_text(run["notes"]))
    if pd.notna(run["error"]):
        show_sentence(run["error"])


def show_log(runs: pd.DataFrame) -> None:
    """The latest lines of the log of one of these runs, the latest first."""
    labels = dict(zip(runs["id"], runs["label"], strict=True))
    with st.expander("Log", key="log"):
        run_id = st.selectbox("Run", labels, format_func=labels.__getitem__, key="log_of") if len(labels) > 1 else None
        newest_first = queries.log(open_store(), run_id or next(iter(labels)), limit=LOG_LINES)[::-1]
        times = newest_first["time"].dt.tz_convert(st.context.timezone)
        lines = [f"{time:%H:%M:%S}  {text}" for time, text in zip(times, newest_first["text"], strict=True)]
        st.code("\n".join(lines) or "Nothing yet.", language=None, height=260)
