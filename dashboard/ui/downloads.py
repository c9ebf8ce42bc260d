"""The buttons that take figures and tables away."""

from collections.abc import Callable
from functools import partial

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from dashboard.exports.engine import NO_ENGINE, has_engine
from dashboard.exports.figures import FORMATS, MEDIA_TYPES, SIZES, html_page, picture
from dashboard.exports.names import file_name
from dashboard.exports.tables import Digits, csv_table, latex_table, markdown_table


def figure_downloads(name: str, figure: go.Figure, data: pd.DataFrame, *, key: str) -> None:
    """A popover that offers the figure as PDF, SVG, PNG and HTML, and its data as CSV; files are made on demand."""
    with st.popover("Export", icon=":material/download:", key=f"{key}_export", type="tertiary"):
        if has_engine():
            size = st.segmented_control(
                "Size",
                list(SIZES),
                default="two_columns",
                format_func=lambda name: SIZES[name].title,
                key=f"{key}_size",
                required=True,
            )
        else:
            st.info(NO_ENGINE)
        with st.container(horizontal=True):
            for file_format in FORMATS if has_engine() else ():
                _button(file_format, name, key, partial(picture, figure, file_format, SIZES[size]))
            _button("html", name, key, lambda: html_page(figure))
            _button("csv", f"{name} data", key, lambda: csv_table(data))


def table_downloads(
    name: str,
    frame: pd.DataFrame,
    *,
    caption: str,
    key: str,
    digits: Digits = 1,
    latex: Callable[[], bytes] | None = None,
) -> None:
    """A popover that offers the table as CSV, LaTeX and Markdown; ``latex`` lays it out in a way of its own."""
    label = f"tab:{file_name(name, extension='tex').removesuffix('.tex')}"
    popover = st.popover("Export", icon=":material/download:", key=f"{key}_export", type="tertiary")
    with popover.container(horizontal=True):
        _button("csv", name, key, lambda: csv_table(frame))
        _button("tex", name, key, latex or (lambda: latex_table(frame, caption=caption, label=label, digits=digits)))
        _button("md", name, key, lambda: markdown_table(frame, digits=digits))


_TITLES = {"tex": "LaTeX", "md": "Markdown"}


def _button(extension: str, name: str, key: str, make: Callable[[], bytes]) -> None:
    st.download_button(
        _TITLES.get(extension, extension.upper()),
        make,
        file_name=file_name(name, extension=extension),
        mime=MEDIA_TYPES[extension],
        key=f"{key}_{extension}",
        on_click="ignore",
    )
