"""The run that the pages are about: chosen in the sidebar, kept from page to page and in links."""

import pandas as pd
import streamlit as st

from dashboard.navigation import HOME
from dashboard.pickers.finished_runs import finished_runs
from dashboard.pickers.run_picker import remember_runs, show_missing
from dashboard.reading.workbench import all_runs
from dashboard.text import as_text
from dashboard.ui.messages import empty_state
from dashboard.ui.status import status_badge
from dashboard.ui.stop import stop

RUN_IN_LINK = "run"
"""The query parameter of pages that are about one run."""
OWN_CHOICES = (RUN_IN_LINK, "base", "sweep", "left", "right")
"""What pages let readers choose besides; another current run takes their place."""
LISTED = 30
RECENTLY_OPENED = 5

_CURRENT, _CHANGED, _LINKED, _OPENED = "current_run", "current_run_changed", "linked_run", "opened_runs"


def choose_current_run(*, page_follows: bool) -> None:
    """The sidebar's choice of the current run; a link that names one run brings its own.

    ``page_follows``: whether another current run takes the place of what this page has chosen itself.
    """
    runs = all_runs()
    if runs.empty:
        return
    labels = dict(zip(runs["id"], runs["label"], strict=True))
    if st.session_state.pop(_CHANGED, False) and page_follows:
        _let_the_page_follow()
    else:
        _take_from_the_link(labels)
    if current_run() not in labels:
        st.session_state[_CURRENT] = _latest(runs)
    st.sidebar.selectbox(
        "Current run",
        _recent(labels),
        format_func=lambda run_id: labels.get(run_id, run_id),
        key=_CURRENT,
        placeholder="Choose a run",
        on_change=_note_the_change,
        help="The run that pages show unless you choose another there. Runs lists all of them.",
    )
    _note_as_opened()


def current_run() -> str | None:
    """The id of the current run; None where there are no runs. At first it is the latest that has finished."""
    return st.session_state.get(_CURRENT)


def current_finished_run(what: str, icon: str) -> pd.Series:
    """The current run, for a page that shows results.

    Where no run has finished, or the current one has not, the page says so and ends; ``what`` says what it will show.
    """
    finished = finished_runs(what, icon)
    runs = all_runs()
    run_id = _linked_to(runs)
    if run_id not in set(finished["id"]):
        run = runs.set_index("id").loc[run_id]
        empty_state(
            as_text(f"{run['label']} has no result yet"),
            f"{status_badge(run['status'])} Choose a finished run in the sidebar, or wait for this one.",
            icon,
        )
        stop()
    return finished.set_index("id", drop=False).loc[run_id]


def current_row() -> pd.Series:
    """The row of :func:`all_runs` of the current run; without runs, says so and ends the page."""
    runs = all_runs()
    if runs.empty:
        empty_state(
            "No runs yet", "A run appears here as soon as it is queued, with live curves.", ":material/timeline:"
        )
        st.page_link(HOME, label="Run the demo from Home", icon=":material/home:")
        stop()
    return runs.set_index("id", drop=False).loc[_linked_to(runs)]


def _linked_to(runs: pd.DataFrame) -> str:
    """The current run, kept in the link from now on, with a word about a run that the link named in vain."""
    show_missing("Run", sorted(set(st.query_params.get_all(RUN_IN_LINK)) - set(runs["id"])))
    run_id = st.session_state[_CURRENT]
    remember_runs(RUN_IN_LINK, [run_id])
    return run_id


def _latest(runs: pd.DataFrame) -> str:
    finished = runs[runs["status"] == "done"]
    return (runs if finished.empty else finished)["id"].iloc[0]


def _recent(labels: dict[str, str]) -> list[str]:
    """The current run and those opened lately, then the newest."""
    opened = [run_id for run_id in [current_run(), *st.session_state.get(_OPENED, [])] if run_id in labels]
    return list(dict.fromkeys([*opened, *list(labels)[:LISTED]]))


def _note_the_change() -> None:
    st.session_state[_CHANGED] = True


def _let_the_page_follow() -> None:
    for choice in OWN_CHOICES:
        st.session_state.pop(choice, None)
        st.query_params.pop(choice, None)
    if current_run() is not None:
        st.query_params[RUN_IN_LINK] = current_run()


def _take_from_the_link(labels: dict[str, str]) -> None:
    """Only when the link changes: a page of several runs keeps its own in the link."""
    linked = st.query_params.get_all(RUN_IN_LINK)
    if linked != st.session_state.get(_LINKED) and len(linked) == 1 and linked[0] in labels:
        st.session_state[_CURRENT] = linked[0]
    st.session_state[_LINKED] = linked


def _note_as_opened() -> None:
    if current_run() is not None:
        opened = [current_run(), *st.session_state.get(_OPENED, [])]
        st.session_state[_OPENED] = list(dict.fromkeys(opened))[: RECENTLY_OPENED + 1]
