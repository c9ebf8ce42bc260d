"""Confusion: which classes are mistaken for which, down to the pictures, in one run or between two runs."""

from collections.abc import Sequence
from functools import partial
from typing import Literal

import pandas as pd
import streamlit as st

from ballad.analysis.confusion import Order, class_neighbours, group_confusion
from ballad.schedules import ZERO_SHOT, model_title
from ballad.wording import counted, percent
from dashboard.figures.confusion import READABLE_CLASSES, confusion_difference, confusion_heatmap
from dashboard.figures.group_confusion import group_confusion_heatmap
from dashboard.figures.reliability import reliability_diagram
from dashboard.pickers.class_picker import pick_class
from dashboard.pickers.current_run import current_finished_run
from dashboard.pickers.model_picker import pick_model, pick_split
from dashboard.pickers.run_picker import pick_run
from dashboard.reading.loaders import SPLIT_TITLES, class_order, evaluated_models, evaluated_splits, same_images
from dashboard.reading.workbench import all_runs, open_store
from dashboard.text import as_text
from dashboard.ui.charts import show_chart
from dashboard.ui.downloads import figure_downloads, table_downloads
from dashboard.ui.gallery import page_of, picture_gallery, prediction_gallery
from dashboard.ui.messages import shown_errors
from dashboard.ui.stop import stop
from dashboard.ui.thumbnails import run_dataset
from dashboard.views.confusion.confusion_view import (
    ConfusionView,
    Shown,
    Side,
    calibration,
    cell_words,
    exported,
    misses,
    opinions,
    parse_cell,
)

CELL = "cell"
SHOWN: dict[Shown, str] = {"block": "Most confused", "all": "All classes", "class": "Around one class"}
ORDERS: dict[Order, str] = {
    "group": "Shot group",
    "count": "Training images",
    "similarity": "Similarity",
    "name": "Name",
}
SUMMARY = {
    "top1": ("Accuracy", "Share of all images whose most probable class is the true class"),
    "top5": ("Top-5", "Share of all images whose true class is among the five most probable classes"),
    "macro_f1": ("Macro F1", "Mean over classes of the harmonic mean of precision and recall"),
    "ece": ("Calibration error", "Mean gap between confidence and accuracy over 15 bins (ECE); smaller is better"),
}


def pick(run_id: str, runs: pd.DataFrame) -> ConfusionView | None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        models = evaluated_models(run_id)
        model = pick_model(models, key="model", first=models[-1])
        split = pick_split(evaluated_splits(run_id))
        compare = st.toggle("Difference to another model or run", key="difference", bind="query-params")
    labels = dict(zip(runs["id"], runs["label"], strict=True))
    side = Side(run_id, labels[run_id], model)
    if not compare:
        return ConfusionView(side, None, split)
    this_first = pd.concat([runs[runs["id"] == run_id], runs[runs["id"] != run_id]])
    compared, of_model = st.columns([2, 1], vertical_alignment="bottom")
    with compared:
        other_id = pick_run(this_first, label="Compared with the run", key="against")
    with of_model:
        other_model = pick_model(evaluated_models(other_id), key="against_model", first=ZERO_SHOT)
    if split not in evaluated_splits(other_id) or not same_images(run_id, other_id, split):
        st.info(
            "These two runs were not evaluated on the same images, so their confusions cannot be compared; choose "
            "runs with the same dataset and split.",
            icon=":material/info:",
        )
        return None
    return ConfusionView(side, Side(other_id, labels[other_id], other_model), split)


def summary(view: ConfusionView) -> None:
    with st.container(horizontal=True):
        for name, (title, help) in SUMMARY.items():
            value = view.ours.summary[name]
            delta = None if view.theirs is None else f"{value - view.theirs.summary[name]:+.1f} points"
            better: Literal["inverse", "normal"] = "inverse" if name == "ece" else "normal"
            st.metric(title, percent(value), delta, help=help, border=True, delta_color=better)


def groups(view: ConfusionView) -> None:
    st.subheader(
        "Shot groups",
        anchor=False,
        help="Which shot groups are predicted for images of many-, medium- and few-shot classes",
    )
    shares = group_confusion(view.ours.confusion, view.ours.per_class)
    before = None if view.theirs is None else group_confusion(view.theirs.confusion, view.theirs.per_class)
    figure = group_confusion_heatmap(shares, view.images_by_group, before)
    show_chart(figure, key="groups", label="Shot groups predicted for the images of each shot group")
    data = (shares if before is None else shares - before).rename_axis("group").reset_index()
    figure_downloads(f"confusion of shot groups {view.subject}", figure, data, key="groups")


