"""Tables of a launched table or figure of the paper: measured numbers next to the published ones."""

from typing import Any

import pandas as pd
import streamlit as st

from ballad.paper.ablations import Ablation
from ballad.paper.presets import PRESETS, place_title
from ballad.shot_groups import GROUPS
from ballad.wording import MISSING, mean_and_spread

OTHER_SETUP = " (another set-up)"
OTHER_BACKBONE = " (other backbone)"


def ablations(groups: pd.DataFrame) -> pd.DataFrame:
    """Those rows of :func:`ballad.store.queries.groups` that are a table or figure of the paper."""
    known = [definition.get("preset") in PRESETS for definition in groups["definition"]]
    return groups[pd.Series(known, index=groups.index, dtype=bool)]


def measured_table(group_id: str, ablation: Ablation) -> pd.DataFrame:
    """:meth:`ballad.paper.ablations.Ablation.table`, computed once for the runs that are finished."""
    return _table(ablation, group_id, _finished(ablation))


def measured_differences(group_id: str, ablation: Ablation, against: str) -> pd.DataFrame:
    """:meth:`ballad.paper.ablations.Ablation.differences`, computed once for the runs that are finished."""
    return _differences(ablation, group_id, _finished(ablation), against)


def residual_points(ablation: Ablation) -> pd.DataFrame:
    """The points of Figure 5 as :func:`dashboard.figures.residual_sweep.residual_sweep` takes them."""
    of_setting = {row.setting: row.experiment.phase_b for row in ablation.rows}
    points = ablation.points()
    return points.assign(
        residual_factor=[of_setting[setting].residual_factor for setting in points["setting"]],
        sampler=[of_setting[setting].sampler for setting in points["setting"]],
    )


def published_residual_points(ablation: Ablation, table: pd.DataFrame) -> pd.DataFrame:
    """Columns residual_factor, group, accuracy: the published points of Figure 5 on this dataset and backbone."""
    factors = {row.setting: row.experiment.phase_b.residual_factor for row in ablation.rows}
    rows = table[table["same_setup"].astype(bool)].dropna(subset="published")
    rows = rows.assign(residual_factor=rows["setting"].map(factors), accuracy=rows["published"])
    return rows[["residual_factor", "group", "accuracy"]]


def dots(table: pd.DataFrame) -> pd.DataFrame:
    """Measured and published numbers as :func:`dashboard.figures.comparison.comparison_dots` takes them."""
    measured = table[["setting", "group", "seeds", "phases_a", "mean", "sd"]].assign(published=False)
    published = table[["setting", "group"]].assign(mean=table["published"], published=True)
    both = pd.concat([measured, published.dropna(subset="mean")], keys=[0, 1], names=["source", "place"])
    order = {setting: place for place, setting in enumerate(table["setting"].unique())}
    both = both.assign(order=both["setting"].map(order)).sort_values(["order", "source"], kind="stable")
    return both.drop(columns="order").reset_index(drop=True)


def result_table(table: pd.DataFrame, rivals: pd.DataFrame | None = None) -> pd.DataFrame:
    """For people and papers: Setting, Seeds, ``67.2 ± 0.3`` for each shot group, the published numbers beside.

    Published columns are those groups that the paper prints for any setting. ``rivals`` are the rows of
    :func:`ballad.paper.counterparts.rivals`, below the measured rows.
    """
    rivals = pd.DataFrame(columns=["setting"]) if rivals is None else rivals
    printed = [
        group for group in GROUPS if len(rivals) or table.loc[table["group"] == group, "published"].notna().any()
    ]
    lines = [_line(setting, rows.set_index("group"), printed) for setting, rows in table.groupby("setting", sort=False)]
    return pd.DataFrame([*lines, *(_rival_line(rival) for rival in rivals.to_dict("records"))]).astype(
        {"Seeds": "Int64"}
    )


def _line(setting: object, rows: pd.DataFrame, printed: list[str]) -> dict[str, Any]:
    line: dict[str, Any] = {"Setting": setting, "Seeds": int(rows["seeds"].iloc[0])}
    for group in GROUPS:
        line[group.capitalize()] = mean_and_spread(rows.at[group, "mean"], rows.at[group, "sd"])
    for group in printed:
        line[f"Paper, {group}"] = mean_and_spread(rows.at[group, "published"], None)
        line[f"Difference, {group}"] = _signed(rows.at[group, "difference"])
    if printed:
        source = rows["published_source"].iloc[0]
        line["Published in"] = source + ("" if rows["same_setup"].iloc[0] or not source else OTHER_SETUP)
    return line


def _rival_line(rival: dict[Any, Any]) -> dict[str, Any]:
    line: dict[str, Any] = {"Setting": f"{rival['setting']}, {rival['backbone']}", "Seeds": None}
    for group in GROUPS:
        line[group.capitalize()] = MISSING
        line[f"Paper, {group}"] = mean_and_spread(rival[group], None)
        line[f"Difference, {group}"] = MISSING
    line["Paper, all"] = f"{line['Paper, all']} {rival['mark']}".rstrip()
    line["Published in"] = f"{place_title(rival['table'])}, {rival['dataset']}{OTHER_BACKBONE}"
    return line


def _signed(value: float) -> str:
    return MISSING if value != value else f"{value:+.1f}".replace("-", "−")


def _finished(ablation: Ablation) -> tuple[str, ...]:
    return tuple(sorted(folder.path.name for folder in ablation.finished.values()))


@st.cache_data(max_entries=64, show_spinner=False)
def _table(_ablation: Ablation, group_id: str, finished: tuple[str, ...]) -> pd.DataFrame:
    return _ablation.table()


@st.cache_data(max_entries=64, show_spinner="Testing whether the differences are more than noise …")
def _differences(_ablation: Ablation, group_id: str, finished: tuple[str, ...], against: str) -> pd.DataFrame:
    return _ablation.differences(against)
