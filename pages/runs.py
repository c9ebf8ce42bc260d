"""Runs: the queue, every run, and the learning curves of the chosen ones."""

import time

import pandas as pd
import streamlit as st

from ballad.store import queries
from ballad.store.run import STATUSES
from ballad.wording import counted
from dashboard.navigation import HOME
from dashboard.pickers.current_run import RUN_IN_LINK
from dashboard.pickers.run_picker import chosen_runs, remember_runs, show_missing
from dashboard.reading.workbench import ACTIVE, all_runs, open_store
from dashboard.ui.downloads import table_downloads
from dashboard.ui.messages import empty_state
from dashboard.ui.stop import stop
from dashboard.views.runs.run_actions import just_deleted, run_actions, undo_deletion
from dashboard.views.runs.run_curves import show_curves
from dashboard.views.runs.run_progress import show_progress
from dashboard.views.runs.run_story import show_log, show_story
from dashboard.views.runs.run_table import export_table, selectable_table

MOST_CURVES = 12
SECONDS_BETWEEN_TABLES = 10
QUEUE_ROWS, ROW_HEIGHT = 4, 54
QUEUE_SEEN = "queue_rows"


def filtered(runs: pd.DataFrame) -> pd.DataFrame:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = st.text_input("Search", key="q", bind="query-params", type="search", placeholder="Name, note, id")
        status = st.multiselect("Status", STATUSES, key="status", bind="query-params")
        dataset = st.multiselect("Dataset", sorted(runs["dataset"].unique()), key="dataset", bind="query-params")
        tag = st.multiselect("Tag", queries.tags(open_store()), key="tag", bind="query-params")
    searched = runs["name"] + " " + runs["notes"] + " " + runs["id"]
    keep = searched.str.contains(text or "", case=False, regex=False)
    if status:
        keep &= runs["status"].isin(status)
    if dataset:
        keep &= runs["dataset"].isin(dataset)
    if tag:
        keep &= runs["tags"].map(lambda tags: bool(set(tags) & set(tag)))
    return runs[keep]


def choose(runs: pd.DataFrame) -> list[str]:
    chosen = selectable_table(runs, chosen_runs(RUN_IN_LINK), key="runs", height=320)
    remember_runs(RUN_IN_LINK, chosen)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"{counted(len(runs), 'run')}, {len(chosen)} selected. Select rows to see their learning curves.")
        table_downloads("runs", export_table(runs), caption="Test accuracy (%) by shot group.", key="runs")
    return chosen


def queue(runs: pd.DataFrame) -> None:
    active = runs[runs["status"].isin(ACTIVE)].sort_values(["status", "id"], ascending=[False, True])
    # It keeps its height until it is empty, so that the curves below stay where they are.
    rows = min(max(len(active), st.session_state.get(QUEUE_SEEN, 1)), QUEUE_ROWS) if len(active) else 1
    st.session_state[QUEUE_SEEN] = rows
    with st.container(height=rows * ROW_HEIGHT, border=False):
        if active.empty:
            st.caption("Nothing is running or waiting.")
        for _, run in active.iterrows():
            show_progress(run)


runs = all_runs()
with st.container():
    undo_deletion()
    show_missing("Runs", sorted(set(chosen_runs(RUN_IN_LINK)) - set(runs["id"]) - set(just_deleted())))
if runs.empty:
    empty_state(
        "No runs yet", "Runs appear here as soon as they are queued, with live curves.", ":material/monitoring:"
    )
    st.page_link(HOME, label="Run the demo from Home", icon=":material/home:")
    stop()

chosen = choose(filtered(runs))
run_actions(runs[runs["id"].isin(chosen)], opens=True)
first_look = [runs]
drawn = time.monotonic()


def is_outdated(now: pd.DataFrame) -> bool:
    """Whether the table has to be drawn anew: at once where a status changed, now and then for its small curves."""
    states = ["id", "status"]
    if not now[states].equals(runs[states]):
        return True
    old = time.monotonic() - drawn > SECONDS_BETWEEN_TABLES
    return old and now["sparkline"].tolist() != runs["sparkline"].tolist()


def looks_again(shown: pd.DataFrame) -> int | None:
    """Seconds between two looks at these runs; None if nothing of them changes by itself."""
    return 2 if shown["status"].isin(ACTIVE).any() else None


@st.fragment(run_every=looks_again(runs))
def watch_queue() -> None:
    # A run of the page shows one state throughout: with short epochs and many readers the next would be there already.
    now = first_look.pop() if first_look else all_runs()
    if is_outdated(now):
        st.rerun()
    queue(now)


@st.fragment(run_every=looks_again(runs[runs["id"].isin(chosen)]))
def watch_chosen() -> None:
    now = all_runs()
    selected = now[now["id"].isin(chosen)].head(MOST_CURVES)
    with st.container():
        if len(selected) == 1:
            show_story(selected.iloc[0])
    if not selected.empty:
        show_log(selected)
        show_curves(selected)


watch_queue()
watch_chosen()
