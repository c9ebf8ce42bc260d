"""Choosing how much of the paper's training a group of runs gets."""

import streamlit as st

from ballad.paper.budgets import BUDGETS


def pick_budget(*, width: int | None = None) -> str:
    """Choose a budget by name; the query parameter is ``budget``. ``width``: pixels, None for all there is."""
    explained = "; ".join(f"**{name}**, {budget.explanation}" for name, budget in BUDGETS.items())
    return st.selectbox(
        "Budget",
        list(BUDGETS),
        key="budget",
        bind="query-params",
        width=width or "stretch",
        help=f"Reduced training for small machines, named next to every number it affects: {explained}.",
    )
