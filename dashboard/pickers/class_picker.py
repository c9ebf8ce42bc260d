"""The choice of one class by its name."""

from collections.abc import Sequence

import streamlit as st


def pick_class(names: Sequence[str], *, placeholder: str) -> int | None:
    """The index of the chosen class, which the URL keeps as ``class``; None if there is none.

    ``names`` tell classes apart. Classes are chosen by name, since another dataset gives the same number to another
    class.
    """
    chosen = st.selectbox(
        "Class",
        names,
        index=None,
        key="class",
        bind="query-params",
        placeholder=placeholder,
        width=260,
    )
    return None if chosen is None else names.index(chosen)
