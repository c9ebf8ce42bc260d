"""Ways to fill the form at once: defaults, recipes, rows of the paper's tables, past runs."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from ballad.errors import SettingsError
from ballad.paper.presets import PRESETS, find_preset
from ballad.paper.recipes import recipe_values
from dashboard.forms.draft import default_experiment, request_of, values_of
from dashboard.forms.session import entered, fill, values_of_run
from dashboard.reading.workbench import open_store
from dashboard.ui.messages import shown_errors

_RECIPES = {"paper": "The paper's text", "released_code": "Its released code"}
_KEEPS_DATA = "The dataset, the backbone and all other settings are kept."


def starting_points(runs: pd.DataFrame) -> None:
    """A row of popovers above the form. ``runs`` (columns id and label) are those that can be cloned."""
    with st.container(horizontal=True):
        st.button(
            "Defaults", icon=":material/restart_alt:", on_click=_reset, help="The paper's settings for this dataset."
        )
        with st.popover("Recipe", icon=":material/menu_book:"):
            st.caption(f"Where the paper and its code differ, follow one of them. {_KEEPS_DATA}")
            for name, title in _RECIPES.items():
                st.button(title, key=f"recipe_{name}", on_click=_merge, args=(recipe_values(name),), width="stretch")
            st.caption("Another method, which trains towers and head together; “Defaults” returns to BALLAD.")
            st.button("LIFT", key="recipe_lift", on_click=_merge, args=(recipe_values("lift"),), width="stretch")
        with st.popover("Row of the paper", icon=":material/table_rows:"):
            _preset_row()
        with st.popover("Clone a run", icon=":material/content_copy:", disabled=runs.empty):
            _clone(runs)


def _preset_row() -> None:
    table = st.selectbox(
        "Table or figure", list(PRESETS), format_func=lambda name: f"{PRESETS[name].place}: {PRESETS[name].title}"
    )
    try:
        base = request_of(entered()).experiment
    except SettingsError:
        st.caption("First correct the entry named beside the form.")
        return
    rows = {row.setting: row.experiment for row in find_preset(table).rows(base)}
    setting = st.selectbox("Row", list(rows))
    st.caption("Uses the dataset, backbone and other settings currently in the form.")
    st.button("Fill the form", key="use_row", on_click=fill, args=(values_of(rows[setting]),))


def _clone(runs: pd.DataFrame) -> None:
    labels = dict(zip(runs["id"], runs["label"], strict=True))
    run_id = st.selectbox("Run", list(labels), format_func=labels.__getitem__)
    if run_id is not None:
        st.button("Fill the form", key="clone_run", on_click=_fill_from_run, args=(run_id,))


def _reset() -> None:
    now = entered()
    fill(values_of(default_experiment(now["dataset.source"], now["backbone.name"])))


def _merge(values: Mapping[str, Any]) -> None:
    fill({**entered(), **values})


def _fill_from_run(run_id: str) -> None:
    with shown_errors():
        fill(values_of_run(open_store(), run_id))
