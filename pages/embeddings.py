"""Embeddings: the images of chosen classes as two models see them, side by side, with measures of their separation."""

import pandas as pd
import streamlit as st

from ballad.schedules import model_title
from ballad.shot_groups import SHOT_GROUPS
from ballad.stages.plan import SplitName
from ballad.stages.projections import DEFAULT_LIMIT, ProjectionRequest
from ballad.store.tasks import task_id
from ballad.wording import counted
from dashboard.figures.confusion import distinct_labels
from dashboard.figures.embedding_map import Colouring, embedding_map
from dashboard.pickers.current_run import current_run
from dashboard.pickers.finished_runs import finished_runs
from dashboard.pickers.model_picker import pick_model, pick_split
from dashboard.pickers.run_picker import pick_run
from dashboard.reading.loaders import evaluated_models, evaluated_splits, evaluation
from dashboard.reading.workbench import editing_store, open_store
from dashboard.text import as_text
from dashboard.ui.changes import change_button
from dashboard.ui.charts import customdata, show_chart
from dashboard.ui.downloads import figure_downloads, table_downloads
from dashboard.ui.gallery import page_of, prediction_gallery, run_pictures_found
from dashboard.ui.stop import stop
from dashboard.ui.tasks import ask_task, open_tasks, show_unfinished
from dashboard.ui.thumbnails import thumbnail_url
from dashboard.views.confusion.confusion_view import Side, opinions
from dashboard.views.embeddings.embedding_view import (
    METHOD_TITLES,
    EmbeddingView,
    comparable,
    confused_classes,
    find_projection,
    projection_request,
)
from dashboard.views.embeddings.figure_six import find_figure_six

COMPUTE_NOW, SELECTED = "compute_projection", "selected_samples"
CHOICES = {"confused": "Most confused few-shot", "groups": "Shot groups", "hand": "By hand", "all": "All classes"}
COLOURINGS: dict[Colouring, str] = {"class_name": "Class", "group": "Shot group", "correctness": "Correctness"}
MEASURES = {
    "silhouette": "How much closer images are to their own class than to the nearest other class, from −1 to 1 "
    "(Rousseeuw 1987); mean over few-shot classes. Higher means better separated.",
    "purity": "Share of an image's 10 nearest neighbours that belong to its own class; mean over few-shot classes.",
    "head_distance": "Cosine distance from the centre of a few-shot class to the nearest many-shot centre; mean over "
    "few-shot classes. If it is small, tail images are easily taken for head classes.",
}
CONFUSED = 6


def pick_sides(runs: pd.DataFrame) -> tuple[Side, Side]:
    left, right = st.columns(2)
    with left.container(horizontal=True, vertical_alignment="bottom"):
        first = pick_side(runs, "left", "Left", None)
    with right.container(horizontal=True, vertical_alignment="bottom"):
        this_first = pd.concat([runs[runs["id"] == first.run_id], runs[runs["id"] != first.run_id]])
        return first, pick_side(this_first, "right", "Right", first)


def pick_side(runs: pd.DataFrame, key: str, label: str, beside: Side | None) -> Side:
    run_id = pick_run(runs, label=label, key=key, first=current_run() if beside is None else None)
    run = runs.set_index("id").loc[run_id]
    models = evaluated_models(run_id)
    model = pick_model(models, key=f"{key}_model", first=models[0] if beside is None else models[-1])
    return Side(run_id, run["label"], model)


def figure_six(runs: pd.DataFrame, sides: tuple[Side, Side]) -> None:
    found = find_figure_six(runs, sides)
    labels = runs.set_index("id")["label"]
    if found.joint:
        told = f"Joint training in {as_text(labels[found.joint])}, BALLAD in {as_text(labels[found.decoupled])}."
    else:
        told = f"It needs {'a joint run on the same images' if found.alone else 'a finished decoupled run'}."
    st.button(
        "Figure 6",
        icon=":material/auto_awesome:",
        help="The paper's Figure 6 in one step: the most confused few-shot classes after joint training and after "
        f"BALLAD. {told}",
        disabled=not found.joint,
        on_click=choose_figure_six,
        args=(found.joint, found.decoupled),
    )
    if found.alone is not None:
        change_button(
            "Train the joint run for it",
            icon=":material/add_circle:",
            help=f"Joint training with the settings of {as_text(labels[found.alone])}, which has no joint counterpart "
            "yet.",
            on_click=queue_joint,
            args=(found.alone,),
        )
    if found.differing:
        st.caption(
            "Figure 6: no joint and decoupled run differ in the schedule alone. These two also differ in {', "
            "'.join(found.differing)}, which may explain part of what the maps show.",
            width="stretch",
        )