def reliability(view: ConfusionView) -> None:
    with st.expander(
        "Are the probabilities calibrated?",
        icon=":material/balance:",
        key="calibration",
        on_change="rerun",
        bind="query-params",
    ) as opened:
        if not opened.open:
            return
        bins = calibration(opinions(view.side, view.baseline, view.split))
        figure = reliability_diagram(bins)
        show_chart(figure, key="reliability", label="Accuracy against confidence of each model")
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption("Below the dotted line a model is overconfident, as fine-tuned models often are.")
            figure_downloads(f"calibration {view.subject}", figure, bins, key="reliability")


def choose_classes(view: ConfusionView) -> tuple[Shown, Order, int | None]:
    names = view.class_names
    default: Shown = "all" if len(names) <= READABLE_CLASSES else "block"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        shown = st.segmented_control(
            "Classes",
            list(SHOWN),
            default=default,
            format_func=SHOWN.__getitem__,
            key="show",
            required=True,
            bind="query-params",
            help="A matrix of many classes cannot be read as a whole: look at the classes most confused with each "
            "other, or at one class and its neighbours.",
        )
        order = st.selectbox(
            "Order", list(ORDERS), format_func=ORDERS.__getitem__, key="order", bind="query-params", width=180
        )
        class_id = pick_class(names, placeholder="Search for a class")
    return shown, order, class_id


def matrix(view: ConfusionView, shown: Shown, order: Order, class_id: int | None) -> None:
    if shown == "class" and class_id is None:
        st.info("Search for a class above to see it with its neighbours.", icon=":material/search:")
        return
    classes = view.classes(shown, class_order(view.side.run_id, view.side.model, view.split, order), class_id)
    if not classes:
        st.success("No image is misclassified.", icon=":material/check_circle:")
        return
    groups = view.ours.per_class["group"].tolist() if order == "group" else []
    if view.theirs is not None:
        figure = confusion_difference(
            view.ours.confusion, view.theirs.confusion, classes, view.class_names, groups=groups
        )
    else:
        errors = st.toggle("Errors only", key="errors", bind="query-params", help="Leaves out the diagonal")
        figure = confusion_heatmap(view.ours.confusion, classes, view.class_names, diagonal=not errors, groups=groups)
    # Another choice of classes gives the same place another meaning.
    revision = f"{view.title} {view.split} {shown} {order} {class_id}"
    events = show_chart(
        figure, key="matrix", label="Confusion of classes", height=figure.layout.height or 640, revision=revision
    )
    if events.clicked and isinstance(events.clicked.index, tuple):
        true, predicted = (classes[place] for place in events.clicked.index)
        st.query_params[CELL] = cell_words(true, predicted, view.class_names)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            f"{counted(len(classes), 'class', 'classes')} of {len(view.class_names):,}. Click a cell to see its images."
        )
        figure_downloads(f"confusion {view.subject}", figure, exported(view.cells(classes)), key="matrix")


