"""Compare: runs side by side and next to the paper, and whether their differences are more than noise."""

from functools import partial

import pandas as pd
import streamlit as st

from ballad.experiment import short_names
from ballad.paper import published as paper
from ballad.shot_groups import GROUPS
from ballad.stages.plan import SplitName
from ballad.store import queries
from ballad.wording import counted
from dashboard.exports.engine import NO_ENGINE, has_engine
from dashboard.exports.names import file_name
from dashboard.exports.pack import NamedFigure
from dashboard.exports.registry import FIGURE_FORMATS, PICTURE_FORMATS
from dashboard.figures.comparison import comparison_dots
from dashboard.figures.parallel_coordinates import parallel_coordinates
from dashboard.pickers.dataset_picker import dataset_title
from dashboard.pickers.finished_runs import finished_runs
from dashboard.pickers.model_picker import pick_split
from dashboard.pickers.run_picker import chosen_runs, pick_runs
from dashboard.reading.loaders import SPLIT_TITLES, images_in_split
from dashboard.reading.workbench import open_store
from dashboard.text import as_text
from dashboard.ui.charts import show_chart
from dashboard.ui.columns import group_columns
from dashboard.ui.downloads import figure_downloads, table_downloads
from dashboard.ui.messages import shown_errors
from dashboard.ui.stop import stop
from dashboard.views.compare.comparison import (
    Row,
    accuracy_table,
    comparison_rows,
    current_label,
    cut_rows,
    differences,
    different_settings,
    latest_rows,
    main_results,
    of_this_release,
    published_accuracies,
    published_label,
    row_accuracies,
    settings_table,
)
from dashboard.views.compare.comparison_pack import comparison_pack
from dashboard.views.compare.difference_view import show_difference_intervals

RUN, PUBLISHED = "run", "published"
AT_FIRST = 8
FEWEST_LINES = 3
MODELS = {"final": "Final model of each run", "every": "Every model"}


def pick(runs: pd.DataFrame) -> tuple[pd.DataFrame, bool, SplitName]:
    if RUN not in st.session_state and not chosen_runs(RUN):
        # The first visit shows something: the latest runs of one dataset.
        latest = runs[runs["dataset"] == runs["dataset"].iloc[0]]
        st.session_state[RUN] = latest_rows(open_store(), latest, AT_FIRST)
    chosen = pick_runs(runs, label="Runs", key=RUN, help="Runs that differ only in their seeds become one row.")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        models = st.segmented_control(
            "Models",
            list(MODELS),
            default="final",
            format_func=MODELS.__getitem__,
            key="models",
            required=True,
            bind="query-params",
            help="“Every model” gives each model its own row: zero-shot, Phase A and BALLAD, or whichever the "
            "schedule trains.",
        )
        splits = set(queries.results(open_store(), chosen)["split"])
        split = pick_split([split for split in SPLIT_TITLES if split in splits] or ["test"])
    return runs.set_index("id", drop=False).loc[chosen].reset_index(drop=True), models == "every", split


def pick_published(runs: pd.DataFrame) -> pd.DataFrame:
    rows = paper.published()
    labels = [published_label(row) for _, row in rows.iterrows()]
    if PUBLISHED not in st.session_state:
        st.session_state[PUBLISHED] = linked_rows(labels) if PUBLISHED in st.query_params else fitting_rows(rows, runs)
    chosen = st.multiselect(
        "Published rows of the paper",
        labels,
        key=PUBLISHED,
        placeholder="None",
        help="Initially BALLAD and zero-shot on the datasets and backbones of the runs; every number that the paper "
        "prints can be chosen.",
    )
    # An empty parameter is the choice of none, and not no choice.
    st.query_params[PUBLISHED] = chosen or [""]
    return rows[[label in chosen for label in labels]]


def linked_rows(labels: list[str]) -> list[str]:
    return [label for label in map(current_label, st.query_params.get_all(PUBLISHED)) if label in labels]


