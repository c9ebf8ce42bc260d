"""Whether a backbone's weights are on this disk, and their download with progress."""

import streamlit as st

from ballad.errors import BackboneError
from ballad.model.catalogue import weights_to_download
from ballad.sections import BackboneSettings
from ballad.store.tasks import task_id
from dashboard.text import as_text
from dashboard.ui.changes import change_button
from dashboard.ui.tasks import ask_task, open_tasks, show_unfinished


def offer_weights(name: str, pretrained: str | None) -> None:
    """Nothing where no published weights are lacking; else say so, and download them after a confirmation."""
    arguments = {"name": name, "pretrained": pretrained}
    try:
        lacking = weights_to_download(BackboneSettings.model_validate(arguments))
    except BackboneError:
        return  # beside the form it is said what is wrong with the name
    if lacking is None:
        return
    task = open_tasks().find(task_id("weights", arguments))
    if show_unfinished(task, f"Downloading the weights of {name}"):
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"The weights of {as_text(name)} are not on this machine: the run will download them first.")
        with st.popover("Download them now", icon=":material/download:", type="tertiary"):
            st.markdown(
                f"From `huggingface.co/{lacking.repository}`, whose page states the licence, to the hub's cache."
            )
            change_button(
                "Download",
                type="primary",
                key="download_weights",
                on_click=lambda: ask_task("weights", arguments, again=True),
            )
