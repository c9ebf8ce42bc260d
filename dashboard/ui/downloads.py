"""The buttons that take figures and tables away."""

from collections.abc import Callable
from functools import partial

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from dashboard.exports.engine import NO_ENGINE, has_engine
from dashboard.exports.format import Digits, FigureFormat, TableFormat, TableText
from dashboard.exports.look import SIZES, Look
from dashboard.exports.names import file_name, table_label
from dashboard.exports.registry import FIGURE_FORMATS, TABLE_FORMATS
from dashboard.exports.table_formats.csv import CSV, csv_table
from dashboard.exports.table_formats.latex import LATEX


def figure_downloads(name: str, figure: go.Figure, data: pd.DataFrame, *, key: str) -> None:
    """A popover that offers the figure in every format, and its data as CSV; files are made on demand."""
    with st.popover("Export", icon=":material/download:", key=f"{key}_export", type="tertiary"):
        size = "two_columns"
        if has_engine():
            size = st.segmented_control(
                "Size",
                list(SIZES),
                default=size,
                format_func=lambda name: SIZES[name].title,
                key=f"{key}_size",
                required=True,
            )
        else:
            st.info(NO_ENGINE)
        with st.container(horizontal=True):
            for each in FIGURE_FORMATS.values():
                if has_engine() or not each.drawn:
                    _button(each, name, key, partial(each.write, figure, Look(SIZES[size], title=name)))
            _button(CSV, f"{name} data", key, lambda: csv_table(data))


def table_downloads(
    name: str,
    frame: pd.DataFrame,
    *,
    caption: str,
    key: str,
    digits: Digits = 1,
    latex: Callable[[], bytes] | None = None,
) -> None:
    """A popover that offers the table in every format; ``latex`` lays it out in a way of its own."""
    text = TableText(caption, table_label(name), digits)
    popover = st.popover("Export", icon=":material/download:", key=f"{key}_export", type="tertiary")
    with popover.container(horizontal=True):
        for each in TABLE_FORMATS.values():
            own = latex if each is LATEX else None
            _button(each, name, key, own or partial(each.write, frame, text))


def _button(file_format: FigureFormat | TableFormat, name: str, key: str, make: Callable[[], bytes]) -> None:
    st.download_button(
        file_format.title,
        make,
        file_name=file_name(name, extension=file_format.extension),
        mime=file_format.media_type,
        key=f"{key}_{file_format.extension}",
        on_click="ignore",
    )
