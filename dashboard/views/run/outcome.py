"""What a finished run gained over the untouched towers, by shot group."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from ballad.analysis.evaluation import group_accuracies, group_table
from ballad.schedules import ZERO_SHOT, Model, model_title
from ballad.shot_groups import ALL, GROUP_HELP, SHOT_GROUPS
from ballad.stages.plan import SplitName
from ballad.wording import counted, percent
from dashboard.figures.gain import gain_by_group
from dashboard.reading.loaders import Evaluation, evaluated_models, evaluation
from dashboard.ui.charts import show_chart
from dashboard.ui.downloads import figure_downloads
from dashboard.views.compare.comparison import NOISE_ABOVE, Row, differences

NORMAL_QUANTILE = 1.96
"""Of a 95 % interval."""


def show_outcome(run_id: str, label: str, split: SplitName) -> None:
    """A number for each shot group with its gain, and the way from model to model. RunError if files are gone."""
    models = evaluated_models(run_id)
    accuracies = gain_table(run_id, models, split)
    gains = gains_of(run_id, models, split)
    _show_numbers(accuracies, gains, model_title(models[-1]))
    images = evaluation(run_id, ZERO_SHOT, split).summary["images"]
    figure = gain_by_group(accuracies, images=images)
    show_chart(figure, key="gain", label="Accuracy of each model of the run by shot group")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            f"Accuracy on {counted(images, 'image')} of the {split} split. Bars: 95 % intervals for other images of "
            "the same classes; gains: paired bootstrap on the same images. Other seeds are another matter."
        )
        figure_downloads(f"gain {label} {split}", figure, accuracies, key="gain")


def gain_table(run_id: str, models: Sequence[Model], split: SplitName) -> pd.DataFrame:
    """Columns model (title), group, accuracy (percent) and margin: half its 95 % interval, in points."""
    tables = []
    for model in models:
        groups = _groups(evaluation(run_id, model, split))
        margins = NORMAL_QUANTILE * groups["standard_error"]
        tables.append(groups[["group", "accuracy"]].assign(model=model_title(model), margin=margins))
    return pd.concat(tables)[["model", "group", "accuracy", "margin"]].reset_index(drop=True)


def gains_of(run_id: str, models: Sequence[Model], split: SplitName) -> pd.DataFrame:
    """By how much the final model exceeds the untouched towers: group (index), difference, low, high, p_value.

    Empty for a run that trains nothing.
    """
    first, last = (Row(model_title(model), model, (run_id,)) for model in (models[0], models[-1]))
    found, _ = differences([first, last], first, split) if first != last else (pd.DataFrame({"group": []}), [])
    return found.set_index("group")


def _groups(evaluated: Evaluation) -> pd.DataFrame:
    said, classes = evaluated.predictions, evaluated.per_class
    accuracies = group_accuracies(said.labels, said.predicted, classes["group"].tolist())
    return group_table(classes, accuracies)


def _show_numbers(accuracies: pd.DataFrame, gains: pd.DataFrame, final: str) -> None:
    of_final = accuracies[accuracies["model"] == final].set_index("group")["accuracy"]
    with st.container(horizontal=True):
        for group in (*SHOT_GROUPS, ALL):
            st.metric(
                f"{final}, {group}",
                percent(of_final[group]),
                _told(gains, group),
                delta_color=_colour(gains, group),
                help=f"Accuracy of the final model on {GROUP_HELP[group]}; below, its gain over zero-shot in points, "
                "with the 95 % interval",
                border=True,
            )


def _told(gains: pd.DataFrame, group: str) -> str | None:
    """``+12.3 [+8.9, +15.7]``."""
    if group not in gains.index or pd.isna(gains.loc[group, "difference"]):
        return None
    difference, low, high = gains.loc[group, ["difference", "low", "high"]]
    return f"{difference:+.1f} [{low:+.1f}, {high:+.1f}]"


def _colour(gains: pd.DataFrame, group: str) -> str:
    """Grey for what may be noise."""
    return "normal" if group in gains.index and gains.loc[group, "p_value"] < NOISE_ABOVE else "off"
