"""The store as pages see it: opened once per server, shared by its sessions."""

import pandas as pd
import streamlit as st

from ballad.home import default_home
from ballad.store.run_store import RunStore
from dashboard.access import editor
from dashboard.reading.run_table import RunTable

ACTIVE = ("queued", "running")


@st.cache_resource(show_spinner=False)
def open_store() -> RunStore:
    """The store of this server's home folder."""
    return RunStore(default_home())


def editing_store() -> RunStore:
    """The store, for changes that are recorded as the visitor's. AccessError for guests."""
    return open_store().on_behalf_of(editor())


def all_runs() -> pd.DataFrame:
    """All runs but the deleted ones, as :func:`ballad.store.queries.runs` has them, with ``label`` and ``sparkline``.

    ``label`` names a run for people, ``sparkline`` is its validation accuracy over the epochs.
    """
    return _run_table().current()


@st.cache_resource(show_spinner=False)
def _run_table() -> RunTable:
    return RunTable(open_store())
