"""Data: which datasets there are, how to get them, what they look like, and whether their images are in order."""

from typing import Any

import numpy as np
import streamlit as st

from ballad.data.catalog import CATALOG
from ballad.data.roots import data_roots
from ballad.errors import BalladError
from ballad.sections import DatasetSettings
from ballad.shot_groups import SHOT_GROUPS
from ballad.wording import counted
from dashboard.figures.class_counts import class_count_curve
from dashboard.figures.confusion import distinct_labels
from dashboard.forms.command import assigned_words
from dashboard.forms.draft import default_experiment
from dashboard.forms.session import SETTINGS_IN_URL
from dashboard.navigation import NEW_EXPERIMENT, PAPER
from dashboard.pickers.dataset_picker import pick_dataset
from dashboard.reading.dataset_source import dataset_source
from dashboard.reading.loaders import SPLIT_TITLES
from dashboard.reading.plans import DatasetFacts, dataset_facts
from dashboard.settings.field_kinds import Choice, Number
from dashboard.settings.fields import FIELDS
from dashboard.text import as_text, sentence_as_text
from dashboard.ui.charts import show_chart
from dashboard.ui.downloads import figure_downloads, table_downloads
from dashboard.ui.gallery import dataset_gallery, page_of
from dashboard.ui.messages import show_error, shown_errors
from dashboard.ui.stop import stop
from dashboard.ui.thumbnails import read_dataset
from dashboard.views.data.class_name_editor import edit_class_names
from dashboard.views.data.dataset_catalogue import STATES, catalogue_table, expected_groups, show_entry
from dashboard.views.data.dataset_check import show_check

WHOLE = st.column_config.NumberColumn(format="localized")
CATALOGUE_COLUMNS = dict.fromkeys(("Classes", "Training images", "Validation", "Test"), WHOLE)
CLASS_COLUMNS = {
    "class_id": st.column_config.NumberColumn("Label"),
    "source": st.column_config.TextColumn("Read from", help="The folder or label from which the class was read."),
    "class_name": st.column_config.TextColumn("Class"),
    "group": st.column_config.TextColumn("Shot group"),
    "train_count": st.column_config.NumberColumn("Training images", format="localized"),
    "val_count": st.column_config.NumberColumn("Validation", format="localized"),
    "test_count": st.column_config.NumberColumn("Test", format="localized"),
}
SPLITS: dict[str, str] = {"train": "Training", "val": SPLIT_TITLES["val"], "test": SPLIT_TITLES["test"]}


def show_catalogue() -> None:
    table = catalogue_table()
    present = int((table["State"] == STATES["present"]).sum())
    with st.expander(
        f"The catalogue: {present} of {counted(len(table), 'dataset')} are available",
        icon=":material/list:",
        expanded=True,
        key="catalogue",
    ):
        st.dataframe(
            table, hide_index=True, alt="Datasets of the catalogue", placeholder="–", column_config=CATALOGUE_COLUMNS
        )
        st.caption(
            "Counts are those of the literature. To use your own images, put a folder or table inside a data root "
            f"({', '.join(f'`{root}`' for root in data_roots())}; `BALLAD_DATA` sets them) and enter its name below."
        )


def pick_settings() -> DatasetSettings:
    """The dataset, and how it is thinned and split; the page ends here if the dataset is not available yet.

    Raises DataError for a path outside the data roots.
    """
    picker, cut = st.columns([3, 1], vertical_alignment="bottom")
    with picker:
        picked = pick_dataset(key="dataset")
    with cut.popover("Subset and splits", icon=":material/content_cut:", width="stretch"):
        values = ask_cut()
    source = dataset_source(picked)
    if picked in CATALOG:
        status = show_entry(CATALOG[picked])
        if status.state != "present":
            stop()
    return DatasetSettings(source=source, **values)


def ask_cut() -> dict[str, Any]:
    """Settings of a cut, in the URL as well."""
    return {
        "imbalance_ratio": ask_ratio(),
        "imbalance_profile": ask_choice("imbalance_profile", key="profile"),
        "shot_groups": ask_choice("shot_groups", key="groups"),
        **{name: ask_number(name) for name in ("validation_per_class", "test_per_class", "split_seed")},
    }


def ask_ratio() -> float | None:
    field = FIELDS["dataset.imbalance_ratio"]
    assert isinstance(field, Number)
    return st.number_input(
        field.label,
        1.0,
        value=None,
        step=10.0,
        placeholder=field.empty,
        help=field.help,
        key="ratio",
        bind="query-params",
    )


def ask_choice(name: str, key: str) -> str:
    field = FIELDS[f"dataset.{name}"]
    assert isinstance(field, Choice)
    return st.selectbox(
        field.label,
        list(field.titles),
        format_func=field.titles.__getitem__,
        help=field.help,
        key=key,
        bind="query-params",
    )


def ask_number(name: str) -> int:
    field = FIELDS[f"dataset.{name}"]
    return st.number_input(field.label, 0, step=1, help=field.help, key=name, bind="query-params")


