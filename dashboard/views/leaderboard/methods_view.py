"""What each method of a leaderboard is given and computes."""

import streamlit as st

from ballad.leaderboard.protocol import Leaderboard
from dashboard.ui.downloads import table_downloads
from dashboard.views.leaderboard.board_tables import method_table


def show_methods(leaderboard: Leaderboard, *, key: str) -> None:
    """The declared grid of each method, its formula and its paper."""
    table = method_table(leaderboard)
    pinned = {"Method": st.column_config.TextColumn(pinned=True)}
    st.dataframe(table, hide_index=True, column_config=pinned, alt="What each method tries on validation", key=key)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            "Every method takes the same number of gradient steps on the same features. It tries at most five points "
            "and keeps the best on validation; nothing is chosen on test. “Head only”: the published system also "
            "trains its backbone, which is frozen here."
        )
        table_downloads("methods", table, caption="What each method tries on validation.", key=f"{key}_table")