def choose_figure_six(joint: str, decoupled: str) -> None:
    st.session_state.update(
        left=joint,
        left_model="joint",
        right=decoupled,
        right_model=evaluated_models(decoupled)[-1],
        split="test",
        classes="confused",
        method="tsne",
        colour="class_name",
    )
    st.session_state[COMPUTE_NOW] = True


def queue_joint(decoupled: str) -> None:
    experiment = open_store().get(decoupled).experiment
    name = f"{experiment.name or 'unnamed'}, joint"
    run_id = editing_store().create(experiment.with_values({"schedule": "joint", "name": name}))
    st.toast(f"Queued {as_text(name)} · {run_id}; Figure 6 is ready when it is done.", icon=":material/schedule:")


def pick_classes(side: Side, per_class: pd.DataFrame, split: SplitName) -> tuple[list[int], str]:
    """Class ids, empty for all, and the sentence to show if no class was chosen."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        choice = st.segmented_control(
            "Classes",
            list(CHOICES),
            default="confused",
            format_func=CHOICES.__getitem__,
            key="classes",
            required=True,
            bind="query-params",
        )
        if choice == "confused":
            top = st.number_input(
                "How many", 2, 30, CONFUSED, key="top", bind="query-params", width=140, help=f"By {as_text(side.label)}"
            )
            found = confused_classes(side, split, "few", top)
            return found, f"{side.label} makes no error on few-shot images, or there are none; choose other classes."
        if choice == "groups":
            groups = st.multiselect("Shot groups", SHOT_GROUPS, ["few"], key="groups", bind="query-params")
            found = per_class.loc[per_class["group"].isin(groups), "class_id"].tolist()
            return found, "No classes belong to these shot groups; choose others."
        if choice == "hand":
            names = distinct_labels(range(len(per_class)), per_class["class_name"].tolist())
            found = st.multiselect(
                "Chosen classes", names, key="class", bind="query-params", placeholder="Search for classes"
            )
            return [names.index(name) for name in found], "Choose the classes to map."
    return [], ""


def pick_method() -> dict[str, float | str]:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        method = st.segmented_control(
            "Method",
            list(METHOD_TITLES),
            default="tsne",
            format_func=METHOD_TITLES.__getitem__,
            key="method",
            required=True,
            bind="query-params",
            help="Both keep neighbours in the original space close together. The sizes of groups and the distances "
            "between far groups mean little: compare the numbers below.",
        )
        settings: dict[str, float | str] = {"method": method}
        if method == "tsne":
            settings["perplexity"] = st.slider(
                "Perplexity", 5, 30, 30, key="perplexity", bind="query-params", help="Roughly how many neighbours count"
            )
        else:
            settings["n_neighbors"] = st.slider("Neighbours", 5, 90, 15, key="neighbours", bind="query-params")
            settings["min_dist"] = st.slider(
                "Smallest distance", 0.0, 0.9, 0.1, 0.05, key="min_dist", bind="query-params", help="On the map"
            )
        settings["limit"] = st.number_input(
            "Images at most",
            100,
            20_000,
            DEFAULT_LIMIT,
            100,
            key="limit",
            bind="query-params",
            help="Few-shot images come first, up to half of the map; classes share the rest evenly.",
            width=160,
        )
        settings["seed"] = st.number_input("Seed", 0, 999, 0, key="seed", bind="query-params", width=120)
    return settings


def compute(request: ProjectionRequest) -> None:
    """Offer to compute what is missing, or show the progress."""
    task = open_tasks().find(task_id("projection", request.arguments()))
    if not show_unfinished(task, f"{METHOD_TITLES[request.method]} of {counted(len(request.sides), 'space')}"):
        change_button("Compute this map", type="primary", icon=":material/scatter_plot:", on_click=ask, args=(request,))
        st.caption("It is computed once, in the background, from the stored features of the runs.")


def ask(request: ProjectionRequest) -> None:
    if find_projection(request) is None:
        ask_task("projection", request.arguments(), again=True)


def scores(view: EmbeddingView) -> None:
    last = len(view.sides) - 1
    with st.container(horizontal=True):
        for name, (title, digits) in {
            "silhouette": ("Few-shot silhouette", 3),
            "purity": ("Few-shot neighbour purity", 1),
            "head_distance": ("Few-shot distance to heads", 3),
        }.items():
            values = [view.score(panel, name, "few") for panel in range(len(view.sides))]
            shown = " → ".join("–" if value != value else f"{value:.{digits}f}" for value in values)
            change = values[last] - values[0]
            delta = None if last == 0 or change != change else f"{change:+.{digits}f}"
            st.metric(title + (" (%)" if name == "purity" else ""), shown, delta, help=MEASURES[name], border=True)
    st.caption("Measured on the images below, in the original feature space, not on the map" + left_to_right(view))


def left_to_right(view: EmbeddingView) -> str:
    return f", {as_text(' → '.join(view.short_names))}." if len(view.sides) > 1 else "."


def embedding(view: EmbeddingView) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        colour = st.segmented_control(
            "Colour",
            list(COLOURINGS),
            default=view.first_colouring,
            format_func=COLOURINGS.__getitem__,
            key="colour",
            required=True,
            bind="query-params",
        )
        anchors = st.toggle(
            "Class texts",
            view.few_classes,
            key="anchors",
            bind="query-params",
            help="Each class text is drawn in the middle of the images it is most similar to. Texts and images lie "
            "apart in the joint space, so texts are not projected themselves.",
        )
    points = view.points
    selected = st.session_state.get(SELECTED, [])
    shown_anchors = view.anchors if anchors else None
    figure = embedding_map(points, colour_by=colour, anchors=shown_anchors, selected=selected, notes=view.notes)
    revision = f"{view.title} {view.split} {colour} {len(points)} {points['x'].sum():.3f}"
    run_id = view.sides[-1].run_id
    folder = thumbnail_url(run_id, view.split, 0).rpartition("/")[0] if run_pictures_found(run_id) else ""
    height = 470 + figure.layout.margin.t
    events = show_chart(figure, key="map", label="Images on a plane", height=height, revision=revision, pictures=folder)
    if (chosen := sorted({int(sample) for sample in customdata(figure, events.selected)})) != selected:
        # Once more, so that what was drawn around on one map stands out on the other.
        st.session_state[SELECTED] = chosen
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("Draw around points on one map to see their pictures and where they lie on the other map.")
        figure_downloads(f"embeddings {view.subject}", figure, points, key="map")
    pictures(view, selected)


def pictures(view: EmbeddingView, samples: list[int]) -> None:
    if not samples:
        return
    side = view.sides[-1]
    st.markdown(f"**{counted(len(samples), 'selected image')}**")
    names = evaluation(side.run_id, side.model, view.split).per_class["class_name"].tolist()
    shown = page_of(samples, key=f"page_{hash(tuple(samples))}", in_url=False)
    said = opinions(side, view.sides[0], view.split)
    prediction_gallery(side.run_id, view.split, shown, model_title(side.model), said, names)


def numbers(view: EmbeddingView) -> None:
    for title, table, caption, key in (
        ("By shot group", view.summary(), "Separation of the classes in the original space.", "summary"),
        ("By class", view.classes(), "Silhouette of each class, and its nearest many-shot class.", "by_class"),
    ):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{as_text(title)}**")
            digits = {name: 1 if "Purity" in name else 3 for name in table.select_dtypes("float").columns}
            name = f"separation {title} {view.subject}"
            table_downloads(name, table, caption=f"{caption} {view.title}.", key=key, digits=digits)
        formats = {name: st.column_config.NumberColumn(format=f"%.{places}f") for name, places in digits.items()}
        st.dataframe(table, hide_index=True, column_config=formats, placeholder="–", alt=title)


finished = finished_runs(
    "Once a run has finished, this page maps its images onto a plane, before and after training.",
    ":material/scatter_plot:",
)

sides = pick_sides(finished)
with st.container(horizontal=True, vertical_alignment="bottom"):
    split = pick_split(evaluated_splits(sides[0].run_id))
    figure_six(finished, sides)
if not comparable(sides[0].run_id, sides[1].run_id, split):
    st.info(
        "These two runs were not evaluated on the same images, so they cannot be compared side by side; choose runs "
        "with the same dataset and split.",
        icon=":material/info:",
    )
    stop()
classes, nothing_chosen = pick_classes(sides[0], evaluation(sides[0].run_id, sides[0].model, split).per_class, split)
settings = pick_method()
if nothing_chosen and not classes:
    st.info(as_text(nothing_chosen), icon=":material/info:")
    stop()

request = projection_request(sides, split, classes, **settings)
if st.session_state.pop(COMPUTE_NOW, False):
    ask(request)
projection = find_projection(request)
if projection is None:
    compute(request)
    stop()
view = EmbeddingView(sides[: len(request.sides)], split, projection)
scores(view)
embedding(view)
numbers(view)
