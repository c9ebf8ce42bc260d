"""Choosing a dataset: by its name in the catalogue, or a folder or table inside the data roots."""

from collections.abc import Iterator

import streamlit as st

from ballad.data.catalog import CATALOG
from ballad.data.readers.tables import TABLE_SUFFIXES
from ballad.data.roots import data_roots

_OWN_FOLDER = "class_names"
"""Below a data root, but no dataset: where edited class names are kept."""


def pick_dataset(*, key: str, first: str = "demo") -> str:
    """Choose a catalogue name, or a path as it was typed; ``key`` is also the query parameter.

    A typed path may lie outside the data roots: :func:`dashboard.reading.dataset_source.dataset_source` tells.
    """
    chosen = st.session_state.get(key) or st.query_params.get(key) or first
    st.session_state[key] = chosen
    picked = st.selectbox(
        "Dataset",
        list(dict.fromkeys([*CATALOG, *own_datasets(), chosen])),
        format_func=dataset_title,
        key=key,
        accept_new_options=True,
        help="A dataset from the catalogue, or a path inside the data roots: a folder of class folders, a folder with "
        "list files, or a CSV or Parquet table of paths and labels.",
    )
    if st.query_params.get(key) != picked:
        st.query_params[key] = picked
    return picked


def dataset_title(picked: str) -> str:
    """What people call it: the catalogue's title, or the path itself."""
    return CATALOG[picked].title if picked in CATALOG else picked


def source_title(source: str) -> str:
    """The catalogue's title of a dataset, or the last folder of its path."""
    return CATALOG[source].title if source in CATALOG else source.rstrip("/").rpartition("/")[2]


def own_datasets() -> list[str]:
    """Names of folders and tables directly below the data roots that belong to no dataset of the catalogue."""
    return sorted(set(_own_entries()))


def _own_entries() -> Iterator[str]:
    known = {_OWN_FOLDER, *(name for entry in CATALOG.values() for name in entry.folders)}
    for root in data_roots():
        for path in root.iterdir() if root.is_dir() else ():
            is_dataset = path.is_dir() or path.suffix.lower() in TABLE_SUFFIXES
            if is_dataset and path.name not in known and not path.name.startswith("."):
                yield path.name
