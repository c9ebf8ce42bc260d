"""What can be done with chosen runs: cancel, resume, rename, tag, annotate, clone, delete and undelete them."""

import pandas as pd
import streamlit as st

from ballad.store.run import RESUMABLE
from ballad.wording import counted
from dashboard.forms.session import CLONED_RUN
from dashboard.navigation import NEW_EXPERIMENT, RUN
from dashboard.reading.workbench import ACTIVE, editing_store
from dashboard.ui.changes import change_button

_DELETED = "deleted_runs"
_EDITOR = "describe_run"


def run_actions(runs: pd.DataFrame, *, opens: bool = False) -> None:
    """A row of buttons for these runs; what does not apply is disabled and says why.

    ``opens``: whether the page of a run can be opened from here.
    """
    active = runs.loc[runs["status"].isin(ACTIVE), "id"].tolist()
    stopped = runs.loc[runs["status"].isin(RESUMABLE), "id"].tolist()
    ended = runs.loc[runs["status"] != "running", "id"].tolist()
    with st.container(horizontal=True):
        one = len(runs) == 1
        if opens and st.button("Open", icon=":material/timeline:", disabled=not one, help="Select one run."):
            st.switch_page(RUN, query_params={"run": runs["id"].iloc[0]})
        change_button(
            "Cancel",
            icon=":material/stop_circle:",
            disabled=not active,
            help="Stops them at the next step and keeps a checkpoint. Select queued or running runs.",
            on_click=cancel_runs,
            args=(active,),
        )
        change_button(
            "Resume or retry",
            icon=":material/resume:",
            disabled=not stopped,
            help="Continues them from the last finished stage or checkpoint. Select failed, cancelled or interrupted "
            "runs.",
            on_click=_resume,
            args=(stopped,),
        )
        with st.popover(
            "Name, tags, note",
            icon=":material/edit:",
            disabled=not one,
            help="Select one run.",
            key=_EDITOR,
            on_change="rerun",
        ):
            if one:
                _describe(runs.iloc[0])
        if st.button(
            "Clone",
            icon=":material/content_copy:",
            disabled=not one,
            help="Fills the new-experiment form with the settings of the selected run. Select one run.",
        ):
            st.switch_page(NEW_EXPERIMENT, query_params={CLONED_RUN: runs["id"].iloc[0]})
        change_button(
            "Delete",
            icon=":material/delete:",
            disabled=not ended,
            help="This can be undone. Cancel running runs first.",
            on_click=_delete,
            args=(ended,),
        )


def just_deleted() -> list[str]:
    """The runs whose deletion this reader can undo."""
    return st.session_state.get(_DELETED, [])


def undo_deletion() -> None:
    """After a deletion, offer to undo it."""
    deleted = just_deleted()
    if deleted:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f":material/delete: Deleted {counted(len(deleted), 'run')}.", width="content")
            change_button("Undo", icon=":material/undo:", on_click=_undo)


def cancel_runs(run_ids: list[str]) -> None:
    """Ask these runs to stop."""
    editing_store().cancel(*run_ids)


def _resume(run_ids: list[str]) -> None:
    editing_store().resume(*run_ids)


def _describe(run: pd.Series) -> None:
    with st.form("describe", border=False):
        st.text_input("Name", run["name"], max_chars=120, key=f"name_{run['id']}")
        st.text_input("Tags", ", ".join(run["tags"]), help="Separated by commas", key=f"tags_{run['id']}")
        st.text_area("Note", run["notes"], max_chars=4000, key=f"notes_{run['id']}")
        change_button(
            "Save", button=st.form_submit_button, type="primary", on_click=_save_description, args=(run["id"],)
        )


def _save_description(run_id: str) -> None:
    name, tags, notes = (st.session_state[f"{entry}_{run_id}"] for entry in ("name", "tags", "notes"))
    editing_store().edit(run_id, name=name, notes=notes, tags=tags.split(","))
    st.session_state[_EDITOR] = False


def _delete(run_ids: list[str]) -> None:
    st.session_state[_DELETED] = editing_store().delete(*run_ids)


def _undo() -> None:
    editing_store().restore(*st.session_state.pop(_DELETED))
