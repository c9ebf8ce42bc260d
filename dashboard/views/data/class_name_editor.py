"""The names of a dataset's classes, shown and edited: they are what the prompts say."""

import streamlit as st

from ballad.data.name_edits import names_file, reset_class_names, save_class_names
from dashboard.access import editor
from dashboard.reading.plans import DatasetFacts, forget_datasets
from dashboard.ui.changes import change_button
from dashboard.ui.messages import shown_errors

_VERSION = "class_name_editor_version"


def edit_class_names(source: str, facts: DatasetFacts) -> None:
    """An editor of ``class_name`` over the dataset's class table; later runs take what is saved."""
    classes = facts.classes.assign(source=facts.class_sources).sort_values("class_id")
    edited = names_file(source).exists()
    st.caption(
        "A prompt such as “a photo of a sea snake.” is only as good as the class name in it. Edited names are part of "
        "the dataset's fingerprint, so earlier runs keep their own results."
        + (" **These names have been edited.**" if edited else "")
    )
    version = st.session_state.setdefault(_VERSION, 0)
    table = st.data_editor(
        classes[["class_id", "source", "class_name", "group", "train_count"]],
        hide_index=True,
        disabled=["class_id", "source", "group", "train_count"],
        column_config={
            "class_id": st.column_config.NumberColumn("Label"),
            "source": st.column_config.TextColumn("Read from"),
            "class_name": st.column_config.TextColumn("Class name", required=True, max_chars=200, width="large"),
            "group": st.column_config.TextColumn("Shot group"),
            "train_count": st.column_config.NumberColumn("Training images"),
        },
        key=f"class_names_{version}_{source}",
        height=min(360, 38 + 36 * len(classes)),
    )
    names = dict(zip(table["source"], table["class_name"], strict=True))
    changed = int((table["class_name"] != classes["class_name"]).sum())
    with st.container(horizontal=True):
        change_button(
            f"Save {changed} changed" if changed else "Save",
            type="primary",
            icon=":material/save:",
            disabled=not changed,
            on_click=_save,
            args=(source, names),
        )
        change_button(
            "Back to the dataset's own names",
            icon=":material/undo:",
            disabled=not edited,
            on_click=_reset,
            args=(source,),
        )


def _save(source: str, names: dict[str, str]) -> None:
    with shown_errors():
        editor()
        save_class_names(source, names)
        _start_afresh()


def _reset(source: str) -> None:
    editor()
    reset_class_names(source)
    _start_afresh()


def _start_afresh() -> None:
    forget_datasets()
    st.session_state[_VERSION] += 1
