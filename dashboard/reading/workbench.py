"""The store as pages see it: opened once per server, read once per change."""

import pandas as pd
import streamlit as st

from ballad.home import default_home
from ballad.store import queries
from ballad.store.run_store import RunStore
from dashboard.access import editor

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
    store = open_store()
    return _all_runs(store, store.version())


@st.cache_data(max_entries=4, show_spinner=False)
def _all_runs(_store: RunStore, version: int) -> pd.DataFrame:
    runs = queries.runs(_store)
    runs["label"] = [run_label(name, run_id) for name, run_id in zip(runs["name"], runs["id"], strict=True)]
    curves = queries.sparklines(_store, runs["id"].tolist())
    runs["sparkline"] = [curves.get(run_id, []) for run_id in runs["id"]]
    return runs


def run_label(name: str, run_id: str) -> str:
    """``λ sweep 0.2 · mg3x1k2a``: the name is for people, the id tells apart runs of one name."""
    return f"{name or 'unnamed'} · {run_id}"