def fitting_rows(rows: pd.DataFrame, runs: pd.DataFrame) -> list[str]:
    fits = rows["dataset"].isin(runs["dataset"].map(dataset_title)) & rows["backbone"].isin(runs["backbone"])
    return [published_label(row) for _, row in rows[fits & main_results(rows)].iterrows()]


def caveats(runs: pd.DataFrame, published: pd.DataFrame) -> None:
    if published.empty:
        return
    budgets = sorted(set(runs["budget"]) - {"full"})
    if budgets:
        st.warning(
            f"Reduced budget ({as_text(', '.join(budgets))}): these runs trained less than the paper's, so their "
            "numbers are not comparable with the published ones.",
            icon=":material/warning:",
        )
    with st.expander("Before you compare with the paper"):
        notes = dict.fromkeys(note for table in published["table"].unique() for note in paper.tensions(table))
        st.markdown("\n".join(f"- {as_text(note)}" for note in notes))


def accuracy(accuracies: pd.DataFrame, rows: list[Row], split: SplitName, subject: str) -> None:
    st.subheader(f"Accuracy, {SPLIT_TITLES[split].lower()} split", anchor=False)
    images = images_in_split((run_id for row in rows for run_id in row.run_ids), split)
    figure = comparison_dots(accuracies, images=images)
    show_chart(figure, key="dots", label="Accuracy of each setting by shot group")
    figure_downloads(f"comparison {subject}", figure, accuracies, key="dots")
    table = accuracy_table(accuracies)
    st.dataframe(table, hide_index=True, column_config=group_columns(), placeholder="", alt="Accuracy of each setting")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            "Percent, mean ± standard deviation over seeds. Many, medium, few: mean over the classes with more than "
            "100, 20 to 100, and fewer than 20 training images; a dash means that there are no such classes or that "
            "the paper prints no number."
        )
        caption = f"Accuracy (%), {SPLIT_TITLES[split].lower()} split, mean ± s.d. over seeds."
        table_downloads(f"comparison {subject}", table, caption=caption, key="accuracy_table")


def noise(rows: list[Row], split: SplitName, subject: str) -> tuple[pd.DataFrame, str]:
    st.subheader("Differences", anchor=False)
    labels = [row.label for row in rows]
    baseline = st.selectbox("From", labels, key="baseline", bind="query-params", width=420)
    found, apart = differences(rows, rows[labels.index(baseline)], split)
    if apart:
        st.info(
            f"Evaluated on other images than {as_text(baseline)}, so left out here: {as_text(', '.join(apart))}.",
            icon=":material/info:",
        )
    if found.empty:
        return found, baseline
    show_difference_intervals(
        found,
        baseline,
        name=f"differences from {baseline} {subject}",
        note="Percentage points with the 95 % interval of a paired bootstrap over the images of the split, drawn "
        "within each class, seeds pooled. Filled marks and * (p < 0.05) are more than noise of these images; "
        "± shows how much seeds matter. Where nothing differs, about one comparison in twenty is marked anyway.",
    )
    return found, baseline


def settings(differing: pd.DataFrame, subject: str) -> None:
    st.subheader("Settings that differ", anchor=False)
    if differing.columns.empty:
        st.markdown("None: the rows differ only in their seeds.")
        return
    table = settings_table(differing)
    pinned = {"Setting": st.column_config.TextColumn(pinned=True)}
    st.dataframe(
        table, hide_index=True, column_config=pinned, placeholder="", alt="The settings in which the rows differ"
    )
    table_downloads(f"settings {subject}", table, caption="Settings in which the rows differ.", key="settings")