def show_numbers(facts: DatasetFacts, picked_from_catalogue: str | None) -> None:
    counts = facts.classes["train_count"]
    with st.container(horizontal=True):
        st.metric("Classes", f"{len(facts.classes):,}", border=True)
        for split, images in facts.images.items():
            st.metric(f"{SPLITS[split]} images", f"{images:,}", border=True)
        ratio = counts.max() / max(counts.min(), 1)
        st.metric(
            "Imbalance ratio",
            f"{ratio:,.0f}",
            border=True,
            help="Training images of the most frequent class divided by those of the rarest.",
        )
        groups = facts.classes["group"].value_counts()
        shown = " / ".join(f"{groups.get(group, 0):,}" for group in SHOT_GROUPS)
        st.metric("Many / medium / few classes", shown, border=True)
    if facts.synthetic:
        st.info("Synthetic: these pictures were rendered by a program.", icon=":material/shapes:")
    for note in facts.notes:
        st.warning(sentence_as_text(note), icon=":material/info:")
    for sentence in facts.ignored:
        if sentence not in facts.notes:
            st.caption(sentence_as_text(sentence))
    if picked_from_catalogue and CATALOG[picked_from_catalogue].shot_classes:
        st.caption(
            f"In the literature, the set has {expected_groups(picked_from_catalogue)} many-, medium- and few-shot "
            "classes."
        )


def show_counts(facts: DatasetFacts, settings: DatasetSettings) -> None:
    figure = class_count_curve(facts.classes)
    show_chart(figure, key="counts", label="Training images of each class", height=420, revision=facts.fingerprint)
    with st.container(horizontal=True, vertical_alignment="center"):
        rule = "by this split's counts" if settings.shot_groups == "recount" else "kept from the split with ratio 100"
        st.caption(
            f"Many: more than 100 training images, medium: 20 to 100, few: fewer than 20; {rule}. Both conventions are "
            "in use at ratios other than 100; choose one under “Subset and splits”."
        )
        figure_downloads(f"class counts {facts.title}", figure, facts.classes, key="counts")
    st.dataframe(
        facts.classes.assign(source=facts.class_sources),
        hide_index=True,
        alt="Images of each class",
        height=260,
        column_config=CLASS_COLUMNS,
        column_order=list(CLASS_COLUMNS),
    )
    table_downloads(f"classes {facts.title}", facts.classes, caption="Images of each class.", key="classes")


def show_pictures(facts: DatasetFacts, settings: DatasetSettings) -> None:
    names = distinct_labels(range(len(facts.classes)), facts.classes["class_name"].tolist())
    with st.container(horizontal=True, vertical_alignment="bottom"):
        # Chosen by name, as on the other pages: another dataset gives the same number to another class.
        class_id = names.index(st.selectbox("Class", names, key="class", bind="query-params", width=320))
        split = st.segmented_control(
            "Split",
            list(facts.images),
            default="train",
            format_func=SPLITS.__getitem__,
            key="split",
            required=True,
            bind="query-params",
        )
    with shown_errors():
        dataset = read_dataset(settings)
        images = next(each for each in dataset.splits if each.name == split)
        samples = np.flatnonzero(images.labels == class_id).tolist()
        group = facts.classes["group"].iloc[class_id]
        st.caption(f"{counted(len(samples), 'picture')} of {as_text(names[class_id])}, {group}-shot")
        shown = page_of(samples, key=f"page_{split}_{class_id}")
        dataset_gallery(settings, split, {index: images.sample_name(index).rpartition("/")[2] for index in shown})


def show_next(settings: DatasetSettings, picked: str) -> None:
    values = {f"dataset.{name}": value for name, value in settings.model_dump(mode="json").items()}
    words = assigned_words(default_experiment(settings.source).with_values(values))
    with st.container(horizontal=True):
        st.page_link(
            NEW_EXPERIMENT,
            label="New experiment on it",
            icon=":material/add_circle:",
            query_params={SETTINGS_IN_URL: words},
        )
        st.page_link(
            PAPER, label="The paper's tables on it", icon=":material/article:", query_params={"dataset": picked}
        )


st.markdown(
    "The images to learn from: which datasets are available and how to get the others, how long their tails are, what "
    "their classes look like, and whether anything is wrong with them.",
    width=900,
)
show_catalogue()
try:
    settings = pick_settings()
    facts = dataset_facts(settings)
except BalladError as error:
    show_error(error)
    stop()

picked = st.session_state["dataset"]
show_numbers(facts, picked if picked in CATALOG else None)
show_next(settings, picked)
counts, pictures, check, names = st.tabs(
    ["Class counts", "Pictures", "Check", "Class names"], key="view", on_change="rerun", bind="query-params"
)
if counts.open:
    with counts:
        show_counts(facts, settings)
if pictures.open:
    with pictures:
        show_pictures(facts, settings)
if check.open:
    with check:
        show_check(settings, facts)
if names.open:
    with names:
        edit_class_names(settings.source, facts)
