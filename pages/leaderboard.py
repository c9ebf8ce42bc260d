"""Leaderboard: all methods on the same features with the same effort, and what to make of it."""

import pandas as pd
import streamlit as st

from ballad.leaderboard.board import Board
from ballad.store import queries
from dashboard.pickers.run_picker import pick_run
from dashboard.reading.workbench import open_store
from dashboard.ui.group_progress import watch_group
from dashboard.ui.messages import empty_state, shown_errors
from dashboard.ui.stop import stop
from dashboard.views.leaderboard.board_view import show_board
from dashboard.views.leaderboard.launcher import BOARD, LAUNCHER, launcher
from dashboard.views.leaderboard.request import launch_label, leaderboards

st.markdown(
    "Which method serves your data best? All of them read the same features, take the same number of steps, and choose "
    "their settings on validation from a small grid that is declared beforehand. Whatever they share, such as Phase A "
    "or features, is computed once.",
    width=900,
)
launched = leaderboards(queries.groups(open_store()))
new = st.expander(
    "Compare methods",
    expanded=launched.empty,
    icon=":material/add:",
    key=LAUNCHER,
    on_change="rerun",
    bind="query-params",
)
if new.open:
    with new:
        launcher()
if launched.empty:
    empty_state(
        "No leaderboard yet",
        "Choose a dataset above and launch the methods; their rows appear here as they come in.",
        ":material/leaderboard:",
    )
    stop()

labels = [launch_label(each["id"], each["definition"]) for each in launched.to_dict("records")]
group_id = pick_run(launched.assign(label=labels), label="Launched so far", key=BOARD)


def show(_: pd.DataFrame) -> None:
    with shown_errors():
        show_board(Board.read(open_store(), group_id))


watch_group(group_id, show)
