"""The buttons that export figures and tables."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Literal

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from dashboard.exports.choice import LARGEST_FONT, SMALLEST_FONT, ExportChoice, parse_choice
from dashboard.exports.engine import NO_ENGINE, has_engine
from dashboard.exports.figure_formats.drawn import PNG
from dashboard.exports.format import Digits, FigureFormat, TableFormat, TableText
from dashboard.exports.look import PARTS, SIZES, Part
from dashboard.exports.names import file_name, table_label
from dashboard.exports.paper_figure import parts_of
from dashboard.exports.registry import FIGURE_FORMATS, TABLE_FORMATS
from dashboard.exports.table_formats.csv import CSV, csv_table
from dashboard.exports.table_formats.latex import LATEX
from dashboard.ui.messages import shown_errors

EXPORT = "export"
"""The query parameter of the choice."""


def figure_downloads(name: str, figure: go.Figure, data: pd.DataFrame, *, key: str) -> None:
    """A popover that shows the figure as it will be printed, and offers it in the chosen format, its data as CSV.

    What is chosen stands in the URL, for all figures alike.
    """
    popover = st.popover("Export", icon=":material/download:", key=f"{key}_export", type="tertiary", on_change="rerun")
    if not popover.open:
        return
    with popover:
        choice = _choose(parse_choice(st.query_params.get(EXPORT, "")), parts_of(figure), key)
        if st.query_params.get(EXPORT, ExportChoice().text()) != choice.text():
            st.query_params[EXPORT] = choice.text()
        look, file_format = choice.look(name), FIGURE_FORMATS[choice.extension]
        if file_format.drawn:
            with shown_errors():
                st.image(PNG.write(figure, look), caption=f"As it is printed: {look.size.title}", width="stretch")
        with st.container(horizontal=True):
            _button(file_format, name, key, partial(file_format.write, figure, look), "Download ", type="primary")
            _button(CSV, f"{name} data", key, lambda: csv_table(data), "Data as ")


def _choose(remembered: ExportChoice, parts: Sequence[Part], key: str) -> ExportChoice:
    """Ask for size, font, parts, heading and format; ``remembered`` is chosen at first."""
    if not has_engine():
        st.info(NO_ENGINE)
    formats = [each.extension for each in FIGURE_FORMATS.values() if has_engine() or not each.drawn]
    extension = st.segmented_control(
        "Format",
        formats,
        default=remembered.extension if remembered.extension in formats else formats[0],
        format_func=lambda extension: FIGURE_FORMATS[extension].title,
        key=f"{key}_format",
        required=True,
    )
    if not FIGURE_FORMATS[extension].drawn:
        return replace(remembered, extension=extension)
    size = st.segmented_control(
        "Width",
        list(SIZES),
        default=remembered.size,
        format_func=lambda name: SIZES[name].title,
        key=f"{key}_size",
        required=True,
    )
    own_font = SIZES[size].font_size
    font = st.number_input(
        "Font size (points)",
        SMALLEST_FONT,
        LARGEST_FONT,
        float(remembered.font_size or own_font),
        0.5,
        # Each size has a font of its own, which a change of the size brings with it.
        key=f"{key}_font_{size}",
        format="%g",
        width=180,
    )
    labelled = st.pills(
        "Labels",
        parts,
        selection_mode="multi",
        default=[part for part in parts if part not in remembered.without],
        format_func=PARTS.__getitem__,
        key=f"{key}_labels",
    )
    left_out = frozenset(parts) - set(labelled) | (remembered.without - set(parts))
    heading = st.toggle("Title above the figure", remembered.heading, key=f"{key}_heading")
    return ExportChoice(size, None if font == own_font else font, heading, left_out, extension)


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


def _button(
    file_format: FigureFormat | TableFormat,
    name: str,
    key: str,
    make: Callable[[], bytes],
    verb: str = "",
    type: Literal["primary", "secondary"] = "secondary",
) -> None:
    st.download_button(
        f"{verb}{file_format.title}",
        make,
        file_name=file_name(name, extension=file_format.extension),
        mime=file_format.media_type,
        key=f"{key}_{file_format.extension}",
        on_click="ignore",
        type=type,
    )