def sweep(accuracies: pd.DataFrame, differing: pd.DataFrame, subject: str) -> NamedFigure | None:
    """Lines through all settings that differ, where there are enough rows to see a pattern."""
    if differing.columns.empty or len(differing.dropna()) < FEWEST_LINES:
        return None
    means = accuracies.pivot(index="setting", columns="group", values="mean").dropna(axis="columns", how="all")
    table = differing.dropna().infer_objects().join(means[[group for group in GROUPS if group in means]])
    titles = {name: short.replace("_", " ") for name, short in short_names(differing.columns.tolist()).items()}
    titles |= {group: f"{group} (%)" for group in GROUPS if group in means}
    st.subheader("All settings at once", anchor=False, help="One line per row; drag along an axis to filter the lines")
    figure = parallel_coordinates(table, titles, colour="all")
    show_chart(figure, key="sweep", label="Settings and accuracies as parallel coordinates")
    figure_downloads(f"parallel coordinates {subject}", figure, table.reset_index(), key="sweep")
    return NamedFigure(
        "parallel coordinates", "Settings and accuracies, one line per row.", figure, table.reset_index()
    )


finished = finished_runs(
    "This page shows two or more finished runs side by side, with their spread over seeds and the paper's numbers.",
    ":material/compare_arrows:",
)

picked, every_model, split = pick(finished)
chosen = of_this_release(open_store(), picked)
if len(chosen) < len(picked):
    left_out = as_text(", ".join(picked.loc[~picked["id"].isin(chosen["id"]), "label"]))
    st.warning(
        f"{left_out} cannot be compared: this release does not know all of its settings. Its numbers are on the page "
        "Runs.",
        icon=":material/history:",
    )
if chosen.empty:
    st.info("Choose the runs to compare above.", icon=":material/arrow_upward:")
    stop()
published = pick_published(chosen)
rows = comparison_rows(open_store(), chosen, every_model=every_model)
own = row_accuracies(open_store(), rows, split)
if own.empty:
    st.info("The chosen runs have no results on this split.", icon=":material/info:")
    stop()
accuracies = pd.concat([own, published_accuracies(published)], ignore_index=True) if len(published) else own
differing = different_settings(open_store(), rows)
if cut := cut_rows(open_store(), rows, finished):
    st.caption(
        as_text(f"Not all finished seeds are chosen, so these spreads rest on a part of them: {'; '.join(cut)}.")
    )

caveats(chosen, published)
subject = " ".join([*map(dataset_title, chosen["dataset"].unique()), split])
accuracy(accuracies, rows, split, subject)
found, baseline = pd.DataFrame(), ""
if len(rows) > 1:
    with shown_errors():
        found, baseline = noise(rows, split, subject)
    settings(differing, subject)
figure = sweep(own, differing, subject)

st.subheader("Export pack", anchor=False)
st.markdown(
    f"One zip with every figure and table of {counted(len(chosen), 'run')}: this comparison, the curves, the confusion "
    "of each row, the settings, the versions, and a README."
)
if not has_engine():
    st.info(NO_ENGINE, icon=":material/info:")
formats = st.pills(
    "Pictures",
    list(PICTURE_FORMATS),
    selection_mode="multi",
    default=next(iter(PICTURE_FORMATS)),
    format_func=lambda extension: PICTURE_FORMATS[extension].title,
    key="pictures",
    bind="query-params",
    help="Every figure is included as HTML and CSV anyway; pictures are drawn when you click, a few per second.",
    disabled=not has_engine(),
)
st.download_button(
    "Export pack",
    partial(
        comparison_pack,
        open_store(),
        rows,
        split,
        labels=dict(zip(chosen["id"], chosen["label"], strict=True)),
        accuracies=accuracies,
        found=found,
        baseline=baseline,
        differing=differing,
        extra_figures=[figure] if figure else [],
        formats=[each for each in FIGURE_FORMATS.values() if not each.drawn or each.extension in formats],
    ),
    file_name=file_name("comparison", subject, counted(len(chosen), "run"), extension="zip"),
    mime="application/zip",
    icon=":material/folder_zip:",
    type="primary",
    on_click="ignore",
)
