"""The table of runs, as Home and Runs show it."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from ballad.shot_groups import ALL, GROUP_HELP, GROUPS, SHOT_GROUPS
from dashboard.ui.status import DIVERGED, status_column

COLUMNS = ["name", "status", ALL, *SHOT_GROUPS, "sparkline", "dataset", "backbone", "schedule", "budget"]
MORE_COLUMNS = ["seed", "tags", "group", "seconds", "created", "id"]


def column_config() -> dict[str, Any]:
    """How each column reads; accuracies are those of the run's final model on the test split."""
    return {
        "name": st.column_config.TextColumn("Run", pinned=True, width="medium"),
        "status": status_column(),
        **{group: _accuracy(group.capitalize(), GROUP_HELP[group]) for group in (ALL, *SHOT_GROUPS)},
        "sparkline": st.column_config.LineChartColumn(
            "Validation", help="Validation accuracy over the epochs of all phases (%)", width="small"
        ),
        "dataset": "Dataset",
        "backbone": "Backbone",
        "schedule": "Schedule",
        "budget": st.column_config.TextColumn(
            "Budget", help="Numbers under a reduced budget are not comparable with the paper's"
        ),
        "seed": st.column_config.NumberColumn("Seed", width="small"),
        "tags": st.column_config.ListColumn("Tags"),
        "group": "Group",
        "seconds": st.column_config.NumberColumn("Time", format="duration", help="Computing time over all attempts"),
        "created": st.column_config.DatetimeColumn("Created", format="distance"),
        "id": "Id",
    }


def _accuracy(title: str, whose: str) -> Any:
    text = f"Test accuracy of the final model on {whose} (%)"
    return st.column_config.NumberColumn(title, help=text, format="%.1f", width="small")


def table_of(runs: pd.DataFrame) -> pd.DataFrame:
    """The columns to show, for rows of :func:`dashboard.reading.workbench.all_runs`."""
    shown = runs[[*COLUMNS, *MORE_COLUMNS]].reset_index(drop=True)
    states = runs["status"].mask(runs["diverged"], DIVERGED)
    return shown.assign(
        name=shown["name"].replace("", "unnamed"),
        status=[[state] for state in states],
        dataset=shown["dataset"].map(_own_name),
        backbone=shown["backbone"].map(_own_name),
    )


def _own_name(source: str) -> str:
    """Of a folder its own name: there is no room for the way to it."""
    return source.rstrip("/").rpartition("/")[2] if source.startswith("/") else source


def export_table(runs: pd.DataFrame) -> pd.DataFrame:
    """The same rows with plain cells and headings for a paper."""
    columns = [
        "name",
        *GROUPS,
        "dataset",
        "backbone",
        "schedule",
        "budget",
        "seed",
        "status",
        "id",
    ]
    return runs[columns].rename(columns={"name": "run"}).rename(columns=str.capitalize)


def selectable_table(runs: pd.DataFrame, chosen: Sequence[str], *, key: str, height: int) -> list[str]:
    """Show the table with the ``chosen`` runs selected; returns the ids selected now.

    Selections are positions, so a table of other rows gets a key, and thereby a selection, of its own.
    """
    ids = runs["id"].tolist()
    positions = [ids.index(run_id) for run_id in chosen if run_id in ids]
    state = st.dataframe(
        table_of(runs),
        key=f"{key}_{hash(tuple(ids))}",
        column_config=column_config(),
        hide_index=True,
        height=height,
        on_select="rerun",
        selection_mode="multi-row",
        selection_default={"selection": {"rows": positions}},
        placeholder="",
        alt="All runs with their status and accuracy",
    )
    return [ids[position] for position in state.selection.rows if position < len(ids)]
