"""Columns that many tables have."""

from collections.abc import Iterable

import streamlit as st

from ballad.shot_groups import GROUPS


def group_columns(further: Iterable[str] = ()) -> dict[str, object]:
    """The shot groups' columns, and ``further`` ones of numbers as text, set to the right."""
    names = [*(group.capitalize() for group in GROUPS), *further]
    return dict.fromkeys(names, st.column_config.TextColumn(alignment="right"))
