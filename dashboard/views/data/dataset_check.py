"""The check of a dataset's images, as work in the background, and what it found."""

import pandas as pd
import streamlit as st

from ballad.errors import DataError
from ballad.sections import BackboneSettings, DatasetSettings
from ballad.store.tasks import task_id
from ballad.wording import counted
from dashboard.forms.session import drafted_backbone
from dashboard.pickers.backbone_paths import check_backbone_paths
from dashboard.reading.plans import DatasetFacts
from dashboard.text import as_text
from dashboard.ui.changes import change_button
from dashboard.ui.downloads import table_downloads
from dashboard.ui.tasks import ask_task, open_tasks, show_unfinished

_HEADINGS = {
    "split": "Split",
    "sample": "Image",
    "class_name": "Class",
    "problem": "Problem",
    "train_sample": "Training image",
    "train_class_name": "Its class",
    "first_sample": "Same as",
    "first_class_name": "Class of that",
}


def show_check(settings: DatasetSettings, facts: DatasetFacts) -> None:
    """Offer the check, or show where it stands or what it found. It is kept for the dataset's fingerprint."""
    backbone = _chosen_backbone()
    arguments = {"dataset": settings.model_dump(mode="json"), "fingerprint": facts.fingerprint}
    if backbone != BackboneSettings():  # checks that were kept by earlier versions name none
        arguments["backbone"] = backbone.model_dump(mode="json")
    task = open_tasks().find(task_id("check", arguments))
    st.caption(
        "Decodes every image and compares test and validation images with the training images byte by byte, before "
        f"any training. Class names are read by the tokenizer of the backbone {as_text(backbone.name)}, which New "
        "experiment chooses."
    )
    if show_unfinished(task, f"Checking {counted(sum(facts.images.values()), 'image')}"):
        return
    if task is not None and task.result is not None:
        _show_findings(task.result)
    change_button(
        "Check the images" if task is None or task.result is None else "Check again",
        icon=":material/fact_check:",
        key="check",
        on_click=lambda: ask_task("check", arguments, again=True),
    )


def _chosen_backbone() -> BackboneSettings:
    """The one of the form, unless it lies where pages may not look."""
    backbone = drafted_backbone()
    try:
        check_backbone_paths(backbone)
    except DataError:
        return BackboneSettings()
    return backbone


def _show_findings(result: dict) -> None:
    unreadable, duplicates = result["unreadable_found"], result["duplicates_found"]
    if not unreadable and not duplicates:
        st.success(
            "Every image can be read, and no test or validation image is also a training image.",
            icon=":material/check:",
        )
    if unreadable:
        st.error(
            f"{counted(unreadable, 'image')} cannot be read. Repair or remove the files listed, or set “Leave "
            "unreadable images out” in the experiment; otherwise a run stops at the first one.",
            icon=":material/broken_image:",
        )
        _findings("unreadable images", result["unreadable"], unreadable)
    if duplicates:
        st.warning(
            f"{counted(duplicates, 'test or validation image is', 'test or validation images are')} also trained on, "
            "so accuracies come out too high. Remove one of each pair.",
            icon=":material/content_copy:",
        )
        _findings("duplicate images", result["duplicates"], duplicates)
    # Checks that were kept by earlier versions looked for neither.
    repeats = result.get("repeats_found", 0)
    if repeats:
        st.warning(
            f"{counted(repeats, 'image comes', 'images come')} more than once in the same split. Where the classes "
            "differ, one of them is wrong.",
            icon=":material/content_copy:",
        )
        _findings("repeated images", result["repeats"], repeats)
    for note in result.get("token_notes", ()):
        st.warning(note, icon=":material/match_word:")


def _findings(name: str, records: list[dict], found: int) -> None:
    table = pd.DataFrame(records)
    st.dataframe(
        table,
        hide_index=True,
        alt=name.capitalize(),
        height=min(300, 38 + 36 * len(table)),
        column_order=[column for column in _HEADINGS if column in table],
        column_config=_HEADINGS,
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        if found > len(table):
            st.caption(f"The first {len(table):,} of {found:,}.")
        table_downloads(name, table, caption=name.capitalize(), key=name.replace(" ", "_"))
