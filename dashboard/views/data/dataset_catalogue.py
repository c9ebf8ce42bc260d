"""What the catalogue knows about each dataset, as a table and as a card with a way to get it."""

import pandas as pd
import streamlit as st

from ballad.data.catalog import CATALOG, list_datasets
from ballad.data.known.entry import KnownDataset, Status
from ballad.data.roots import data_roots
from ballad.store.tasks import Task, task_id
from ballad.wording import MISSING, size
from dashboard.reading.plans import forget_datasets
from dashboard.ui.changes import change_button
from dashboard.ui.tasks import ask_task, open_tasks, show_unfinished

STATES = {"present": "available", "downloadable": "can be downloaded", "missing": "to be provided"}
_BADGES = {
    "present": ":green-badge[:material/check_circle: available]",
    "downloadable": ":blue-badge[:material/download: can be downloaded]",
    "missing": ":orange-badge[:material/folder_off: to be provided]",
}


def catalogue_table() -> pd.DataFrame:
    """One row per dataset: its counts in the literature, and whether it is available."""
    return pd.DataFrame([_line(entry) for entry in list_datasets()])


def show_entry(entry: KnownDataset) -> Status:
    """A card: whether the dataset is available, licence, citation, layout, and how to get it; returns its status."""
    status = entry.status()
    with st.container(border=True):
        st.markdown(f"**{entry.title}** {_BADGES[status.state]}")
        st.markdown(status.message)
        if status.state == "downloadable":
            offer_download(entry)
        st.caption(f"Licence: {entry.licence}  \nCitation: {entry.citation}")
        if entry.folders:
            with st.expander("How to get it, and what its folder looks like"):
                st.markdown(entry.how_to_get)
                st.code(entry.layout, language=None)
                roots = ", ".join(f"`{root}`" for root in data_roots())
                st.caption(
                    f"Inside a data root: {roots} (set by `BALLAD_DATA`). A blank line separates alternative layouts."
                )
    return status


def offer_download(entry: KnownDataset) -> None:
    """Ask for a confirmation, then download in the background with progress."""
    arguments = {"name": entry.name}
    task = open_tasks().find(task_id("download", arguments))
    if show_unfinished(task, f"Downloading {entry.title}"):
        return
    assert entry.archive is not None
    with st.popover(f"Download ({size(entry.archive.size)})", icon=":material/download:"):
        st.markdown(
            f"{size(entry.archive.size)} from `{entry.archive.url}` to `{data_roots()[0]}`, checked and unpacked."
        )
        st.caption(f"Licence: {entry.licence}")
        change_button(
            "Download it now", type="primary", key=f"download_{entry.name}", on_click=_download, args=(entry.name,)
        )


def _download(name: str) -> Task:
    # A dataset that was read while it was missing must be read again when it has come.
    forget_datasets()
    return ask_task("download", {"name": name}, again=True)


def expected_groups(name: str) -> str:
    """``385 / 479 / 136``: many-, medium- and few-shot classes in the literature."""
    shots = CATALOG[name].shot_classes
    return " / ".join(map(str, shots)) if shots else MISSING


def _line(entry: KnownDataset) -> dict[str, object]:
    counts = {split: entry.expected.get(split) for split in ("train", "val", "test")}
    return {
        "Dataset": entry.title,
        "Name": entry.name,
        "State": STATES[entry.status().state],
        "Classes": entry.num_classes,
        "Training images": counts["train"],
        "Validation": counts["val"],
        "Test": counts["test"],
        "Many / medium / few": expected_groups(entry.name),
    }
