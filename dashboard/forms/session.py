"""A form's entries in a reader's session and in the URL.

The entries lie in the session under the name of their setting. They outlive a visit to another page, and the URL holds
what differs from the defaults in the words of the shell's ``--set``, so that it can be shared.
"""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from ballad.errors import BalladError
from ballad.sections import BackboneSettings
from ballad.store.run import DEFAULT_EXECUTOR
from ballad.store.run_store import RunStore
from ballad.work.executors.registry import check_executor
from dashboard.forms.command import assigned_words, experiment_of_words
from dashboard.forms.draft import Request, default_experiment, values_of
from dashboard.settings.fields import EXECUTOR, FIELDS, SEEDS

SETTINGS_IN_URL = "set"
CLONED_RUN = "clone"
_DRAFT = "experiment_draft"


def entry_key(path: str) -> str:
    """The key of a setting's widget."""
    return f"form.{path}"


def draft() -> dict[str, Any]:
    """The values as they stood when the form was last shown or filled."""
    return st.session_state[_DRAFT]


def drafted_backbone() -> BackboneSettings:
    """The backbone that the form was left with; the default where it was not opened yet."""
    values = st.session_state.get(_DRAFT, {})
    return BackboneSettings(**{name: values[f"backbone.{name}"] for name in ("name", "pretrained") if values})


def entered() -> dict[str, Any]:
    """The values that the form holds now; for callbacks, which run before it is shown again."""
    # Entries that are not shown, as those of other methods, keep what they held.
    shown = {path: st.session_state.get(entry_key(path), field.shown(draft()[path])) for path, field in FIELDS.items()}
    return {path: field.value(shown[path]) for path, field in FIELDS.items()}


def keep(values: Mapping[str, Any]) -> None:
    """Remember what the form shows."""
    st.session_state[_DRAFT] = dict(values)


def fill(values: Mapping[str, Any]) -> None:
    """Put other values into the form; before its widgets are shown, so from a callback or at the top of a page."""
    keep(values)
    for path, field in FIELDS.items():
        st.session_state[entry_key(path)] = field.shown(values[path])


def open_form(store: RunStore) -> str | None:
    """Fill the form from the URL, or as it was left; returns a sentence about a link that could not be followed."""
    problem = None
    try:
        cloned = st.query_params.pop(CLONED_RUN, None)
        if cloned:
            fill(values_of_run(store, cloned))
        elif _DRAFT not in st.session_state:
            fill(_values_of_link())
    except BalladError as error:
        problem = f"The link could not be followed. {error}"
    if _DRAFT not in st.session_state:
        fill(values_of(default_experiment()))
    # Streamlit forgets the widgets of a page that was left.
    for path, field in FIELDS.items():
        st.session_state.setdefault(entry_key(path), field.shown(draft()[path]))
    return problem


def values_of_run(store: RunStore, run_id: str) -> dict[str, Any]:
    """The entries that ask for a stored run again. Raises RunError or SettingsError."""
    run = store.get(run_id)
    return values_of(run.experiment, executor=check_executor(run.executor))


def remember_in_url(request: Request) -> None:
    """Let the URL ask for the same."""
    _set_parameter(SETTINGS_IN_URL, assigned_words(request.experiment))
    _set_parameter(SEEDS, [draft()[SEEDS]] if len(request.seeds) > 1 else [])
    _set_parameter(EXECUTOR, [request.executor] if request.executor != DEFAULT_EXECUTOR else [])


def _values_of_link() -> dict[str, Any]:
    words = st.query_params.get_all(SETTINGS_IN_URL)
    values = values_of(experiment_of_words(words))
    values[SEEDS] = st.query_params.get(SEEDS, values[SEEDS])
    values[EXECUTOR] = check_executor(st.query_params.get(EXECUTOR, values[EXECUTOR]))
    return values


def _set_parameter(name: str, words: list[str]) -> None:
    if words != st.query_params.get_all(name):
        if words:
            st.query_params[name] = words
        else:
            del st.query_params[name]
