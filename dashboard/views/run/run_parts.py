"""What lies below a run's outcome: classes that changed, pictures, settings, stages and files."""

import numpy as np
import pandas as pd
import streamlit as st

from ballad.schedules import model_title
from ballad.shot_groups import GROUPS
from ballad.stages.plan import SplitName
from ballad.stages.run_folder import RunFolder
from ballad.store import queries
from ballad.wording import counted, size
from dashboard.navigation import CONFUSION, EMBEDDINGS
from dashboard.reading.loaders import evaluated_models, evaluation
from dashboard.reading.workbench import open_store
from dashboard.ui.downloads import table_downloads
from dashboard.ui.gallery import page_of, prediction_gallery
from dashboard.views.confusion.confusion_view import Side, opinions

CHANGES = {"fixed": "Fixed", "broken": "Broken", "wrong": "Still wrong"}


def show_classes(run_id: str, label: str, split: SplitName) -> None:
    """Every class before and after training, those that lost most at the top. RunError if files are gone."""
    models = evaluated_models(run_id)
    first, last = (evaluation(run_id, model, split).per_class for model in (models[0], models[-1]))
    table = pd.DataFrame(
        {
            "class": last["class_name"],
            "group": last["group"],
            "train": last["train_count"],
            "before": first["accuracy"],
            "after": last["accuracy"],
            "change": last["accuracy"] - first["accuracy"],
        }
    ).sort_values("change", kind="stable")
    percent = {"format": "%.1f"}
    st.dataframe(
        table,
        hide_index=True,
        height=420,
        column_config={
            "class": "Class",
            "group": st.column_config.TextColumn("Group", width="small"),
            "train": st.column_config.NumberColumn("Training images", width="small"),
            "before": st.column_config.NumberColumn(f"{model_title(models[0])} (%)", **percent),
            "after": st.column_config.NumberColumn(f"{model_title(models[-1])} (%)", **percent),
            "change": st.column_config.NumberColumn("Change (points)", format="%+.1f"),
        },
        placeholder="",
        alt="Accuracy of each class before and after training",
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.page_link(CONFUSION, label="Which classes are confused", icon=":material/grid_on:")
        st.page_link(EMBEDDINGS, label="How classes separate", icon=":material/scatter_plot:")
        table_downloads(
            f"classes {label} {split}", table, caption=f"Accuracy (%) of each class, {split} split.", key="classes"
        )


def show_pictures(run_id: str, split: SplitName) -> None:
    """Pictures whose answer training changed, of all classes or of one shot group. RunError if files are gone."""
    models = evaluated_models(run_id)
    first, last = (evaluation(run_id, model, split) for model in (models[0], models[-1]))
    before, after = first.predictions.correct, last.predictions.correct
    found = {"fixed": ~before & after, "broken": before & ~after, "wrong": ~before & ~after}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        change = st.segmented_control(
            "Pictures",
            list(CHANGES),
            default="fixed",
            format_func=lambda change: f"{CHANGES[change]} ({int(found[change].sum()):,})",
            key="change",
            required=True,
            bind="query-params",
            help="Fixed: wrong by the untouched towers, right by the final model. Broken: the other way round.",
        )
        group = st.segmented_control(
            "Shot group", list(GROUPS), default="all", key="group", required=True, bind="query-params"
        )
    groups = last.per_class["group"].to_numpy()[last.predictions.labels]
    samples = np.flatnonzero(found[change] & ((groups == group) | (group == "all"))).tolist()
    st.caption(f"{counted(len(samples), 'picture')} of the {split} split.")
    shown = page_of(samples, key=f"page_{change}_{group}")
    if shown:
        names = last.per_class["class_name"].tolist()
        said = opinions(Side(run_id, "", models[-1]), None, split)
        prediction_gallery(run_id, split, shown, model_title(models[-1]), said, names)


def show_settings(run_id: str) -> None:
    """The run's settings as they were written."""
    run = open_store().get(run_id)
    st.code(run.experiment.to_yaml(), language="yaml", height=420)


def show_files(run_id: str) -> None:
    """The stages that the run used, with what was shared, and the files it left."""
    stages = queries.run_stages(open_store(), run_id)
    st.dataframe(
        stages[["stage", "seconds", "reused", "key"]],
        hide_index=True,
        column_config={
            "stage": "Stage",
            "seconds": st.column_config.NumberColumn("Seconds", format="%.1f", help="What this run spent on it"),
            "reused": st.column_config.CheckboxColumn("Shared", help="Computed by an earlier run, and reused"),
            "key": st.column_config.TextColumn("Key", width="small"),
        },
        placeholder="",
        alt="The stages of the run",
    )
    folder = RunFolder.of(open_store().home, run_id).path
    st.markdown("**Files**")
    st.code(str(folder), language=None)
    files = sorted(path for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else []
    lines = [f"{path.relative_to(folder)}  {size(path.stat().st_size)}" for path in files]
    st.code("\n".join(lines) or "No files yet.", language=None, height=240)
