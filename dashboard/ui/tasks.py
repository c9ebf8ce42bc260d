"""Background work requested by a page: its progress, a way to stop it, and why it failed."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from ballad.store.tasks import Task, TaskStore
from dashboard.access import editor
from dashboard.reading.workbench import open_store
from dashboard.text import as_text
from dashboard.ui.changes import change_button
from dashboard.ui.messages import show_sentence

SECONDS_BETWEEN_LOOKS = 0.5


@st.cache_resource(show_spinner=False)
def open_tasks() -> TaskStore:
    """The tasks of this server's store."""
    return TaskStore(open_store().database)


def ask_task(kind: str, arguments: Mapping[str, Any], *, again: bool = False) -> Task:
    """The task, queued as :meth:`TaskStore.ask` says. AccessError for guests."""
    return open_tasks().ask(kind, arguments, again=again, asked_by=editor())


def show_unfinished(task: Task | None, title: str) -> bool:
    """Show an active task's progress, or why one failed with a button that asks again; False for any other task.

    The page runs again when an active task has ended.
    """
    if task is None or not (task.active or task.status == "failed"):
        return False
    if task.active:
        _progress(task.id, title)
    else:
        show_sentence(task.error or "This failed.")
        change_button("Try again", icon=":material/refresh:", on_click=ask_task, args=(task.kind, task.arguments))
    return True


@st.fragment(run_every=SECONDS_BETWEEN_LOOKS)
def _progress(task_id: str, title: str) -> None:
    task = open_tasks().get(task_id)
    if not task.active:
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center"):
        doing = task.doing or ("Waiting for its turn" if task.status == "queued" else "Starting")
        st.progress(task.share, text=f"**{as_text(title)}**: {as_text(doing)}")
        change_button(
            "Stopping…" if task.cancel_requested else "Cancel",
            key=f"cancel_{task_id}",
            disabled=task.cancel_requested,
            on_click=_cancel,
            args=(task_id,),
        )


def _cancel(task_id: str) -> None:
    editor()
    open_tasks().cancel(task_id)
