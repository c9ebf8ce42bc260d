"""The choice of one class by its name."""

from collections.abc import Sequence

import streamlit as st


def pick_class(names: Sequence[str], *, placeholder: str) -> int | None:
    """The index of the class that is chosen, which the URL keeps as ``class``; None for none."""
    return st.selectbox(
        "Class",
        range(len(names)),
        index=None,
        format_func=lambda class_id: names[class_id] if class_id < len(names) else "",
        key="class",
        bind="query-params",
        placeholder=placeholder,
        width=260,
    )
