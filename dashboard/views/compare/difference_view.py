"""Differences from a baseline with their intervals, as a figure and as a table."""

import pandas as pd
import streamlit as st

from dashboard.figures.differences import difference_intervals
from dashboard.ui.charts import show_chart
from dashboard.ui.columns import group_columns
from dashboard.ui.downloads import figure_downloads, table_downloads
from dashboard.views.compare.comparison import difference_table


def show_difference_intervals(found: pd.DataFrame, baseline: str, *, name: str, note: str) -> None:
    """Show the rows of :func:`dashboard.views.compare.comparison.differences`.

    ``name`` names the files, ``note`` says below the table how it is to be read.
    """
    figure = difference_intervals(found)
    show_chart(figure, key="differences", label=f"Difference of each setting from {baseline} by shot group")
    figure_downloads(name, figure, found, key="differences")
    table = difference_table(found)
    st.dataframe(
        table, hide_index=True, column_config=group_columns(), placeholder="", alt="Differences with intervals"
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(note)
        caption = f"Differences from {baseline} (percentage points), 95 % intervals; *: p < 0.05."
        table_downloads(name, table, caption=caption, key="difference_table")