def pairs(view: ConfusionView) -> None:
    table = view.pairs()
    key = f"pairs_{view.title}_{view.split}"
    st.dataframe(
        table,
        key=key,
        hide_index=True,
        height=400,
        column_order=[column for column in table.columns.tolist() if column not in ("true", "predicted", "before")],
        column_config={
            "true_name": "True class",
            "predicted_name": "Taken for",
            "group": st.column_config.TextColumn("Group", width="small", help="Shot group of the true class"),
            "count": st.column_config.NumberColumn("Images", width="small"),
            "rate": st.column_config.NumberColumn("Share", format="%.1f %%", help="Percent of the true class's images"),
            "after": st.column_config.NumberColumn("Images", width="small"),
            "change": st.column_config.NumberColumn("Change", format="%+d", width="small"),
        },
        on_select=partial(choose_row, key, table, view.class_names),
        selection_mode="single-row",
        placeholder="",
        alt="The most confused pairs of classes",
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("Select a row to see its pictures.")
        caption = f"Confused pairs, {view.title}, {SPLIT_TITLES[view.split].lower()} split."
        table_downloads(f"confused pairs {view.subject}", exported(table), caption=caption, key="pairs")


def choose_row(key: str, table: pd.DataFrame, names: Sequence[str]) -> None:
    rows = st.session_state[key].selection.rows
    if rows:
        st.query_params[CELL] = cell_words(table["true"].iloc[rows[0]], table["predicted"].iloc[rows[0]], names)


def pictures(view: ConfusionView) -> None:
    words = st.query_params.get_all(CELL)
    cell = parse_cell(words, view.class_names)
    if cell is None:
        if words:
            named = as_text(", ".join(words))
            st.caption(f"The link names a pair of classes that this run does not have: {named}.")
        return
    chosen = cell_words(*cell, view.class_names)
    if words != chosen:
        st.query_params[CELL] = chosen
    true, predicted = (view.class_names[class_id] for class_id in cell)
    verdict = "recognised correctly" if true == predicted else f"taken for {predicted}"
    st.subheader(as_text(f"{true}, {verdict}"), anchor=False)
    found = view.samples(*cell)
    kind = next(iter(found))
    if view.theirs is not None:
        kind = st.segmented_control(
            "Images",
            list(found),
            default=next((kind for kind, samples in found.items() if samples), kind),
            format_func=lambda kind: f"{kind} ({len(found[kind])})".capitalize(),
            key=f"kind_{'_'.join(chosen)}",
            bind="query-params",
            label_visibility="collapsed",
            required=True,
        )
    samples = found[kind]
    images = f"{counted(len(samples), 'image')} of the {SPLIT_TITLES[view.split].lower()} split"
    st.caption(f"{images}, by {as_text(view.title)}.")
    if samples:
        shown = page_of(samples, key=f"page_{'_'.join(chosen)}_{kind}")
        said = opinions(view.side, view.baseline, view.split)
        best_of = model_title(view.side.model)
        prediction_gallery(view.side.run_id, view.split, shown, best_of, said, view.class_names)


def class_view(view: ConfusionView, class_id: int) -> None:
    evaluated = view.ours
    row = evaluated.per_class.iloc[class_id].to_dict()
    name = view.class_names[class_id]
    st.subheader(f"The class {as_text(name)}", anchor=False)
    with st.container(horizontal=True):
        st.metric("Shot group", row["group"], border=True)
        st.metric("Training images", f"{row['train_count']:,}", border=True)
        st.metric("Evaluated images", f"{row['test_count']:,}", border=True)
        st.metric(
            "Recall", percent(row["recall"]), help="Share of this class's images that are recognised", border=True
        )
        st.metric(
            "Precision",
            percent(row["precision"]),
            help="Share of the images predicted as this class that belong to it",
            border=True,
        )
        st.metric("F1", percent(row["f1"]), help="Harmonic mean of precision and recall", border=True)
    left, right = st.columns(2)
    with left:
        st.markdown("**Its neighbours**")
        neighbours(view, class_id)
    with right, shown_errors():
        labels = run_dataset(open_store().home, view.side.run_id).train.labels
        examples = (labels == class_id).nonzero()[0].tolist()
        st.markdown(f"**Trained on: {counted(len(examples), 'image')}**")
        shown = page_of(examples, key=f"examples_{name}")
        picture_gallery(view.side.run_id, "train", dict.fromkeys(shown, name))
    wrong = misses(evaluated, class_id, view.class_names)
    with right:
        st.markdown(f"**Missed: {counted(len(wrong), 'image')}**")
        shown = page_of(list(wrong), key=f"missed_{name}")
        picture_gallery(view.side.run_id, view.split, {index: wrong[index] for index in shown})


def neighbours(view: ConfusionView, class_id: int) -> None:
    st.dataframe(
        class_neighbours(view.ours.confusion, view.ours.per_class, class_id),
        hide_index=True,
        column_order=["class_name", "class_group", "taken_for_it", "taken_for_this"],
        column_config={
            "class_name": "Class",
            "class_group": "Group",
            "taken_for_it": st.column_config.NumberColumn(
                "Taken for it", help="Images of this class predicted as the other class"
            ),
            "taken_for_this": st.column_config.NumberColumn(
                "Taken for this", help="Images of the other class predicted as this class"
            ),
        },
        placeholder="",
        alt="The classes that this class is confused with",
    )


run = current_finished_run(
    "Once a run has finished, this page shows which classes it confuses, down to the individual pictures.",
    ":material/grid_on:",
)

view = pick(run["id"], all_runs().query("status == 'done'"))
if view is None:
    stop()
summary(view)
groups(view)
reliability(view)
st.subheader("Classes", anchor=False)
shown, order, class_id = choose_classes(view)
heatmap_tab, pairs_tab = st.tabs(
    ["Heatmap", "Largest changes" if view.baseline else "Most confused pairs"],
    key="tab",
    on_change="rerun",
    bind="query-params",
)
with heatmap_tab, shown_errors():
    matrix(view, shown, order, class_id)
with pairs_tab:
    pairs(view)
pictures(view)
if class_id is not None:
    class_view(view, class_id)
