"""Choosing runs, with the choice in the URL so that it can be shared."""

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from dashboard.text import as_text


def pick_runs(
    runs: pd.DataFrame, *, label: str, key: str, most: int | None = None, help: str | None = None
) -> list[str]:
    """Choose among ``runs`` (columns id and label); returns ids in the order of choice.

    ``key`` is also the query parameter. Ids that no longer exist are dropped, and the page says so.
    """
    labels = dict(zip(runs["id"], runs["label"], strict=True))
    chosen = _present(label, chosen_runs(key), labels)
    st.session_state[key] = chosen[:most]
    picked = st.multiselect(
        label,
        list(labels),
        key=key,
        format_func=lambda run_id: labels.get(run_id, run_id),
        max_selections=most,
        help=help,
        placeholder="Choose runs",
    )
    remember_runs(key, picked)
    return picked


def pick_run(runs: pd.DataFrame, *, label: str, key: str, first: str | None = None, help: str | None = None) -> str:
    """Choose one of ``runs`` (columns id and label, at least one row), at first ``first`` if it is one of them."""
    labels = dict(zip(runs["id"], runs["label"], strict=True))
    at_first = first if first is not None and first in labels else next(iter(labels))
    chosen = _present(label, chosen_runs(key), labels) or [at_first]
    st.session_state[key] = chosen[0]
    picked = st.selectbox(
        label, list(labels), key=key, format_func=lambda run_id: labels.get(run_id, run_id), help=help
    )
    remember_runs(key, [picked])
    return picked


def show_missing(label: str, run_ids: Sequence[str]) -> None:
    """Say which of the runs that a link named are not there."""
    if run_ids:
        text = f"{label}: {', '.join(run_ids)} cannot be shown here: it may be unfinished or may have been deleted."
        st.warning(as_text(text), icon=":material/link_off:")


def chosen_runs(key: str) -> list[str]:
    """The ids chosen under this key: in this session, or in the URL that opened it."""
    chosen = st.session_state.get(key, st.query_params.get_all(key))
    return [chosen] if isinstance(chosen, str) else list(chosen or ())


def remember_runs(key: str, run_ids: Sequence[str]) -> None:
    """Write the choice into the URL."""
    if st.query_params.get_all(key) != list(run_ids):
        st.query_params[key] = list(run_ids)


def _present(label: str, chosen: Sequence[str], labels: Mapping[str, str]) -> list[str]:
    show_missing(label, [run_id for run_id in chosen if run_id not in labels])
    return [run_id for run_id in chosen if run_id in labels]
